/** Rows of decoded chunks: runs of elements along the first axis, put together in another order. */
import { blankChunk, fillChunk } from "../zarr/chunk.ts";
import { type ChunkData, newLike, type VariableChunk } from "../zarr/chunk-data.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";

/** Rows that follow each other in a chunk as in the result. */
export interface Run {
  /** The first of them, in the chunk. */
  from: number;
  /** The first of them, in the result. */
  to: number;
  count: number;
}

/** Rows of one decoded chunk, and where each goes. */
export interface RowsOf {
  chunk: ChunkData;
  runs: readonly Run[];
}

/**
 * A chunk made of rows of other chunks; rows that nothing goes to are the fill value.
 *
 * @param meta The array that the chunk is of
 * @param parts No two of them go to the same row
 */
export function mergeRows(meta: ArrayMeta, parts: readonly RowsOf[]): ChunkData {
  const rows = meta.chunkShape[0]!;
  const set = parts.reduce((sum, { runs }) => runs.reduce((part, { count }) => part + count, sum), 0);
  const base = set === rows ? blankChunk(meta) : fillChunk(meta);
  return "starts" in base ? mergeItems(base, rows, parts) : mergeNumbers(base, rows, parts);
}

/** The rows `from…to` of a chunk of `rows` rows, as a chunk of their own. */
export function sliceRows(chunk: ChunkData, rows: number, from: number, to: number): ChunkData {
  if ("starts" in chunk) {
    const width = chunk.starts.length / rows;
    const [first, last] = [from * width, to * width];
    return {
      data: chunk.data,
      starts: chunk.starts.subarray(first, last),
      ends: chunk.ends.subarray(first, last),
    };
  }
  const width = chunk.data.length / rows;
  const data = newLike(chunk.data, (to - from) * width);
  data.set(chunk.data.subarray(from * width, to * width) as never);
  return { data };
}

function mergeNumbers(
  base: Exclude<ChunkData, VariableChunk>,
  rows: number,
  parts: readonly RowsOf[],
): ChunkData {
  const width = base.data.length / rows;
  for (const { chunk, runs } of parts) {
    for (const { from, to, count } of runs)
      base.data.set(chunk.data.subarray(from * width, (from + count) * width) as never, to * width);
  }
  return base;
}

/** Items keep standing in the bytes of their own chunk, which are put one after the other. */
function mergeItems(base: VariableChunk, rows: number, parts: readonly RowsOf[]): ChunkData {
  const width = base.starts.length / rows;
  const all = [base.data, ...parts.map(({ chunk }) => chunk.data as Uint8Array)];
  const data = new Uint8Array(all.reduce((sum, bytes) => sum + bytes.length, 0));
  let at = 0;
  const offsets = all.map((bytes) => {
    data.set(bytes, at);
    at += bytes.length;
    return at - bytes.length;
  });
  for (const [part, { chunk, runs }] of parts.entries()) {
    const { starts, ends } = chunk as VariableChunk;
    const offset = offsets[part + 1]!;
    for (const { from, to, count } of runs) {
      const [first, place] = [from * width, to * width];
      for (let item = 0; item < count * width; item++) {
        base.starts[place + item] = starts[first + item]! + offset;
        base.ends[place + item] = ends[first + item]! + offset;
      }
    }
  }
  return { ...base, data };
}
