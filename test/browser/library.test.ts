/** The bundle in Chromium, next to the same library in Node: data of another origin, on a server that knows no more than CORS. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Browser, JSHandle, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as zarrita from "zarrita";
import { bundle } from "../../scripts/lib/bundle.mjs";
import { makeDemoCollection } from "../../src/demo/collection.ts";
import * as zarrsift from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { announce } from "../../src/table/announcement.ts";
import { makeSource, putGroup, utf8 } from "../index/source.ts";
import { directoryHandler, type Handler, sendBytes, TestServer } from "../store/server.ts";
import { launch, noChromium } from "./chromium.ts";
import { filesHandler, PAGE, withCors } from "./page.ts";
import { CODECS, manyRows, memoryHandler, putCoded } from "./sources.ts";

type Library = typeof zarrsift;
type Zarrita = typeof zarrita;

let work: string;
/** 16 granules a shard in `lon`, 4 a chunk in `lat`. */
const stacked = fileURLToPath(new URL("../../../shared/data/stacked.zarr", import.meta.url));
const ROWS = 40_000;

/** Rows as text, in both places. */
async function answer({ lib, url, sql }: { lib: Library; url: string; sql: string }) {
  const collection = await lib.open(url);
  const result = await collection.query(sql);
  const rows: string[][] = [];
  for await (const { vectors, length } of result.batches()) {
    for (let i = 0; i < length; i++) {
      rows.push(vectors.map((vector) => lib.textCell(lib.cellAt(vector, i), vector.type)));
    }
  }
  const { plan } = await collection.explain(sql);
  const used = plan.filter(({ step, state }) => step === "index" && state === "unverified");
  await collection.close();
  return { rows, used: used.map(({ index }) => index) };
}

/** Numbers of an array of each granule of a view, read by zarrita. */
async function numbers({
  lib,
  zarr,
  url,
  sql,
  layout,
}: {
  lib: Library;
  zarr: Zarrita;
  url: string;
  sql: string;
  layout: zarrsift.Layout;
}) {
  const collection = await lib.open(url);
  const view = await collection.view(sql, { layout });
  const root = zarr.root(view.store(3));
  const found: { path: string; shape: number[]; values: number[]; date: unknown }[] = [];
  let paths = ["sea_surface_temperature"];
  if (layout === "granules") {
    const locations = await zarr.get(
      await zarr.open.v3(root.resolve("meta/array_location"), { kind: "array" }),
    );
    paths = Array.from(locations.data as string[], (path) => `${path}/sea_surface_temperature`);
  }
  for (const path of paths) {
    const array = await zarr.open.v3(root.resolve(path), { kind: "array" });
    const { data, shape } = await zarr.get(array);
    found.push({ path, shape, values: Array.from(data as Int16Array), date: array.attrs.date });
  }
  await collection.close();
  return { id: view.id, found };
}

