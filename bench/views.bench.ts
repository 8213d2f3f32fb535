/**
 * What views cost next to the store itself: the first byte of an untouched chunk, chunks that are cut anew, a stack of
 * ROWS rows opened by xarray next to the same store on disk behind nginx, and views of ROWS granules.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { open } from "../src/index.ts";
import { pythonJson } from "./lib/python.ts";
import { table, writeResult } from "./lib/report.ts";
import { makeView, type Server, startNginx, startServe } from "./lib/servers.ts";
import { short, summarize } from "./lib/stats.ts";
import { haveTools } from "./lib/wrk.ts";

const ROWS = Number(process.env.ROWS ?? "100000");
const SWATHS = 200;
/** Enough for code to be compiled. */
const RECUT_ROUNDS = 15;
const FIRST_BYTES = 400;
const SCRATCH = ".bench/views";
const at = (name: string) => `${SCRATCH}/${name}.zarr`;

rmSync(SCRATCH, { recursive: true, force: true });
mkdirSync(SCRATCH, { recursive: true });
const say = (line: string) => process.stderr.write(`${line}\n`);
const make = (name: string, script: string, ...args: string[]) => {
  say(`making ${name}`);
  return pythonJson<{ chunks: string[] }>(`bench/peers/${script}.py`, [at(name), ...args]);
};

const chunks = await firstBytes();
const recut = await recutting();
const stack = await stackOfRows();
const granules = await manyGranules();
writeResult("views", page(), { rows: ROWS, chunks, recut, stack, granules });

/** Milliseconds to the first byte of chunks that are sent as they are stored: at their own path, and in a stack. */
async function firstBytes() {
  const { chunks: keys } = await make("chunks", "make_granules");
  const server = await startServe("chunks", { g: at("chunks") }, SCRATCH, { cacheBytes: 0 });
  try {
    const sql = "SELECT idx FROM meta";
    const plain = await makeView(server, "g", { sql });
    const stacked = await makeView(server, "g", { sql, layout: "stacked" });
    const times = { plain: [] as number[], stacked: [] as number[] };
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < FIRST_BYTES; i++) {
      const key = keys[(i * 37) % keys.length]!;
      const [, granule, row, cell] = /g\/(\d+)\/sst\/c\/(\d+)\/(\d+)$/.exec(key)!;
      times.plain.push(await firstByte(`${plain}/${key}`, agent));
      times.stacked.push(await firstByte(`${stacked}/sst/c/${Number(granule)}/${row}/${cell}`, agent));
    }
    agent.destroy();
    return times;
  } finally {
    await server.stop();
  }
}

