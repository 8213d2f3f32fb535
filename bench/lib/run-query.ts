/**
 * A query in a process of its own: opening and the first run, then more runs, then as many as it takes to have its code
 * compiled by then. `node run-query.js STORE SQL REPEATS`
 */
import { open } from "../../src/index.ts";

/** What is printed, as JSON. */
export interface Measured {
  rows: number[];
  cold_ms: number;
  warm_ms: number[];
  /** The last runs of a process that has done little else for a while. */
  steady_ms: number[];
  requests: number;
  bytes: number;
  /** The most memory that was resident at once. */
  rss_mb: number;
}

const [store, sql, repeats] = process.argv.slice(2) as [string, string, string];

/** Runs after which the last are steady, and the milliseconds that they may take together. */
const [STEADY_RUNS, STEADY_MS, LAST_RUNS] = [300, 3000, 20];

async function run(collection: Awaited<ReturnType<typeof open>>): Promise<number[]> {
  const rows: number[] = [];
  const result = await collection.query(sql);
  for await (const { idx } of result.batches()) for (const row of idx) rows.push(row);
  return rows;
}

const total = { requests: 0, bytes: 0 };
const started = performance.now();
const collection = await open(store, { total });
let rows = await run(collection);
const cold_ms = performance.now() - started;
const { requests, bytes } = total;
const times: number[] = [];
const begun = performance.now();
while (
  times.length < Number(repeats) ||
  (times.length < STEADY_RUNS && performance.now() - begun < STEADY_MS)
) {
  const again = performance.now();
  rows = await run(collection);
  times.push(performance.now() - again);
}
const [warm_ms, steady_ms] = [times.slice(0, Number(repeats)), times.slice(-LAST_RUNS)];
await collection.close();
const rss_mb = process.resourceUsage().maxRSS / 1000;
const measured: Measured = { rows, cold_ms, warm_ms, steady_ms, requests, bytes, rss_mb };
process.stdout.write(JSON.stringify(measured));
