/** DuckDB beside us: the same queries over the same rows, answered by Python. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { textCell } from "../../src/format/cell.ts";
import type { CellValue } from "../../src/table/vector.ts";
import { type Row, TYPES } from "./naive.ts";

const PYTHON = process.env.ZARRSIFT_PYTHON ?? ".venv/bin/python";

/** Whether there is a Python with DuckDB. */
export const hasDuckdb = spawnSync(PYTHON, ["-c", "import duckdb"]).status === 0;

/** A cell of DuckDB's: integers and floats as digits; times are text, durations integers of microseconds. */
export type Cell = null | boolean | string | { int: string } | { float: string };

/** Rows, or DuckDB's message. */
export type Answer = Cell[][] | string;

/** Columns as [DuckDB's type, texts]. */
export type TextColumns = Record<string, [type: string, cells: CellValue[]]>;

/** Each query's answer over a table `meta` of these columns and `idx`. */
export function answersOf(columns: TextColumns, queries: string[]): Answer[] {
  return withFile({ columns, queries }, (file) => runJson(PYTHON, "duckdb_answers.py", file));
}

/** What `use` makes of a file that holds `given` as JSON. */
export function withFile<T>(given: unknown, use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "zarrsift-duckdb-"));
  try {
    const file = join(folder, "given.json");
    writeFileSync(file, JSON.stringify(given));
    return use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a script of this folder prints, which is JSON. */
export function runJson<T>(python: string, script: string, ...args: string[]): T {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return JSON.parse(
    execFileSync(python, ["-W", "ignore", path, ...args], { encoding: "utf8", maxBuffer: 2 ** 28 }),
  );
}

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

/** The rows of a random table for DuckDB. */
export function columnsOf(rows: readonly Row[]): TextColumns {
  const text = (value: CellValue, name: string) =>
    value === null ? null : textCell(value, TYPES[name]!).replace(/^\+0|Z$/g, "");
  return Object.fromEntries(
    Object.entries(DUCKDB).map(([name, type]) => [name, [type, rows.map((row) => text(row[name]!, name))]]),
  );
}

/**
 * Differences by intent, left out (docs/sql.md): DuckDB overflows utinyint; `1e30` beside an integer is exact here, not
 * a double; NaN is NULL; a time with an offset is converted, not cut off; one finer than the column stays as fine.
 */
export const DIFFERENT = /stamp|1e30|000000001|00\.0005|\+01:00|u \+ 1|d - d/;

/** The same, where DuckDB has no geometry. */
export const DIFFERENT_OR_SPATIAL = new RegExp(`${DIFFERENT.source}|ST_|\\bg\\b`);

/** A number of DuckDB's; NaN is NULL here. */
export function floatOf({ float }: { float: string }): number | null {
  const value = Number(float.replace("inf", "Infinity"));
  return Number.isNaN(value) ? null : value;
}

/** Whether a cell is DuckDB's; floats but for the last digits, for sums depend on the order of adding. */
export function isSame(own: CellValue, their: Cell): boolean {
  if (their === null || typeof their !== "object") return own === their;
  if ("int" in their) return own !== null && typeof own !== "boolean" && String(own) === their.int;
  const value = floatOf(their);
  if (value === null || typeof own !== "number" || !Number.isFinite(value)) return own === value;
  return Math.abs(own - value) <= 1e-12 * Math.max(1, Math.abs(value));
}
