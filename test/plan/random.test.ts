import { describe, expect, it } from "vitest";
import { planQuery } from "../../src/plan/plan.ts";
import type { CellValue } from "../../src/table/vector.ts";
import { answer, random } from "./memory-table.ts";
import { Dice, predicate, type Row, randomTable, TYPES } from "./naive.ts";

const TABLES = 20;
const QUERIES = 20;

function tableOf(seed: number) {
  const dice = new Dice(random(seed));
  const made = randomTable(dice, 1 + dice.below(150));
  made.rows.forEach((row, i) => {
    row.idx = i;
  });
  return { dice, ...made };
}

describe("random predicates on random tables", () => {
  it.each(Array.from({ length: TABLES }, (_, i) => i + 1))("answer as row by row (seed %i)", async (seed) => {
    const { dice, table, rows } = tableOf(seed);
    for (let q = 0; q < QUERIES; q++) {
      const { sql, test } = predicate(dice, 3);
      const wanted = rows.filter((row) => test(row) === true).map((row) => row.idx as number);
      table.reads.length = 0;
      const names = ["s", "n", "d"].filter(() => dice.chance(0.5));
      const query = planQuery(table, `SELECT ${["idx", ...names].join(", ")} FROM meta WHERE ${sql}`);
      const found = await answer(query);
      expect(found.idx, sql).toEqual(wanted);
      expect(found.rows, sql).toEqual(
        wanted.map((i) => [BigInt(i), ...names.map((name) => rows[i]![name]!)]),
      );
      expect(new Set(table.reads).size, `${sql} reads no chunk twice`).toBe(table.reads.length);
      for (const name of names.filter((each) => !mentions(sql, each))) {
        const { chunkRows } = table.columns.get(name)!;
        const needed = new Set(wanted.map((i) => `${name}/${Math.floor(i / chunkRows)}`));
        expect(new Set(table.readsOf(name)), `${sql} reads ${name} late`).toEqual(needed);
      }
      const matches: number[] = [];
      for await (const part of query.matches()) matches.push(...part);
      expect(matches).toEqual(wanted);
    }
  });

  it.each(Array.from({ length: TABLES }, (_, i) => i + 1001))(
    "come in order, limited (seed %i)",
    async (seed) => {
      const { dice, table, rows } = tableOf(seed);
      for (let q = 0; q < 10; q++) {
        const { sql, test } = predicate(dice, 1);
        const keys = Array.from({ length: 1 + dice.below(2) }, () => ({
          name: dice.of(["idx", ...Object.keys(TYPES).filter((name) => name !== "g")]),
          descending: dice.chance(0.5),
          nulls: dice.of([undefined, "first", "last"] as const),
        }));
        const [limit, offset] = [
          dice.chance(0.6) ? dice.below(20) : undefined,
          dice.chance(0.4) ? dice.below(10) : 0,
        ];
        const order = keys.map(
          (key) => `${key.name}${key.descending ? " DESC" : ""}${key.nulls ? ` NULLS ${key.nulls}` : ""}`,
        );
        const cut = `${limit === undefined ? "" : ` LIMIT ${limit}`}${offset ? ` OFFSET ${offset}` : ""}`;
        const text = `SELECT idx, s FROM meta WHERE ${sql} ORDER BY ${order.join(", ")}${cut}`;
        const wanted = rows
          .filter((row) => test(row) === true)
          .sort((a, b) => bySorting(keys, a, b))
          .slice(offset, limit === undefined ? undefined : offset + limit)
          .map((row) => row.idx as number);
        const query = planQuery(table, text);
        const found = await answer(query);
        expect(found.idx, text).toEqual(wanted);
        expect(
          found.rows.map((row) => row[1]),
          text,
        ).toEqual(wanted.map((i) => rows[i]!.s));
        const matches: number[] = [];
        for await (const part of query.matches()) matches.push(...part);
        expect(matches, text).toEqual(wanted);
      }
    },
  );
});

function mentions(sql: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`).test(sql.replace(/'[^']*'/g, ""));
}

interface Key {
  name: string;
  descending: boolean;
  nulls: "first" | "last" | undefined;
}

function bySorting(keys: readonly Key[], a: Row, b: Row): number {
  for (const { name, descending, nulls } of keys) {
    const [x, y] = [a[name]!, b[name]!];
    if ((x === null) !== (y === null)) return (x === null ? 1 : -1) * (nulls === "first" ? -1 : 1);
    const sign = x === null ? 0 : order(x, y);
    if (sign !== 0) return descending ? -sign : sign;
  }
  return (a.idx as number) - (b.idx as number);
}

function order(x: CellValue, y: CellValue): number {
  if (typeof x === "string") return Buffer.compare(Buffer.from(x), Buffer.from(y as string));
  return (x as number) < (y as number) ? -1 : (x as number) > (y as number) ? 1 : 0;
}
