/** Scalar functions of one row, by canonical name: what they take and how they are computed. */
import { INT64, type SqlType, STRING } from "../../table/types.ts";
import type { BytesVector, CellValue, NumberVector, Vector } from "../../table/vector.ts";
import { cellAt } from "../../table/vector.ts";
import { isWide, utf8, vectorOf } from "../eval/vectors.ts";
import { overflow } from "./arithmetic.ts";
import { lowerCase, upperCase } from "./letter-case.ts";
import { NUMBER_FUNCTIONS } from "./number-functions.ts";
import type { ScalarFunction } from "./scalar.ts";
import { TEXT_FUNCTIONS } from "./text-functions.ts";
import { TIME_FUNCTIONS } from "./time-functions.ts";

export const FUNCTIONS: ReadonlyMap<string, ScalarFunction> = new Map<string, ScalarFunction>([
  ["lower", text(lowerCase)],
  ["upper", text(upperCase)],
  ["length", { args: ["string"], result: () => INT64, apply: ([vector]) => lengths(vector as BytesVector) }],
  [
    "abs",
    {
      args: ["number"],
      result: ([type]) => widened(type!),
      apply: ([vector], type) => absolute(vector!, type),
    },
  ],
  ["floor", rounding(Math.floor)],
  ["ceil", rounding(Math.ceil)],
  ...TEXT_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...TIME_FUNCTIONS,
]);

/** Other names of the same functions. */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ["ceiling", "ceil"],
  ["char_length", "length"],
  ["character_length", "length"],
  ["btrim", "trim"],
  ["lcase", "lower"],
  ["ucase", "upper"],
  ["len", "length"],
  ["substring", "substr"],
  ["instr", "strpos"],
  ["prefix", "starts_with"],
  ["suffix", "ends_with"],
  ["pow", "power"],
  ["dayofmonth", "day"],
  ["dayofweek", "dow"],
  ["weekday", "dow"],
  ["dayofyear", "doy"],
  ["weekofyear", "week"],
  ["datepart", "date_part"],
  ["datetrunc", "date_trunc"],
  ["current_date", "today"],
  ["get_current_timestamp", "now"],
  ["transaction_timestamp", "now"],
  ["st_aswkb", "st_asbinary"],
]);

function text(change: (value: string) => string): ScalarFunction {
  return {
    args: ["string"],
    result: () => STRING,
    apply: ([vector]) => changed(vector as BytesVector, change),
  };
}

/** Each distinct value is changed once: columns of text repeat themselves. */
function changed(vector: BytesVector, change: (value: string) => string): Vector {
  const known = new Map<string, Uint8Array>();
  const cells: CellValue[] = [];
  for (let i = 0; i < vector.length; i++) {
    const value = cellAt(vector, i) as string | null;
    if (value !== null && !known.has(value)) known.set(value, utf8(change(value)));
    cells.push(value === null ? null : known.get(value)!);
  }
  return vectorOf(STRING, cells);
}

/** Code points, which in UTF-8 are the bytes that do not continue one. */
function lengths({ data, starts, ends, nulls, length }: BytesVector): NumberVector {
  const values = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    for (let at = starts[i]!; at < ends[i]!; at++) if ((data[at]! & 0xc0) !== 0x80) values[i]!++;
  }
  return { kind: "number", type: INT64, length, values, nulls };
}

/** -128 is an int8 whose absolute value is not. */
function widened(type: SqlType): SqlType {
  return type.kind === "int" && type.signed ? INT64 : type;
}

function absolute(vector: Vector, type: SqlType): Vector {
  const { length, nulls } = vector;
  if (vector.kind === "number") {
    const values = vector.values.map(Math.abs) as Float64Array;
    const wide =
      isWide(type) && !(values instanceof Float64Array) ? Float64Array.from(vector.values, Math.abs) : values;
    return { kind: "number", type, length, values: wide, nulls };
  }
  const cells = Array.from({ length }, (_, i) => cellAt(vector, i) as bigint | null);
  if (cells.includes(-(2n ** 63n)) && type.kind === "int" && type.signed)
    throw overflow(`abs(${-(2n ** 63n)}) is ${2n ** 63n}`, type);
  return vectorOf(
    type,
    cells.map((cell) => (cell !== null && cell < 0n ? -cell : cell)),
  );
}

/** Of floats; integers are whole already. */
function rounding(change: (value: number) => number): ScalarFunction {
  const apply = (vector: Vector, type: SqlType): Vector => {
    if (vector.type.kind === "int") return vector;
    const { length } = vector;
    const values = Float64Array.from({ length }, (_, i) =>
      change(Number(vector.kind === "bytes" ? 0 : vector.values[i])),
    );
    const nulls = Uint8Array.from(values, (value, i) => (Number.isNaN(value) || vector.nulls?.[i] ? 1 : 0));
    const own = type.kind === "float" && type.bits !== 64 ? Float32Array.from(values) : values;
    return { kind: "number", type, length, values: own, nulls: nulls.includes(1) ? nulls : undefined };
  };
  return {
    args: ["number"],
    result: ([type]) => type!,
    apply: ([vector], type) => apply(vector!, type),
  };
}
