import type { SqlType } from "./types.ts";

export type NumberArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** `nulls[i] === 1` where row i is SQL NULL; absent where no row is. A NULL row's value is unspecified. */
export type Nulls = Uint8Array | undefined;

/**
 * bool (0/1), integers, floats (float16 as Float32Array); also int64, uint64, timestamps and durations as
 * Float64Array when every non-NULL value is a safe integer.
 */
export interface NumberVector {
  kind: "number";
  type: SqlType;
  length: number;
  values: NumberArray;
  nulls: Nulls;
}

/** int64, uint64, timestamps and durations, where some value is beyond ±(2^53-1). */
export interface BigVector {
  kind: "bigint";
  type: SqlType;
  length: number;
  values: BigInt64Array | BigUint64Array;
  nulls: Nulls;
}

/** string (UTF-8), bytes, geometry: value i is `data[starts[i]…ends[i])`. `data` is shared, never copied on gather. */
export interface BytesVector {
  kind: "bytes";
  type: SqlType;
  length: number;
  data: Uint8Array;
  starts: Uint32Array;
  ends: Uint32Array;
  nulls: Nulls;
  /** The same values by kind, where there are few: value i is `kinds`' value `codes[i]`. */
  coded?: { codes: Uint8Array; kinds: BytesVector } | undefined;
}

/** One column's values for some rows; the unit everything is computed on. */
export type Vector = NumberVector | BigVector | BytesVector;

/** A JavaScript value of one cell: bigint for 64-bit integers, timestamps and durations, whatever their size. */
export type CellValue = null | boolean | number | bigint | string | Uint8Array;

const decoder = new TextDecoder();

/** Value `i`: strings decoded; WKT geometry is a string, WKB a Uint8Array. */
export function cellAt(vector: Vector, i: number): CellValue {
  if (vector.nulls?.[i]) return null;
  const { type } = vector;
  if (vector.kind === "bytes") {
    const bytes = vector.data.subarray(vector.starts[i], vector.ends[i]);
    const text = type.kind === "string" || (type.kind === "geometry" && type.encoding === "wkt");
    return text ? decoder.decode(bytes) : bytes;
  }
  if (vector.kind === "bigint") return vector.values[i]!;
  if (type.kind === "bool") return vector.values[i] === 1;
  const wide =
    type.kind === "timestamp" || type.kind === "duration" || (type.kind === "int" && type.bits === 64);
  return wide ? BigInt(vector.values[i]!) : vector.values[i]!;
}

/** The rows `rows` (positions in `vector`) of it, in that order. */
export function gather(vector: Vector, rows: Uint32Array): Vector {
  const length = rows.length;
  const nulls = vector.nulls ? pick(vector.nulls, rows) : undefined;
  if (vector.kind === "bytes") {
    const [starts, ends] = [pick(vector.starts, rows), pick(vector.ends, rows)];
    return { ...vector, length, starts, ends, nulls, coded: recoded(vector, (codes) => pick(codes, rows)) };
  }
  return { ...vector, length, values: pick(vector.values as Float64Array, rows), nulls } as Vector;
}

function recoded({ coded }: BytesVector, codes: (of: Uint8Array) => Uint8Array): BytesVector["coded"] {
  return coded && { codes: codes(coded.codes), kinds: coded.kinds };
}

function pick<T extends NumberArray>(values: T, rows: Uint32Array): T {
  const out = new (values.constructor as new (length: number) => T)(rows.length);
  for (let i = 0; i < rows.length; i++) out[i] = values[rows[i]!]!;
  return out;
}

/** Rows `from … to` (exclusive) of it, sharing memory. */
export function slice(vector: Vector, from: number, to: number): Vector {
  const length = to - from;
  const nulls = vector.nulls?.subarray(from, to);
  if (vector.kind === "bytes") {
    return {
      ...vector,
      length,
      starts: vector.starts.subarray(from, to),
      ends: vector.ends.subarray(from, to),
      nulls,
      coded: recoded(vector, (codes) => codes.subarray(from, to)),
    };
  }
  return { ...vector, length, values: vector.values.subarray(from, to) as Float64Array, nulls } as Vector;
}

/** Values of any length one behind the other, as `length` items; those beyond the values are empty. */
export function packBytes(values: readonly Uint8Array[], length: number = values.length) {
  const data = new Uint8Array(values.reduce((sum, value) => sum + value.length, 0));
  const [starts, ends] = [new Uint32Array(length), new Uint32Array(length)];
  let at = 0;
  values.forEach((value, i) => {
    data.set(value, at);
    starts[i] = at;
    at += value.length;
    ends[i] = at;
  });
  return { data, starts, ends };
}
