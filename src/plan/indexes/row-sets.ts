/** Sets of rows: ascending, without repeats. */
import { joined } from "../../joined.ts";
import type { Plan } from "../make-plan.ts";
import { numbersOf, type RowSet, type Runs, rowCount } from "../run/rows.ts";

/** Rows in both. */
export function intersection(a: RowSet, b: RowSet): RowSet {
  if (!(a instanceof Float64Array)) return b instanceof Float64Array ? within(b, a) : overlap(a, b);
  if (!(b instanceof Float64Array)) return within(a, b);
  if (32 * a.length < b.length) return looked(a, b);
  if (32 * b.length < a.length) return looked(b, a);
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

/** Those of a few rows that are among many. */
function looked(few: Float64Array, many: Float64Array): Float64Array {
  let at = 0;
  return few.filter((row) => {
    at = lowerBound(many, row, at);
    return many[at] === row;
  });
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

/** Those of `rows` that lie in `runs`. */
export function intersectRuns(rows: RowSet, runs: Runs): RowSet {
  const inside = runs.slice(firstRun(runs, rows instanceof Float64Array ? (rows[0] ?? 0) : rows.from));
  const parts: RowSet[] = [];
  const end = rows instanceof Float64Array ? (rows.at(-1) ?? -1) + 1 : rows.to;
  for (const run of inside) {
    if (run.from >= end) break;
    const part = intersection(rows, run);
    if (rowCount(part) > 0) parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : together(parts);
}

/** Sets that follow on one another as one. */
function together(parts: readonly RowSet[]): Float64Array {
  return joined(parts.map(numbersOf), new Float64Array(parts.reduce((sum, part) => sum + rowCount(part), 0)));
}

/** Position of the first run that ends above `row`. */
function firstRun(runs: Runs, row: number): number {
  let [low, high] = [0, runs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (runs[middle]!.to <= row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many rows there are in runs. */
export const countRuns = (runs: Runs): number => runs.reduce((sum, { from, to }) => sum + to - from, 0);

/** A plan that looks at no rows but those of `by`. */
export function restricted(plan: Plan, by: RowSet | Runs): Plan {
  if ("from" in by) return restricted(plan, [by]);
  const { candidates, runs, ...rest } = plan;
  if (candidates instanceof Float64Array)
    return {
      ...rest,
      candidates: by instanceof Float64Array ? intersection(candidates, by) : intersectRuns(candidates, by),
    };
  const own = runs ?? [candidates ?? { from: plan.from, to: plan.to }];
  if (by instanceof Float64Array) return { ...rest, candidates: intersectRuns(by, own) };
  const both = overlaps(own, by);
  if (both.length <= 1) return { ...rest, candidates: both[0] ?? { from: plan.from, to: plan.from } };
  return { ...plan, runs: both };
}

function overlaps(a: Runs, b: Runs): Runs {
  const both: Runs = [];
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const [from, to] = [Math.max(a[i]!.from, b[k]!.from), Math.min(a[i]!.to, b[k]!.to)];
    if (from < to) both.push({ from, to });
    if (a[i]!.to < b[k]!.to) i++;
    else k++;
  }
  return both;
}

/** How many rows a plan looks at. */
export function rowsLeft({ candidates, runs, from, to }: Plan): number {
  if (candidates instanceof Float64Array) return candidates.length;
  return runs ? countRuns(runs) : candidates ? rowCount(candidates) : to - from;
}

/** In how many chunks of `chunkRows` rows those that a plan looks at lie; counted up to `enough`. */
export function chunksTouched(
  { candidates, runs, from, to }: Plan,
  chunkRows: number,
  enough = Number.POSITIVE_INFINITY,
): number {
  if (candidates instanceof Float64Array) return chunksOfList(candidates, chunkRows, enough);
  let [count, last] = [0, -1];
  for (const run of runs ?? [candidates ?? { from, to }]) {
    if (run.to <= run.from) continue;
    const [first, end] = [Math.floor(run.from / chunkRows), Math.floor((run.to - 1) / chunkRows)];
    count += end - Math.max(first, last + 1) + 1;
    last = end;
    if (count >= enough) break;
  }
  return count;
}

function chunksOfList(rows: Float64Array, chunkRows: number, enough: number): number {
  let count = 0;
  for (let at = 0; at < rows.length && count < enough; count++)
    at = lowerBound(rows, (Math.floor(rows[at]! / chunkRows) + 1) * chunkRows, at);
  return count;
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
function lowerBound(rows: Float64Array, row: number, start = 0): number {
  let [low, high] = [start, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return low;
}
