/**
 * The most memory that `zarrsift serve` has resident while it answers the queries of ../shared/bench/queries.json on an
 * indexed table of ROWS rows, each twice, one after the other and then all at once. Linux only.
 */
import { existsSync, readFileSync } from "node:fs";
import { table, writeResult } from "./lib/report.ts";
import { type Server, startServe } from "./lib/servers.ts";
import { short } from "./lib/stats.ts";
import { indexedTable, needShared, SHARED } from "./lib/tables.ts";

const ROWS = process.env.ROWS ?? "1e6";

/** After each step: milliseconds it took, and the most megabytes resident until then. */
interface Step {
  name: string;
  rows: number;
  ms: number;
  rss_mb: number;
}

needShared("memory");
if (!existsSync("/proc/self/status")) {
  process.stderr.write("left out: memory: it is read from /proc\n");
  process.exit(0);
}
const store = await indexedTable(ROWS);
const queries = Object.entries(
  JSON.parse(readFileSync(`${SHARED}/queries.json`, "utf8")) as Record<string, string>,
);
const server = await startServe("memory", { g: store }, ".bench/scratch", {});
const steps: Step[] = [];
try {
  await step("started", async () => 0);
  for (const [name, sql] of queries) {
    await step(name, () => ask(sql));
    await step(`${name} again`, () => ask(sql));
  }
  await step("all at once", async () => {
    const counts = await Promise.all(queries.map(([, sql]) => ask(sql)));
    return counts.reduce((sum, count) => sum + count, 0);
  });
} finally {
  await server.stop();
}
writeResult("memory", page(), { rows: Number(ROWS), steps });

async function step(name: string, work: () => Promise<number>): Promise<void> {
  const started = performance.now();
  const rows = await work();
  steps.push({ name, rows, ms: performance.now() - started, rss_mb: mostResident(server) });
}

/** Rows of an answer, as NDJSON, over HTTP. */
async function ask(sql: string): Promise<number> {
  const answer = await fetch(`${server.base}collections/g/query`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/x-ndjson" },
    body: JSON.stringify({ sql }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${sql}: ${text}`);
  return text.trimEnd().split("\n").length;
}

function mostResident({ pid }: Server): number {
  const line = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1]) / 1000;
}

function page(): string {
  const lines = steps.map(({ name, rows, ms, rss_mb }) => [
    name,
    rows.toLocaleString("en"),
    short(ms),
    short(rss_mb),
  ]);
  return `${Number(ROWS).toLocaleString("en")} rows (make_meta.py, seed 42), indexed; NDJSON over HTTP.\n\n${table(["query", "rows", "ms", "most MB so far"], lines)}`;
}
