import { describe, expect, it } from "vitest";
import { planQuery } from "../../src/plan/plan.ts";
import { answersOf, columnsOf, DIFFERENT_OR_SPATIAL, hasDuckdb, isSame } from "./duckdb.ts";
import { answer, random } from "./memory-table.ts";
import { Dice, predicate, randomTable } from "./naive.ts";
import { groupQuery } from "./naive-groups.ts";

/** Queries that mean the same to both. */
function queriesOf(count: number, make: () => string): string[] {
  const queries: string[] = [];
  while (queries.length < count) {
    const sql = make();
    if (!DIFFERENT_OR_SPATIAL.test(sql)) queries.push(sql);
  }
  return queries;
}

// skipped without Python and its duckdb package (ZARRSIFT_PYTHON names the interpreter)
describe.skipIf(!hasDuckdb)("beside DuckDB", () => {
  it.each([1, 2, 3])("random predicates find the same rows (seed %i)", { timeout: 60_000 }, async (seed) => {
    const dice = new Dice(random(seed + 7000));
    const { table, rows } = randomTable(dice, 80);
    const queries = queriesOf(150, () => `SELECT idx FROM meta WHERE ${predicate(dice, 2).sql} ORDER BY idx`);
    const wanted = answersOf(columnsOf(rows), queries);
    for (const [i, sql] of queries.entries()) {
      const found = (await answer(planQuery(table, sql))).idx;
      expect(
        found.map((idx) => [{ int: String(idx) }]),
        sql,
      ).toEqual(wanted[i]);
    }
  });

  it.each([1, 2, 3, 4])("random groups are the same (seed %i)", { timeout: 60_000 }, async (seed) => {
    const dice = new Dice(random(seed + 9000));
    const { table, rows } = randomTable(dice, 80);
    const queries = queriesOf(150, () => groupQuery(dice, { total: true, times: false }).sql);
    const wanted = answersOf(columnsOf(rows), queries);
    for (const [i, sql] of queries.entries()) {
      const theirs = wanted[i]!;
      if (typeof theirs === "string") throw new Error(`${sql}: ${theirs}`);
      const found = await answer(planQuery(table, sql)).catch((error: unknown) => error as Error);
      if (found instanceof Error) {
        // HUGEINT goes on where int64 ends
        expect(found.message, sql).toMatch(/which int64 cannot hold/);
        continue;
      }
      const wrong = found.rows.filter((row, r) => !row.every((cell, k) => isSame(cell, theirs[r]![k]!)));
      expect([wrong, found.rows.length], sql).toEqual([[], theirs.length]);
    }
  });
});
