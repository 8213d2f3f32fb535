/**
 * The queries of ../shared/bench/queries.json on a seeded table, next to zarr-datafusion-search (the same Zarr
 * store) and DuckDB (the same rows, as Parquet and as an in-memory table with indexes), in one run.
 *
 * ROWS=1e6 rows by default. Cold: a collection just opened, the files in the page cache. Warm: the best of REPEATS.
 */
import { existsSync, readFileSync } from "node:fs";
import { open } from "../src/index.ts";
import { attempt, pythonJson } from "./lib/python.ts";
import { table, writeResult } from "./lib/report.ts";
import { type Summary, short, summarize } from "./lib/stats.ts";

const SHARED = "../shared/bench";
const ROWS = process.env.ROWS ?? "1e6";
const REPEATS = 5;
const STORE = `.bench/meta-${ROWS}.zarr`;
const PARQUET = `.bench/meta-${ROWS}.parquet`;
const ROWS_OUT = `.bench/rows-${ROWS}.json`;

interface Ours {
  rows: number;
  cold_ms: number;
  warm: Summary;
  requests: number;
  bytes: number;
}
type Peer = { rows: number; cold_ms: number; best_ms: number } | { error: string };
type Peers = Record<string, Peer>;

if (!existsSync(SHARED)) {
  process.stderr.write(
    `left out: queries: ${SHARED}, with the queries and the peers' programs, is not there\n`,
  );
  process.exit(0);
}
if (!existsSync(STORE) || !existsSync(PARQUET)) {
  process.stderr.write(`making ${STORE}\n`);
  await pythonJson(`${SHARED}/make_meta.py`, [ROWS, STORE, "--parquet", PARQUET]);
}
const queries = JSON.parse(readFileSync(`${SHARED}/queries.json`, "utf8")) as Record<string, string>;

const ours: Record<string, Ours> = {};
const found: Record<string, number[]> = {};
for (const [name, sql] of Object.entries(queries)) {
  process.stderr.write(`zarrsift: ${name}\n`);
  const { rows, result } = await measure(sql);
  found[name] = rows;
  ours[name] = result;
}
process.stderr.write("zarr-datafusion-search\n");
const upstream = await attempt(pythonJson<Peers>(`${SHARED}/peer_upstream.py`, [STORE]));
process.stderr.write("DuckDB\n");
const duckdb = await attempt(
  pythonJson<{ parquet: Peers; rtree: Peers; build_s: number }>(`${SHARED}/peer_duckdb.py`, [
    PARQUET,
    "--rows-out",
    ROWS_OUT,
  ]),
);

const disagreements = compare();
writeResult("queries", page(), {
  rows: Number(ROWS),
  seed: 42,
  repeats: REPEATS,
  queries,
  ours,
  upstream,
  duckdb,
  disagreements,
});
if (disagreements.length > 0) process.exitCode = 1;

async function measure(sql: string): Promise<{ rows: number[]; result: Ours }> {
  const total = { requests: 0, bytes: 0 };
  const started = performance.now();
  const collection = await open(STORE, { total });
  let rows = await run(collection, sql);
  const cold_ms = performance.now() - started;
  const { requests, bytes } = total;
  const times: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    const again = performance.now();
    rows = await run(collection, sql);
    times.push(performance.now() - again);
  }
  await collection.close();
  return { rows, result: { rows: rows.length, cold_ms, warm: summarize(times), requests, bytes } };
}

async function run(collection: Awaited<ReturnType<typeof open>>, sql: string): Promise<number[]> {
  const rows: number[] = [];
  const result = await collection.query(sql);
  for await (const { idx } of result.batches()) for (const row of idx) rows.push(row);
  return rows;
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
  const heads = [
    "query (rows)",
    "cold ms",
    "warm min",
    "mean ± sd",
    "requests",
    "MB",
    "z-d-s ms",
    "DuckDB Parquet ms",
    "DuckDB R-tree ms",
    "÷ z-d-s",
    "÷ Parquet",
    "÷ R-tree",
  ];
  const duck = "error" in duckdb ? { parquet: {}, rtree: {}, build_s: Number.NaN } : duckdb;
  const rows = Object.entries(ours).map(([name, one]) => {
    const peers = [(upstream as Peers)[name], (duck.parquet as Peers)[name], (duck.rtree as Peers)[name]];
    const best = peers.map((peer) => (peer && "best_ms" in peer ? peer.best_ms : Number.NaN));
    const { warm } = one;
    return [
      `${name} (${one.rows.toLocaleString("en")})`,
      short(one.cold_ms),
      short(warm.min),
      `${short(warm.mean)} ± ${short(warm.sd)}`,
      String(one.requests),
      short(one.bytes / 1e6),
      ...best.map(short),
      ...best.map((ms) => short(warm.min / ms)),
    ];
  });
  const notes = [
    `${Number(ROWS).toLocaleString("en")} rows (make_meta.py, seed 42, chunks of 200,000). Cold: opening and the first run, files in the`,
    `page cache; requests and MB are those of a cold run. Warm: ${REPEATS} more runs. Peers: best of 3; ÷ is our warm minimum by their`,
    `best, below 1 we are faster. z-d-s: zarr-datafusion-search 0.1.2. DuckDB's table and indexes took ${short(duck.build_s)} s to build.`,
  ];
  const failures = [
    ["zarr-datafusion-search", upstream],
    ["DuckDB", duckdb],
  ] as const;
  const absent = failures.flatMap(([name, peer]) =>
    "error" in peer ? [`Left out: ${name}: ${peer.error}`] : [],
  );
  const verdict =
    disagreements.length === 0 ? "All row sets that could be compared agree." : disagreements.join("\n");
  return `${table(heads, rows)}\n${notes.join("\n")}\n\n${[...absent, verdict].join("\n")}\n`;
}
