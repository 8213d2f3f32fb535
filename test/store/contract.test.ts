import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isZarrsiftError } from "../../src/errors.ts";
import { CacheStore } from "../../src/store/cache.ts";
import { CoalesceStore } from "../../src/store/coalesce.ts";
import { CountingStore } from "../../src/store/count.ts";
import { DirectoryStore } from "../../src/store/file.ts";
import { HttpStore } from "../../src/store/http/http.ts";
import { LimitStore } from "../../src/store/limit.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { statsOf } from "../../src/store/stats.ts";
import type { Store } from "../../src/store/store.ts";
import { ZipStore } from "../../src/store/zip/zip.ts";
import { directoryHandler, TestServer } from "./server.ts";
import { zipOf } from "./zip-writer.ts";

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
const VALUES: [string, Uint8Array][] = [
  ["zarr.json", new TextEncoder().encode("{}")],
  ["a/c/0", bytes],
  ["a/c/10", bytes.subarray(10)],
  ["a/.zattrs", new Uint8Array([1])],
  ["a/empty", new Uint8Array(0)],
  ["ä ö&%41+#?/b:c", new Uint8Array([7, 8])],
];
const folder = mkdtempSync(join(tmpdir(), "zarrsift-store-"));
let server: TestServer;

const MAKE: Record<string, () => Store> = {
  memory: () => new MemoryStore(VALUES),
  directory: () => new DirectoryStore(folder, true),
  http: () => new HttpStore(server.url),
  "zip archive": () => new ZipStore(new MemoryStore([["x.zip", zipOf(VALUES)]]), "x.zip"),
  "all wrappers of a directory": () =>
    new CacheStore(
      new CoalesceStore(new LimitStore(new CountingStore(new DirectoryStore(folder, true)), 2)),
      10_000,
    ),
  "all wrappers": () =>
    new CacheStore(new CoalesceStore(new LimitStore(new CountingStore(new MemoryStore(VALUES)), 2)), 10_000),
};

