/** Reads a column from its first row to its last, chunk by chunk. */
import type { ReadOptions, Store } from "../../store/store.ts";
import type { MetaColumn } from "../../table/column.ts";
import { toVector } from "../../table/decode.ts";
import type { Vector } from "../../table/vector.ts";
import { decodeChunk, fillChunk } from "../../zarr/chunk.ts";
import { type StoredChunk, storedChunk } from "../truth.ts";

/** Chunks that are fetched and decoded while one is worked on. */
const AHEAD = 2;

export interface ReadChunk {
  vector: Vector;
  /** What its bytes were. */
  stored: StoredChunk;
}

/** One chunk; `rows` of them where that is less than it has. */
export async function readChunk(
  column: MetaColumn,
  store: Store,
  chunk: number,
  rows: number,
  options: ReadOptions = {},
): Promise<ReadChunk> {
  const key = column.keyOf(chunk);
  // Before its bytes: where they change in between, the stamp is the one that is wrong, and the checksum decides.
  const stat = await store.stat(key, options);
  const bytes = await store.get(key, options);
  const data = bytes
    ? await decodeChunk(column.meta, bytes, `${store.url}/${key}`)
    : await fillChunk(column.meta);
  const vector = toVector(data, Math.min(column.rowsOf(chunk), rows), column.decoding);
  return { vector, stored: storedChunk(bytes, stat?.stamp) };
}

/** The chunks from number `first` on that hold rows below `rows`, in order; so many are read `ahead`. */
export async function* readChunks(
  column: MetaColumn,
  store: Store,
  rows: number,
  first: number,
  options: ReadOptions = {},
  ahead = AHEAD,
): AsyncGenerator<ReadChunk> {
  const { chunkRows } = column;
  const count = Math.ceil(rows / chunkRows);
  const coming: Promise<ReadChunk>[] = [];
  for (let chunk = first, next = first; chunk < count; chunk++) {
    options.signal?.throwIfAborted();
    for (; next < count && next <= chunk + ahead; next++) {
      const reading = readChunk(column, store, next, rows - next * chunkRows, options);
      // Whoever waits for it hears of a failure; if nobody does, an earlier one has ended the work.
      reading.catch(() => {});
      coming.push(reading);
    }
    yield await coming.shift()!;
  }
}
