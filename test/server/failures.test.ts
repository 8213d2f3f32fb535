import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { type Collection, openCollection } from "../../src/collection.ts";
import { type ErrorCode, ZarrsiftError } from "../../src/errors.ts";
import { open, openSource } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import type { ByteRange, ReadOptions, Store } from "../../src/store/store.ts";

const GRANULES = fileURLToPath(new URL("../../../shared/data/granules.zarr", import.meta.url));
const SQL = "SELECT idx FROM meta WHERE collection LIKE 'AMSR2%' ORDER BY idx LIMIT 1";

/** A store that fails for some keys, on demand. */
class FaultyStore implements Store {
  readonly #store: Store;
  /** Which keys fail. */
  bad = /^$/;
  how: "throw" | "hang" | "truncate" = "throw";
  code: ErrorCode = "source_unreadable";

  constructor(store: Store) {
    this.#store = store;
  }

  get url() {
    return this.#store.url;
  }

  async get(key: string, options?: ReadOptions) {
    const bytes = await this.#store.get(key, options);
    return (await this.#fail(key, options)) ? bytes?.subarray(0, bytes.length >> 1) : bytes;
  }

  async getRange(key: string, range: ByteRange, options?: ReadOptions) {
    const bytes = await this.#store.getRange(key, range, options);
    return (await this.#fail(key, options)) ? bytes?.subarray(0, bytes.length >> 1) : bytes;
  }

  async stat(key: string, options?: ReadOptions) {
    if (this.how !== "truncate") await this.#fail(key, options);
    return this.#store.stat(key, options);
  }

  list(prefix: string, options?: ReadOptions) {
    return this.#store.list(prefix, options);
  }

  async #fail(key: string, options?: ReadOptions): Promise<boolean> {
    if (!this.bad.test(key)) return false;
    if (this.how === "throw") throw new ZarrsiftError(this.code, `${key} could not be read`);
    if (this.how === "truncate") return true;
    options?.signal?.throwIfAborted();
    return new Promise((_, reject) =>
      options?.signal?.addEventListener("abort", () => reject(options.signal!.reason)),
    );
  }
}

describe.skipIf(!existsSync(GRANULES))("a source that fails", () => {
  let store: FaultyStore;
  let collection: Collection;
  let app: FastifyInstance;
  /** The same, and impatient: all it is asked for never comes. */
  let hurried: FastifyInstance;
  let arrays: string[];
  let base: string;

  beforeAll(async () => {
    store = new FaultyStore(await openSource(GRANULES, { cacheBytes: 0 }));
    collection = await openCollection(store, { name: "granules" });
    const options = { collections: [collection], logger: false };
    app = await buildApp({ ...options, limits: { cacheBytes: 0 } });
    hurried = await buildApp({ ...options, limits: { readMs: 300, queryMs: 300, cacheBytes: 0 } });
    const make = (server: FastifyInstance) =>
      server.inject({ method: "POST", url: "/collections/granules/views", payload: { sql: SQL } });
    const made = await make(app);
    // On a busy machine that may take more than its limit.
    const isMade = async () => expect((await make(hurried)).statusCode).toBeLessThan(300);
    await vi.waitFor(isMade, { timeout: 60_000 });
    base = new URL(made.json().v3).pathname;
    const root = (await app.inject(`${base}/zarr.json`)).json();
    const nodes: [string, { node_type: string; shape: number[] }][] = Object.entries(
      root.consolidated_metadata.metadata,
    );
    arrays = nodes
      .filter(([path, node]) => path.startsWith("AMSR2") && node.shape?.length === 2)
      .map(([path]) => path);
    expect(arrays.length).toBeGreaterThan(0);
  });
  beforeEach(() => Object.assign(store, { bad: /^$/, how: "throw", code: "source_unreadable" }));
  afterAll(async () => {
    await app.close();
    await hurried.close();
    await collection.close();
  });

  const chunk = (headers = {}, method: "GET" | "HEAD" = "GET", server = app) =>
    server.inject({ method, url: `${base}/${arrays[0]}/c/0/0`, headers });

  it.each(["source_unreadable", "source_forbidden", "source_changed", "not_found", "timeout"] as const)(
    "with %s is never absent",
    async (code) => {
      expect((await chunk()).statusCode).toBe(200);
      Object.assign(store, { bad: /c\/0\/0$/, code });
      for (const answer of [
        await chunk(),
        await chunk({ range: "bytes=0-9" }),
        await chunk({}, "HEAD"),
        await chunk({ range: "bytes=-9" }),
      ]) {
        expect(answer.statusCode).toBeGreaterThanOrEqual(500);
      }
      expect((await chunk()).json().code).toBe(code === "not_found" ? "source_unreadable" : code);
      store.bad = /^$/;
      expect((await chunk()).statusCode).toBe(200);
    },
  );

  it("by never answering is a timeout", async () => {
    Object.assign(store, { bad: /c\/0\/0$/, how: "hang" });
    const answer = await chunk({}, "GET", hurried);
    expect([answer.statusCode, answer.json().code]).toEqual([504, "timeout"]);
  });

  it("by giving less than was asked for is an error", async () => {
    Object.assign(store, { bad: /c\/0\/0$/, how: "truncate" });
    const answer = await chunk({ range: "bytes=0-99" });
    expect([answer.statusCode, answer.json().code]).toEqual([502, "source_unreadable"]);
  });

  it("fails the query that needs it, and no other", async () => {
    const query = (sql: string, server = app) =>
      server.inject(`/collections/granules/query?sql=${encodeURIComponent(sql)}`);
    Object.assign(store, { bad: /^meta\/platform\/c/, how: "throw" });
    const answer = await query("SELECT platform FROM meta");
    expect([answer.statusCode, answer.json().code]).toEqual([502, "source_unreadable"]);
    expect((await query("SELECT granule_id FROM meta LIMIT 1")).json().count).toBe(1);
    Object.assign(store, { bad: /^meta\/instrument\/c/, how: "hang" });
    const slow = await query("SELECT instrument FROM meta", hurried);
    expect([slow.statusCode, slow.json().code]).toEqual([504, "timeout"]);
    const inPath = await hurried.inject(
      `/collections/granules/sql/${encodeURIComponent("SELECT instrument FROM meta")}/v3/zarr.json`,
    );
    expect(inPath.statusCode).toBeGreaterThanOrEqual(500);
  });
});

describe.skipIf(!existsSync(GRANULES))("a source that changes under a view", () => {
  it("fails reads, and is seen anew by new views", { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "zarrsift-change-"));
    const source = join(folder, "granules.zarr");
    cpSync(GRANULES, source, { recursive: true, filter: (path) => !/\/(?:ASCATA|S6A)/.test(path) });
    const collection = await open(source, { name: "granules" });
    const app = await buildApp({ collections: [collection], logger: false });
    const make = () =>
      app.inject({ method: "POST", url: "/collections/granules/views", payload: { sql: SQL } });
    const first = (await make()).json();
    const path = new URL(first.v3).pathname;
    const inPath = `/collections/granules/sql/${encodeURIComponent(SQL)}/v3/zarr.json`;
    expect((await app.inject(`${path}/zarr.json`)).statusCode).toBe(200);
    expect((await app.inject(inPath)).statusCode).toBe(200);
    const chunk = `${path}/meta/source_idx/c/0`;
    for (let i = 0; i < 2; i++) expect((await app.inject(chunk)).statusCode).toBe(200);

    const column = join(source, "meta/orbit_number/c/0");
    writeFileSync(column, readFileSync(column));
    for (const url of [`${path}/meta/zarr.json`, inPath.replace("zarr.json", "meta/zarr.json")]) {
      // A busy machine, on which looking is slow, looks less often.
      await expect
        .poll(async () => (await app.inject(url)).json().code, { timeout: 20_000, interval: 200 })
        .toBe("source_changed");
      expect((await app.inject(url)).statusCode).toBe(503);
    }
    const fromMemory = await app.inject(chunk);
    expect([fromMemory.statusCode, fromMemory.json().code]).toEqual([503, "source_changed"]);
    const second = (await make()).json();
    expect(second.version).not.toBe(first.version);
    expect(second.id).not.toBe(first.id);
    expect((await app.inject(`${new URL(second.v3).pathname}/meta/zarr.json`)).statusCode).toBe(200);
    await app.close();
    await collection.close();
    rmSync(folder, { recursive: true });
  });

