/**
 * Where the chunks of a served array come from: as stored, an inner chunk of a shard, written out, re-encoded, or
 * computed. Coordinates are those of the served array's grid.
 */
import { Lru } from "../lru.ts";
import type { ByteRange, Place, ReadOptions, Store } from "../store/store.ts";
import { decodeChunk, encodeChunk, fillChunk } from "../zarr/chunk.ts";
import { type ArrayMeta, chunkKey } from "../zarr/metadata.ts";
import { readShardIndex, type ShardIndex } from "../zarr/shard.ts";

/** `undefined` everywhere: the source has no such chunk, so it reads as the fill value. */
export interface ChunkSource {
  size(coords: readonly number[], options?: ReadOptions): Promise<number | undefined>;
  read(coords: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined>;
  readRange(
    coords: readonly number[],
    range: ByteRange,
    options?: ReadOptions,
  ): Promise<Uint8Array | undefined>;
  /** Where the very bytes lie in the source; absent or `"here"`: they are made, or nobody else can read them. */
  place?(coords: readonly number[], options?: ReadOptions): Promise<Place | "here" | undefined>;
}

/** Bytes as the source stores them, each chunk at a key of the source. */
export class StoredChunks implements ChunkSource {
  readonly store: Store;
  /** The source's key of a chunk. */
  readonly key: (coords: readonly number[]) => string;

  constructor(store: Store, key: (coords: readonly number[]) => string) {
    this.store = store;
    this.key = key;
  }

  async size(coords: readonly number[], options?: ReadOptions): Promise<number | undefined> {
    return (await this.store.stat(this.key(coords), options))?.size;
  }

  read(coords: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.store.get(this.key(coords), options);
  }

  readRange(
    coords: readonly number[],
    range: ByteRange,
    options?: ReadOptions,
  ): Promise<Uint8Array | undefined> {
    return this.store.getRange(this.key(coords), range, options);
  }

  async place(coords: readonly number[], options?: ReadOptions): Promise<Place | "here" | undefined> {
    return this.store.place ? this.store.place(this.key(coords), options) : "here";
  }
}

/** The chunks of the source's array at `path`, where they are. */
export function chunksAt(store: Store, path: string, { chunkKeys }: ArrayMeta): StoredChunks {
  return new StoredChunks(store, (coords) => `${path}/${chunkKey(chunkKeys, coords)}`);
}

/** Chunks, and again as stored ones where they are. */
export function withStored(chunks: ChunkSource): { chunks: ChunkSource; stored?: StoredChunks } {
  return chunks instanceof StoredChunks ? { chunks, stored: chunks } : { chunks };
}

/** Chunks that have to be made whole before a part of them can be served. */
export abstract class MadeChunks implements ChunkSource {
  abstract read(coords: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined>;

  async size(coords: readonly number[], options?: ReadOptions): Promise<number | undefined> {
    return (await this.read(coords, options))?.length;
  }

  async readRange(
    coords: readonly number[],
    range: ByteRange,
    options?: ReadOptions,
  ): Promise<Uint8Array | undefined> {
    const bytes = await this.read(coords, options);
    if (!bytes) return undefined;
    if ("suffixLength" in range) return bytes.subarray(Math.max(0, bytes.length - range.suffixLength));
    return bytes.subarray(range.offset, range.offset + range.length);
  }
}

const SHARD_INDEXES_KEPT = 256;

/** A shard's index, and what the shard must still be for its places to mean anything. */
interface OpenShard {
  index: ShardIndex | undefined;
  expect: ReadOptions["expect"];
}

/** The inner chunks of a sharded array, bytes untouched: one range read each, after the shard's index. */
export class InnerChunks implements ChunkSource {
  readonly #shards: StoredChunks;
  readonly #meta: ArrayMeta;
  readonly #perShard: number[];
  readonly #indexes = new Lru<OpenShard>(SHARD_INDEXES_KEPT);

  /** `sharded` and `inner` describe the array with its shards, and the same array as that of its inner chunks. */
  constructor(shards: StoredChunks, sharded: ArrayMeta, inner: ArrayMeta) {
    this.#shards = shards;
    this.#meta = sharded;
    this.#perShard = sharded.chunkShape.map((length, axis) => length / inner.chunkShape[axis]!);
  }

