/** Ranges of number columns one after the other, on the positions of a window: no row is picked out in between. */
import type { NumberVector } from "../../table/vector.ts";
import type { Bound, BoundExpr } from "../bind/bound.ts";
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
 * @param first the position of the vector's first value
 * @returns the positions, and how many are left
 */
export function keepInRange(
  vector: NumberVector,
  { low, high }: ColumnRange,
  positions: Uint32Array | undefined,
  count: number,
  first = 0,
): { positions: Uint32Array; count: number } {
  const [least, most] = numberBounds(low, high);
  const { values, nulls, length } = vector;
  const kept = positions ?? new Uint32Array(length);
  const left = positions
    ? narrow(values, least, most, kept, count, first)
    : selectAll(values, least, most, kept, count);
  return { positions: kept, count: nulls ? withoutNulls(nulls, kept, left, first) : left };
}

type Values = NumberVector["values"];

/**
 * Doubles have a loop of their own: one that sees several kinds of array is many times slower. `&` of numbers makes no
 * branches, which on random values are guessed wrongly every other time.
 */
function selectAll(values: Values, least: number, most: number, kept: Uint32Array, count: number): number {
  let left = 0;
  if (values instanceof Float64Array) {
    for (let i = 0; i < count; i++) {
      kept[left] = i;
      left += Number(values[i]! >= least) & Number(values[i]! <= most);
    }
    return left;
  }
  for (let i = 0; i < count; i++) {
    kept[left] = i;
    left += Number(values[i]! >= least) & Number(values[i]! <= most);
  }
  return left;
}

function narrow(
  values: Values,
  least: number,
  most: number,
  kept: Uint32Array,
  count: number,
  first: number,
): number {
  let left = 0;
  if (values instanceof Float64Array) {
    for (let k = 0; k < count; k++) {
      const i = kept[k]!;
      const value = values[i - first]!;
      kept[left] = i;
      left += Number(value >= least) & Number(value <= most);
    }
    return left;
  }
  for (let k = 0; k < count; k++) {
    const i = kept[k]!;
    const value = values[i - first]!;
    kept[left] = i;
    left += Number(value >= least) & Number(value <= most);
  }
  return left;
}

function withoutNulls(nulls: Uint8Array, positions: Uint32Array, count: number, first: number): number {
  let left = 0;
  for (let k = 0; k < count; k++) {
    const i = positions[k]!;
    positions[left] = i;
    left += 1 - nulls[i - first]!;
  }
  return left;
}
