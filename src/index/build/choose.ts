/** Which index suits a column. */
import type { ReadOptions, Store } from "../../store/store.ts";
import type { MetaColumn } from "../../table/column.ts";
import type { Vector } from "../../table/vector.ts";
import { cellAt } from "../../table/vector.ts";
import { keyTypeOf } from "../keys.ts";
import { readChunk } from "./chunks.ts";

export type IndexKind = "rtree" | "btree" | "category";

/** More different values than this make no category index. */
export const MOST_VALUES = 1024;
/** In a category index a value has so many rows on average, or more. */
const ROWS_PER_VALUE = 8;
/** Rows looked at in a chunk. */
const SAMPLE = 50_000;
/** Texts of a column that take more memory than this are indexed on demand only. */
const MOST_TEXT_BYTES = 256 * 2 ** 20;

/**
 * Geometry gets an R-tree, times a B+tree; of the others those with few different values in a sample get a category
 * index, the rest a B+tree: but for bytes, very long texts and columns `covered` by a tree, unless they are `wanted` by
 * name.
 *
 * @returns `undefined`: zone maps alone
 */
export async function chooseKind(
  column: MetaColumn,
  store: Store,
  options: ReadOptions & { wanted: boolean; covered?: boolean | undefined },
): Promise<IndexKind | undefined> {
  const { type } = column;
  const { wanted, covered = false } = options;
  if (type.kind === "geometry") return "rtree";
  if (keyTypeOf(type) === undefined || (covered && !wanted)) return undefined;
  if (type.kind === "timestamp") return "btree";
  if (type.kind === "bytes" && !wanted) return undefined;
  const sample = new Sample();
  for (const chunk of sampleChunks(Math.ceil(column.rows / column.chunkRows))) {
    const { vector } = await readChunk(column, store, chunk, column.chunkRows, options);
    sample.add(vector);
  }
  if (sample.fewValues) return "category";
  return wanted || sample.bytesPerRow * column.rows <= MOST_TEXT_BYTES ? "btree" : undefined;
}

function sampleChunks(chunks: number): Set<number> {
  return chunks === 0 ? new Set() : new Set([0, chunks >> 1, chunks - 1]);
}

class Sample {
  readonly #values = new Set<unknown>();
  #rows = 0;
  #bytes = 0;

  add(vector: Vector): void {
    const rows = Math.min(vector.length, SAMPLE);
    for (let i = 0; i < rows; i++) {
      if (vector.nulls?.[i]) continue;
      this.#rows++;
      if (vector.kind === "bytes") this.#bytes += vector.ends[i]! - vector.starts[i]!;
      if (this.#values.size > MOST_VALUES) continue;
      const cell = cellAt(vector, i);
      this.#values.add(cell instanceof Uint8Array ? cell.join() : cell);
    }
  }

  get fewValues(): boolean {
    const { size } = this.#values;
    return size <= MOST_VALUES && size * ROWS_PER_VALUE <= Math.max(this.#rows, ROWS_PER_VALUE);
  }

  get bytesPerRow(): number {
    return this.#rows === 0 ? 0 : this.#bytes / this.#rows;
  }
}
