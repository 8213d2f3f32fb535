/** Granules of a view that has them end to end: some rows of each array along them, one position of the others. */
import { Lru } from "../lru.ts";
import type { ByteRange, Place, ReadOptions, Store } from "../store/store.ts";
import { encodeChunk } from "../zarr/chunk.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import { mergeRows, type RowsOf, type Run } from "./chunk-rows.ts";
import { type ChunkSource, MadeChunks } from "./chunks.ts";
import { type DecodableArray, DecodedChunks } from "./decoded-chunks.ts";
import { emptyGroup } from "./empty-group.ts";
import { ArrayNames, type GranuleNode, type GranuleSource } from "./granule-source.ts";
import type { EndToEnd } from "./location.ts";
import { oneEach, SlicedGranules, unsharded } from "./slice.ts";

/** An array along the granules. */
interface Whole extends DecodableArray {
  /** Descriptions of granules by how many rows they have. */
  ofLength: Lru<ArrayMeta>;
}

const LENGTHS_KEPT = 1024;

/** `/granules/<idx>/<variable>` of a concatenated view. */
export class PieceGranules implements GranuleSource {
  readonly #starts: Float64Array;
  readonly #wholes = new Map<string, Whole>();
  readonly #others: SlicedGranules;
  readonly #names: ArrayNames;
  readonly #decoded = new DecodedChunks();

  constructor({ starts, arrays, perGranule }: EndToEnd, store: Store) {
    this.#starts = starts;
    this.#others = new SlicedGranules(perGranule, store);
    this.#names = new ArrayNames([...arrays.keys(), ...perGranule.keys()]);
    for (const [path, array] of arrays) {
      this.#wholes.set(path, { path, ofLength: new Lru(LENGTHS_KEPT), ...unsharded(path, array, store) });
    }
  }

  async node(idx: number, path: string, inside: string): Promise<GranuleNode | undefined> {
    if (this.#names.isGroup(inside)) return { meta: emptyGroup };
    const whole = this.#wholes.get(inside);
    if (!whole) return this.#others.node(idx, path, inside);
    return { meta: this.#metaOf(whole, idx), chunks: this.chunks(idx, path, inside) };
  }

  async children(_idx: number, _path: string, inside: string): Promise<string[] | undefined> {
    return this.#names.below(inside);
  }

  chunks(idx: number, path: string, inside: string): ChunkSource {
    const whole = this.#wholes.get(inside);
    if (!whole) return this.#others.chunks(idx, path, inside);
    return new SpanChunks(whole, this.#metaOf(whole, idx), this.#starts[idx]!, this.#decoded);
  }

  stacked(idx: Float64Array, paths: readonly string[], inside: string): ChunkSource {
    return oneEach((row) => this.chunks(idx[row]!, paths[row]!, inside));
  }

  #metaOf({ meta, ofLength }: Whole, idx: number): ArrayMeta {
    const length = this.#starts[idx + 1]! - this.#starts[idx]!;
    const known = ofLength.get(String(length));
    if (known) return known;
    const own = { ...meta, shape: [length, ...meta.shape.slice(1)] };
    ofLength.set(String(length), own, 1);
    return own;
  }
}

/** Rows of an array from `start` on: the source's bytes where a chunk begins there, else cut and encoded again. */
class SpanChunks extends MadeChunks {
  readonly #whole: Whole;
  readonly #meta: ArrayMeta;
  readonly #start: number;
  readonly #decoded: DecodedChunks;

  constructor(whole: Whole, meta: ArrayMeta, start: number, decoded: DecodedChunks) {
    super();
    this.#whole = whole;
    this.#meta = meta;
    this.#start = start;
    this.#decoded = decoded;
  }

  override async size(coords: readonly number[], options?: ReadOptions): Promise<number | undefined> {
    const place = this.#untouched(coords);
    return place ? this.#whole.chunks.size(place, options) : super.size(coords, options);
  }

  override async readRange(coords: readonly number[], range: ByteRange, options?: ReadOptions) {
    const place = this.#untouched(coords);
    return place
      ? this.#whole.chunks.readRange(place, range, options)
      : super.readRange(coords, range, options);
  }

  async read(coords: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined> {
    const place = this.#untouched(coords);
    if (place) return this.#whole.chunks.read(place, options);
    const meta = this.#meta;
    const there: RowsOf[] = [];
    for (const { place, run } of this.#rows(coords[0]!)) {
      const chunk = await this.#decoded.read(this.#whole, [place, ...coords.slice(1)], options);
      if (chunk) there.push({ chunk, runs: [run] });
    }
    if (there.length === 0) return undefined;
    return encodeChunk(meta, mergeRows(meta, there));
  }

  async place(coords: readonly number[], options?: ReadOptions): Promise<Place | "here" | undefined> {
    const untouched = this.#untouched(coords);
    const { chunks } = this.#whole;
    return untouched && chunks.place ? chunks.place(untouched, options) : "here";
  }

  #untouched([chunk, ...rest]: readonly number[]): number[] | undefined {
    const place = this.#start / this.#meta.chunkShape[0]!;
    return Number.isInteger(place) ? [place + chunk!, ...rest] : undefined;
  }

  /** Rows of a chunk by the source's chunk they are in. */
  *#rows(chunk: number): Generator<{ place: number; run: Run }> {
    const perChunk = this.#meta.chunkShape[0]!;
    const begin = this.#start + chunk * perChunk;
    const end = Math.min(begin + perChunk, this.#start + this.#meta.shape[0]!);
    for (let row = begin; row < end; ) {
      const place = Math.floor(row / perChunk);
      const next = Math.min(end, (place + 1) * perChunk);
      yield { place, run: { from: row - place * perChunk, to: row - begin, count: next - row } };
      row = next;
    }
  }
}
