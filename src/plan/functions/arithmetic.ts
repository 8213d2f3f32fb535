/**
 * Arithmetic on number vectors. Integers are exact in 64 bits, beyond that is an error; `/` always makes a float, by
 * zero an infinity, as IEEE 754 and DuckDB have it; whatever makes NaN makes NULL, and so does an integer `% 0`.
 */
import { ZarrsiftError } from "../../errors.ts";
import { type SqlType, typeName } from "../../table/types.ts";
import type { Nulls, Vector } from "../../table/vector.ts";
import type { ArithmeticOp } from "../bind/bound.ts";
import { asBigs, asFloats, type Numbers } from "../eval/numbers.ts";
import { calculateTimes } from "./time-arithmetic.ts";

/** `left op right` as `type`, which is the one that binding chose. */
export function calculate(op: ArithmeticOp, left: Numbers, right: Numbers, type: SqlType): Vector {
  const nulls = eitherNull(left.nulls, right.nulls, left.length);
  if ("unit" in type) return calculateTimes(op, left, right, type);
  if (type.kind === "float") return floats(op, left, right, type, nulls);
  return (
    (left.kind === "number" &&
      right.kind === "number" &&
      integers(op, left.values, right.values, type, nulls)) ||
    bigIntegers(op, left, right, type, nulls)
  );
}

function eitherNull(a: Nulls, b: Nulls, length: number): Uint8Array {
  const nulls = a ? a.slice() : new Uint8Array(length);
  if (b) for (let i = 0; i < length; i++) nulls[i]! |= b[i]!;
  return nulls;
}

function floats(op: ArithmeticOp, left: Numbers, right: Numbers, type: SqlType, nulls: Uint8Array): Vector {
  const bits = type.kind === "float" && type.bits === 64 ? 64 : 32;
  const [a, b] = [asFloats(left, bits), asFloats(right, bits)];
  const values = bits === 64 ? new Float64Array(a.length) : new Float32Array(a.length);
  for (let i = 0; i < values.length; i++) {
    values[i] = one(op, a[i]!, b[i]!);
    if (Number.isNaN(values[i])) nulls[i] = 1;
  }
  return { kind: "number", type, length: values.length, values, nulls: kept(nulls) };
}

function one(op: ArithmeticOp, a: number, b: number): number {
  if (op === "+") return a + b;
  if (op === "-") return a - b;
  if (op === "*") return a * b;
  return op === "/" ? a / b : a % b;
}

/** In doubles, or undefined where some result may not be exact there. */
function integers(
  op: ArithmeticOp,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  type: SqlType,
  nulls: Uint8Array,
): Vector | undefined {
  const values = new Float64Array(a.length);
  const unsigned = type.kind === "int" && !type.signed;
  for (let i = 0; i < values.length; i++) {
    if (nulls[i]) continue;
    const value = op === "%" && b[i] === 0 ? Number.NaN : one(op, a[i]!, b[i]!);
    if (Number.isNaN(value)) nulls[i] = 1;
    else if (!Number.isSafeInteger(value) || (unsigned && value < 0)) return undefined;
    else values[i] = value + 0;
  }
  return { kind: "number", type, length: values.length, values, nulls: kept(nulls) };
}

function bigIntegers(
  op: ArithmeticOp,
  left: Numbers,
  right: Numbers,
  type: SqlType,
  nulls: Uint8Array,
): Vector {
  const [a, b] = [asBigs(left, 1n), asBigs(right, 1n)];
  const unsigned = type.kind === "int" && !type.signed;
  const values = unsigned ? new BigUint64Array(a.length) : new BigInt64Array(a.length);
  const wrap = unsigned
    ? (value: bigint) => BigInt.asUintN(64, value)
    : (value: bigint) => BigInt.asIntN(64, value);
  for (let i = 0; i < values.length; i++) {
    if (op === "%" && b[i] === 0n) nulls[i] = 1;
    if (nulls[i]) continue;
    const value =
      op === "+" ? a[i]! + b[i]! : op === "-" ? a[i]! - b[i]! : op === "*" ? a[i]! * b[i]! : a[i]! % b[i]!;
    if (wrap(value) !== value) throw overflow(`${a[i]} ${op} ${b[i]} is ${value}`, type);
    values[i] = value;
  }
  return { kind: "bigint", type, length: values.length, values, nulls: kept(nulls) };
}

/** `sql_type`: a result that its type cannot hold. */
export function overflow(what: string, type: SqlType): ZarrsiftError {
  return new ZarrsiftError(
    "sql_type",
    `${what}, which ${typeName(type)} cannot hold; CAST to double precision first`,
  );
}

function kept(nulls: Uint8Array): Nulls {
  return nulls.includes(1) ? nulls : undefined;
}