  it("in a granule alone fails reads of that, and shows in a view made anew", async () => {
    const folder = mkdtempSync(join(tmpdir(), "zarrsift-change-"));
    const source = join(folder, "granules.zarr");
    cpSync(GRANULES, source, { recursive: true, filter: (path) => !/\/(?:ASCATA|S6A)/.test(path) });
    const collection = await open(source, { name: "granules", cacheBytes: 0 });
    const app = await buildApp({ collections: [collection], logger: false, limits: { cacheBytes: 0 } });
    const make = async () =>
      (
        await app.inject({
          method: "POST",
          url: "/collections/granules/views",
          payload: { sql: SQL.replace(" LIMIT 1", "") },
        })
      ).json();
    const first = await make();
    let base = new URL(first.v3).pathname;
    const root = (await app.inject(`${base}/meta/array_location/zarr.json`)).statusCode;
    const [granule, other] = readdirSync(join(source, "AMSR2-REMSS-L2P-v8a")).filter(
      (n) => n !== "zarr.json",
    );
    const chunk = async (name = granule) =>
      (await app.inject(`${base}/AMSR2-REMSS-L2P-v8a/${name}/lat/c/0/0`)).statusCode;
    expect([root, await chunk(), await chunk(other)]).toEqual([200, 200, 200]);
    for (const [name, more] of [
      ["zarr.json", " "],
      ["c/0/0", ""],
    ] as const) {
      const file = join(source, "AMSR2-REMSS-L2P-v8a", granule!, "lat", name);
      await new Promise((resolve) => setTimeout(resolve, 40));
      writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from(more)]));
      expect([await chunk(), await chunk(other)], name).toEqual([503, 200]);
      const { id, version, v3 } = await make();
      expect(id).not.toBe(first.id);
      expect(version).toMatch(`${first.version}.`);
      expect([await chunk(), await chunk(other)], name).toEqual([503, 200]);
      base = new URL(v3).pathname;
      expect([await chunk(), await chunk(other)], name).toEqual([200, 200]);
    }
    await app.close();
    await collection.close();
    rmSync(folder, { recursive: true });
  });

  it.each(["granules", "concatenated"])(
    "shows in a %s view that is made anew first thing after a restart, and before anybody has read it",
    async (layout) => {
      const folder = mkdtempSync(join(tmpdir(), "zarrsift-change-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const source = join(folder, "granules.zarr");
      cpSync(GRANULES, source, { recursive: true, filter: (path) => !/\/(?:ASCATA|S6A)/.test(path) });
      const place = "AMSR2-REMSS-L2P-v8a";
      const [granule] = readdirSync(join(source, place)).filter((name) => name !== "zarr.json");
      const start = async () => {
        const collection = await open(source, { name: "granules" });
        const app = await buildApp({
          collections: [collection],
          logger: false,
          views: join(folder, "views.sqlite"),
        });
        const make = async () => {
          const payload = { sql: SQL.replace(" LIMIT 1", ""), layout, variables: ["lat"] };
          const made = await app.inject({ method: "POST", url: "/collections/granules/views", payload });
          return made.json();
        };
        const lat = async (v3: string) => {
          const key = layout === "concatenated" ? "lat/c/0/0" : `${place}/${granule}/lat/c/0/0`;
          return (await app.inject(`${new URL(v3).pathname}/${key}`)).statusCode;
        };
        const stop = async () => {
          await app.close();
          await collection.close();
        };
        return { make, lat, stop };
      };
      const rewrite = async () => {
        await new Promise((resolve) => setTimeout(resolve, 40));
        const file = join(source, place, granule!, "lat/c/0/0");
        writeFileSync(file, readFileSync(file));
      };

      const before = await start();
      const first = await before.make();
      expect((await before.make()).id).toBe(first.id);
      await before.stop();
      await rewrite();
      const after = await start();
      const second = await after.make();
      expect(second.id).not.toBe(first.id);
      expect([await after.lat(first.v3), await after.lat(second.v3)]).toEqual([503, 200]);
      await rewrite();
      const third = await after.make();
      expect(third.id).not.toBe(second.id);
      expect(await after.lat(third.v3)).toBe(200);
      expect((await after.make()).id).toBe(third.id);
      await after.stop();
      const last = await start();
      expect((await last.make()).id).toBe(third.id);
      await last.stop();
    },
  );

  it("shows under another id where a view is made again that was deleted: caches may have what it showed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "zarrsift-change-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const source = join(folder, "granules.zarr");
    cpSync(GRANULES, source, { recursive: true, filter: (path) => !/\/(?:ASCATA|S6A)/.test(path) });
    const collection = await open(source, { name: "granules" });
    const app = await buildApp({ collections: [collection], logger: false });
    const make = async () =>
      (
        await app.inject({ method: "POST", url: "/collections/granules/views", payload: { sql: SQL } })
      ).json();
    const remove = async (id: string) => app.inject({ method: "DELETE", url: `/views/${id}` });
    const [granule] = readdirSync(join(source, "AMSR2-REMSS-L2P-v8a")).filter((name) => name !== "zarr.json");
    const key = `AMSR2-REMSS-L2P-v8a/${granule}/lat/c/0/0`;
    const lat = async (v3: string) => app.inject(`${new URL(v3).pathname}/${key}`);
    const rewrite = async () => {
      await new Promise((resolve) => setTimeout(resolve, 40));
      writeFileSync(join(source, key), readFileSync(join(source, key)).fill(7));
    };

    const first = await make();
    await remove(first.id);
    const again = await make();
    expect(again.id).toBe(first.id);
    await remove(again.id);
    await rewrite();
    const other = await make();
    expect(other.id).not.toBe(first.id);
    expect((await lat(other.v3)).rawPayload.at(-1)).toBe(7);
    await app.close();
    await collection.close();
  });
});
