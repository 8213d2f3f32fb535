import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { textCell } from "../../src/format/cell.ts";
import { planQuery } from "../../src/plan/plan.ts";
import type { CellValue } from "../../src/table/vector.ts";
import { answer, random } from "./memory-table.ts";
import { Dice, type Row, randomTable, TYPES } from "./naive.ts";
import { groupQuery, type Value, valueIn } from "./naive-groups.ts";

const PYTHON = process.env.ZARRSIFT_PYTHON ?? ".venv/bin/python";
const hasDuckdb = spawnSync(PYTHON, ["-c", "import duckdb"]).status === 0;

/** DuckDB's types. ns timestamps and geometry are left out: its literals have microseconds, and it needs an extension. */
const DUCKDB: Record<string, string> = {
  date: "TIMESTAMP_MS",
  n: "BIGINT",
  u: "UTINYINT",
  f: "FLOAT",
  d: "DOUBLE",
  s: "VARCHAR",
  ok: "BOOLEAN",
};

/**
 * Differences by intent, left out. Integers are computed in 64 bits, where DuckDB overflows utinyint; `1e30` beside an
 * integer is exact, not a double; NaN is NULL; a time with an offset is converted,
 * not cut off; one finer than the column stays as fine.
 */
const DIFFERENT = /stamp|ST_|\bg\b|1e30|000000001|00\.0005|\+01:00|u \+ 1|d - d/;

type Cell = null | boolean | string | { int: string } | { float: string };

function answersOf(columns: Record<string, [string, CellValue[]]>, queries: string[]): (Cell[][] | string)[] {
  const folder = mkdtempSync(join(tmpdir(), "zarrsift-duckdb-"));
  try {
    const file = join(folder, "given.json");
    writeFileSync(file, JSON.stringify({ columns, queries }));
    const script = fileURLToPath(new URL("duckdb_rows.py", import.meta.url));
    return JSON.parse(execFileSync(PYTHON, [script, file], { encoding: "utf8", maxBuffer: 2 ** 28 }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function columnsOf(rows: readonly Row[]): Record<string, [string, CellValue[]]> {
  const columns: Record<string, [string, CellValue[]]> = {};
  for (const [name, type] of Object.entries(DUCKDB)) {
    const text = (value: CellValue) =>
      value === null ? null : textCell(value, TYPES[name]!).replace(/^\+0|Z$/g, "");
    columns[name] = [type, rows.map((row) => text(row[name]!))];
  }
  return columns;
}

describe.skipIf(!hasDuckdb)("random groups, beside DuckDB", () => {
  it.each([1, 2, 3, 4])("are the same (seed %i)", { timeout: 60_000 }, async (seed) => {
    const dice = new Dice(random(seed + 9000));
    const { table, rows } = randomTable(dice, 80);
    const queries: string[] = [];
    while (queries.length < 150) {
      const { sql } = groupQuery(dice, { total: true, times: false });
      if (!DIFFERENT.test(sql)) queries.push(sql);
    }
    const wanted = answersOf(columnsOf(rows), queries);
    for (const [i, sql] of queries.entries()) {
      const theirs = wanted[i] as Cell[][];
      expect(Array.isArray(theirs), `${sql}: ${theirs}`).toBe(true);
      const query = planQuery(table, sql);
      const found = answer(query).catch((error) => error as Error);
      const answered = await found;
      if (answered instanceof Error) {
        // HUGEINT goes on where int64 ends
        expect(answered.message, sql).toMatch(/which int64 cannot hold/);
        continue;
      }
      const kinds = query.columns.map(({ type }) => type.kind);
      const own = answered.rows.map((row) => row.map((cell, k) => valueIn(cell, kinds[k]!)));
      expect(own.length, sql).toBe(theirs.length);
      own.forEach((row, r) => {
        for (const [k, cell] of row.entries()) expectSame(cell, theirs[r]![k]!, sql);
      });
    }
  });
});

/** Floats but for the last digits: sums depend on the order of adding. */
function expectSame(own: Value, their: Cell, sql: string): void {
  if (their !== null && typeof their === "object" && "float" in their) {
    const float = Number(their.float.replace("inf", "Infinity"));
    if (Number.isFinite(float))
      expect(Math.abs((own as number) - float), sql).toBeLessThanOrEqual(1e-12 * Math.abs(float));
    else expect(own, sql).toBe(float);
  } else if (typeof own === "bigint") expect({ int: String(own) }, sql).toEqual(their);
  else expect(own, sql).toEqual(their);
}
