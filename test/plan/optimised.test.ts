/** Whatever a plan leaves out, moves or stops early, its answer is that of a scan that does not, and it reads no more. */
import { describe, expect, it } from "vitest";
import { planQuery } from "../../src/plan/plan.ts";
import type { Table } from "../../src/table/table.ts";
import type { CellValue } from "../../src/table/vector.ts";
import { answer, random } from "./memory-table.ts";
import { Dice, predicate } from "./naive.ts";
import { groupQuery } from "./naive-groups.ts";
import { type StoredTable, storedTable } from "./stored-table.ts";

const TABLES = 12;
const QUERIES = 25;

/** Nothing in them fails on rows that WHERE leaves out. */
const ITEMS =
  "idx date stamp n u f d s ok g length(s) coalesce(u,300) date_trunc('year',date) s||'!' ok::varchar".split(
    " ",
  );
const KEYS = ["idx", "date", "n", "s", "d", "u", "ok", "length(s)", "coalesce(f, 0)", "stamp"];

interface RowQuery {
  items: string[];
  where: string;
  order: string;
  limit: number | undefined;
  offset: number;
}

function rowQuery(dice: Dice): RowQuery {
  const keys = Array.from({ length: dice.below(3) }, () => {
    const direction = dice.of(["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
    return dice.of(KEYS) + direction;
  });
  return {
    items: ITEMS.filter(() => dice.chance(0.2)),
    where: predicate(dice, dice.below(4)).sql,
    order: [...keys, "idx"].join(", "),
    limit: dice.chance(0.5) ? dice.below(12) : undefined,
    offset: dice.chance(0.3) ? dice.below(8) : 0,
  };
}

const listed = (items: readonly string[]) =>
  ["idx AS own_idx", ...items.map((item, i) => `${item} AS c${i}`)].join(", ");

function planned({ items, where, order, limit, offset }: RowQuery): string {
  const cut = `${limit === undefined ? "" : ` LIMIT ${limit}`}${offset > 0 ? ` OFFSET ${offset}` : ""}`;
  // ORDER BY idx alone is the order of the scan, which LIMIT may then stop
  const ordered = order === "idx" ? "" : ` ORDER BY ${order}`;
  return `SELECT ${listed(items)} FROM meta WHERE ${where}${ordered}${cut}`;
}

/** Everything is read and ordered, the condition is one more value of each row, and the rest is done here. */
async function unplanned(table: Table, query: RowQuery): Promise<CellValue[][]> {
  const { items, where, order, limit, offset } = query;
  const sql = `SELECT ${listed(items)}, (${where}) AS keep FROM meta ORDER BY ${order}`;
  const { rows } = await answer(planQuery(table, sql, { asWritten: true }));
  const kept = rows.filter((row) => row.at(-1) === true).map((row) => row.slice(0, -1));
  return kept.slice(offset, limit === undefined ? undefined : offset + limit);
}

/** What a scan costs that reads all chunks of all columns a query names, each once. */
function naiveCost(sql: string, { costs }: StoredTable) {
  const text = sql.replace(/'[^']*'/g, "''").replace(/\bdate\(|\bAS \w+/g, "");
  const named = [...costs].filter(([name]) => new RegExp(`\\b${name}\\b`).test(text));
  return {
    requests: named.reduce((sum, [, cost]) => sum + cost.requests, 0),
    bytes: named.reduce((sum, [, cost]) => sum + cost.bytes, 0),
  };
}

function expectCheap(sql: string, stored: StoredTable, total: { requests: number; bytes: number }): void {
  const most = naiveCost(sql, stored);
  expect(total.requests, `requests of ${sql}`).toBeLessThanOrEqual(most.requests);
  expect(total.bytes, `bytes of ${sql}`).toBeLessThanOrEqual(most.bytes);
}

const seeds = Array.from({ length: TABLES }, (_, i) => i + 1);

describe("plans of random queries over random stores", () => {
  it.each(seeds)("answer as without planning, and read no more (seed %i)", async (seed) => {
    const dice = new Dice(random(seed + 60_000));
    const stored = await storedTable(dice, 1 + dice.below(200));
    let [saved, found] = [0, 0];
    for (let q = 0; q < QUERIES; q++) {
      const query = rowQuery(dice);
      const sql = planned(query);
      const wanted = await unplanned((await stored.open()).table, query);
      const { table, total } = await stored.open();
      expect((await answer(planQuery(table, sql))).rows, sql).toEqual(wanted);
      expectCheap(sql, stored, total);
      const spent = total.bytes;
      expect((await answer(planQuery(table, sql))).rows, `${sql}, again`).toEqual(wanted);

      if (spent < naiveCost(sql, stored).bytes) saved++;
      found += wanted.length;
      const asWritten = planQuery((await stored.open()).table, sql, { asWritten: true });
      expect((await answer(asWritten)).rows, `${sql}, as written`).toEqual(wanted);
    }
    expect(saved).toBeGreaterThan(0);
    expect(found).toBeGreaterThan(0);
  });

  it.each(seeds)("make the same groups, and read no more (seed %i)", async (seed) => {
    const dice = new Dice(random(seed + 70_000));
    const stored = await storedTable(dice, 1 + dice.below(200));
    for (let q = 0; q < 10; q++) {
      const { sql } = groupQuery(dice, { total: true });
      // nothing can be taken out of a CASE
      const whole = sql.replace(
        /WHERE (.*?)(?= GROUP BY| HAVING| ORDER BY| LIMIT| OFFSET|$)/,
        "WHERE CASE WHEN ($1) THEN TRUE ELSE FALSE END",
      );
      const run = async (text: string, asWritten: boolean) => {
        const { table, total } = await stored.open();
        const rows = await answer(planQuery(table, text, { asWritten })).catch(
          (error: Error) => error.message,
        );
        return { rows: typeof rows === "string" ? rows : rows.rows, total };
      };
      const { rows, total } = await run(sql, false);
      expect(rows, sql).toEqual((await run(whole, true)).rows);
      expectCheap(sql, stored, total);
    }
  });

  it("read nothing to count all rows, and one chunk for the first of them", async () => {
    const dice = new Dice(random(8));
    const stored = await storedTable(dice, 150);
    const { table, total } = await stored.open();
    expect((await answer(planQuery(table, "SELECT count(*) FROM meta"))).rows).toEqual([[150n]]);
    expect(total.requests).toBe(0);
    await answer(planQuery(table, "SELECT s FROM meta LIMIT 1"));
    expect(total.requests).toBe(1);
  });
});
