import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ZarrsiftError } from "../../src/errors.ts";
import { type ChunkData, decodeChunk, encodeChunk } from "../../src/zarr/chunk.ts";
import { inflate } from "../../src/zarr/codecs/gzip.ts";
import { measureZstd } from "../../src/zarr/codecs/zstd.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import type { ArrayMeta, Codec, DataType } from "../../src/zarr/metadata.ts";
import { DirectoryStore } from "./directory.ts";
import { random } from "./random.ts";

const INT32: DataType = { kind: "int", bits: 32, signed: true };
const BYTES: Codec = { name: "bytes", configuration: { endian: "little" } };
const COUNT = 3000;

function arrayOf(codecs: Codec[], dataType: DataType = INT32): ArrayMeta {
  return {
    nodeType: "array",
    format: 3,
    shape: [COUNT],
    chunkShape: [COUNT],
    dataType,
    codecs,
    fillValue: 0,
    attributes: {},
    dimensionNames: undefined,
    chunkKeys: { name: "default", separator: "/" },
    document: {},
  };
}

const codec = (name: string, configuration = {}): Codec => ({ name, configuration });
const blosc = (cname: string, shuffle: string) =>
  codec("blosc", { cname, clevel: 5, shuffle, typesize: 4, blocksize: 0 });

/** Chains, and whether a flipped bit is always found. */
const CHAINS: [string, Codec[], boolean][] = [
  ["none", [BYTES], false],
  ["crc32c", [BYTES, codec("crc32c")], true],
  ["zstd + crc32c", [BYTES, codec("zstd", { level: 3 }), codec("crc32c")], true],
  ["zstd", [BYTES, codec("zstd", { level: 3 })], false],
  ["gzip", [BYTES, codec("gzip", { level: 5 })], false],
  ["zlib", [BYTES, codec("numcodecs.zlib", { level: 5 })], false],
  ["lz4", [BYTES, codec("numcodecs.lz4")], false],
  ["shuffle + lz4", [BYTES, codec("numcodecs.shuffle", { elementsize: 4 }), codec("numcodecs.lz4")], false],
  ["adler32", [BYTES, codec("numcodecs.adler32")], true],
  ["fletcher32", [BYTES, codec("numcodecs.fletcher32")], false],
  ...["lz4", "blosclz", "zlib", "zstd"].map(
    (c) => [`blosc ${c}`, [BYTES, blosc(c, "shuffle")], false] as [string, Codec[], boolean],
  ),
];

function numbers(): ChunkData {
  const next = random(7);
  return { data: Int32Array.from({ length: COUNT }, (_, i) => i * 3 + Math.floor(next() * 5)) };
}

function texts(): ChunkData {
  const next = random(8);
  const items = Array.from({ length: COUNT }, () => "granule".repeat(Math.floor(next() * 4)));
  const data = new TextEncoder().encode(items.join(""));
  const starts = new Uint32Array(COUNT);
  const ends = new Uint32Array(COUNT);
  let at = 0;
  items.forEach((item, i) => {
    starts[i] = at;
    at += item.length;
    ends[i] = at;
  });
  return { data, starts, ends };
}

/** `undefined` where the chunk was read, else the error's code. */
async function outcome(meta: ArrayMeta, bytes: Uint8Array): Promise<string | undefined> {
  try {
    const chunk = await decodeChunk(meta, bytes, "a/c/0");
    expect("starts" in chunk ? chunk.starts.length : chunk.data.length).toBe(COUNT);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ZarrsiftError);
    expect((error as ZarrsiftError).message).toContain("a/c/0");
    return (error as ZarrsiftError).code;
  }
}

