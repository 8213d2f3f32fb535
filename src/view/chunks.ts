/**
 * Where the chunks of a served array come from: as stored, an inner chunk of a shard, written out, re-encoded, or
 * computed. Coordinates are those of the served array's grid.
 */
import { ZarrsiftError } from "../errors.ts";
import { Lru } from "../lru.ts";
import type { ByteRange, Memory, Place, ReadOptions, Store } from "../store/store.ts";
import { decodeChunk, encodeChunk, fillChunk } from "../zarr/chunk.ts";
import { documentKeys } from "../zarr/hierarchy.ts";
import { type ArrayMeta, chunkKey } from "../zarr/metadata.ts";
import { type InnerRange, readShardIndex, type ShardIndex } from "../zarr/shard.ts";

/** `undefined` everywhere: the source has no such chunk, so it reads as the fill value. */
export interface ChunkSource {
  size(coords: readonly number[], options?: ReadOptions): Promise<number | undefined>;
  read(coords: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined>;
  /** As `Store.getInto`. */
  readInto?(
    coords: readonly number[],
    range: ByteRange | undefined,
    memory: Memory,
    options?: ReadOptions,
  ): Promise<Uint8Array | undefined>;
  readRange(
    coords: readonly number[],
    range: ByteRange,
    options?: ReadOptions,
  ): Promise<Uint8Array | undefined>;
  /** Where the very bytes lie in the source; absent or `"here"`: they are made, or nobody else can read them. */
  place?(coords: readonly number[], options?: ReadOptions): Promise<Place | "here" | undefined>;
}

/**
 * Bytes as the source stores them, each chunk at a key of the source. Nothing is handed out, and nothing called missing,
 * where the array is no longer the one that was read.
 */
export class StoredChunks implements ChunkSource {
  readonly store: Store;
  /** The source's key of a chunk. */
  readonly key: (coords: readonly number[]) => string;
  readonly readInto?: NonNullable<ChunkSource["readInto"]>;
  readonly #documents: (coords: readonly number[]) => readonly string[];

  /** `documents` are the keys of the metadata of the array that a chunk is of. */
  constructor(
    store: Store,
    key: (coords: readonly number[]) => string,
    documents: (coords: readonly number[]) => readonly string[],
  ) {
    this.store = store;
    this.key = key;
    this.#documents = documents;
    if (store.getInto) {
      this.readInto = (coords, range, memory, options) =>
        this.confirmed(coords, store.getInto!(key(coords), range, memory, options), options);
    }
  }

  async size(coords: readonly number[], options?: ReadOptions): Promise<number | undefined> {
    return (await this.confirmed(coords, this.store.stat(this.key(coords), options), options))?.size;
  }

  read(coords: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.confirmed(coords, this.store.get(this.key(coords), options), options);
  }

  readRange(
    coords: readonly number[],
    range: ByteRange,
    options?: ReadOptions,
  ): Promise<Uint8Array | undefined> {
    return this.confirmed(coords, this.store.getRange(this.key(coords), range, options), options);
  }

  async place(coords: readonly number[], options?: ReadOptions): Promise<Place | "here" | undefined> {
    if (!this.store.place) return "here";
    return this.confirmed(coords, this.store.place(this.key(coords), options), options);
  }

