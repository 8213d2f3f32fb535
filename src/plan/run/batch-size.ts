import type { Vector } from "../../table/vector.ts";
import type { Batch } from "../api.ts";

/** Rows of a first batch, and the bytes that a batch should take. */
const FIRST_ROWS = 8192;
const BATCH_BYTES = 16 * 2 ** 20;

/** Most rows of any batch. */
export const MOST_ROWS = 65_536;

/** How many rows the next batch has, from what the last one took. */
export class BatchSize {
  rows = FIRST_ROWS;

  learn({ length, vectors }: Batch): void {
    const bytes = vectors.reduce((sum, vector) => sum + sizeOf(vector), 1);
    if (length > 0)
      this.rows = Math.max(256, Math.min(MOST_ROWS, Math.floor((BATCH_BYTES * length) / bytes)));
  }
}

function sizeOf(vector: Vector): number {
  if (vector.kind !== "bytes") return vector.values.byteLength;
  let bytes = 8 * vector.length;
  for (let i = 0; i < vector.length; i++) bytes += vector.ends[i]! - vector.starts[i]!;
  return bytes;
}
