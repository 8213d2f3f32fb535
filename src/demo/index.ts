/** `zarrsift demo`: a made-up collection, the query it is all about, and a server to read the answer from. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesText } from "../format/bytes.ts";
import { textTable } from "../format/text-table.ts";
import { type Collection, open } from "../index.ts";
import { buildApp } from "../server/index.ts";
import { makeDemoCollection } from "./collection.ts";
import { type DemoView, openingLines } from "./lines.ts";

export { type DemoCollection, type DemoOptions, makeDemoCollection } from "./collection.ts";

export interface RunDemoOptions {
  host: string;
  /** First port to try; the next free one is taken. 0: any. */
  port: number;
  /** Where to make the collection; default: a temporary directory, removed at the end. */
  directory?: string;
  stdout?: NodeJS.WritableStream;
  stderr?: NodeJS.WritableStream;
  /** Ends it. */
  signal: AbortSignal;
}

/** The query of the field's founding issue: developmentseed/zarr-datafusion-search#9. */
const WHERE =
  "date < TIMESTAMP '2025-07-01 00:00:00'\n  AND ST_Intersects(bbox, ST_GeomFromText('POLYGON((0 0, 0 10, 10 10, 10 0, 0 0))'))";
const FOUNDING_QUERY = `SELECT idx FROM meta\nWHERE ${WHERE}`;
const SHOWN = "idx, date, platform, orbit, day_night, cloud_cover, granule_id";
const PORTS_TO_TRY = 100;

/** Makes the collection, asks, serves, shows how to read; resolves when it was told to end and has. */
export async function runDemo(options: RunDemoOptions): Promise<void> {
  const { stdout = process.stdout, stderr = process.stderr, signal: end } = options;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), "zarrsift-demo-"));
  const remove = () => {
    if (options.directory === undefined) rmSync(directory, { recursive: true, force: true });
  };
  process.on("exit", remove);
  let collection: Collection | undefined;
  let server: Server | undefined;
  const log = (line: string) => void stderr.write(`${line}\n`);
  try {
    const made = await makeDemoCollection(directory, { log, signal: end });
    collection = await open(directory, { name: "demo" });
    end.throwIfAborted();
    stdout.write(`${made.granules} granules, ${bytesText(made.bytes)} of Zarr in ${directory}\n\n`);
    stdout.write(`${FOUNDING_QUERY}\n\n${await answer(collection)}\n`);
    end.throwIfAborted();
    server = await serve(collection, options, log);
    stdout.write(openingLines(await makeView(server.url)));
    stdout.write(`\nlistening on ${server.url}\nMore in ${server.url}/docs; Ctrl-C ends it.\n`);
    if (options.directory !== undefined)
      stdout.write(`The collection stays in ${directory}: zarrsift serve demo=${directory}\n`);
    if (!end.aborted) await once(end, "abort");
  } catch (error) {
    if (!end.aborted) throw error;
  } finally {
    await server?.close();
    await collection?.close();
    remove();
    process.off("exit", remove);
  }
}

/** The rows the founding query finds, with what else `meta` says of them. */
async function answer(collection: Collection): Promise<string> {
  const result = await collection.query(`SELECT ${SHOWN} FROM meta WHERE ${WHERE}`);
  let text = "";
  for await (const part of textTable(result.columns, result.batches())) text += part;
  return text;
}

/** Makes the view as any client would, by POST, and picks its clearest granule to show. */
async function makeView(url: string): Promise<DemoView> {
  const view = await ask<{ count: number; v3: string }>(`${url}/collections/demo/views`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ sql: FOUNDING_QUERY }),
  });
  const sql = `SELECT array_location FROM meta WHERE ${WHERE} ORDER BY cloud_cover LIMIT 1`;
  const { rows } = await ask<{ rows: { array_location: string }[] }>(
    `${url}/collections/demo/query?sql=${encodeURIComponent(sql)}`,
  );
  return { url: view.v3, count: view.count, granule: rows[0]!.array_location.slice(1) };
}

/** A JSON answer of the server. */
async function ask<T>(url: string, init?: RequestInit): Promise<T> {
  const response = await fetch(url, init);
  const body = (await response.json()) as T & { detail?: string };
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body.detail}`);
  return body;
}

interface Server {
  url: string;
  close(): Promise<void>;
}

/** Listens on the port asked for, or on the next free one. */
async function serve(
  collection: Collection,
  { host, port }: RunDemoOptions,
  log: (line: string) => void,
): Promise<Server> {
  const name = host.includes(":") ? `[${host}]` : host;
  for (let next = port; ; next++) {
    const app = await buildApp({ collections: [collection] });
    try {
      await app.listen({ host, port: next });
    } catch (error) {
      await app.close();
      const taken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      if (taken && next < Math.min(port + PORTS_TO_TRY, 65535)) continue;
      throw error;
    }
    const address = app.server.address();
    const bound = typeof address === "object" && address ? address.port : next;
    if (bound !== port && port !== 0)
      log(
        `port ${port} is taken${await byAnotherDemo(`http://${name}:${port}`)}: this one listens on port ${bound}`,
      );
    return { url: `http://${name}:${bound}`, close: () => app.close() };
  }
}

/** ` by …` where a zarrsift answers at `url`. */
async function byAnotherDemo(url: string): Promise<string> {
  try {
    const signal = AbortSignal.timeout(1000);
    const { collections } = await ask<{ collections: { name: string }[] }>(`${url}/collections`, { signal });
    const isDemo = collections.some(({ name }) => name === "demo");
    return isDemo ? " by another demo, which still runs" : " by another zarrsift";
  } catch {
    return "";
  }
}
