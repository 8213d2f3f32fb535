import { mapLimit } from "../abort.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import { decodeChunk, type FixedChunk, fillChunk } from "./chunk.ts";
import { type ArrayMeta, chunkKey, gridShape } from "./metadata.ts";

const READS_AT_ONCE = 8;

/** All elements of a 1-D array of numbers, as doubles. Errors as `decodeChunk`. */
export async function readNumbers(
  store: Store,
  path: string,
  meta: ArrayMeta,
  options: ReadOptions = {},
): Promise<Float64Array> {
  const [rows, perChunk] = [meta.shape[0]!, meta.chunkShape[0]!];
  const values = new Float64Array(rows);
  const chunks = Array.from({ length: gridShape(meta)[0]! }, (_, chunk) => chunk);
  await mapLimit(chunks, READS_AT_ONCE, async (chunk) => {
    const key = `${path}/${chunkKey(meta.chunkKeys, [chunk])}`;
    const bytes = await store.get(key, options);
    const found = bytes ? await decodeChunk(meta, bytes, `${store.url}/${key}`) : fillChunk(meta);
    const first = chunk * perChunk;
    const { data } = found as FixedChunk;
    for (let i = 0; i < Math.min(perChunk, rows - first); i++) values[first + i] = Number(data[i]!);
  });
  return values;
}
