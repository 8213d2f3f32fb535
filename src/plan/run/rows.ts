/** Values of chosen rows of a column, chunk by chunk. */
import { mapLimit } from "../../abort.ts";
import type { Column } from "../../table/table.ts";
import { gather, slice, type Vector } from "../../table/vector.ts";
import { compact, concat } from "../eval/vectors.ts";

/** Rows `from` to `to` (exclusive), or some ascending ones. */
export type RowSet = { from: number; to: number } | Float64Array;

/** Runs of rows, ascending, that do not overlap: `from` to `to` (exclusive). */
export type Runs = { from: number; to: number }[];

export type ReadChunk = (column: Column, chunk: number) => Promise<Vector>;

/** Chunks of one column that are read at once. */
export const AT_ONCE = 16;

export const rowCount = (rows: RowSet): number =>
  rows instanceof Float64Array ? rows.length : rows.to - rows.from;

/** The rows as numbers. */
export function numbersOf(rows: RowSet): Float64Array {
  if (rows instanceof Float64Array) return rows;
  const numbers = new Float64Array(rows.to - rows.from);
  for (let i = 0; i < numbers.length; i++) numbers[i] = rows.from + i;
  return numbers;
}

/** Those of `rows` at `positions`, ascending. */
export function rowsAt(rows: RowSet, positions: Uint32Array): RowSet {
  if (positions.length === rowCount(rows)) return rows;
  const numbers = new Float64Array(positions.length);
  if (rows instanceof Float64Array)
    for (let i = 0; i < numbers.length; i++) numbers[i] = rows[positions[i]!]!;
  else for (let i = 0; i < numbers.length; i++) numbers[i] = rows.from + positions[i]!;
  return numbers;
}

/** The first `length` of `rows` from position `from`. */
export function someRows(rows: RowSet, from: number, length: number): RowSet {
  if (rows instanceof Float64Array) return rows.subarray(from, from + length);
  return { from: rows.from + from, to: Math.min(rows.to, rows.from + from + length) };
}

/** A column's values for `rows`. Chunks that hold none of them are not read. */
export async function collect(column: Column, rows: RowSet, read: ReadChunk): Promise<Vector> {
  const segments =
    rows instanceof Float64Array ? scattered(rows, column.chunkRows) : consecutive(rows, column.chunkRows);
  const parts = await mapLimit(segments, AT_ONCE, async ({ chunk, pick }) => {
    const part = pick(await read(column, chunk));
    return part.kind === "bytes" && segments.length > 1 ? compact(part) : part;
  });
  return concat(column.type, parts);
}

/** Part of the rows that lies in one chunk. */
interface Segment {
  chunk: number;
  pick(vector: Vector): Vector;
}

function consecutive({ from, to }: { from: number; to: number }, chunkRows: number): Segment[] {
  const segments: Segment[] = [];
  for (let start = from; start < to; ) {
    const chunk = Math.floor(start / chunkRows);
    const first = chunk * chunkRows;
    const [a, b] = [start - first, Math.min(to - first, chunkRows)];
    segments.push({
      chunk,
      pick: (vector) => (a === 0 && b === vector.length ? vector : slice(vector, a, b)),
    });
    start = first + b;
  }
  return segments;
}

function scattered(rows: Float64Array, chunkRows: number): Segment[] {
  const segments: Segment[] = [];
  for (let i = 0; i < rows.length; ) {
    const chunk = Math.floor(rows[i]! / chunkRows);
    const [first, end, start] = [chunk * chunkRows, (chunk + 1) * chunkRows, i];
    while (i < rows.length && rows[i]! < end) i++;
    // A plain loop: Uint32Array.from with a function takes ten times as long.
    const own = new Uint32Array(i - start);
    for (let k = 0; k < own.length; k++) own[k] = rows[start + k]! - first;
    segments.push({ chunk, pick: (vector) => gather(vector, own) });
  }
  return segments;
}
