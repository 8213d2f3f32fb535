import { isZarrsiftError } from "../errors.ts";
import type { ChunkData } from "./chunk-data.ts";
import { type CodecChain, chunkError, compile } from "./codecs.ts";
import { blank, filled } from "./fill.ts";
import type { ArrayMeta } from "./metadata.ts";

export type { ChunkData, FixedChunk, NumericData, VariableChunk } from "./chunk-data.ts";

const chains = new WeakMap<ArrayMeta, CodecChain>();

function chainOf(meta: ArrayMeta): CodecChain {
  let chain = chains.get(meta);
  if (!chain) {
    chain = compile(specOf(meta), meta.codecs);
    chains.set(meta, chain);
  }
  return chain;
}

/** Whether this library knows the array's type and all its codecs. */
export function decodable(meta: ArrayMeta): boolean {
  try {
    chainOf(meta);
    return true;
  } catch (error) {
    if (isZarrsiftError(error)) return false;
    throw error;
  }
}

/**
 * The elements of a stored chunk, all `chunkShape` of them, in C order.
 *
 * @param bytes What the chunk's key holds; a chunk that is not there is `fillChunk`.
 * @param where The chunk's key and source, for messages.
 * @throws ZarrsiftError `corrupt_chunk` (damaged, cut short, too long, a checksum that does not match),
 *   `encoding_unsupported`
 */
export async function decodeChunk(meta: ArrayMeta, bytes: Uint8Array, where: string): Promise<ChunkData> {
  try {
    return await chainOf(meta).decode(bytes);
  } catch (error) {
    throw chunkError(error, where);
  }
}

/**
 * The elements that a missing chunk reads as: the fill value; zeros, NaT or nothing where v2 has none.
 *
 * @throws ZarrsiftError `encoding_unsupported` for types this library does not know, `corrupt_metadata` for a fill
 *   value that the type cannot hold
 */
export function fillChunk(meta: ArrayMeta): ChunkData {
  return filled(specOf(meta));
}

/** A chunk whose numbers are all still to be set. Throws as `fillChunk` does. */
export function blankChunk(meta: ArrayMeta): ChunkData {
  return blank(specOf(meta));
}

const specOf = ({ dataType, chunkShape, fillValue }: ArrayMeta) => ({
  dataType,
  shape: chunkShape,
  fillValue,
});

/**
 * The bytes to store for the elements of a whole chunk (`chunkShape`, in C order).
 *
 * @throws ZarrsiftError `encoding_unsupported` for shards, and types and codecs this library does not know
 */
export async function encodeChunk(meta: ArrayMeta, chunk: ChunkData): Promise<Uint8Array> {
  return chainOf(meta).encode(chunk);
}
