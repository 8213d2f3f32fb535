/** Sets of rows: ascending, without repeats. */
import { numbersOf, type RowSet, rowCount } from "./rows.ts";

/** Rows in both. */
export function intersection(a: RowSet, b: RowSet): RowSet {
  if (!(a instanceof Float64Array)) return b instanceof Float64Array ? within(b, a) : overlap(a, b);
  if (!(b instanceof Float64Array)) return within(a, b);
  const both = new Float64Array(Math.min(a.length, b.length));
  let length = 0;
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const [x, y] = [a[i]!, b[k]!];
    if (x === y) both[length++] = x;
    if (x <= y) i++;
    if (y <= x) k++;
  }
  return both.slice(0, length);
}

/** Rows in either. */
export function union(a: RowSet, b: RowSet): RowSet {
  if (rowCount(a) === 0) return b;
  if (rowCount(b) === 0) return a;
  const [x, y] = [numbersOf(a), numbersOf(b)];
  const all = new Float64Array(x.length + y.length);
  let length = 0;
  for (let i = 0, k = 0; i < x.length || k < y.length; ) {
    const [p, q] = [x[i] ?? Number.POSITIVE_INFINITY, y[k] ?? Number.POSITIVE_INFINITY];
    all[length++] = Math.min(p, q);
    if (p <= q) i++;
    if (q <= p) k++;
  }
  return all.slice(0, length);
}

/** Rows of `a` that are not in `b`. */
export function difference(a: RowSet, b: Float64Array): Float64Array {
  const [from, left] = [numbersOf(a), new Float64Array(rowCount(a))];
  let length = 0;
  let k = lowerBound(b, from[0] ?? 0);
  for (const row of from) {
    while (k < b.length && b[k]! < row) k++;
    if (b[k] !== row) left[length++] = row;
  }
  return left.slice(0, length);
}

/** Those of `rows` from `from` to `to` (exclusive), sharing memory. */
export function within(rows: Float64Array, { from, to }: { from: number; to: number }): Float64Array {
  return rows.subarray(lowerBound(rows, from), lowerBound(rows, to));
}

function overlap(a: { from: number; to: number }, b: { from: number; to: number }): RowSet {
  const from = Math.max(a.from, b.from);
  return { from, to: Math.max(from, Math.min(a.to, b.to)) };
}

/** Position of the first of `rows` that is not below `row`. */
function lowerBound(rows: Float64Array, row: number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return low;
}
