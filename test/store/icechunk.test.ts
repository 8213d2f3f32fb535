import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DirectoryStore } from "../../src/store/file.ts";
import { HttpStore } from "../../src/store/http/http.ts";
import { isIcechunk, openIcechunk } from "../../src/store/icechunk/icechunk.ts";
import { loadIcechunk } from "../../src/store/icechunk/load.ts";
import { openSource } from "../../src/store/open.ts";
import { takeRange } from "../../src/store/range.ts";
import type { ByteRange, Store } from "../../src/store/store.ts";
import { directoryHandler, TestServer } from "./server.ts";

const data = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const spec1 = join(data, "granules-spec1.icechunk");
const spec2 = join(data, "granules-spec2.icechunk");
const list = (value: Uint8Array | undefined) => value && [...value];

const loads = await loadIcechunk().then(
  () => true,
  () => false,
);

/** A store whose values below `folder` are gone, or end after `size` bytes. */
class DamagedStore implements Store {
  readonly url = "damaged:";
  readonly #store: Store;
  readonly #folder: string;
  readonly #size: number | undefined;

  constructor(store: Store, folder: string, size: number | undefined) {
    this.#store = store;
    this.#folder = folder;
    this.#size = size;
  }

  async get(key: string) {
    if (!key.startsWith(this.#folder)) return this.#store.get(key);
    return this.#size === undefined ? undefined : (await this.#store.get(key))?.subarray(0, this.#size);
  }

  async getRange(key: string, range: ByteRange) {
    const bytes = await this.get(key);
    return bytes && takeRange(bytes, range, key);
  }

  stat(key: string) {
    return this.#store.stat(key);
  }

  list(prefix: string) {
    return this.#store.list(prefix);
  }
}

/** Some keys of the hierarchy: columns, and every key of one granule of each collection. */
async function someKeys(truth: Store): Promise<string[]> {
  const keys = ["zarr.json", "meta/zarr.json"];
  for (const column of ["bbox", "date", "processing_version", "orbit_number"]) {
    keys.push(`meta/${column}/zarr.json`, ...[0, 1, 2, 3].map((i) => `meta/${column}/c/${i}`));
  }
  const collections = (await truth.list(""))!.prefixes.filter((name) => name !== "meta");
  for (const name of collections) {
    const granule = (await truth.list(name))!.prefixes[0]!;
    keys.push(...(await keysBelow(truth, `${name}/${granule}`)).slice(0, 12));
  }
  return keys;
}

async function keysBelow(store: Store, prefix: string): Promise<string[]> {
  const listing = (await store.list(prefix))!;
  const deeper = await Promise.all(listing.prefixes.map((name) => keysBelow(store, `${prefix}/${name}`)));
  return [...listing.keys.map((name) => `${prefix}/${name}`), ...deeper.flat()];
}

describe.skipIf(!existsSync(spec1) || !loads)("an Icechunk repository", () => {
  const truth = new DirectoryStore(join(data, "granules.zarr"));
  let server: TestServer;

  beforeAll(async () => {
    server = await TestServer.start(directoryHandler(data));
  });
  afterAll(() => server.stop());

  const files = {
    "in a directory": (name: string) => new DirectoryStore(join(data, name)),
    "over http": (name: string) => new HttpStore(`${server.url}/${name}`),
  };

  describe.each(Object.entries(files))("%s", (_, make) => {
    it("is recognised, plain hierarchies are not", async () => {
      expect(await isIcechunk(make("granules-spec1.icechunk"))).toBe(true);
      expect(await isIcechunk(make("granules-spec2.icechunk"))).toBe(true);
      expect(await isIcechunk(make("granules.zarr"))).toBe(false);
    });

    it("holds the values that the plain hierarchy holds", async () => {
      const store = await openIcechunk(make("granules-spec1.icechunk"));
      for (const key of await someKeys(truth)) {
        const expected = await truth.get(key);
        if (key.endsWith("zarr.json")) {
          const parse = (bytes: Uint8Array | undefined) => JSON.parse(new TextDecoder().decode(bytes));
          expect(parse(await store.get(key)).shape, key).toEqual(parse(expected).shape);
          continue;
        }
        expect(list(await store.get(key)), key).toEqual(list(expected));
        expect((await store.stat(key))?.size, key).toBe(expected?.length);
      }
    });

    it("of format 2 opens, too", async () => {
      const store = await openIcechunk(make("granules-spec2.icechunk"));
      for (const key of ["meta/bbox/c/0", "meta/date/c/0", "meta/bbox/c/3"]) {
        expect(list(await store.get(key)), key).toEqual(list(await truth.get(key)));
      }
      expect((await store.list(""))?.prefixes).toEqual(["AMSR2-REMSS-L2P-v8a", "meta"]);
    });
  });

  it("opens at a branch, a tag, a snapshot; main by default", async () => {
    const open = (ref?: string) => openIcechunk(new DirectoryStore(spec1), { ref });
    const [main, byDefault, reprocess, tag] = await Promise.all(
      ["main", undefined, "reprocess", "v1"].map(open),
    );
    expect(byDefault!.snapshot).toBe(main!.snapshot);
    expect(tag!.snapshot).toBe(main!.snapshot);
    expect(reprocess!.snapshot).not.toBe(main!.snapshot);
    expect(reprocess!.url).toBe(`${spec1}#reprocess`);
    const bySnapshot = await open(reprocess!.snapshot);
    expect(bySnapshot.snapshot).toBe(reprocess!.snapshot);
    const key = "meta/processing_version/c/0";
    expect(list(await bySnapshot.get(key))).toEqual(list(await reprocess!.get(key)));
    expect(list(await main!.get(key))).toEqual(list(await truth.get(key)));
    expect(list(await reprocess!.get(key))).not.toEqual(list(await truth.get(key)));
  });

  it("says which refs there are where one is not, if it can list", async () => {
    const cases = { [spec1]: "branches: main, reprocess; tags: v1", [spec2]: "branches: main" };
    for (const [path, there] of Object.entries(cases)) {
      for (const ref of ["nope", "a/b", "1CECHNKREP0F1RSTCMT9", "ZZZZZZZZZZZZZZZZZZZZ", "", "../x"]) {
        const opening = openIcechunk(new DirectoryStore(path), { ref });
        await expect(opening, `${path} ${ref}`).rejects.toMatchObject({
          code: "source_not_found",
          message: expect.stringContaining(there),
        });
      }
    }
    const blind = new HttpStore(`${server.url}/granules-spec1.icechunk`);
    blind.list = async () => undefined;
    await expect(openIcechunk(blind, { ref: "nope" })).rejects.toThrow("cannot be listed");
  });

  it("lists keys and prefixes", async () => {
    const store = await openIcechunk(new DirectoryStore(spec1));
    for (const prefix of ["", "meta", "meta/bbox", "meta/bbox/c", "AMSR2-REMSS-L2P-v8a", "nope"]) {
      expect(await store.list(prefix), prefix).toEqual(await truth.list(prefix));
    }
    const granule = (await keysBelow(store, "S6A_P4_2__HR_RED__NR")).sort();
    expect(granule).toEqual((await keysBelow(truth, "S6A_P4_2__HR_RED__NR")).sort());
  });

  it("has undefined for what is not there, whatever is asked", async () => {
    const store = await openIcechunk(new DirectoryStore(spec1));
    for (const key of [
      "meta/bbox/c/99",
      "meta/bbox/c/0/0",
      "meta/bbox/c",
      "nope/zarr.json",
      "c/0",
      "foo",
      "meta",
      ".zgroup",
    ]) {
      expect(await store.get(key), key).toBeUndefined();
      expect(await store.stat(key), key).toBeUndefined();
      expect(await store.getRange(key, { offset: 0, length: 1 }), key).toBeUndefined();
      expect(await store.getRange(key, { suffixLength: 1 }), key).toBeUndefined();
    }
  });

  it("gives ranges of chunks and of metadata, and refuses those beyond the end", async () => {
    const store = await openIcechunk(new DirectoryStore(spec1));
    for (const key of ["meta/bbox/c/0", "meta/bbox/zarr.json", "meta/crosses_antimeridian/c/0"]) {
      const whole = (await store.get(key))!;
      const size = whole.length;
      expect(list(await store.getRange(key, { offset: 3, length: 9 }))).toEqual(list(whole.subarray(3, 12)));
      expect(list(await store.getRange(key, { suffixLength: 5 }))).toEqual(list(whole.subarray(size - 5)));
      expect(list(await store.getRange(key, { suffixLength: size + 5 }))).toEqual(list(whole));
      expect(list(await store.getRange(key, { offset: 2, length: 0 }))).toEqual([]);
      expect(list(await store.getRange(key, { suffixLength: 0 }))).toEqual([]);
      for (const range of [
        { offset: size, length: 1 },
        { offset: 0, length: size + 1 },
        { offset: 1e6, length: 5 },
      ]) {
        await expect(store.getRange(key, range)).rejects.toMatchObject({ code: "source_unreadable" });
      }
    }
  });

  it("passes on what its files' store throws, as it was", async () => {
    for (const folder of ["refs/", "snapshots/", "manifests/", "chunks/"]) {
      const inner = directoryHandler(data);
      const broken = await TestServer.start((request, response) => {
        if (request.url!.includes(folder)) response.writeHead(403).end();
        else inner(request, response);
      });
      const read = async () => {
        const store = await openIcechunk(new HttpStore(`${broken.url}/granules-spec1.icechunk`));
        return store.get("meta/bbox/c/0");
      };
      await expect(read(), folder).rejects.toMatchObject({
        code: "source_forbidden",
        message: expect.stringContaining("--absent"),
      });
      await broken.stop();
    }
  });

  it("is never silently incomplete: files missing or cut short are errors", async () => {
    const expected = { code: "source_unreadable" };
    const range = { offset: 100, length: 10 };
    for (const folder of ["snapshots/", "manifests/", "chunks/"]) {
      for (const size of [undefined, 60]) {
        const open = () => openIcechunk(new DamagedStore(new DirectoryStore(spec1), folder, size));
        const read = async () => (await open()).get("meta/bbox/c/0");
        const readRange = async () => (await open()).getRange("meta/bbox/c/0", range);
        await expect(read(), `${folder} ${size}`).rejects.toMatchObject(expected);
        await expect(readRange(), `${folder} ${size}`).rejects.toMatchObject(expected);
        if (folder === "snapshots/") await expect(open(), `${size}`).rejects.toMatchObject(expected);
      }
    }
  });

  it("honours an abort", async () => {
    const hanging = new DirectoryStore(spec1);
    const store = await openIcechunk(hanging);
    hanging.getRange = () => new Promise(() => {});
    const controller = new AbortController();
    const reading = store.get("meta/bbox/c/1", { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(reading).rejects.toThrow("enough");
  });

  it("opens as a source, at a ref, cached and counted", async () => {
    const total = { requests: 0, bytes: 0 };
    const store = await openSource(`${server.url}/granules-spec1.icechunk#reprocess`, { total });
    expect(store.snapshot).toMatch(/^[0-9A-Z]{20}$/);
    const traffic = { requests: 0, bytes: 0 };
    const chunk = await store.get("meta/bbox/c/0", { traffic });
    const before = total.requests;
    await store.get("meta/bbox/c/0", { traffic });
    expect(await store.get("meta/bbox/c/99", { traffic })).toBeUndefined();
    expect(await store.get("meta/bbox/c/99", { traffic })).toBeUndefined();
    expect(traffic).toEqual({ requests: 2, bytes: chunk!.length });
    expect(total.requests).toBe(before);
    await expect(openSource(`${spec1}#nope`)).rejects.toMatchObject({ code: "source_not_found" });
  });

  it("lets its process end, and says at most one line there", () => {
    const code = `
      import { createServer } from "vite";
      const vite = await createServer({
        configFile: false, logLevel: "error", appType: "custom",
        server: { middlewareMode: true, ws: false, watch: null }, optimizeDeps: { noDiscovery: true },
      });
      const { openSource } = await vite.ssrLoadModule("/src/store/open.ts");
      const stores = [];
      for (const source of ${JSON.stringify([spec1, spec2])}) {
        const store = await openSource(source, { log: (line) => process.stderr.write(line + "\\n") });
        stores.push(store);
        process.stdout.write(String((await store.get("meta/bbox/c/0")).length) + "\\n");
      }
      await vite.close();
      globalThis.kept = stores;
      process.emitWarning("something else");
    `;
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
      cwd: fileURLToPath(new URL("../../", import.meta.url)),
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(run.stdout).toBe("11537\n11537\n");
    expect([run.status, run.signal]).toEqual([0, null]);
    const lines = run.stderr.trim().split("\n");
    expect(lines.filter((line) => /WASI|WASM/.test(line)).length).toBeLessThanOrEqual(1);
    expect(lines.filter((line) => /something else/.test(line))).toHaveLength(1);
  });
});
