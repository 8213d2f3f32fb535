/**
 * The queries of ../shared/bench/queries.json on a seeded table, next to zarr-datafusion-search (the same Zarr
 * store) and DuckDB (the same rows, as Parquet and as an in-memory table with indexes), in one run.
 *
 * Without indexes, and with them on a copy that `zarrsift index` has been run on. ROWS=1e6 rows by default; without
 * their Parquet file DuckDB is left out. Cold: opening and the first run in a fresh process, files in
 * the page cache. Warm: the best of REPEATS more. Steady: the median of the last of 300 runs, or of those of 3 s.
 */

import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { attempt, pythonJson } from "./lib/python.ts";
import { table, writeResult } from "./lib/report.ts";
import type { Measured } from "./lib/run-query.ts";
import { type Summary, short, summarize } from "./lib/stats.ts";
import { indexedTable, needShared, parquetOf, plainTable, SHARED } from "./lib/tables.ts";

const execute = promisify(execFile);
const ROWS = process.env.ROWS ?? "1e6";
const REPEATS = Number(process.env.REPEATS ?? 10);
const ROWS_OUT = `.bench/rows-${ROWS}.json`;

interface Ours {
  rows: number;
  cold_ms: number;
  warm: Summary;
  steady: Summary;
  requests: number;
  bytes: number;
  rss_mb: number;
}
type Peer = { rows: number; cold_ms: number; best_ms: number } | { error: string };
type Peers = Record<string, Peer>;

needShared("queries");
const STORE = await plainTable(ROWS);
const INDEXED = await indexedTable(ROWS);
const PARQUET = parquetOf(ROWS);
const queries = JSON.parse(readFileSync(`${SHARED}/queries.json`, "utf8")) as Record<string, string>;

const ours: Record<string, Ours> = {};
const indexed: Record<string, Ours> = {};
const found: Record<string, number[]> = {};
for (const [name, sql] of Object.entries(queries)) {
  process.stderr.write(`zarrsift: ${name}\n`);
  const scanned = await measure(STORE, sql);
  const probed = await measure(INDEXED, sql);
  if (JSON.stringify(scanned.rows) !== JSON.stringify(probed.rows))
    throw new Error(`${name}: with indexes ${probed.rows.length} rows, without ${scanned.rows.length}`);
  found[name] = scanned.rows;
  ours[name] = scanned.result;
  indexed[name] = probed.result;
}
process.stderr.write("zarr-datafusion-search\n");
const upstream = await attempt(pythonJson<Peers>(`${SHARED}/peer_upstream.py`, [STORE]));
process.stderr.write("DuckDB\n");
const duckdb = existsSync(PARQUET)
  ? await attempt(
      pythonJson<{ parquet: Peers; rtree: Peers; build_s: number }>(`${SHARED}/peer_duckdb.py`, [
        PARQUET,
        "--rows-out",
        ROWS_OUT,
      ]),
    )
  : { error: `${PARQUET} is not there` };

const building = await attempt(build());
const columns = await columnsWhole();
const disagreements = compare();
writeResult("queries", page(), {
  rows: Number(ROWS),
  seed: 42,
  repeats: REPEATS,
  queries,
  ours,
  indexed,
  upstream,
  duckdb,
  building,
  columns,
  disagreements,
});
if (disagreements.length > 0) process.exitCode = 1;

async function measure(store: string, sql: string): Promise<{ rows: number[]; result: Ours }> {
  const script = fileURLToPath(new URL("./lib/run-query.js", import.meta.url));
  const { stdout } = await execute(process.execPath, [script, store, sql, String(REPEATS)], {
    maxBuffer: 2 ** 29,
  });
  const { rows, warm_ms, steady_ms, ...rest } = JSON.parse(stdout) as Measured;
  const [warm, steady] = [summarize(warm_ms), summarize(steady_ms)];
  return { rows, result: { ...rest, rows: rows.length, warm, steady } };
}

