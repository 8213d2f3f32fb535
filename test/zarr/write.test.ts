import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodable, decodeChunk, encodeChunk } from "../../src/zarr/chunk.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { type JsonObject, writeJson } from "../../src/zarr/json.ts";
import { type ArrayMeta, type ChunkKeyEncoding, chunkKey, gridShape } from "../../src/zarr/metadata.ts";
import { innerMeta, isSharded, readShardIndex } from "../../src/zarr/shard.ts";
import { toV2Documents, toV3Document } from "../../src/zarr/write.ts";
import { DirectoryStore } from "./directory.ts";
import { PYTHON, python } from "./python.ts";
import { coordinates } from "./whole.ts";

/** Chains that v2 has no words for. */
const NOT_IN_V2 = /shard|chain_axes/;

describe.skipIf(!PYTHON)("documents written for the other format (needs ZARRSIFT_PYTHON)", () => {
  const directory = mkdtempSync(join(tmpdir(), "zarrsift-write-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  beforeAll(() => python("make_types.py", directory));

  async function arrays(format: string): Promise<[string, ArrayMeta, DirectoryStore][]> {
    const store = new DirectoryStore(join(directory, format));
    const hierarchy = await Hierarchy.open(store);
    const names = (await hierarchy.children(""))!;
    return Promise.all(
      names.map(async (name) => [name, (await hierarchy.node(name)) as ArrayMeta, store] as const),
    ) as never;
  }

  /** The differences zarr-python sees between each array and its twin in `target`. */
  function differences(format: string, target: string, names: string[]): string[] {
    const pairs = names.map((name) => [join(directory, format, name), join(directory, target, name)]);
    writeFileSync(join(directory, "pairs.json"), JSON.stringify(pairs));
    return JSON.parse(python("compare_stores.py", join(directory, "pairs.json")));
  }

  function put(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  function copyChunks(
    name: string,
    from: ArrayMeta,
    format: string,
    target: string,
    keys: ChunkKeyEncoding,
  ): void {
    for (const at of coordinates(gridShape(from))) {
      const source = join(directory, format, name, chunkKey(from.chunkKeys, at));
      const copy = join(directory, target, name, chunkKey(keys, at));
      if (!existsSync(source)) continue;
      mkdirSync(dirname(copy), { recursive: true });
      cpSync(source, copy);
    }
  }

  const putV2 = (target: string, name: string, documents: JsonObject) => {
    for (const [key, document] of Object.entries(documents))
      put(join(directory, target, name, `.${key}`), writeJson(document));
  };

  it("v3 as v2, the same chunk bytes", async () => {
    const unsupported: string[] = [];
    const names: string[] = [];
    for (const [name, meta] of await arrays("v3")) {
      const documents = toV2Documents(meta);
      if ("unsupported" in documents) {
        unsupported.push(name);
        continue;
      }
      names.push(name);
      putV2("v3-as-v2", name, documents);
      copyChunks(name, meta, "v3", "v3-as-v2", { name: "v2", separator: "/" });
    }
    expect(unsupported.filter((name) => !NOT_IN_V2.test(name))).toEqual([]);
    expect(names.length).toBeGreaterThan(100);
    expect(differences("v3", "v3-as-v2", names)).toEqual([]);
  });

  it("v2 as v3, the same chunk bytes", async () => {
    const names: string[] = [];
    for (const [name, meta] of await arrays("v2")) {
      const document = toV3Document(meta);
      expect(document, name).not.toHaveProperty("unsupported");
      names.push(name);
      put(join(directory, "v2-as-v3", name, "zarr.json"), writeJson(document as JsonObject));
      copyChunks(name, meta, "v2", "v2-as-v3", meta.chunkKeys);
    }
    expect(differences("v2", "v2-as-v3", names)).toEqual([]);
  });

  for (const format of ["v2", "v3"]) {
    it(`${format} decoded, encoded and described again`, async () => {
      const names: string[] = [];
      for (const [name, meta, store] of await arrays(format)) {
        if (isSharded(meta)) continue;
        expect(decodable(meta), name).toBe(true);
        names.push(name);
        const target = join(directory, `${format}-again`, name);
        const documents = format === "v2" ? toV2Documents(meta) : undefined;
        if (documents) putV2(`${format}-again`, name, documents as JsonObject);
        else put(join(target, "zarr.json"), writeJson(toV3Document(meta) as JsonObject));
        for (const at of coordinates(gridShape(meta))) {
          const key = chunkKey(meta.chunkKeys, at);
          const bytes = await store.get(`${name}/${key}`);
          if (bytes) put(join(target, key), await encodeChunk(meta, await decodeChunk(meta, bytes, key)));
        }
      }
      expect(names.length).toBeGreaterThan(100);
      expect(differences(format, `${format}-again`, names)).toEqual([]);
    });
  }

  it("inner chunks of shards as arrays of their own, in v3 and v2", async () => {
    const names: string[] = [];
    const plain: string[] = [];
    for (const [name, meta, store] of await arrays("v3")) {
      const inner = isSharded(meta) ? innerMeta(meta) : meta;
      if (!isSharded(meta) || "unsupported" in inner) continue;
      names.push(name);
      put(join(directory, "unsharded", name, "zarr.json"), writeJson(toV3Document(inner) as JsonObject));
      const documents = toV2Documents(inner);
      if (!("unsupported" in documents)) {
        plain.push(name);
        putV2("unsharded-v2", name, documents);
      }
      for (const at of coordinates(gridShape(inner))) {
        const bytes = await innerChunk(store, name, meta, inner, at);
        if (!bytes) continue;
        put(join(directory, "unsharded", name, chunkKey(inner.chunkKeys, at)), bytes);
        put(join(directory, "unsharded-v2", name, chunkKey({ name: "v2", separator: "/" }, at)), bytes);
      }
    }
    expect(names).toEqual([
      "shard_axes",
      "shard_end",
      "shard_raw",
      "shard_start",
      "string_sharded",
      "variable_length_bytes_sharded",
    ]);
    expect(plain).toEqual(names.filter((name) => name !== "shard_axes"));
    expect(differences("v3", "unsharded", names)).toEqual([]);
    expect(differences("v3", "unsharded-v2", plain)).toEqual([]);
  });
});

async function innerChunk(
  store: DirectoryStore,
  name: string,
  meta: ArrayMeta,
  inner: ArrayMeta,
  at: number[],
) {
  const perShard = meta.chunkShape.map((length, axis) => length / inner.chunkShape[axis]!);
  const key = `${name}/${chunkKey(
    meta.chunkKeys,
    at.map((x, axis) => Math.floor(x / perShard[axis]!)),
  )}`;
  const index = await readShardIndex(store, key, meta);
  const position = at.reduce((sum, x, axis) => sum * perShard[axis]! + (x % perShard[axis]!), 0);
  const range = index?.chunk(position);
  return range && store.getRange(key, range);
}