describe.skipIf(noChromium)("the library in a browser", () => {
  let browser: Browser;
  let page: Page;
  let site: TestServer;
  let many: TestServer;
  let demo: TestServer;
  let lib: JSHandle<Library>;
  let zarr: JSHandle<Zarrita>;
  const servers: TestServer[] = [];
  const serve = async (handler: Handler) => {
    const server = await TestServer.start(handler);
    servers.push(server);
    return server;
  };

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), "zarrsift-browser-"));
    await bundle(join(work, "bundle"));
    await makeDemoCollection(join(work, "demo"), { granules: 40 });
    const files = filesHandler({ bundle: join(work, "bundle") });
    site = await serve((request, response) => {
      if (request.url === "/") response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
      else files(request, response);
    });
    many = await serve(withCors(memoryHandler(await manyRows(ROWS))));
    demo = await serve(withCors(directoryHandler(join(work, "demo")), "ETag"));
    browser = await launch();
  });

  beforeEach(async () => {
    await page?.close();
    page = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => window.zarrsift !== undefined);
    lib = await page.evaluateHandle(() => window.zarrsift);
    zarr = await page.evaluateHandle(() => window.zarr);
    for (const server of servers) server.log.length = 0;
  });

  afterAll(async () => {
    await browser?.close();
    for (const server of servers) await server.stop();
    rmSync(work, { recursive: true });
  });

  /** What a server was asked for since the last time, once it is left in peace: checksums are read in the background. */
  const asked = async ({ log }: TestServer) => {
    for (let before = -1; before !== log.length; await setTimeout(300)) before = log.length;
    return log.splice(0).sort();
  };

  it.each([
    ["an R-tree", "ST_Intersects(bbox, ST_MakeEnvelope(10, 10, 11, 11))", /^\/indexes\/bbox$/],
    [
      "a B+tree",
      "date >= TIMESTAMP '2025-02-01' AND date < TIMESTAMP '2025-02-01 00:30:00'",
      /^\/indexes\/date/,
    ],
    [
      "both",
      "date < TIMESTAMP '2025-01-05' AND ST_Intersects(bbox, ST_MakeEnvelope(-50, -10, -40, 0))",
      /bbox.*date|date.*bbox/,
    ],
    ["lists of categories", "platform = 'nobody'", /^\/indexes\/platform/],
  ])("answers through %s as Node does, with as few requests", async (_, where, index) => {
    const sql = `SELECT idx, date, bbox, clouds FROM meta WHERE ${where}`;
    const here = await answer({ lib: zarrsift, url: many.url, sql });
    const inNode = await asked(many);
    const there = await page.evaluate(answer, { lib, url: many.url, sql });
    const inPage = await asked(many);
    expect(there).toEqual(here);
    expect(there.used.join(" ")).toMatch(index);
    if (!where.includes("nobody")) expect(there.rows.length).toBeGreaterThan(2);
    expect(inPage).toEqual(inNode);
    // Of 160 chunks in these four columns; each is asked for its size and time, too.
    expect(inPage.filter((line) => line.startsWith("GET")).length).toBeLessThan(60);
  });

  it.each(["granules", "stacked"] as const)(
    "gives zarrita a view in the layout %s, as Node does",
    async (layout) => {
      const sql = "SELECT date FROM meta WHERE day_night = 'day' ORDER BY cloud_cover LIMIT 3";
      const what = { url: demo.url, sql: layout === "stacked" ? `${sql.slice(0, -1)}1` : sql, layout };
      const here = await numbers({ lib: zarrsift, zarr: zarrita, ...what });
      await asked(demo);
      const there = await page.evaluate(numbers, { lib, zarr, ...what });
      expect(there).toEqual(here);
      expect(there.found[0]!.values.filter((value) => value !== -32768).length).toBeGreaterThan(100);
      expect((await asked(demo)).filter((line) => line.startsWith("OPTIONS"))).toEqual([]);
    },
  );

  it("shows zarrita chunks that a server sends to storage for, of yet another origin", async () => {
    const collection = await zarrsift.open(demo.url, { name: "demo" });
    const app = await buildApp({ collections: [collection], logger: false, redirectSeconds: 60 });
    const base = await app.listen({ host: "127.0.0.1", port: 0 });
    const payload = { sql: "SELECT date FROM meta WHERE day_night = 'day' ORDER BY cloud_cover LIMIT 2" };
    const view = await app.inject({ method: "POST", url: "/collections/demo/views", payload });
    const v3 = `${base}${new URL(view.json().v3).pathname}`;
    const here = await zarrita.open.v3(zarrita.root(new zarrita.FetchStore(`${v3}/meta/array_location`)), {
      kind: "array",
    });
    const paths = (await zarrita.get(here)).data as string[];
    demo.requests.length = 0;
    const read = async ({ zarr, v3, path }: { zarr: Zarrita; v3: string; path: string }) => {
      const store = new zarr.FetchStore(`${v3}${path}/sea_surface_temperature`);
      const { data } = await zarr.get(await zarr.open.v3(zarr.root(store), { kind: "array" }));
      return Array.from(data as Int16Array);
    };
    const there = await page.evaluate(read, { zarr, v3, path: paths[1]! });
    const byBrowser = demo.requests.filter(({ headers }) => headers["user-agent"]?.includes("Chrome"));
    expect(byBrowser.map(({ method, url }) => `${method} ${url}`)).toEqual(
      expect.arrayContaining([expect.stringMatching(`^GET ${paths[1]}/sea_surface_temperature/c/`)]),
    );
    expect(byBrowser.filter(({ method }) => method === "OPTIONS")).toEqual([]);
    expect(there).toEqual(await read({ zarr: zarrita, v3, path: paths[1]! }));
    expect(there.filter((value) => value !== -32768).length).toBeGreaterThan(100);
    await app.close();
    await collection.close();
  });

  it.skipIf(!existsSync(stacked))(
    "reads real granules out of shards, with no leave asked for ranges from the end",
    async () => {
      const real = await serve(withCors(directoryHandler(stacked)));
      const paths = [3, 20].flatMap((row) =>
        ["lon", "lat", "wind_speed"].map((name) => `granules/${row}/${name}`),
      );
      const read = async ({
        lib,
        zarr,
        url,
        paths,
      }: {
        lib: Library;
        zarr: Zarrita;
        url: string;
        paths: string[];
      }) => {
        const view = await (await lib.open(url)).view([3, 20]);
        const root = zarr.root(view.store(3));
        return Promise.all(
          paths.map(async (path) => {
            const { data } = await zarr.get(await zarr.open.v3(root.resolve(path), { kind: "array" }));
            return Array.from(data as Float32Array);
          }),
        );
      };
      const here = await read({ lib: zarrsift, zarr: zarrita, url: real.url, paths });
      expect(await asked(real)).toEqual(
        expect.arrayContaining([expect.stringMatching(/lon\/.* bytes=-\d+$/)]),
      );
      expect(await page.evaluate(read, { lib, zarr, url: real.url, paths })).toEqual(here);
      expect(here.map((values) => values.length)).toEqual(paths.map(() => 160 * 42));
      const there = await asked(real);
      expect(there.filter((line) => line.startsWith("OPTIONS"))).toEqual([]);
      expect(there).toEqual(expect.arrayContaining([expect.stringMatching(/lon\/.* bytes=\d+-\d+$/)]));
    },
  );

  it("reads ranges at once, and from the end, with no leave asked for", async () => {
    const bytes = Uint8Array.from({ length: 5_000_000 }, (_, i) => i % 251);
    let [now, most] = [0, 0];
    const slow = await serve(
      withCors(async (request, response) => {
        if (request.url !== "/zarr.json" && request.url !== "/x") return void response.writeHead(404).end();
        most = Math.max(most, ++now);
        await setTimeout(request.headers.range ? 150 : 0);
        now--;
        sendBytes(request, response, bytes);
      }),
    );
    const read = await page.evaluate(
      async ({ lib, url }) => {
        const store = await lib.openSource(url);
        const ranges = Array.from({ length: 5 }, (_, i) => ({ offset: i * 1_000_000, length: 3 }));
        const parts = [...ranges, { suffixLength: 4 }].map((range) => store.getRange("x", range));
        return (await Promise.all(parts)).map((part) => Array.from(part!));
      },
      { lib, url: slow.url },
    );
    const expected = [0, 1, 2, 3, 4].map((i) => bytes.slice(i * 1_000_000, i * 1_000_000 + 3));
    expect(read).toEqual([...expected, bytes.slice(-4)].map((part) => Array.from(part)));
    expect(most).toBeGreaterThanOrEqual(3);
    expect((await asked(slow)).filter((line) => line.startsWith("OPTIONS"))).toEqual([]);
  });

  it("does not take requests that the browser holds back for a server that hangs", async () => {
    const busy = await serve(
      withCors(async (request, response) => {
        await setTimeout(request.url === "/zarr.json" ? 0 : 400);
        if (request.url!.startsWith("/hangs")) return;
        sendBytes(request, response, utf8("{}"));
      }),
    );
    const read = (keys: string[]) =>
      page.evaluate(
        async ({ lib, url, keys }) => {
          const store = await lib.openSource(url, { patience: { timeoutMs: 900, retries: 0 } });
          const reads = keys.map((key) => store.get(key).then((bytes) => bytes!.length));
          return Promise.all(reads).catch((error: Error) => error.message);
        },
        { lib, url: busy.url, keys },
      );
    const keys = Array.from({ length: 24 }, (_, i) => `x${i}`);
    expect(await read(keys)).toEqual(keys.map(() => 2));
    expect(await read(["hangs"])).toMatch(/hangs: nothing came for 0.9 s/);
  });

  it("decodes every codec, and finds damage", async () => {
    const store = await makeSource({}, 100);
    putGroup(store, "", 3, announce({}, { columns: CODECS.map((_, i) => `column_${i}`) }));
    for (const [i, codec] of CODECS.entries()) await putCoded(store, `meta/column_${i}`, codec);
    const coded = await serve(withCors(memoryHandler(store)));
    const what = { url: coded.url, sql: `SELECT ${CODECS.map((_, i) => `sum(column_${i})`)} FROM meta` };
    const expected = CODECS.map(() => String((999 * 1000) / 2 / 8));
    expect((await page.evaluate(answer, { lib, ...what })).rows).toEqual([expected]);
    expect((await answer({ lib: zarrsift, ...what })).rows).toEqual([expected]);
    const damaged = CODECS.map(async (_, i) => {
      const key = `meta/column_${i}/c/0`;
      const bytes = (await store.get(key))!;
      store.set(key, bytes.slice(0, -5));
      const read = page.evaluate(answer, { lib, url: coded.url, sql: `SELECT sum(column_${i}) FROM meta` });
      return read.then(String, (error: Error) => error.message);
    });
    for (const said of await Promise.all(damaged)) expect(said).toMatch(/column_\d\/c\/0 is damaged/);
  });

  it("never takes the browser's own cache for the source", async () => {
    const headers = { "last-modified": "Wed, 01 Jan 2020 00:00:00 GMT", etag: '"a"' };
    let text = "{}";
    const changing = await serve(
      withCors((request, response) => {
        if (request.headers["if-none-match"] === headers.etag) response.writeHead(304, headers).end();
        else if (request.url === "/zarr.json") sendBytes(request, response, utf8(text), headers);
        else response.writeHead(404).end();
      }),
    );
    const read = () =>
      page.evaluate(
        async ({ lib, url }) => new TextDecoder().decode(await (await lib.openSource(url)).get("zarr.json")),
        { lib, url: changing.url },
      );
    const before = [await read(), await read()];
    [text, headers.etag] = ['{"new":1}', '"b"'];
    expect([...before, await read()]).toEqual(["{}", "{}", '{"new":1}']);
    expect(changing.requests.map((request) => request.headers["if-none-match"])).toEqual([
      undefined,
      '"a"',
      '"a"',
    ]);
  });

  it("stops reading when it is told to", async () => {
    const files = directoryHandler(join(work, "demo"));
    let [asked, closed] = [() => {}, () => {}];
    const slow = await serve(
      withCors((request, response) => {
        if (!/(cloud_cover|platform).c.0$/.test(request.url!) || request.method === "HEAD")
          return files(request, response);
        response.on("close", () => closed());
        asked();
      }),
    );
    /** How reading that never ends is ended, once it waits. */
    const stopped = async (
      read: (what: { lib: Library; url: string; signal: AbortSignal }) => Promise<unknown>,
    ) => {
      const waits = new Promise<void>((resolve) => (asked = resolve));
      const controller = await page.evaluateHandle(() => new AbortController());
      const signal = await controller.getProperty("signal");
      const end = page.evaluate(read, { lib, url: slow.url, signal }).catch((error: Error) => error.message);
      await waits;
      await controller.evaluate((one) => one.abort());
      return end;
    };
    const query = stopped(async ({ lib, url, signal }) => {
      const result = await (await lib.open(url)).query("SELECT idx FROM meta WHERE cloud_cover < 5", {
        signal,
      });
      for await (const { length } of result.batches()) return length;
    });
    expect(await query).toMatch("AbortError");
    const gone = new Promise<void>((resolve) => (closed = resolve));
    const key = stopped(async ({ lib, url, signal }) =>
      (await lib.openSource(url)).get("meta/platform/c/0", { signal }),
    );
    expect(await key).toMatch("AbortError");
    await gone;
  });

  it("reads a view of zarrsift serve as a source of its own", async () => {
    const collection = await zarrsift.open(join(work, "demo"), { name: "demo" });
    const app = await buildApp({ collections: [collection] });
    try {
      const server = await app.listen({ host: "127.0.0.1", port: 0 });
      const sql = "SELECT date, bbox FROM meta WHERE cloud_cover < 50 ORDER BY date LIMIT 4";
      const url = await page.evaluate(
        async ({ server, sql }) => {
          const response = await fetch(`${server}/collections/demo/views`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ sql }),
          });
          return ((await response.json()) as { v3: string }).v3;
        },
        { server, sql },
      );
      const what = { url, sql: "SELECT source_idx, date, bbox FROM meta WHERE idx > 0 ORDER BY idx" };
      const there = await page.evaluate(answer, { lib, ...what });
      expect(there).toEqual(await answer({ lib: zarrsift, ...what }));
      expect(there.rows).toHaveLength(3);
      const views = { url, sql: "SELECT idx FROM meta WHERE idx = 1", layout: "granules" as const };
      expect(await page.evaluate(numbers, { lib, zarr, ...views })).toEqual(
        await numbers({ lib: zarrsift, zarr: zarrita, ...views }),
      );
    } finally {
      await app.close();
      await collection.close();
    }
  });

  it("runs in a worker", async () => {
    const count = await page.evaluate(async (url) => {
      const code = `
        import { open } from "${location.origin}/bundle/zarrsift.js";
        const result = await (await open("${url}")).query("SELECT count(*) AS n FROM meta");
        for await (const { vectors } of result.batches()) postMessage(vectors[0].values[0]);`;
      const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), {
        type: "module",
      });
      return new Promise((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = ({ message }) => reject(new Error(message));
      });
    }, many.url);
    expect(count).toBe(ROWS);
  });

  it.each([
    ["a server that lets no other origin read", () => "", /Failed to fetch.*allow http:.*\(CORS\)/],
    ["a path", () => "granules.zarr", /in Node only.*https: URL/],
    ["an Icechunk repository", () => `${demo.url}/ice`, /import map.*zarrsift serve/],
  ])("says what would help with %s", async (what, url, message) => {
    mkdirSync(join(work, "demo/ice/refs/branch.main"), { recursive: true });
    writeFileSync(join(work, "demo/ice/refs/branch.main/ref.json"), '{"snapshot":"0123456789ABCDEFGHJK"}');
    const server = what.startsWith("a server") ? await serve(filesHandler({})) : undefined;
    const said = await page.evaluate(
      async ({ lib, url }) =>
        lib.open(url, { patience: { retries: 0 } }).then(
          () => "",
          (error: Error) => error.message,
        ),
      { lib, url: server?.url ?? url() },
    );
    expect(said).toMatch(message);
  });
});