/** `zarrsift index` of all columns, in a process of its own, its start and end included. */
async function build(): Promise<{ s: number; rss_mb: number }> {
  const folder = mkdtempSync(".bench/indexes-");
  try {
    const command = ["dist/cli/main.js", "index", STORE, "--to", join(folder, "indexes")];
    return await pythonJson("bench/peers/timed.py", [process.execPath, ...command]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Milliseconds in which fresh processes read three whole columns, best of 5: ours, and zarr-python. */
async function columnsWhole() {
  const names = ["date", "xmin", "cloud_cover"];
  const script = fileURLToPath(new URL("./lib/read-columns.js", import.meta.url));
  const best = { zarrsift: Number.POSITIVE_INFINITY, zarr: Number.POSITIVE_INFINITY };
  for (let round = 0; round < 5; round++) {
    const sql = `SELECT ${names.join(", ")} FROM meta`;
    const { stdout } = await execute(process.execPath, [script, STORE, sql]);
    const theirs = await pythonJson<{ rows: number; ms: number }>("bench/peers/read_columns.py", [
      STORE,
      ...names,
    ]);
    const own = JSON.parse(stdout) as typeof theirs;
    if (own.rows !== theirs.rows) throw new Error(`${own.rows} rows, zarr-python has ${theirs.rows}`);
    best.zarrsift = Math.min(best.zarrsift, own.ms);
    best.zarr = Math.min(best.zarr, theirs.ms);
  }
  return best;
}

/** Queries whose rows differ from DuckDB's (row by row) or from zarr-datafusion-search's (by number). */
function compare(): string[] {
  const wrong: string[] = [];
  const theirs =
    existsSync(ROWS_OUT) && !("error" in duckdb)
      ? (JSON.parse(readFileSync(ROWS_OUT, "utf8")) as Record<string, number[]>)
      : {};
  for (const [name, rows] of Object.entries(found)) {
    const sorted = [...rows].sort((a, b) => a - b);
    const same = theirs[name] === undefined || JSON.stringify(theirs[name]) === JSON.stringify(sorted);
    if (!same) wrong.push(`${name}: DuckDB finds ${theirs[name]!.length} rows, zarrsift ${rows.length}`);
    const peer = (upstream as Peers)[name];
    if (peer && "rows" in peer && peer.rows !== rows.length) {
      wrong.push(`${name}: zarr-datafusion-search finds ${peer.rows} rows, zarrsift ${rows.length}`);
    }
  }
  return wrong;
}

function page(): string {
  const absent = [
    ["zarr-datafusion-search", upstream],
    ["DuckDB", duckdb],
  ].flatMap(([name, peer]) =>
    typeof peer === "object" && "error" in peer ? [`Left out: ${name}: ${peer.error}`] : [],
  );
  const verdict =
    disagreements.length === 0 ? "All row sets that could be compared agree." : disagreements.join("\n");
  const whole = `Three whole columns of ${Number(ROWS).toLocaleString("en")} values, in a fresh process, opening included: ${short(columns.zarrsift)} ms; zarr-python ${short(columns.zarr)} ms.`;
  return `Without indexes:\n\n${rowsOf(ours)}\nWith indexes:\n\n${rowsOf(indexed)}\n${notes()}\n\n${built()}\n\n${whole}\n\n${[...absent, verdict].join("\n")}\n`;
}

/** What Python measured, or nothing of DuckDB where that failed. */
function duck() {
  return "error" in duckdb ? { parquet: {}, rtree: {}, build_s: Number.NaN } : duckdb;
}

function notes(): string {
  return [
    `${Number(ROWS).toLocaleString("en")} rows (make_meta.py, seed 42, chunks of 200,000). Cold: opening and the first run in a fresh process, files in the`,
    `page cache; requests and MB are those of a cold run. Warm: ${REPEATS} more runs. Peers: best of 3; ÷ is our warm minimum by their`,
    `best, below 1 we are faster. Steady: the median of the last 20 of 300 runs in one process, or of 3 s. z-d-s: zarr-datafusion-search 0.1.2.`,
  ].join("\n");
}

function built(): string {
  if ("error" in building) return `Building was left out: ${building.error}`;
  const { s, rss_mb } = building;
  const theirs = duck().build_s;
  return `Building all indexes took ${short(s)} s and ${rss_mb.toLocaleString("en")} MB; DuckDB's table and two indexes ${short(theirs)} s: ÷ ${short(s / theirs)}.`;
}

function rowsOf(measured: Record<string, Ours>): string {
  const heads = [
    "query (rows)",
    "cold ms",
    "warm min",
    "mean ± sd",
    "steady",
    "requests",
    "MB",
    "RSS MB",
    "z-d-s ms",
    "DuckDB Parquet ms",
    "DuckDB R-tree ms",
    "÷ z-d-s",
    "÷ Parquet",
    "÷ R-tree",
    "steady ÷ R-tree",
    "cold ÷ z-d-s",
    "cold ÷ Parquet",
    "cold ÷ R-tree",
  ];
  const rows = Object.entries(measured).map(([name, one]) => {
    const peers = [(upstream as Peers)[name], (duck().parquet as Peers)[name], (duck().rtree as Peers)[name]];
    const best = peers.map((peer) => (peer && "best_ms" in peer ? peer.best_ms : Number.NaN));
    const { warm, steady } = one;
    return [
      `${name} (${one.rows.toLocaleString("en")})`,
      short(one.cold_ms),
      short(warm.min),
      `${short(warm.mean)} ± ${short(warm.sd)}`,
      short(steady.median),
      String(one.requests),
      short(one.bytes / 1e6),
      short(one.rss_mb),
      ...best.map(short),
      ...best.map((ms) => short(warm.min / ms)),
      short(steady.median / best[2]!),
      ...best.map((ms) => short(one.cold_ms / ms)),
    ];
  });
  return table(heads, rows);
}
