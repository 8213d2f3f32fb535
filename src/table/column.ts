import { abortable } from "../abort.ts";
import { Lru } from "../lru.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import { type ChunkData, decodeChunk, fillChunk } from "../zarr/chunk.ts";
import { type ArrayMeta, chunkKey } from "../zarr/metadata.ts";
import type { Decoding } from "./cf.ts";
import { toVector } from "./decode.ts";
import type { Column } from "./table.ts";
import type { SqlType } from "./types.ts";
import type { Vector } from "./vector.ts";

/** Decoded chunks of one table's columns, bounded by bytes. */
export type VectorCache = Lru<Vector>;

export const newVectorCache = (bytes: number): VectorCache => new Lru<Vector>(bytes);

/** Told of a chunk that was read from the source: its stored bytes, `undefined` where it is missing. */
export type ChunkObserver = (chunk: number, bytes: Uint8Array | undefined) => void;

/** Those that came before the newest, for queries that began with them. */
const OBSERVERS_KEPT = 3;

/** A column that is an array of the `meta` group. */
export class MetaColumn implements Column {
  readonly name: string;
  readonly type: SqlType;
  readonly chunkRows: number;
  readonly nullable: boolean;
  readonly bytesPerRow: number;
  /** Path of the array in its source: `meta/date`. */
  readonly path: string;
  readonly meta: ArrayMeta;
  readonly decoding: Decoding;
  #observers: readonly ChunkObserver[] = [];
  readonly #store: Store;
  readonly #cache: VectorCache;

  constructor(
    name: string,
    path: string,
    meta: ArrayMeta,
    decoding: Decoding,
    store: Store,
    cache: VectorCache,
  ) {
    this.name = name;
    this.path = path;
    this.meta = meta;
    this.decoding = decoding;
    this.type = decoding.type;
    this.chunkRows = meta.chunkShape[0]!;
    this.bytesPerRow = bytesPerRow(meta);
    this.nullable = canBeNull(decoding);
    this.#store = store;
    this.#cache = cache;
  }

  get rows(): number {
    return this.meta.shape[0]!;
  }

  read(chunk: number, options: ReadOptions = {}): Promise<Vector> {
    const { signal, traffic } = options;
    const load = async () =>
      toVector(await this.stored(chunk, { traffic }), this.rowsOf(chunk), this.decoding);
    return abortable(this.#cache.load(`${this.type.kind}:${this.path}/${chunk}`, load, vectorBytes), signal);
  }

  /** The chunk's elements as they are stored, padding beyond the last row included; a missing chunk is the fill value. */
  async stored(chunk: number, options: ReadOptions = {}): Promise<ChunkData> {
    const key = this.keyOf(chunk);
    const bytes = await this.#store.get(key, options);
    for (const tell of this.#observers) tell(chunk, bytes);
    return bytes ? decodeChunk(this.meta, bytes, `${this.#store.url}/${key}`) : fillChunk(this.meta);
  }

  /** Tells `observer` from now on; of those told before the last few still are. */
  observe(observer: ChunkObserver): void {
    this.#observers = [observer, ...this.#observers.slice(0, OBSERVERS_KEPT)];
  }

  keyOf(chunk: number): string {
    return `${this.path}/${chunkKey(this.meta.chunkKeys, [chunk])}`;
  }

  rowsOf(chunk: number): number {
    return Math.min(this.chunkRows, this.rows - chunk * this.chunkRows);
  }
}

function bytesPerRow({ dataType }: ArrayMeta): number {
  switch (dataType.kind) {
    case "int":
    case "float":
      return dataType.bits / 8;
    case "bool":
      return 1;
    case "string":
      return 24;
    case "bytes":
      return 100;
    case "fixed_string":
      return dataType.length * 4;
    case "fixed_bytes":
    case "raw":
      return dataType.length;
    default:
      return 8;
  }
}

function canBeNull({ type, nulls, time }: Decoding): boolean {
  return nulls.length > 0 || time !== undefined || type.kind === "float" || type.kind === "geometry";
}

function vectorBytes(vector: Vector): number {
  const nulls = vector.nulls?.byteLength ?? 0;
  if (vector.kind === "bytes") return vector.data.byteLength + vector.length * 8 + nulls + 200;
  return vector.values.byteLength + nulls + 200;
}
