/** A query in a process of its own: opening and the first run, then more runs. `node run-query.js STORE SQL REPEATS` */
import { open } from "../../src/index.ts";

/** What is printed, as JSON. */
export interface Measured {
  rows: number[];
  cold_ms: number;
  warm_ms: number[];
  requests: number;
  bytes: number;
  /** The most memory that was resident at once. */
  rss_mb: number;
}

const [store, sql, repeats] = process.argv.slice(2) as [string, string, string];

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
const warm_ms: number[] = [];
for (let i = 0; i < Number(repeats); i++) {
  const again = performance.now();
  rows = await run(collection);
  warm_ms.push(performance.now() - again);
}
await collection.close();
const rss_mb = process.resourceUsage().maxRSS / 1000;
const measured: Measured = { rows, cold_ms, warm_ms, requests, bytes, rss_mb };
process.stdout.write(JSON.stringify(measured));
