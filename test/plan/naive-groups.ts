/**
 * Random queries with GROUP BY, HAVING, aggregates and DISTINCT that know their own answer, computed group by group on
 * plain JavaScript values.
 */
import type { CellValue } from "../../src/table/vector.ts";
import { type Dice, type Predicate, predicate, type Row } from "./naive.ts";

/** Integers of all sizes and times are bigints. */
export type Value = null | boolean | bigint | number | string;

interface Item {
  sql: string;
  /** Of a group's rows. */
  value(rows: readonly Row[]): Value;
}

export interface GroupQuery {
  sql: string;
  /** The answer; undefined where a sum is more than 64 bits hold. */
  answer(rows: readonly Row[]): Value[][] | undefined;
}

const INTEGERS = new Set(["n", "u", "date", "stamp"]);

/** A cell of an integer column as a bigint. */
const own = (row: Row, name: string): Value => {
  const value = row[name]!;
  return INTEGERS.has(name) && value !== null ? BigInt(value as number) : (value as Value);
};

const KEYS: Record<string, (row: Row) => Value> = {
  ...Object.fromEntries(["n", "u", "f", "d", "s", "ok"].map((name) => [name, (row: Row) => own(row, name)])),
  "u % 7": (row) => (row.u === null ? null : BigInt((row.u as number) % 7)),
  "coalesce(u, -2)": (row) => BigInt((row.u as number | null) ?? -2),
  "length(s)": (row) => (row.s === null ? null : BigInt([...(row.s as string)].length)),
  "n IS NULL": (row) => row.n === null,
  "lower(s)": (row) => (row.s === null ? null : (row.s as string).toLowerCase()),
  "CASE WHEN ok THEN u ELSE 5 END": (row) => (row.ok === true ? own(row, "u") : 5n),
};

/** Left out beside DuckDB. */
const MORE_KEYS = ["date", "stamp"];

export function compare(a: Value, b: Value): number {
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a! < b! ? -1 : a! > b! ? 1 : 0;
}

const known = (rows: readonly Row[], name: string) =>
  rows.map((row) => own(row, name)).filter((value) => value !== null);

/** Thrown where 64 bits do not hold a sum. */
class Overflow extends Error {}

function sum(values: readonly Value[]): Value {
  if (values.length === 0) return null;
  if (typeof values[0] === "number") return (values as number[]).reduce((a, b) => a + b, 0);
  return values.reduce((a: bigint, b) => a + BigInt(b as bigint), 0n);
}

function checked(total: Value): Value {
  if (typeof total === "bigint" && BigInt.asIntN(64, total) !== total) throw new Overflow();
  return total;
}

function aggregate(dice: Dice, names: readonly string[]): Item {
  const name = dice.of(names);
  const number = dice.of(["n", "u", "u", "f", "d", "ok"]);
  const distinct = dice.chance(0.3);
  const different = (values: Value[]) => (distinct ? [...new Set(values)] : values);
  const word = distinct ? "DISTINCT " : "";
  const mean = dice.of(["n", "u", "f", "d"]);
  const best = (side: number) => (rows: readonly Row[]) =>
    known(rows, name).reduce<Value>((a, b) => (a === null || side * compare(b, a) < 0 ? b : a), null);
  const of = (rows: readonly Row[], column: string) => different(known(rows, column));
  return dice.of<Item>([
    { sql: "count(*)", value: (rows) => BigInt(rows.length) },
    { sql: `count(${word}${name})`, value: (rows) => BigInt(different(known(rows, name)).length) },
    { sql: `min(${word}${name})`, value: best(1) },
    { sql: `max(${name})`, value: best(-1) },
    { sql: `sum(${word}${number})`, value: (rows) => checked(sum(of(rows, number))) },
    {
      sql: `avg(${word}${mean})`,
      value: (rows) =>
        of(rows, mean).length === 0 ? null : Number(sum(of(rows, mean))) / of(rows, mean).length,
    },
    {
      sql: "count(*) + count(u)",
      value: (rows) => BigInt(rows.length + known(rows, "u").length),
    },
    {
      sql: "CASE WHEN max(u) > 100 THEN 'much' ELSE min(s) END",
      value: (rows) =>
        known(rows, "u").some((value) => (value as bigint) > 100n)
          ? "much"
          : known(rows, "s").reduce<Value>((a, b) => (a === null || compare(b, a) < 0 ? b : a), null),
    },
  ]);
}

const HAVING: [string, (rows: readonly Row[]) => boolean][] = [
  ["count(*) > 1", (rows) => rows.length > 1],
  ["max(u) > 7", (rows) => known(rows, "u").some((value) => (value as bigint) > 7n)],
  ["min(s) IS NULL", (rows) => known(rows, "s").length === 0],
  ["count(*) = 3 OR count(n) < 2", (rows) => rows.length === 3 || known(rows, "n").length < 2],
];

