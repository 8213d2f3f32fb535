/** Decoded chunks of a source's arrays, so that each is decoded once for all the chunks it goes into. */
import { abortable } from "../abort.ts";
import { Lru } from "../lru.ts";
import type { ReadOptions } from "../store/store.ts";
import { type ChunkData, decodeChunk } from "../zarr/chunk.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import type { ChunkSource } from "./chunks.ts";

const BYTES_KEPT = 128 * 2 ** 20;
/** What a chunk that is not there decodes to. */
const MISSING = "missing";
const MISSING_BYTES = 64;

export interface DecodableArray {
  /** Describes `chunks`. */
  meta: ArrayMeta;
  chunks: ChunkSource;
  /** The array's path in the source: what chunks are kept by, and for messages. */
  path: string;
}

/** Decoded chunks by array and place, the least recently used given up. */
export class DecodedChunks {
  readonly #kept = new Lru<ChunkData | typeof MISSING>(BYTES_KEPT);

  /** `undefined`: the source has no such chunk. Reads are shared by all who ask, so nobody's cancellation ends them. */
  async read(
    { meta, chunks, path }: DecodableArray,
    coords: readonly number[],
    options?: ReadOptions,
  ): Promise<ChunkData | undefined> {
    const where = `${path} chunk ${coords.join(",")}`;
    const load = async () => {
      const bytes = await chunks.read(coords);
      return bytes ? decodeChunk(meta, bytes, where) : MISSING;
    };
    const found = await abortable(this.#kept.load(where, load, bytesOf), options?.signal);
    return found === MISSING ? undefined : found;
  }
}

/** Bytes that a decoded chunk takes in memory. */
function bytesOf(chunk: ChunkData | typeof MISSING): number {
  if (chunk === MISSING) return MISSING_BYTES;
  return chunk.data.byteLength + ("starts" in chunk ? chunk.starts.byteLength * 2 : 0);
}
