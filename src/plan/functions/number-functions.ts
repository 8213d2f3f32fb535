/** Functions of numbers. What makes NaN makes NULL. */
import { INT64, type SqlType } from "../../table/types.ts";
import { cellAt, type Vector } from "../../table/vector.ts";
import type { Numbers } from "../eval/numbers.ts";
import { vectorOf } from "../eval/vectors.ts";
import { overflow } from "./arithmetic.ts";
import { byRow, ofDoubles, type ScalarFunction } from "./scalar.ts";

const INT8: SqlType = { kind: "int", bits: 8, signed: true };
const DEGREES = 180 / Math.PI;

/** Halves away from zero, as SQL has it. */
export const nearest = (value: number): number => (value < 0 ? -Math.round(-value) : Math.round(value));

export const NUMBER_FUNCTIONS: readonly [string, ScalarFunction][] = [
  ["round", toDigits(nearest)],
  ["trunc", toDigits(Math.trunc)],
  ["sqrt", ofDoubles(1, Math.sqrt)],
  ["cbrt", ofDoubles(1, Math.cbrt)],
  ["exp", ofDoubles(1, Math.exp)],
  ["ln", ofDoubles(1, Math.log)],
  ["log", logarithm()],
  ["log10", ofDoubles(1, Math.log10)],
  ["log2", ofDoubles(1, Math.log2)],
  ["power", ofDoubles(2, power)],
  ["sin", ofDoubles(1, Math.sin)],
  ["cos", ofDoubles(1, Math.cos)],
  ["tan", ofDoubles(1, Math.tan)],
  ["cot", ofDoubles(1, (x) => 1 / Math.tan(x))],
  ["asin", ofDoubles(1, Math.asin)],
  ["acos", ofDoubles(1, Math.acos)],
  ["atan", ofDoubles(1, Math.atan)],
  ["atan2", ofDoubles(2, Math.atan2)],
  ["degrees", ofDoubles(1, (x) => x * DEGREES)],
  ["radians", ofDoubles(1, (x) => x / DEGREES)],
  ["sign", byRow(["number"], INT8, (value: number | bigint) => (value > 0 ? 1 : value < 0 ? -1 : 0))],
];

/** `log(x)` is of base 10, `log(b, x)` of base b. */
function logarithm(): ScalarFunction {
  const [one, two] = [ofDoubles(1, Math.log10), ofDoubles(2, (base, x) => Math.log(x) / Math.log(base))];
  return { ...two, optional: 1, apply: (args, type) => (args.length === 1 ? one : two).apply(args, type) };
}

/** C's pow: 1 to the power of anything is 1. */
function power(base: number, exponent: number): number {
  return base === 1 ? 1 : base ** exponent;
}

/** Rounding to `n` digits behind the point, before it where n < 0. Integers stay integers, exactly: 127 may become 130. */
function toDigits(change: (value: number) => number): ScalarFunction {
  const ofInteger = (value: number | bigint, digits: number): number | bigint => {
    if (digits >= 0) return value;
    if (digits < -19) return 0;
    const step = 10n ** BigInt(-digits);
    const rest = BigInt(value) % step;
    const down = BigInt(value) - rest;
    if (change === Math.trunc || 2n * (rest < 0n ? -rest : rest) < step) return down;
    return rest < 0n ? down - step : down + step;
  };
  const apply = ([vector, digits]: readonly Vector[], type: SqlType): Vector => {
    if (type.kind === "float") return floatDigits(change, vector as Numbers, digits as Numbers, type);
    if (!digits) return vector!;
    const cells = Array.from({ length: vector!.length }, (_, i) => {
      const [value, n] = [cellAt(vector!, i), cellAt(digits, i)];
      if (value === null || n === null) return null;
      const made = BigInt(ofInteger(value as number | bigint, Number(n)));
      const { signed } = type as SqlType & { kind: "int" };
      if ((signed ? BigInt.asIntN(64, made) : BigInt.asUintN(64, made)) !== made)
        throw overflow(`${value} rounded is ${made}`, type);
      return made;
    });
    return vectorOf(type, cells);
  };
  const result = ([type, digits]: readonly SqlType[]) =>
    type!.kind === "int" && type!.bits < 64 && digits ? INT64 : type!;
  return { args: ["number", "integer"], optional: 1, result, apply };
}

function floatDigits(
  change: (value: number) => number,
  vector: Numbers,
  digits: Numbers | undefined,
  type: SqlType,
): Vector {
  const cells = Array.from({ length: vector.length }, (_, i) => {
    if (vector.nulls?.[i] || digits?.nulls?.[i]) return null;
    const [value, n] = [Number(vector.values[i]), Number(digits?.values[i] ?? 0)];
    const made = n === 0 ? change(value) : changed(change, value, n);
    return type.kind === "float" && type.bits !== 64 ? Math.fround(made) : made;
  });
  return vectorOf(type, cells);
}

function changed(change: (value: number) => number, value: number, digits: number): number {
  const scale = 10 ** Math.abs(digits);
  const made = digits > 0 ? change(value * scale) / scale : change(value / scale) * scale;
  if (Number.isFinite(made)) return made;
  return digits > 0 ? value : 0;
}