/**
 * @param total ordered by all output columns, so that there is one right answer for everybody
 * @param times with times among keys and arguments
 */
export function groupQuery(dice: Dice, { total = false, times = true } = {}): GroupQuery {
  const where: Predicate | undefined = dice.chance(0.5) ? predicate(dice, 1) : undefined;
  const names = [...Object.keys(KEYS).slice(0, 6), ...(times ? MORE_KEYS : [])];
  const keyTexts = [...Object.keys(KEYS), ...(times ? MORE_KEYS : [])];
  const keys = Array.from({ length: dice.below(3) }, () => {
    const text = dice.of(keyTexts);
    const value = KEYS[text] ?? ((row: Row) => own(row, text));
    return { sql: text, value };
  });
  const onlyDistinct = keys.length > 0 && dice.chance(0.25);
  const aggregates = onlyDistinct
    ? []
    : Array.from({ length: 1 + dice.below(3) }, () => aggregate(dice, names));
  const having = !onlyDistinct && dice.chance(0.4) ? dice.of(HAVING) : undefined;
  const distinct = onlyDistinct || dice.chance(0.2);
  const items: Item[] = [
    ...keys.map(({ sql, value }) => ({ sql, value: (rows: readonly Row[]) => value(rows[0]!) })),
    ...aggregates,
  ];
  const order = items.flatMap((_, i) =>
    total || dice.chance(0.4) ? [{ i, descending: dice.chance(0.4), first: dice.chance(0.3) }] : [],
  );
  const [limit, offset] = [
    dice.chance(0.4) ? dice.below(6) : undefined,
    dice.chance(0.3) ? dice.below(3) : 0,
  ];
  const groupBy = keys.map(({ sql }, i) => dice.of([sql, String(i + 1), `k${i}`]));
  const sql = [
    `SELECT ${distinct ? "DISTINCT " : ""}${items.map((item, i) => `${item.sql} AS k${i}`).join(", ")} FROM meta`,
    where ? ` WHERE ${where.sql}` : "",
    keys.length > 0 && !onlyDistinct ? ` GROUP BY ${groupBy.join(", ")}` : "",
    having ? ` HAVING ${having[0]}` : "",
    order.length > 0
      ? ` ORDER BY ${order.map(({ i, descending, first }) => `${i + 1}${descending ? " DESC" : ""} NULLS ${first ? "FIRST" : "LAST"}`).join(", ")}`
      : "",
    limit === undefined ? "" : ` LIMIT ${limit}`,
    offset > 0 ? ` OFFSET ${offset}` : "",
  ].join("");
  const bySorting = (a: Value[], b: Value[]): number => {
    for (const { i, descending, first } of order) {
      const [x, y] = [a[i]!, b[i]!];
      if ((x === null) !== (y === null)) return (x === null) === first ? -1 : 1;
      const sign = x === null ? 0 : compare(x, y);
      if (sign !== 0) return descending ? -sign : sign;
    }
    return 0;
  };
  return {
    sql,
    answer(all) {
      const groups = new Map<string, Row[]>();
      if (keys.length === 0) groups.set(textOf([]), []);
      for (const row of all) {
        if (where && where.test(row) !== true) continue;
        const key = textOf(keys.map(({ value }) => value(row)));
        if (!groups.has(key)) groups.set(key, []);
        groups.get(key)!.push(row);
      }
      try {
        const every = limit === 0 ? [] : [...groups.values()];
        for (const rows of every) for (const { value } of aggregates) value(rows);
        const found = having ? every.filter((rows) => having[1](rows)) : every;
        let answer = found.map((rows) => items.map(({ value }) => value(rows)));
        if (distinct) answer = firsts(answer);
        answer.sort(bySorting);
        return answer.slice(offset, limit === undefined ? undefined : offset + limit);
      } catch (error) {
        if (error instanceof Overflow) return undefined;
        throw error;
      }
    },
  };
}

/** Each row where it comes first. */
function firsts(rows: readonly Value[][]): Value[][] {
  const seen = new Set<string>();
  return rows.filter((row) => !seen.has(textOf(row)) && seen.add(textOf(row)));
}

const textOf = (values: readonly Value[]) =>
  JSON.stringify(values.map((value) => `${typeof value} ${typeof value === "number" ? value + 0 : value}`));

/** An engine's cell as the evaluator has it. */
export function valueIn(cell: CellValue, kind: string): Value {
  return typeof cell === "number" && kind !== "float" ? BigInt(cell) : (cell as Value);
}
