/** Granules of a stacked source: position `idx` along the first axis of each of its arrays. */

import { ZarrsiftError } from "../errors.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import { encodeChunk } from "../zarr/chunk.ts";
import type { ArrayMeta, Codec } from "../zarr/metadata.ts";
import { innerMeta, isSharded } from "../zarr/shard.ts";
import { sliceRows } from "./chunk-rows.ts";
import { type ChunkSource, chunksAt, InnerChunks, MadeChunks } from "./chunks.ts";
import { type DecodableArray, DecodedChunks } from "./decoded-chunks.ts";
import { emptyGroup } from "./empty-group.ts";
import { ArrayNames, type GranuleNode, type GranuleSource } from "./granule-source.ts";
import { fillOrZero, maskV3 } from "./mask.ts";

interface Stack extends DecodableArray {
  /** Describes one granule of it. */
  slice: ArrayMeta;
}

/** `/granules/<idx>/<variable>` of arrays that have one granule a position along their first axis. */
export class SlicedGranules implements GranuleSource {
  readonly #stacks = new Map<string, Stack>();
  readonly #names: ArrayNames;
  readonly #decoded = new DecodedChunks();

  /** @param arrays By path below `prefix`, which ends with a slash unless it is the root "" */
  constructor(arrays: ReadonlyMap<string, ArrayMeta>, store: Store, prefix = "") {
    this.#names = new ArrayNames(arrays.keys());
    for (const [inside, whole] of arrays) {
      const path = prefix + inside;
      const { meta, chunks } = unsharded(path, whole, store);
      this.#stacks.set(inside, { path, meta, chunks, slice: sliceMeta(meta) });
    }
  }

  async node(idx: number, granule: string, inside: string): Promise<GranuleNode | undefined> {
    if (this.#names.isGroup(inside)) return { meta: emptyGroup };
    const meta = this.#stacks.get(inside)?.slice;
    return meta && { meta, chunks: this.chunks(idx, granule, inside) };
  }

  async children(_idx: number, _granule: string, inside: string): Promise<string[] | undefined> {
    return this.#names.below(inside);
  }

  chunks(idx: number, _granule: string, inside: string): ChunkSource {
    return slicedChunks(this.#stacks.get(inside)!, idx, this.#decoded);
  }

  stacked(idx: Float64Array, paths: readonly string[], inside: string): ChunkSource {
    return oneEach((row) => this.chunks(idx[row]!, paths[row]!, inside));
  }
}

/** Chunks of many granules: the first coordinate says of which, the others are its own. */
export function oneEach(of: (position: number) => ChunkSource): ChunkSource {
  return {
    size: ([row, ...rest], options) => of(row!).size(rest, options),
    read: ([row, ...rest], options) => of(row!).read(rest, options),
    readRange: ([row, ...rest], range, options) => of(row!).readRange(rest, range, options),
    place: async ([row, ...rest], options) => {
      const chunks = of(row!);
      return chunks.place ? chunks.place(rest, options) : "here";
    },
  };
}

/** The array as that of its inner chunks, where it is sharded. @throws ZarrsiftError `encoding_unsupported` */
export function unsharded(
  path: string,
  meta: ArrayMeta,
  store: Store,
): { meta: ArrayMeta; chunks: ChunkSource } {
  if (!isSharded(meta)) return { meta, chunks: chunksAt(store, path, meta) };
  const inner = innerMeta(meta);
  if ("unsupported" in inner) {
    throw new ZarrsiftError(
      "encoding_unsupported",
      `/${path} cannot be cut into granules: ${inner.unsupported}`,
    );
  }
  return { meta: inner, chunks: new InnerChunks(chunksAt(store, path, meta), meta, inner) };
}

/** The array without its first axis, described as v3 whichever format the source has. */
function sliceMeta(meta: ArrayMeta): ArrayMeta {
  return {
    ...meta,
    attributes: maskV3(meta, meta.attributes),
    fillValue: fillOrZero(meta),
    shape: meta.shape.slice(1),
    chunkShape: meta.chunkShape.slice(1),
    dimensionNames: meta.dimensionNames?.slice(1),
    codecs: meta.codecs.flatMap(withoutFirstAxis),
    chunkKeys: { name: "default", separator: "/" },
    format: 3,
  };
}

/** `transpose` of one axis fewer, left out where it would change nothing. */
function withoutFirstAxis(codec: Codec): Codec[] {
  const { order } = codec.configuration;
  if (codec.name !== "transpose" || !Array.isArray(order)) return [codec];
  const rest = order
    .map(Number)
    .filter((axis) => axis !== 0)
    .map((axis) => axis - 1);
  return rest.every((axis, i) => axis === i) ? [] : [{ ...codec, configuration: { order: rest } }];
}

/** A chunk of one granule is the source's own bytes; of one that holds several, a part is cut and encoded again. */
function slicedChunks(stack: Stack, idx: number, decoded: DecodedChunks): ChunkSource {
  const perChunk = stack.meta.chunkShape[0]!;
  if (perChunk > 1) return new CutChunks(stack, idx, decoded);
  const { chunks } = stack;
  return {
    size: (coords, options) => chunks.size([idx, ...coords], options),
    read: (coords, options) => chunks.read([idx, ...coords], options),
    readRange: (coords, range, options) => chunks.readRange([idx, ...coords], range, options),
    ...(chunks.place && { place: (coords, options) => chunks.place!([idx, ...coords], options) }),
  };
}

class CutChunks extends MadeChunks {
  readonly #stack: Stack;
  readonly #idx: number;
  readonly #decoded: DecodedChunks;

  constructor(stack: Stack, idx: number, decoded: DecodedChunks) {
    super();
    this.#stack = stack;
    this.#idx = idx;
    this.#decoded = decoded;
  }

  async read(coords: readonly number[], options?: ReadOptions): Promise<Uint8Array | undefined> {
    const { meta, slice } = this.#stack;
    const perChunk = meta.chunkShape[0]!;
    const place = [Math.floor(this.#idx / perChunk), ...coords];
    const chunk = await this.#decoded.read(this.#stack, place, options);
    if (!chunk) return undefined;
    const row = this.#idx % perChunk;
    return encodeChunk(slice, sliceRows(chunk, perChunk, row, row + 1));
  }
}