  /** What is read of a chunk, once it is known to be of the array that was read. */
  async confirmed<T>(
    coords: readonly number[],
    reading: Promise<T | undefined>,
    options?: ReadOptions,
  ): Promise<T | undefined> {
    const value = await reading;
    await this.store.confirm?.(this.#documents(coords), value !== undefined, options);
    return value;
  }
}

/** The chunks of the source's array at `path`, where they are. */
export function chunksAt(store: Store, path: string, meta: ArrayMeta): StoredChunks {
  const { chunkKeys } = meta;
  const documents = documentKeys(path, meta);
  return new StoredChunks(
    store,
    (coords) => `${path}/${chunkKey(chunkKeys, coords)}`,
    () => documents,
  );
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

/** Where an inner chunk is. */
interface Found extends Pick<OpenShard, "expect"> {
  /** Of the shard. */
  key: string;
  shardCoords: number[];
  /** Within the shard; `undefined`: it has no such chunk. */
  place: InnerRange | undefined;
}

/** The inner chunks of a sharded array, bytes untouched: one range read each, after the shard's index. */
export class InnerChunks implements ChunkSource {
  readonly #shards: StoredChunks;
  readonly #meta: ArrayMeta;
  readonly #perShard: number[];
  readonly readInto?: NonNullable<ChunkSource["readInto"]>;
  readonly #indexes = new Lru<OpenShard>(SHARD_INDEXES_KEPT);

  /** `sharded` and `inner` describe the array with its shards, and the same array as that of its inner chunks. */
  constructor(shards: StoredChunks, sharded: ArrayMeta, inner: ArrayMeta) {
    this.#shards = shards;
    this.#meta = sharded;
    this.#perShard = sharded.chunkShape.map((length, axis) => length / inner.chunkShape[axis]!);
    if (shards.store.getInto) {
      this.readInto = async (coords, range, memory, options) => {
        const found = await this.#find(coords, options);
        return found.place && this.#part(found, within(found.place, range), options, memory);
      };
    }
  }

  async size(coords: readonly number[], options?: ReadOptions): Promise<number | undefined> {
    return (await this.#find(coords, options)).place?.length;
  }

  async read(coords: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined> {
    const found = await this.#find(coords, options);
    return found.place && this.#part(found, found.place, options);
  }

  async readRange(
    coords: readonly number[],
    range: ByteRange,
    options?: ReadOptions,
  ): Promise<Uint8Array | undefined> {
    const found = await this.#find(coords, options);
    return found.place && this.#part(found, within(found.place, range), options);
  }

  async place(coords: readonly number[], options?: ReadOptions): Promise<Place | "here" | undefined> {
    const { shardCoords, place: inside } = await this.#find(coords, options);
    if (!inside) return undefined;
    const shard = await this.#shards.place(shardCoords, options);
    if (!shard || shard === "here") return shard;
    return { ...shard, range: { offset: (shard.range?.offset ?? 0) + inside.offset, length: inside.length } };
  }

  async #find(coords: readonly number[], options?: ReadOptions): Promise<Found> {
    const shardCoords = coords.map((c, axis) => Math.floor(c / this.#perShard[axis]!));
    const key = this.#shards.key(shardCoords);
    const { index, expect } = await this.#indexes.load(
      key,
      () => this.#open(key),
      () => 1,
    );
    const position = coords.reduce(
      (at, c, axis) => at * this.#perShard[axis]! + (c % this.#perShard[axis]!),
      0,
    );
    const place = await this.#shards.confirmed(shardCoords, Promise.resolve(index?.chunk(position)), options);
    return { key, shardCoords, place, expect };
  }

  async #open(key: string): Promise<OpenShard> {
    const { store } = this.#shards;
    const stat = store.snapshot === undefined ? await store.stat(key) : undefined;
    const expect = stat && { stamp: stat.stamp };
    return { index: await readShardIndex(store, key, this.#meta, { expect }), expect };
  }

  /** A part of a shard that is there, for its index was read. */
  async #part(
    { key, expect }: Found,
    part: ByteRange,
    options?: ReadOptions,
    memory?: Memory,
  ): Promise<Uint8Array> {
    const { store } = this.#shards;
    const held = { ...options, expect };
    const bytes = await (memory ? store.getInto!(key, part, memory, held) : store.getRange(key, part, held));
    if (bytes) return bytes;
    throw new ZarrsiftError("source_changed", `${store.url}/${key} has gone since its index was read`, {
      details: { key },
    });
  }
}

/** The bytes of a shard that a range of one of its chunks is; a range that reaches beyond the chunk is cut. */
function within({ offset, length }: InnerRange, range: ByteRange | undefined): InnerRange {
  if (!range) return { offset, length };
  const suffix = "suffixLength" in range;
  const start = suffix ? Math.max(0, length - range.suffixLength) : Math.min(range.offset, length);
  return { offset: offset + start, length: suffix ? length - start : Math.min(range.length, length - start) };
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
