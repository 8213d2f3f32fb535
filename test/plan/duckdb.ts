import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CellValue } from "../../src/table/vector.ts";

const PYTHON = process.env.ZARRSIFT_PYTHON ?? ".venv/bin/python";

/** Whether there is a Python with DuckDB. */
export const hasDuckdb = spawnSync(PYTHON, ["-c", "import duckdb"]).status === 0;

export type Plain = number | string | boolean | null;

/** The first column of each query's answer by DuckDB, or its message; columns are [DuckDB's type, texts]. */
export function answersOf(
  columns: Record<string, [string, CellValue[]]>,
  queries: string[],
): (Plain[] | string)[] {
  const folder = mkdtempSync(join(tmpdir(), "zarrsift-duckdb-"));
  try {
    const file = join(folder, "given.json");
    writeFileSync(file, JSON.stringify({ columns, queries }));
    const script = fileURLToPath(new URL("duckdb_answers.py", import.meta.url));
    return JSON.parse(execFileSync(PYTHON, [script, file], { encoding: "utf8", maxBuffer: 2 ** 28 }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
