import type { RoundedBoxes } from "../geometry/rounded-boxes.ts";
import { Lru } from "../lru.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import { type ChunkData, decodeChunk, fillChunk } from "../zarr/chunk.ts";
import { type ArrayMeta, chunkKey } from "../zarr/metadata.ts";
import { boxesOf } from "./boxes.ts";
import type { Decoding } from "./cf.ts";
import { type CodedVector, codedOf, expanded } from "./coded.ts";
import { toVector } from "./decode.ts";
import type { BoxesOptions, Column } from "./table.ts";
import type { SqlType } from "./types.ts";
import type { BytesVector, Vector } from "./vector.ts";

/** Decoded chunks of one table's columns, and envelopes, bounded by bytes. */
export type VectorCache = Lru<Vector | CodedVector | RoundedBoxes>;

export const newVectorCache = (bytes: number): VectorCache => new Lru(bytes, { scanned: true });

/** Bytes of an envelope. */
const BOX_BYTES = 17;

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

  async read(chunk: number, options: ReadOptions & { keep?: boolean } = {}): Promise<Vector> {
    const { signal, traffic, keep = true } = options;
    const key = `${this.type.kind}:${this.path}/${chunk}`;
    const load = (own?: AbortSignal) => this.#decoded(chunk, { signal: own, traffic });
    const decoded = keep
      ? await this.#cache.load(key, load, sizeOf, signal)
      : (this.#cache.get(key) ?? (await load(signal)));
    return "codes" in decoded ? expanded(decoded) : (decoded as Vector);
  }

  async #decoded(chunk: number, options: ReadOptions): Promise<Vector | CodedVector> {
    const vector = toVector(await this.stored(chunk, options), this.rowsOf(chunk), this.decoding);
    const coded = vector.kind === "bytes" && vector.type.kind === "string" ? codedOf(vector) : undefined;
    return coded ?? vector;
  }

  get boxes(): Column["boxes"] {
    return this.type.kind === "geometry" ? this.#boxes : undefined;
  }

  #boxes = (chunk: number, options: BoxesOptions = {}): Promise<RoundedBoxes> => {
    const { signal, traffic, onValues } = options;
    const load = async (own: AbortSignal | undefined) => {
      const values = await this.read(chunk, { signal: own, traffic, keep: false });
      onValues?.(values);
      return boxesOf(values as BytesVector);
    };
    return this.#cache.load(`boxes:${this.path}/${chunk}`, load, sizeOf, signal) as Promise<RoundedBoxes>;
  };

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

function sizeOf(vector: Vector | CodedVector | RoundedBoxes): number {
  if ("known" in vector) return vector.known.length * BOX_BYTES + 200;
  const nulls = vector.nulls?.byteLength ?? 0;
  if ("codes" in vector) return vector.codes.byteLength + nulls + sizeOf(vector.kinds);
  if (vector.kind === "bytes") return vector.data.byteLength + vector.length * 8 + nulls + 200;
  return vector.values.byteLength + nulls + 200;
}
