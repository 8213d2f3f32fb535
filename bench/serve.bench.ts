/**
 * Chunk and metadata GETs through a view, next to nginx and zarr-http-server over the same files, and one
 * zarr-python client reading a whole view. wrk -t1 -c10 -d3s, ROUNDS alternating rounds.
 */
import { mkdirSync, rmSync } from "node:fs";
import { attempt, pythonJson } from "./lib/python.ts";
import { table, writeResult } from "./lib/report.ts";
import { type Server, startHttpServer, startNginx, startZarrsift } from "./lib/servers.ts";
import { short, summarize } from "./lib/stats.ts";
import { haveTools, type Load, load } from "./lib/wrk.ts";

const ROUNDS = 3;
const SCRATCH = ".bench/serve";
const STORE = `${SCRATCH}/granules.zarr`;

type Target = "chunk" | "metadata";
type Read = { bytes: number; seconds: number; sum: number };
interface Made {
  chunks: string[];
  metadata: string[];
  chunk_bytes: number;
}

if (!(await haveTools())) {
  process.stderr.write(
    "left out: serve: nginx and wrk are not installed (Debian: apt-get install nginx-light wrk)\n",
  );
  process.exit(0);
}
rmSync(SCRATCH, { recursive: true, force: true });
mkdirSync(SCRATCH, { recursive: true });
const made = await pythonJson<Made>("bench/peers/make_granules.py", [STORE]);

const servers: Server[] = [];
const left: string[] = [];
try {
  servers.push(await startNginx(STORE, SCRATCH));
  servers.push(await startZarrsift("zarrsift", STORE, SCRATCH, {}));
  servers.push(await startZarrsift("zarrsift, no cache", STORE, SCRATCH, { cacheBytes: 0 }));
  const peer = await attempt(startHttpServer(STORE));
  if ("error" in peer) left.push(`Left out: zarr-http-server: ${peer.error}`);
  else servers.push(peer);
  for (const server of servers) await checkSame(server);
  const chunk = await loads("chunk", made.chunks);
  const metadata = await loads("metadata", made.metadata);
  const reads = await clientReads();
  writeResult("serve", page(chunk, metadata, reads), {
    rounds: ROUNDS,
    chunk_bytes: made.chunk_bytes,
    chunk,
    metadata,
    reads,
    left,
  });
} finally {
  for (const server of servers) await server.stop();
}

/** Compares some chunks of a server with nginx's, byte for byte: a fast wrong answer is none. */
async function checkSame(server: Server): Promise<void> {
  for (const key of [made.chunks[0]!, made.chunks.at(-1)!]) {
    const [want, got] = await Promise.all([bytesOf(servers[0]!.base + key), bytesOf(server.base + key)]);
    if (!want.equals(got)) throw new Error(`${server.name} serves other bytes than nginx at ${key}`);
  }
}

async function bytesOf(url: string): Promise<Buffer> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: status ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

async function loads(target: Target, keys: readonly string[]): Promise<Record<string, Load[]>> {
  const measured: Record<string, Load[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, base } of servers) {
      process.stderr.write(`${target} ${round + 1}/${ROUNDS}: ${name}\n`);
      measured[name] ??= [];
      measured[name].push(await load(base, keys, SCRATCH));
    }
  }
  return measured;
}

async function clientReads(): Promise<Record<string, Read[]>> {
  const measured: Record<string, Read[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, base } of servers) {
      process.stderr.write(`zarr-python ${round + 1}/${ROUNDS}: ${name}\n`);
      measured[name] ??= [];
      measured[name].push(await pythonJson<Read>("bench/peers/read_view.py", [base]));
    }
  }
  const sums = new Set(Object.values(measured).flatMap((reads) => reads.map(({ sum }) => sum)));
  if (sums.size !== 1) throw new Error(`the servers gave the client different data: ${[...sums].join(", ")}`);
  return measured;
}

/** Rates of each server, a round each: median, its ratio to nginx's median, and the ratios round by round. */
function rates(measured: Record<string, number[]>): Map<string, string[]> {
  const base = measured.nginx!;
  const rows = Object.entries(measured).map(([name, values]): [string, string[]] => {
    const { median, mean, sd } = summarize(values);
    const ratio = summarize(values.map((value, round) => value / base[round]!));
    const range = `${(median / summarize(base).median).toFixed(2)} [${ratio.min.toFixed(2)}-${ratio.max.toFixed(2)}]`;
    return [name, [short(median), `${short(mean)} ± ${short(sd)}`, range]];
  });
  return new Map(rows);
}

function loadTable(measured: Record<string, Load[]>): string {
  const summary = rates(mapped(measured, ({ rps }) => rps));
  const rows = Object.entries(measured).map(([name, loads]) => {
    const p99 = summarize(loads.map(({ p99_ms }) => p99_ms)).median;
    return [name, ...summary.get(name)!, short(summarize(loads.map(({ mb_s }) => mb_s)).median), short(p99)];
  });
  return table(["server", "median rps", "mean ± sd", "ratio to nginx [min-max]", "MB/s", "p99 ms"], rows);
}

function readTable(measured: Record<string, Read[]>): string {
  const summary = rates(mapped(measured, ({ bytes, seconds }) => bytes / seconds / 1e6));
  const rows = [...summary].map(([name, cells]) => [name, ...cells]);
  return table(["server", "median MB/s raw", "mean ± sd", "ratio to nginx [min-max]"], rows);
}

function mapped<T>(measured: Record<string, T[]>, value: (one: T) => number): Record<string, number[]> {
  return Object.fromEntries(Object.entries(measured).map(([name, all]) => [name, all.map(value)]));
}

function page(
  chunk: Record<string, Load[]>,
  metadata: Record<string, Load[]>,
  reads: Record<string, Read[]>,
): string {
  const size = `${made.chunks.length} chunks of ${short(made.chunk_bytes / 1e3)} KB in 80 granules (make_granules.py, seed 42)`;
  return `${size}. wrk -t1 -c10 -d3s in ${ROUNDS} alternating rounds; all on one machine, client included.

## Chunks

${loadTable(chunk)}
"zarrsift" answers from its memory cache, "zarrsift, no cache" reads every chunk
from its file: its own cache is off, and chunks of local files are read past the source's.

## Metadata (zarr.json of one array)

${loadTable(metadata)}
## One zarr-python client reading the whole view

${readTable(reads)}${left.map((line) => `\n${line}\n`).join("")}`;
}
