/** Ranges of number columns one after the other, on the positions of a window: no row is picked out in between. */
import type { NumberVector } from "../table/vector.ts";
import type { Bound, BoundExpr } from "./bound.ts";
import { numberBounds } from "./numbers.ts";

/** A condition that is a range of one column. */
export interface ColumnRange {
  column: string;
  low: Bound;
  high: Bound;
}

/** What `expr` says of a single column's values, if that is all it says. */
export function columnRange(expr: BoundExpr): ColumnRange | undefined {
  if (expr.node !== "range" || expr.operand.node !== "column") return undefined;
  return { column: expr.operand.name, low: expr.low, high: expr.high };
}

/**
 * Leaves those of the first `count` `positions` whose value lies in the range; in place.
 *
 * @param positions `undefined`: all, and so `count`
 * @returns the positions, and how many are left
 */
export function keepInRange(
  vector: NumberVector,
  { low, high }: ColumnRange,
  positions: Uint32Array | undefined,
  count: number,
): { positions: Uint32Array; count: number } {
  const [least, most] = numberBounds(low, high);
  const { values, nulls, length } = vector;
  const kept = positions ?? allOf(length);
  let left = 0;
  // One loop for doubles: one that sees several kinds of array is many times slower.
  if (values instanceof Float64Array) {
    for (let k = 0; k < count; k++) {
      const i = kept[k]!;
      kept[left] = i;
      left += values[i]! >= least && values[i]! <= most ? 1 : 0;
    }
  } else {
    for (let k = 0; k < count; k++) {
      const i = kept[k]!;
      kept[left] = i;
      left += values[i]! >= least && values[i]! <= most ? 1 : 0;
    }
  }
  return { positions: kept, count: nulls ? withoutNulls(nulls, kept, left) : left };
}

function allOf(length: number): Uint32Array {
  const all = new Uint32Array(length);
  for (let i = 0; i < length; i++) all[i] = i;
  return all;
}

function withoutNulls(nulls: Uint8Array, positions: Uint32Array, count: number): number {
  let left = 0;
  for (let k = 0; k < count; k++) {
    const i = positions[k]!;
    positions[left] = i;
    left += 1 - nulls[i]!;
  }
  return left;
}