beforeAll(async () => {
  for (const [key, value] of VALUES) {
    mkdirSync(dirname(join(folder, key)), { recursive: true });
    writeFileSync(join(folder, key), value);
  }
  server = await TestServer.start(directoryHandler(folder));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

const list = (value: Uint8Array | undefined) => value && [...value];

describe.each(Object.entries(MAKE))("a store: %s", (name, make) => {
  it("gets values, undefined for what is not there", async () => {
    const store = make();
    for (const [key, value] of VALUES) expect(list(await store.get(key)), key).toEqual(list(value));
    for (const key of ["nope", "a/c/1", "a/c/0/0", "b/c"]) {
      expect(await store.get(key), key).toBeUndefined();
      expect(await store.getRange(key, { offset: 0, length: 1 }), key).toBeUndefined();
      expect(await store.getRange(key, { suffixLength: 1 }), key).toBeUndefined();
      expect(await store.getRange(key, { offset: 0, length: 0 }), key).toBeUndefined();
      expect(await store.stat(key), key).toBeUndefined();
    }
  });

  it("reads values into memory that it is given, where it can", async () => {
    const store = make();
    expect(store.getInto !== undefined).toBe(name.endsWith("directory"));
    if (!store.getInto) return;
    for (const [key, value] of VALUES) {
      const memory = new Uint8Array(2000).fill(99);
      const found = await store.getInto(key, undefined, (length) => memory.subarray(0, length));
      expect([list(found), found!.buffer === memory.buffer]).toEqual([list(value), true]);
    }
    const part = await store.getInto("a/c/0", { offset: 5, length: 3 }, (length) => new Uint8Array(length));
    expect(list(part)).toEqual([5, 6, 7]);
    const end = await store.getInto("a/c/0", { suffixLength: 2 }, (length) => new Uint8Array(length));
    expect(list(end)).toEqual(list(bytes.subarray(998)));
    const never = () => expect.fail("there is nothing to read");
    for (const key of ["nope", "a/c", "b/c"])
      expect(await store.getInto(key, undefined, never), key).toBeUndefined();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(store.getInto("a/c/0", undefined, never, { signal })).rejects.toThrow("enough");
  });

  it("gets ranges", async () => {
    const store = make();
    const range = async (offset: number, length: number) =>
      list(await store.getRange("a/c/0", { offset, length }));
    const suffix = async (suffixLength: number) => list(await store.getRange("a/c/0", { suffixLength }));
    expect(await range(0, 3)).toEqual([0, 1, 2]);
    expect(await range(500, 100)).toEqual(list(bytes.subarray(500, 600)));
    expect(await range(0, 1000)).toEqual(list(bytes));
    expect(await range(999, 1)).toEqual([999 % 251]);
    expect(await range(7, 0)).toEqual([]);
    expect(await suffix(2)).toEqual(list(bytes.subarray(998)));
    expect(await suffix(5000)).toEqual(list(bytes));
    expect(await suffix(0)).toEqual([]);
    expect(list(await store.getRange("a/empty", { suffixLength: 4 }))).toEqual([]);
  });

  it("refuses ranges that reach beyond the end", async () => {
    const store = make();
    for (const [offset, length] of [
      [999, 2],
      [0, 1001],
      [1000, 1],
      [5000, 1],
    ] as const) {
      await expect(store.getRange("a/c/0", { offset, length }), `${offset}`).rejects.toMatchObject({
        code: "source_unreadable",
      });
    }
  });

  it("knows sizes, and stamps that stay while the value does", async () => {
    const store = make();
    const stat = await store.stat("a/c/0");
    expect(stat?.size).toBe(1000);
    expect(stat?.stamp).not.toBe("");
    expect(await store.stat("a/c/0")).toEqual(stat);
    expect((await store.stat("a/empty"))?.size).toBe(0);
  });

  it("says of many keys what it says of each", async () => {
    const store = make();
    const keys = [...VALUES.map(([key]) => key), "nope", "a/c", "a/c/0/0", "b/c"];
    // The second time the folders are known.
    for (let round = 0; round < 2; round++) {
      const stats = await statsOf(store, keys);
      expect(stats).toHaveLength(keys.length);
      for (const [i, key] of keys.entries()) expect(stats[i], key).toEqual(await store.stat(key));
    }
    await expect(statsOf(store, ["a/c/0", "../a"])).rejects.toMatchObject({ code: "bad_request" });
  });

  it("lists, sorted", async () => {
    const store = make();
    expect(await store.list("")).toEqual({ keys: ["zarr.json"], prefixes: ["a", "ä ö&%41+#?"] });
    expect(await store.list("a")).toEqual({ keys: [".zattrs", "empty"], prefixes: ["c"] });
    expect(await store.list("a/c")).toEqual({ keys: ["0", "10"], prefixes: [] });
  });

  it("refuses what is no key", async () => {
    const store = make();
    for (const key of ["", "/a", "a//b", "a/", "../a", "a/../b", "a/./b", "..", "a\0b", "a/\ud800"]) {
      for (const read of [
        () => store.get(key),
        () => store.getRange(key, { offset: 0, length: 1 }),
        () => store.stat(key),
      ]) {
        const error = await read().catch((thrown) => thrown);
        expect(isZarrsiftError(error, "bad_request"), JSON.stringify(key)).toBe(true);
      }
      if (key !== "") await expect(store.list(key)).rejects.toMatchObject({ code: "bad_request" });
    }
  });

  it("throws the reason of an abort", async () => {
    const store = make();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(store.get("a/c/0", { signal })).rejects.toThrow("enough");
    await expect(store.getRange("a/c/0", { offset: 0, length: 1 }, { signal })).rejects.toThrow("enough");
    await expect(store.stat("a/c/0", { signal })).rejects.toThrow("enough");
    await expect(store.list("a", { signal })).rejects.toThrow("enough");
  });
});

describe("stamps", () => {
  it("change when a value is written again", async () => {
    const memory = new MemoryStore([["k", "one"]]);
    const before = await memory.stat("k");
    memory.set("k", "two");
    expect((await memory.stat("k"))?.stamp).not.toBe(before?.stamp);

    writeFileSync(join(folder, "k"), "one");
    const directory = new DirectoryStore(folder);
    const first = await directory.stat("k");
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(join(folder, "k"), "two");
    expect((await directory.stat("k"))?.stamp).not.toBe(first?.stamp);
    rmSync(join(folder, "k"));
  });
});
