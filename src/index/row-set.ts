/** Sets of row numbers. */
import type { Rows, RowWindow } from "./api.ts";

/** Row numbers in any order, none twice, as ascending rows below `covered`. */
export function ascendingRows(rows: Uint32Array, covered: number): Float64Array {
  if (rows.length * 64 < covered) return below(rows.slice().sort(), covered);
  // Setting bits is faster than sorting where there are many.
  const bits = new Uint32Array(Math.ceil(covered / 32));
  let count = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (row >= covered) continue;
    bits[row >>> 5]! |= 1 << (row & 31);
    count++;
  }
  return rowsOfBits(bits, count);
}

function below(sorted: Uint32Array, covered: number): Float64Array {
  let count = sorted.length;
  while (count > 0 && sorted[count - 1]! >= covered) count--;
  return Float64Array.from(sorted.subarray(0, count));
}

/** Places of the bits that are set, from `first` on; at most `count` of them. */
export function rowsOfBits(bits: Uint32Array, count: number, first = 0): Float64Array {
  const out = new Float64Array(count);
  let at = 0;
  for (let word = 0; word < bits.length; word++) {
    let left = bits[word]!;
    while (left !== 0) {
      const lowest = left & -left;
      out[at++] = first + 32 * word + 31 - Math.clz32(lowest);
      left ^= lowest;
    }
  }
  return at === count ? out : out.slice(0, at);
}

/** Windows that do not overlap, ascending, as rows: one of them stays a window. */
export function windowRows(windows: readonly RowWindow[]): Rows {
  if (windows.length === 0) return { from: 0, to: 0 };
  if (windows.length === 1) return windows[0]!;
  const out = new Float64Array(windows.reduce((sum, { from, to }) => sum + to - from, 0));
  let at = 0;
  for (const { from, to } of windows) for (let row = from; row < to; row++) out[at++] = row;
  return out;
}

/** How many rows there are. */
export function rowCount(rows: Rows): number {
  return rows instanceof Float64Array ? rows.length : rows.to - rows.from;
}
