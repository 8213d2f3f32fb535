/** Queries over a Zarr store, beside DuckDB with its spatial extension over the same store, read by zarr-python. */
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { type Collection, open } from "../../../src/index.ts";
import { type CellValue, cellAt } from "../../../src/table/vector.ts";
import { type Answer, DIFFERENT, isSame, runJson, withFile } from "../duckdb.ts";
import { random } from "../memory-table.ts";
import { Dice } from "../naive.ts";
import { hasModules, madeCollection, PYTHON } from "./peers.ts";
import { groupQuery, rowQuery } from "./spatial-queries.ts";

/** DuckDB's aggregate has another name. */
const theirSql = (sql: string) => sql.replaceAll("ST_Extent(", "ST_Extent_Agg(");

const duckdb = (folder: string, queries: readonly string[]) =>
  withFile(queries.map(theirSql), (file) => runJson<Answer[]>(PYTHON, "peers/duckdb_store.py", folder, file));

async function rowsOf(collection: Collection, sql: string): Promise<CellValue[][]> {
  const rows: CellValue[][] = [];
  const result = await collection.query(sql);
  for await (const { length, vectors } of result.batches()) {
    for (let i = 0; i < length; i++) rows.push(vectors.map((vector) => cellAt(vector, i)));
  }
  return rows;
}

/** What differs, in short; undefined: nothing. */
async function difference(collection: Collection, sql: string, theirs: Answer): Promise<string | undefined> {
  const own = await rowsOf(collection, sql).catch((error: Error) => error.message);
  const text = (rows: unknown) =>
    JSON.stringify(rows, (_, value) => (typeof value === "bigint" ? String(value) : value)).slice(0, 300);
  if (typeof own === "string" || typeof theirs === "string") return `${sql}: ${text(own)} or ${text(theirs)}`;
  if (own.length !== theirs.length) return `${sql}: ${text(own)} or ${text(theirs)}`;
  const at = own.findIndex((row, r) => !row.every((cell, k) => isSame(cell, theirs[r]![k]!)));
  return at < 0 ? undefined : `${sql}: ${text(own[at])} or ${text(theirs[at])}`;
}

/** Random collections; ZARRSIFT_ROUNDS asks for more. */
const SEEDS = Array.from({ length: Number(process.env.ZARRSIFT_ROUNDS ?? 2) }, (_, i) => i + 1);

// skipped without the packages of scripts/python/peers.txt (ZARRSIFT_PYTHON_PEERS names the interpreter)
describe.skipIf(!hasModules("duckdb_extensions", "duckdb_extension_spatial", "zarr", "shapely"))(
  "beside DuckDB spatial",
  () => {
    it.each(SEEDS)(
      "a thousand queries have the same answers (seed %i)",
      { timeout: 240_000 },
      async (seed) => {
        const dice = new Dice(random(seed + 500));
        const { folder, shapes } = madeCollection(seed, 150);
        const queries: string[] = [];
        while (queries.length < 1000) {
          const sql = dice.chance(0.85) ? rowQuery(dice, shapes) : groupQuery(dice, shapes);
          if (!DIFFERENT.test(sql)) queries.push(sql);
        }
        const wanted = duckdb(folder, queries);
        const collection = await open(folder);
        const wrong: string[] = [];
        for (const [i, sql] of queries.entries()) {
          const found = await difference(collection, sql, wanted[i]!);
          if (found) wrong.push(found);
        }
        expect([wrong.length, wrong.slice(0, 20)]).toEqual([0, []]);
        await collection.close();
        rmSync(dirname(folder), { recursive: true });
      },
    );
  },
);
