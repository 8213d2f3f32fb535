/** Chunks of granules' arrays put end to end along their first axis. */
import { mapLimit } from "../abort.ts";
import type { ByteRange, Place, ReadOptions } from "../store/store.ts";
import { encodeChunk } from "../zarr/chunk.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import { mergeRows, type Run } from "./chunk-rows.ts";
import { MadeChunks } from "./chunks.ts";
import type { DecodableArray, DecodedChunks } from "./decoded-chunks.ts";

/** Rows of one chunk of one granule, and where they go. */
interface Piece extends Run {
  part: number;
  /** Position of the chunk along the granule's first axis. */
  chunk: number;
}

const READS_AT_ONCE = 4;

/**
 * A chunk that is the beginning of one chunk of one granule is the source's own bytes; any other is put together from
 * decoded rows and encoded with the arrays' own codecs.
 */
export class ConcatenatedChunks extends MadeChunks {
  readonly #target: ArrayMeta;
  readonly #part: (granule: number) => DecodableArray;
  readonly #starts: Float64Array;
  readonly #decoded: DecodedChunks;

  /**
   * @param target The whole array; its chunks are as long as the longest of any part
   * @param part A granule's array, which differs from others only along the first axis
   * @param starts First row of each granule, and the number of all rows last
   */
  constructor(
    target: ArrayMeta,
    part: (granule: number) => DecodableArray,
    starts: Float64Array,
    decoded: DecodedChunks,
  ) {
    super();
    this.#target = target;
    this.#part = part;
    this.#starts = starts;
    this.#decoded = decoded;
  }

  /** Whether every chunk is the source's own, so that nothing has to be decoded. */
  get untouched(): boolean {
    const chunks = Math.ceil(this.#target.shape[0]! / this.#target.chunkShape[0]!);
    for (let chunk = 0; chunk < chunks; chunk++) if (!this.#whole(chunk)) return false;
    return true;
  }

  override async size(coords: readonly number[], options?: ReadOptions): Promise<number | undefined> {
    const whole = this.#whole(coords[0]!);
    if (!whole) return super.size(coords, options);
    return this.#part(whole.part).chunks.size([whole.chunk, ...coords.slice(1)], options);
  }

  override async readRange(coords: readonly number[], range: ByteRange, options?: ReadOptions) {
    const whole = this.#whole(coords[0]!);
    if (!whole) return super.readRange(coords, range, options);
    return this.#part(whole.part).chunks.readRange([whole.chunk, ...coords.slice(1)], range, options);
  }

  async place(coords: readonly number[], options?: ReadOptions): Promise<Place | "here" | undefined> {
    const whole = this.#whole(coords[0]!);
    const chunks = whole && this.#part(whole.part).chunks;
    return chunks?.place ? chunks.place([whole!.chunk, ...coords.slice(1)], options) : "here";
  }

  async read([chunk, ...rest]: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined> {
    const whole = this.#whole(chunk!);
    if (whole) return this.#part(whole.part).chunks.read([whole.chunk, ...rest], options);
    const parts = await mapLimit(this.#pieces(chunk!), READS_AT_ONCE, async (piece) => {
      const found = await this.#decoded.read(this.#part(piece.part), [piece.chunk, ...rest], options);
      return found ? [{ chunk: found, runs: [piece] }] : [];
    });
    const there = parts.flat();
    if (there.length === 0) return undefined;
    const target = this.#target;
    return encodeChunk(target, mergeRows(target, there));
  }

  /** The one piece that a chunk is, where it is the beginning of a chunk of the source of the same shape. */
  #whole(chunk: number): Piece | undefined {
    const [first, second] = this.#pieces(chunk);
    if (!first || second || first.from > 0) return undefined;
    return this.#part(first.part).meta.chunkShape[0] === this.#target.chunkShape[0] ? first : undefined;
  }

  #pieces(chunk: number): Piece[] {
    const length = this.#target.chunkShape[0]!;
    const begin = chunk * length;
    const end = Math.min(begin + length, this.#target.shape[0]!);
    const pieces: Piece[] = [];
    for (let row = begin, part = granuleAt(this.#starts, begin); row < end; ) {
      const start = this.#starts[part]!;
      const size = this.#part(part).meta.chunkShape[0]!;
      const stop = Math.min(end, this.#starts[part + 1]!);
      const place = Math.floor((row - start) / size);
      const next = Math.min(stop, start + (place + 1) * size);
      if (next > row)
        pieces.push({
          part,
          chunk: place,
          from: row - start - place * size,
          to: row - begin,
          count: next - row,
        });
      row = next;
      if (row === this.#starts[part + 1]) part++;
    }
    return pieces;
  }
}

/** The last granule that begins at or before `row`; `starts` ends with the number of all rows. */
export function granuleAt(starts: Float64Array, row: number): number {
  let [low, high] = [0, starts.length - 2];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}