describe("damaged chunks", () => {
  const metas: [string, ArrayMeta, ChunkData, boolean][] = [
    ...CHAINS.map(
      ([name, codecs, sure]) =>
        [name, arrayOf(codecs), numbers(), sure] as [string, ArrayMeta, ChunkData, boolean],
    ),
    ["vlen", arrayOf([codec("vlen-utf8")], { kind: "string" }), texts(), false],
    ["vlen + zstd", arrayOf([codec("vlen-utf8"), codec("zstd")], { kind: "string" }), texts(), false],
    [
      "vlen + blosc",
      arrayOf([codec("vlen-bytes"), blosc("lz4", "noshuffle")], { kind: "bytes" }),
      texts(),
      false,
    ],
  ];

  it.each(metas)(
    "%s: cut short or too long is found, flipped bits never crash",
    async (_name, meta, chunk, sure) => {
      const good = await encodeChunk(meta, chunk);
      expect(await outcome(meta, good)).toBeUndefined();
      const next = random(11);
      for (let i = 0; i < 60; i++) {
        expect(await outcome(meta, good.slice(0, Math.floor(next() * good.length)))).toBe("corrupt_chunk");
      }
      for (const extra of [1, 4, 100]) {
        expect(
          await outcome(
            meta,
            Uint8Array.from({ length: good.length + extra }, (_, i) => good[i] ?? 0),
          ),
        ).toBe("corrupt_chunk");
      }
      let found = 0;
      for (let i = 0; i < 300; i++) {
        const bad = good.slice();
        const bit = Math.floor(next() * bad.length * 8);
        bad[bit >> 3]! ^= 1 << (bit & 7);
        const code = await outcome(meta, bad);
        if (code !== undefined && code !== "encoding_unsupported") expect(code).toBe("corrupt_chunk");
        if (code !== undefined) found++;
      }
      if (sure) expect(found).toBe(300);
      expect(await outcome(meta, good)).toBeUndefined();
    },
  );

  it("noise is never read", async () => {
    const next = random(13);
    for (const [, meta] of metas.slice(1)) {
      for (let i = 0; i < 40; i++) {
        const noise = Uint8Array.from({ length: Math.floor(next() * 400) }, () => Math.floor(next() * 256));
        expect(await outcome(meta, noise)).not.toBeUndefined();
      }
    }
  });

  it("sizes that headers claim are not believed", async () => {
    const meta = arrayOf([codec("vlen-utf8"), codec("zstd")], { kind: "string" });
    const huge = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 16, 0, 0, 1, 0, 0]);
    expect(await outcome(meta, huge)).toBe("corrupt_chunk");
    const lz4 = new Uint8Array([255, 255, 255, 255, 0x10, 65]);
    expect(
      await outcome(arrayOf([codec("vlen-utf8"), codec("numcodecs.lz4")], { kind: "string" }), lz4),
    ).toBe("corrupt_chunk");
    const count = new Uint8Array([255, 255, 255, 255]);
    expect(await outcome(arrayOf([codec("vlen-utf8")], { kind: "string" }), count)).toBe("corrupt_chunk");
  });
});

describe("zstd frames", () => {
  it("are measured without decoding", async () => {
    const good = await encodeChunk(arrayOf([BYTES, codec("zstd", { level: 3 })]), numbers());
    expect(measureZstd(good, COUNT * 4)).toBe(COUNT * 4);
    expect(() => measureZstd(good, COUNT * 4 + 1)).toThrow("holds 12000 bytes, not 12001");
    expect(() => measureZstd(good.subarray(0, -1), undefined)).toThrow("ends too soon");
    const twice = new Uint8Array([...good, ...good]);
    expect(measureZstd(twice, undefined)).toBe(COUNT * 8);
  });
});

describe("gzip without node:zlib, as in a browser", () => {
  it("reads the same and finds the same", async () => {
    const chunk = numbers();
    for (const format of ["gzip", "zlib"] as const) {
      const name = format === "gzip" ? "gzip" : "numcodecs.zlib";
      const good = await encodeChunk(arrayOf([BYTES, codec(name, { level: 5 })]), chunk);
      const plain = await inflate(format, good, COUNT * 4, null);
      expect(new Int32Array(plain.slice().buffer)).toEqual(chunk.data);
      await expect(inflate(format, good.subarray(0, -5), COUNT * 4, null)).rejects.toThrow();
      await expect(inflate(format, good, COUNT, null)).rejects.toThrow("more than 3000 bytes");
    }
  });
});

const DATA = new URL("../../../shared/data/granules.zarr/", import.meta.url);

describe.skipIf(!existsSync(DATA))("damage in real shards (needs ../shared/data)", () => {
  it("an index whose checksum does not match is an error, in every byte of it", async () => {
    const store = new DirectoryStore(DATA.pathname);
    const hierarchy = await Hierarchy.open(store);
    const granule = (await hierarchy.children("ASCATA-L2-25km"))![0]!;
    const names = (await hierarchy.children(`ASCATA-L2-25km/${granule}`))!;
    const nodes = await Promise.all(names.map((name) => hierarchy.node(`ASCATA-L2-25km/${granule}/${name}`)));
    const at = nodes.findIndex(
      (node) => node?.nodeType === "array" && node.codecs[0]!.name === "sharding_indexed",
    );
    const meta = nodes[at] as ArrayMeta;
    const key = `ASCATA-L2-25km/${granule}/${names[at]}/c/0/0`;
    const good = (await store.get(key))!;
    await decodeChunk(meta, good, key);
    for (let i = 1; i <= 20; i++) {
      const bad = good.slice();
      bad[bad.length - i]! ^= 4;
      await expect(decodeChunk(meta, bad, key)).rejects.toMatchObject({ code: "corrupt_chunk" });
      await expect(decodeChunk(meta, good.subarray(0, good.length - i), key)).rejects.toMatchObject({
        code: "corrupt_chunk",
      });
    }
  });
});