  async size(coords: readonly number[]): Promise<number | undefined> {
    return (await this.#find(coords)).place?.length;
  }

  async read(coords: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined> {
    const { key, place, expect } = await this.#find(coords);
    return place && this.#shards.store.getRange(key, place, { ...options, expect });
  }

  async readRange(
    coords: readonly number[],
    range: ByteRange,
    options?: ReadOptions,
  ): Promise<Uint8Array | undefined> {
    const { key, place, expect } = await this.#find(coords);
    if (!place) return undefined;
    const start =
      "suffixLength" in range
        ? Math.max(0, place.length - range.suffixLength)
        : Math.min(range.offset, place.length);
    const length =
      "suffixLength" in range ? place.length - start : Math.min(range.length, place.length - start);
    const part = { offset: place.offset + start, length };
    return this.#shards.store.getRange(key, part, { ...options, expect });
  }

  async place(coords: readonly number[], options?: ReadOptions): Promise<Place | "here" | undefined> {
    const { key, place: inside } = await this.#find(coords);
    if (!inside) return undefined;
    const { store } = this.#shards;
    const shard = store.place ? await store.place(key, options) : "here";
    if (!shard || shard === "here") return shard;
    return { ...shard, range: { offset: (shard.range?.offset ?? 0) + inside.offset, length: inside.length } };
  }

  async #find(coords: readonly number[]) {
    const key = this.#shards.key(coords.map((c, axis) => Math.floor(c / this.#perShard[axis]!)));
    const { index, expect } = await this.#indexes.load(
      key,
      () => this.#open(key),
      () => 1,
    );
    const position = coords.reduce(
      (at, c, axis) => at * this.#perShard[axis]! + (c % this.#perShard[axis]!),
      0,
    );
    return { key, place: index?.chunk(position), expect };
  }

  async #open(key: string): Promise<OpenShard> {
    const { store } = this.#shards;
    const stat = store.snapshot === undefined ? await store.stat(key) : undefined;
    const expect = stat && { stamp: stat.stamp };
    return { index: await readShardIndex(store, key, this.#meta, { expect }), expect };
  }
}

/** Chunks the source lacks are written out, because a face's own fill value would show other values there. */
export class WrittenOut extends MadeChunks {
  readonly #from: ChunkSource;
  readonly #meta: ArrayMeta;
  #fill: Promise<Uint8Array> | undefined;

  /** `meta` has the fill value the source reads as, and the served codecs. */
  constructor(from: ChunkSource, meta: ArrayMeta) {
    super();
    this.#from = from;
    this.#meta = meta;
  }

  override async size(coords: readonly number[], options?: ReadOptions): Promise<number | undefined> {
    return (await this.#from.size(coords, options)) ?? (await this.#filled()).length;
  }

  async place(coords: readonly number[], options?: ReadOptions): Promise<Place | "here"> {
    return (await this.#from.place?.(coords, options)) ?? "here";
  }

  async read(coords: readonly number[], options?: ReadOptions): Promise<Uint8Array> {
    return (await this.#from.read(coords, options)) ?? (await this.#filled());
  }

  #filled(): Promise<Uint8Array> {
    this.#fill ??= encodeChunk(this.#meta, fillChunk(this.#meta));
    return this.#fill;
  }
}

/** Decoded with one codec chain and encoded with another, the same values. */
export class Reencoded extends MadeChunks {
  readonly #chunks: ChunkSource;
  readonly #from: ArrayMeta;
  readonly #to: ArrayMeta;
  readonly #where: string;

  constructor(chunks: ChunkSource, from: ArrayMeta, to: ArrayMeta, where: string) {
    super();
    this.#chunks = chunks;
    this.#from = from;
    this.#to = to;
    this.#where = where;
  }

  async read(coords: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined> {
    const bytes = await this.#chunks.read(coords, options);
    return (
      bytes &&
      encodeChunk(this.#to, await decodeChunk(this.#from, bytes, `${this.#where} chunk ${coords.join(",")}`))
    );
  }
}

/** Chunks made from nothing but their coordinates. */
export class ComputedChunks extends MadeChunks {
  readonly #compute: (coords: readonly number[]) => Promise<Uint8Array>;

  constructor(compute: (coords: readonly number[]) => Promise<Uint8Array>) {
    super();
    this.#compute = compute;
  }

  read(coords: readonly number[]): Promise<Uint8Array> {
    return this.#compute(coords);
  }
}
