/** Comparisons of number vectors. */

import { finerUnit, PER_SECOND } from "../../format/calendar.ts";
import type { SqlType } from "../../table/types.ts";
import type { BigVector, NumberVector } from "../../table/vector.ts";
import type { Bound, CompareOp } from "../bind/bound.ts";
import { type Truth, withNulls } from "./truth.ts";

export type Numbers = NumberVector | BigVector;

/** Whether each value lies in low…high, both inclusive. */
export function inRange(vector: Numbers, low: Bound, high: Bound): Truth {
  const truth = new Uint8Array(vector.length);
  if (vector.kind === "bigint") rangeOfBig(vector, low, high, truth);
  else rangeOfNumbers(vector.values, lowAsNumber(low), highAsNumber(high), truth);
  return withNulls(truth, vector.nulls);
}

/** A range's bounds for number vectors. */
export const numberBounds = (low: Bound, high: Bound): [number, number] => [
  lowAsNumber(low),
  highAsNumber(high),
];

/** Integers in a number vector are safe, so a bound beyond that is as good as infinite. */
function lowAsNumber(low: Bound): number {
  if (typeof low === "number") return low;
  if (low > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  return low < Number.MIN_SAFE_INTEGER ? Number.NEGATIVE_INFINITY : Number(low);
}

function highAsNumber(high: Bound): number {
  if (typeof high === "number") return high;
  if (high < Number.MIN_SAFE_INTEGER) return Number.NEGATIVE_INFINITY;
  return high > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : Number(high);
}

/** One loop per common array type, because a loop that sees several is many times slower. */
function rangeOfNumbers(values: NumberVector["values"], low: number, high: number, truth: Truth): void {
  if (values instanceof Float64Array) {
    for (let i = 0; i < truth.length; i++) truth[i] = Number(values[i]! >= low) & Number(values[i]! <= high);
  } else if (values instanceof Float32Array) {
    for (let i = 0; i < truth.length; i++) truth[i] = Number(values[i]! >= low) & Number(values[i]! <= high);
  } else if (values instanceof Int32Array) {
    for (let i = 0; i < truth.length; i++) truth[i] = Number(values[i]! >= low) & Number(values[i]! <= high);
  } else {
    for (let i = 0; i < truth.length; i++) truth[i] = Number(values[i]! >= low) & Number(values[i]! <= high);
  }
}

/** JavaScript compares bigint with number exactly, so ±Infinity may stay a number. */
function rangeOfBig({ values }: BigVector, low: Bound, high: Bound, truth: Truth): void {
  for (let i = 0; i < truth.length; i++) truth[i] = values[i]! >= low && values[i]! <= high ? 1 : 0;
}

/** Whether each value is one of `points`. */
export function isOneOf(vector: Numbers, points: readonly Bound[], hasNull: boolean): Truth {
  const truth = new Uint8Array(vector.length);
  const otherwise = hasNull ? 2 : 0;
  if (vector.kind === "bigint") {
    const set = new Set(points);
    for (let i = 0; i < truth.length; i++) truth[i] = set.has(vector.values[i]!) ? 1 : otherwise;
  } else {
    const set = new Set(
      points.filter((point) => typeof point === "number" || Number.isSafeInteger(Number(point))).map(Number),
    );
    for (let i = 0; i < truth.length; i++) truth[i] = set.has(vector.values[i]!) ? 1 : otherwise;
  }
  return withNulls(truth, vector.nulls);
}

/**
 * `left op right` for each row. Integers and times compare exactly; an integer beside a float column compares as that
 * float, as in DuckDB.
 */
export function compareNumbers(op: CompareOp, left: Numbers, right: Numbers): Truth {
  const [a, b] = comparable(left, right);
  const truth = new Uint8Array(a.length);
  if (op === "=") for (let i = 0; i < truth.length; i++) truth[i] = a[i]! === b[i]! ? 1 : 0;
  else if (op === "<") for (let i = 0; i < truth.length; i++) truth[i] = a[i]! < b[i]! ? 1 : 0;
  else for (let i = 0; i < truth.length; i++) truth[i] = a[i]! <= b[i]! ? 1 : 0;
  return withNulls(withNulls(truth, left.nulls), right.nulls);
}

type Comparable = ArrayLike<number> | ArrayLike<bigint>;

/** Both as arrays of one kind, so that `===` and `<` say what SQL says. */
function comparable(left: Numbers, right: Numbers): [Comparable, Comparable] {
  const float = floatOf(left.type, right.type);
  if (float) return [asFloats(left, float), asFloats(right, float)];
  const scaled = rescale(left, right);
  if (scaled) return scaled;
  if (left.kind === "number" && right.kind === "number") return [left.values, right.values];
  return [asBigs(left, 1n), asBigs(right, 1n)];
}

/** In which float two types are compared; undefined: not as floats. */
function floatOf(left: SqlType, right: SqlType): 32 | 64 | undefined {
  if (left.kind !== "float" && right.kind !== "float") return undefined;
  return (left.kind === "float" && left.bits === 64) || (right.kind === "float" && right.bits === 64)
    ? 64
    : 32;
}

/** The values as doubles, rounded to float32 where that is what is compared. */
export function asFloats(vector: Numbers, bits: 32 | 64): ArrayLike<number> {
  if (vector.kind === "number" && (vector.type.kind === "float" || bits === 64)) return vector.values;
  const out = bits === 32 ? new Float32Array(vector.length) : new Float64Array(vector.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(vector.values[i]);
  return out;
}

/** Times of different units, both in the finer one. */
function rescale(left: Numbers, right: Numbers): [Comparable, Comparable] | undefined {
  if (!("unit" in left.type) || !("unit" in right.type) || left.type.unit === right.type.unit)
    return undefined;
  const per = PER_SECOND[finerUnit(left.type.unit, right.type.unit)];
  return [asBigs(left, per / PER_SECOND[left.type.unit]), asBigs(right, per / PER_SECOND[right.type.unit])];
}

/** Integers times `factor`. */
export function asBigs(vector: Numbers, factor: bigint): bigint[] {
  const { nulls, values } = vector;
  return Array.from({ length: vector.length }, (_, i) => (nulls?.[i] ? 0n : BigInt(values[i]!) * factor));
}

/** The next double below a finite one. */
export function nextBelow(value: number): number {
  if (value === 0) return -Number.MIN_VALUE;
  if (value === Number.NEGATIVE_INFINITY) return value;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return view.getFloat64(0);
}

/** The next double above a finite one. */
export const nextAbove = (value: number): number => -nextBelow(-value);
