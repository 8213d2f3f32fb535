import { cpSync, existsSync } from "node:fs";
import { buildIndexes, openSource, openWritable } from "../../src/index.ts";
import { pythonJson } from "./python.ts";

/** The programs that make tables and time the peers, and their queries. */
export const SHARED = "../shared/bench";

/** Ends a benchmark that has nothing to ask. */
export function needShared(name: string): void {
  if (existsSync(SHARED)) return;
  process.stderr.write(
    `left out: ${name}: ${SHARED}, with the queries and the program that makes tables, is not there\n`,
  );
  process.exit(0);
}

/** Path of the seeded table of `rows` rows (`1e7`), made where it is not there yet, with its Parquet file beside it. */
export async function plainTable(rows: string): Promise<string> {
  const path = `.bench/meta-${rows}.zarr`;
  if (!existsSync(path)) {
    process.stderr.write(`making ${path}\n`);
    await pythonJson(`${SHARED}/make_meta.py`, [rows, path, "--parquet", parquetOf(rows)]);
  }
  return path;
}

/** Where the rows of a table are as Parquet, if they are. */
export const parquetOf = (rows: string): string => `.bench/meta-${rows}.parquet`;

/** Path of the same table with all its indexes; a copy where the plain one is there. */
export async function indexedTable(rows: string): Promise<string> {
  const [plain, path] = [`.bench/meta-${rows}.zarr`, `.bench/meta-${rows}-indexed.zarr`];
  if (existsSync(`${path}/indexes`)) return path;
  process.stderr.write(`making ${path}\n`);
  if (existsSync(plain)) cpSync(plain, path, { recursive: true });
  else await pythonJson(`${SHARED}/make_meta.py`, [rows, path]);
  await buildIndexes(await openSource(path), await openWritable(path));
  return path;
}
