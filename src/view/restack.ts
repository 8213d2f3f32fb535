/** Arrays that have one granule a position along their first axis, with only some of the positions, in another order. */
import { mapLimit } from "../abort.ts";
import { ZarrsiftError } from "../errors.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import { decodable, encodeChunk } from "../zarr/chunk.ts";
import { documentKeys } from "../zarr/hierarchy.ts";
import { type ArrayMeta, chunkKey } from "../zarr/metadata.ts";
import { innerMeta, isSharded } from "../zarr/shard.ts";
import { mergeRows, type Run } from "./chunk-rows.ts";
import { type ChunkSource, chunksAt, InnerChunks, MadeChunks, StoredChunks } from "./chunks.ts";
import type { DecodableArray, DecodedChunks } from "./decoded-chunks.ts";
import { simpleCodecs } from "./face.ts";

const READS_AT_ONCE = 4;

/** An array of some positions: how it is described, and its chunks. */
export interface Restacked {
  meta: ArrayMeta;
  chunks: ChunkSource;
  stored?: StoredChunks;
}

/**
 * The positions `idx` of the source's array at `path`, in that order.
 *
 * Where every chunk of the answer is the beginning of one chunk of the source (as where a chunk holds one granule), keys
 * lead to the source's own bytes. Shards that do not line up are served as their inner chunks. What still does not is
 * decoded, regrouped in chunks of the source's shape, and encoded again with the array's own codecs.
 *
 * @throws ZarrsiftError `encoding_unsupported` where that would take codecs this library does not know
 */
export function restack(
  store: Store,
  path: string,
  source: ArrayMeta,
  idx: Float64Array,
  decoded: DecodedChunks,
): Restacked {
  const meta = { ...source, shape: [idx.length, ...source.shape.slice(1)] };
  const whole = chunksAt(store, path, source);
  if (aligned(idx, meta.chunkShape[0]!)) {
    const documents = documentKeys(path, source);
    const chunks = new StoredChunks(
      store,
      ([chunk, ...rest]) =>
        `${path}/${chunkKey(source.chunkKeys, [sourceChunk(idx, chunk!, meta.chunkShape[0]!), ...rest])}`,
      () => documents,
    );
    return { meta, chunks, stored: chunks };
  }
  const inner = isSharded(source) ? innerMeta(source) : undefined;
  if (!inner || "unsupported" in inner) return regrouped(whole, source, meta, idx, path, decoded);
  const shape = { ...inner, shape: meta.shape };
  const chunks = new InnerChunks(whole, source, inner);
  return aligned(idx, inner.chunkShape[0]!)
    ? { meta: shape, chunks: new Remapped(chunks, idx, inner.chunkShape[0]!) }
    : regrouped(chunks, inner, shape, idx, path, decoded);
}

/** Whether each `perChunk` rows of `idx` are the first rows of one chunk of the source, in order. */
function aligned(idx: Float64Array, perChunk: number): boolean {
  return (
    perChunk === 1 || idx.every((row, i) => row % perChunk === i % perChunk && sameChunk(idx, i, perChunk))
  );
}

function sameChunk(idx: Float64Array, i: number, perChunk: number): boolean {
  return idx[i]! - (i % perChunk) === idx[i - (i % perChunk)];
}

/** The source's chunk that begins with the first row of the answer's chunk `chunk`. */
function sourceChunk(idx: Float64Array, chunk: number, perChunk: number): number {
  return Math.floor(idx[chunk * perChunk]! / perChunk);
}

/** The same chunks at other positions along the first axis. */
class Remapped implements ChunkSource {
  readonly readInto?: NonNullable<ChunkSource["readInto"]>;
  readonly #from: ChunkSource;
  readonly #idx: Float64Array;
  readonly #perChunk: number;

  constructor(from: ChunkSource, idx: Float64Array, perChunk: number) {
    this.#from = from;
    this.#idx = idx;
    this.#perChunk = perChunk;
    if (from.readInto) {
      this.readInto = (coords, range, memory, options) =>
        from.readInto!(this.#place(coords), range, memory, options);
    }
  }

  size(coords: readonly number[], options?: ReadOptions) {
    return this.#from.size(this.#place(coords), options);
  }

  read(coords: readonly number[], options?: ReadOptions) {
    return this.#from.read(this.#place(coords), options);
  }

  readRange(
    coords: readonly number[],
    range: Parameters<ChunkSource["readRange"]>[1],
    options?: ReadOptions,
  ) {
    return this.#from.readRange(this.#place(coords), range, options);
  }

  async place(coords: readonly number[], options?: ReadOptions) {
    return this.#from.place ? this.#from.place(this.#place(coords), options) : "here";
  }

  #place([chunk, ...rest]: readonly number[]): number[] {
    return [sourceChunk(this.#idx, chunk!, this.#perChunk), ...rest];
  }
}

function regrouped(
  chunks: ChunkSource,
  source: ArrayMeta,
  meta: ArrayMeta,
  idx: Float64Array,
  path: string,
  decoded: DecodedChunks,
): Restacked {
  if (!decodable(source)) {
    throw new ZarrsiftError(
      "encoding_unsupported",
      `/${path} holds several granules a chunk, and cutting them apart takes codecs or a data type that are not supported ` +
        "here; leave it out with variables",
      { details: { path: `/${path}` } },
    );
  }
  const target = isSharded(source) ? { ...meta, format: 3 as const, codecs: simpleCodecs(meta) } : meta;
  return { meta: target, chunks: new RegroupedChunks({ meta: source, chunks, path }, target, idx, decoded) };
}

class RegroupedChunks extends MadeChunks {
  readonly #source: DecodableArray;
  readonly #target: ArrayMeta;
  readonly #idx: Float64Array;
  readonly #decoded: DecodedChunks;

  /** `target` has chunks of the same shape as `source`. */
  constructor(source: DecodableArray, target: ArrayMeta, idx: Float64Array, decoded: DecodedChunks) {
    super();
    this.#source = source;
    this.#target = target;
    this.#idx = idx;
    this.#decoded = decoded;
  }

  async read([chunk, ...rest]: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined> {
    const source = this.#source;
    const perChunk = source.meta.chunkShape[0]!;
    const rows = this.#idx.subarray(chunk! * perChunk, (chunk! + 1) * perChunk);
    const parts = await mapLimit([...runsOf(rows, perChunk)], READS_AT_ONCE, async ([place, runs]) => {
      const found = await this.#decoded.read(source, [place, ...rest], options);
      return found ? [{ chunk: found, runs }] : [];
    });
    const there = parts.flat();
    if (there.length === 0) return undefined;
    return encodeChunk(this.#target, mergeRows(source.meta, there));
  }
}

/** Rows by the chunk of the source they are in. */
function runsOf(rows: Float64Array, perChunk: number): Map<number, Run[]> {
  const found = new Map<number, Run[]>();
  rows.forEach((row, to) => {
    const place = Math.floor(row / perChunk);
    const from = row - place * perChunk;
    const runs = found.get(place) ?? [];
    found.set(place, runs);
    const last = runs.at(-1);
    if (last && from === last.from + last.count && to === last.to + last.count) last.count++;
    else runs.push({ from, to, count: 1 });
  });
  return found;
}
