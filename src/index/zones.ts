/** Reads the zone map of a column. */
import { abortable } from "../abort.ts";
import type { ReadOptions } from "../store/store.ts";
import type { IndexState, ZoneMap, Zones } from "./api.ts";
import type { KeyArray, NumberKeyType } from "./keys.ts";
import type { IndexReads } from "./pages.ts";
import type { Truth } from "./truth.ts";
import { type ElementType, readWhole } from "./whole.ts";
import { ZONE_TEXT_BYTES } from "./zones-build.ts";

/** What the record of a zone map says. */
export interface ZonesRecord {
  column: string;
  /** Path of the group: `indexes/_zarrsift/zones/date`. */
  path: string;
  type: NumberKeyType | "text" | "geometry";
  chunkRows: number;
  /** Chunks in it, and of these those that may be believed. */
  all: number;
  chunks: number;
  sums: Record<string, number>;
}

/** The zone map of one column. */
export class StoredZones implements ZoneMap {
  readonly column: string;
  readonly path: string;
  readonly chunkRows: number;
  readonly chunks: number;
  readonly #record: ZonesRecord;
  readonly #reads: IndexReads;
  readonly #truth: Truth;
  #zones: Promise<Zones> | undefined;

  constructor(record: ZonesRecord, reads: IndexReads, truth: Truth) {
    this.column = record.column;
    this.path = `/indexes/_zarrsift/zones/${record.column}`;
    this.chunkRows = record.chunkRows;
    this.chunks = record.chunks;
    this.#record = record;
    this.#reads = reads;
    this.#truth = truth;
  }

  state(options?: ReadOptions): Promise<IndexState> {
    return this.#truth.state(options);
  }

  load({ signal, traffic }: ReadOptions = {}): Promise<Zones> {
    this.#zones ??= this.#load({ traffic }).catch((error) => {
      this.#zones = undefined;
      throw error;
    });
    return abortable(this.#zones, signal);
  }

  async #load(options: ReadOptions): Promise<Zones> {
    const { type, all } = this.#record;
    const counts = this.#read("nulls", "uint32", all, options);
    if (type === "geometry") {
      const [nulls, boxes] = await Promise.all([counts, this.#read("boxes", "float64", 4 * all, options)]);
      return { nulls: Float64Array.from(nulls), boxes };
    }
    if (type === "text") return this.#texts(counts, options);
    const [nulls, min, max] = await Promise.all([
      counts,
      this.#read("min", type, all, options),
      this.#read("max", type, all, options),
    ]);
    return { nulls: Float64Array.from(nulls), numbers: { min: widened(min), max: widened(max) as never } };
  }

  async #texts(counts: Promise<Uint32Array>, options: ReadOptions): Promise<Zones> {
    const { all } = this.#record;
    const [nulls, min, max, shapes] = await Promise.all([
      counts,
      this.#read("min", "uint8", all * ZONE_TEXT_BYTES, options),
      this.#read("max", "uint8", all * ZONE_TEXT_BYTES, options),
      this.#read("shapes", "uint8", all * 3, options),
    ]);
    const text = (of: Uint8Array, i: number, length: number) =>
      length > ZONE_TEXT_BYTES ? undefined : of.subarray(i * ZONE_TEXT_BYTES, i * ZONE_TEXT_BYTES + length);
    const chunks = Array.from({ length: all }, (_, i) => i);
    return {
      nulls: Float64Array.from(nulls),
      texts: {
        min: chunks.map((i) => text(min, i, shapes[3 * i]!) ?? new Uint8Array(0)),
        max: chunks.map((i) => text(max, i, shapes[3 * i + 1]!)),
        exact: Uint8Array.from(chunks, (i) => shapes[3 * i + 2]!),
      },
    };
  }

  #read<T extends ElementType>(name: string, type: T, length: number, options: ReadOptions) {
    const { path, sums } = this.#record;
    return readWhole(this.#reads, `${path}/${name}`, type, length, sums[name], options);
  }
}

function widened(values: KeyArray): Float64Array | BigInt64Array | BigUint64Array {
  return values instanceof BigInt64Array || values instanceof BigUint64Array
    ? values
    : Float64Array.from(values);
}