function firstByte(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    let first = 0;
    get(url, { agent }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url}: status ${answer.statusCode}`));
      answer.once("data", () => {
        first = performance.now() - start;
      });
      answer.resume().once("end", () => resolve(first));
    }).once("error", reject);
  });
}

/** Megabytes (10^6) a second of uncompressed chunks put together from two granules each; best of RECUT_ROUNDS. */
async function recutting() {
  await make("swaths", "make_rows", String(SWATHS), "swaths");
  const numpy = await pythonJson<{ bytes: number; seconds: number }>("bench/peers/recut.py", [
    at("swaths"),
    String(RECUT_ROUNDS),
  ]);
  const collection = await open(at("swaths"));
  const options = { layout: "concatenated", variables: ["sst"] } as const;
  let seconds = Number.POSITIVE_INFINITY;
  for (let round = 0; round < RECUT_ROUNDS; round++) {
    const store = (await collection.view("SELECT idx FROM meta", options)).asStore(3);
    const start = performance.now();
    let bytes = 0;
    for (let i = 0; bytes < numpy.bytes; i++) bytes += (await store.get(`sst/c/${i}/0`))!.length;
    seconds = Math.min(seconds, (performance.now() - start) / 1000);
  }
  await collection.close();
  return { numpy: numpy.bytes / numpy.seconds / 1e6, zarrsift: numpy.bytes / seconds / 1e6 };
}

/** Seconds in which xarray opens a stack of ROWS rows and reads a little of it. */
async function stackOfRows() {
  await make("rows", "make_rows", String(ROWS), "stacked");
  const servers: Server[] = [await startServe("rows", { g: at("rows") }, SCRATCH, {})];
  try {
    const start = performance.now();
    const view = await makeView(servers[0]!, "g", { sql: "SELECT date, cloud FROM meta", layout: "stacked" });
    const post = (performance.now() - start) / 1000;
    await pythonJson("bench/peers/copy_view.py", [view, at("copy")]);
    if (await haveTools()) servers.push(await startNginx(at("copy"), SCRATCH));
    const urls = [view, ...servers.slice(1).map(({ base }) => base)];
    const [zarrsift, nginx] = await pythonJson<number[]>("bench/peers/open_rows.py", ["stacked", ...urls]);
    return { post, zarrsift: zarrsift!, nginx };
  } finally {
    for (const server of servers) await server.stop();
  }
}

/** Seconds in which views of ROWS granules are made and opened, and the server's memory before and after, in MB. */
async function manyGranules() {
  await make("many", "make_rows", String(ROWS), "grouped");
  const limits = { queryMs: 600_000 };
  const server = await startServe("many", { grouped: at("many"), stacked: at("rows") }, SCRATCH, limits);
  const found: { source: string; layout: string; post: number; opened: number; mb: [number, number] }[] = [];
  try {
    for (const [source, layout] of [
      ["stacked", "granules"],
      ["grouped", "granules"],
      ["grouped", "stacked"],
    ] as const) {
      say(`${ROWS} granules: ${source}, ${layout}`);
      const before = memoryOf(server);
      const start = performance.now();
      const view = await makeView(server, source, { sql: "SELECT date, cloud FROM meta", layout });
      const post = (performance.now() - start) / 1000;
      const kind = layout === "stacked" ? "stacked" : "granules";
      const [opened] = await pythonJson<number[]>("bench/peers/open_rows.py", [kind, view]);
      found.push({ source, layout, post, opened: opened!, mb: [before, memoryOf(server)] });
    }
    return found;
  } finally {
    await server.stop();
  }
}

/** What the process has in memory now, in MB; NaN where the system does not tell. */
function memoryOf({ pid }: Server): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

function page(): string {
  const [plain, stacked] = [summarize(chunks.plain), summarize(chunks.stacked)];
  const ms = ({ median, min }: typeof plain) => [short(median), short(min)];
  const ratio = stack.nginx === undefined ? "-" : short(stack.zarrsift / stack.nginx);
  const many = granules.map(({ source, layout, post, opened, mb }) => [
    ...[source, layout, short(post), short(opened), short(mb[0]), short(mb[1])],
  ]);
  return `## First byte of an untouched chunk (138 KB, no cache of the server's), ms

${table(
  ["view", "median", "min"],
  [
    ["granules: the store's own keys", ...ms(plain)],
    ["stacked", ...ms(stacked)],
  ],
)}
Ratio of medians ${short(stacked.median / plain.median)}, ${FIRST_BYTES} chunks in turn, one connection.

## Chunks cut anew (uncompressed float32, 64 x 1024, of two granules each), MB/s (best of ${RECUT_ROUNDS})

${table(
  ["", "MB/s", "ratio"],
  [
    ["numpy, from files to bytes", short(recut.numpy), "1"],
    ["zarrsift, one chunk after the other", short(recut.zarrsift), short(recut.zarrsift / recut.numpy)],
  ],
)}
## xr.open_zarr of a stack of ${ROWS.toLocaleString("en")} rows, three of them read, s (best of 3)

${table(
  ["", "s"],
  [
    [`zarrsift (making the view took ${short(stack.post)} s)`, short(stack.zarrsift)],
    [
      "the same on disk, behind nginx",
      stack.nginx === undefined ? "nginx is not installed" : short(stack.nginx),
    ],
  ],
)}
Ratio ${ratio}.

## Views of ${ROWS.toLocaleString("en")} granules: made, and opened down to the last granule's values

${table(["source", "layout", "POST s", "open s", "server MB before", "after"], many)}`;
}
