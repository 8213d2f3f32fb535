/** Values of chosen rows of a column, chunk by chunk. */
import { mapLimit } from "../../abort.ts";
import { joined } from "../../joined.ts";
import type { Column } from "../../table/table.ts";
import { gather, slice, type Vector } from "../../table/vector.ts";
import { type ColumnRange, keepInRange } from "../eval/keep-ranges.ts";
import { compact, concat } from "../eval/vectors.ts";
import { within } from "../indexes/row-sets.ts";

/** Rows `from` to `to` (exclusive), or some ascending ones. */
export type RowSet = { from: number; to: number } | Float64Array;

export type ReadChunk = (column: Column, chunk: number) => Promise<Vector>;

/** Chunks of one column that are read at once. */
const AT_ONCE = 16;

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

/** Those of `rows` whose value lies in the range; undefined where that is not to be found out in one go. */
export async function rowsInRange(
  column: Column,
  range: ColumnRange,
  rows: Float64Array,
  read: ReadChunk,
): Promise<Float64Array | undefined> {
  // Rows are turned into whole numbers of 32 bits and back by the system, without a loop.
  if (rows.length === 0 || rows.at(-1)! >= 2 ** 32) return undefined;
  const { chunkRows } = column;
  const parts: Float64Array[] = [];
  for (let at = 0; at < rows.length; at += parts.at(-1)!.length) {
    const from = Math.floor(rows[at]! / chunkRows) * chunkRows;
    parts.push(within(rows, { from, to: from + chunkRows }));
  }
  const kept = await mapLimit(parts, AT_ONCE, async (part) => {
    const chunk = Math.floor(part[0]! / chunkRows);
    const vector = await read(column, chunk);
    if (vector.kind !== "number") return undefined;
    const { positions, count } = keepInRange(
      vector,
      range,
      new Uint32Array(part),
      part.length,
      chunk * chunkRows,
    );
    return new Float64Array(positions.subarray(0, count));
  });
  const found = kept.filter((part) => part !== undefined);
  if (found.length < kept.length) return undefined;
  return joined(found, new Float64Array(found.reduce((sum, { length }) => sum + length, 0)));
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
