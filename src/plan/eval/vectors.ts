/** Making and joining vectors. */
import { joined } from "../../joined.ts";
import type { SqlType } from "../../table/types.ts";
import {
  type BytesVector,
  type CellValue,
  gather,
  type Nulls,
  type NumberArray,
  type NumberVector,
  packBytes,
  type Vector,
} from "../../table/vector.ts";

const encoder = new TextEncoder();

/** UTF-8 of a string. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** Whether values of this type are held as bytes. */
export function isBytes(type: SqlType): boolean {
  return type.kind === "string" || type.kind === "bytes" || type.kind === "geometry";
}

/** Whether values of this type may need 64-bit integers. */
export function isWide(type: SqlType): boolean {
  return type.kind === "timestamp" || type.kind === "duration" || (type.kind === "int" && type.bits === 64);
}

/** Cells as a vector; `bigint`s beyond ±(2^53-1) make it a BigVector. */
export function vectorOf(type: SqlType, cells: readonly CellValue[]): Vector {
  const length = cells.length;
  const nulls = cells.includes(null) ? Uint8Array.from(cells, (cell) => (cell === null ? 1 : 0)) : undefined;
  if (isBytes(type)) return bytesVector(type, cells, nulls);
  const unsafe = (cell: CellValue) => typeof cell === "bigint" && !Number.isSafeInteger(Number(cell));
  if (cells.some(unsafe)) {
    const unsigned = type.kind === "int" && !type.signed;
    const whole = cells.map((cell) => BigInt((cell as bigint | null) ?? 0));
    const values = unsigned ? BigUint64Array.from(whole) : BigInt64Array.from(whole);
    return { kind: "bigint", type, length, values, nulls };
  }
  const values = arrayFor(type, length);
  for (let i = 0; i < length; i++) values[i] = Number(cells[i]);
  return { kind: "number", type, length, values, nulls };
}

/** A zeroed array that holds any value of a number type, 64-bit integers as doubles. */
export function arrayFor(type: SqlType, length: number): NumberArray {
  if (type.kind === "bool") return new Uint8Array(length);
  if (type.kind === "float") return type.bits === 64 ? new Float64Array(length) : new Float32Array(length);
  if (type.kind !== "int" || type.bits === 64) return new Float64Array(length);
  const arrays = type.signed
    ? { 8: Int8Array, 16: Int16Array, 32: Int32Array }
    : { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array };
  return new arrays[type.bits](length);
}

function bytesVector(type: SqlType, cells: readonly CellValue[], nulls: Nulls): BytesVector {
  const parts = cells.map((cell) =>
    typeof cell === "string" ? utf8(cell) : ((cell as Uint8Array | null) ?? new Uint8Array()),
  );
  return { kind: "bytes", type, length: parts.length, ...packBytes(parts), nulls };
}

/** One cell repeated. */
export function repeat(type: SqlType, cell: CellValue, length: number): Vector {
  const one = vectorOf(type, [cell]);
  return length === 1 ? one : gather(one, new Uint32Array(length));
}

/** Vectors of one type as one. Where some are `bigint` and some `number`, all become `bigint`. */
export function concat(type: SqlType, parts: readonly Vector[]): Vector {
  if (parts.length === 0) return vectorOf(type, []);
  if (parts.length === 1) return parts[0]!;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const nulls = concatNulls(parts, length);
  if (parts[0]!.kind === "bytes") return concatBytes(type, parts as BytesVector[], length, nulls);
  const big = parts.find((part) => part.kind === "bigint");
  if (big) return concatBig(type, parts, length, nulls, big.values as BigInt64Array);
  const numbers = (parts as NumberVector[]).map((part) => part.values);
  const values = joined(numbers, new (numbers[0]!.constructor as Float64ArrayConstructor)(length));
  return { kind: "number", type, length, values, nulls };
}

function concatNulls(parts: readonly Vector[], length: number): Nulls {
  if (!parts.some((part) => part.nulls)) return undefined;
  const nulls = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    if (part.nulls) nulls.set(part.nulls, at);
    at += part.length;
  }
  return nulls;
}

function concatBig(
  type: SqlType,
  parts: readonly Vector[],
  length: number,
  nulls: Nulls,
  like: BigInt64Array,
): Vector {
  const values = new (like.constructor as BigInt64ArrayConstructor)(length);
  let at = 0;
  for (const part of parts) {
    if (part.kind === "bigint") values.set(part.values as BigInt64Array, at);
    else values.set(asBigs(part as NumberVector), at);
    at += part.length;
  }
  return { kind: "bigint", type, length, values, nulls };
}

function asBigs({ values, nulls, length }: NumberVector): bigint[] {
  return Array.from({ length }, (_, i) => (nulls?.[i] ? 0n : BigInt(values[i]!)));
}

function concatBytes(type: SqlType, parts: readonly BytesVector[], length: number, nulls: Nulls): Vector {
  const compacted = parts.map(compact);
  const data = new Uint8Array(compacted.reduce((sum, part) => sum + part.data.length, 0));
  const [starts, ends] = [new Uint32Array(length), new Uint32Array(length)];
  let [row, offset] = [0, 0];
  for (const part of compacted) {
    data.set(part.data, offset);
    for (let i = 0; i < part.length; i++, row++) {
      starts[row] = part.starts[i]! + offset;
      ends[row] = part.ends[i]! + offset;
    }
    offset += part.data.length;
  }
  return { kind: "bytes", type, length, data, starts, ends, nulls };
}

/** The same values without the bytes that none of them uses, where those are most of the buffer. */
export function compact(vector: BytesVector): BytesVector {
  const { length, starts, ends, nulls } = vector;
  let used = 0;
  for (let i = 0; i < length; i++) if (!nulls?.[i]) used += ends[i]! - starts[i]!;
  if (used * 2 > vector.data.length) return vector;
  const data = new Uint8Array(used);
  const [newStarts, newEnds] = [new Uint32Array(length), new Uint32Array(length)];
  let at = 0;
  for (let i = 0; i < length; i++) {
    newStarts[i] = at;
    if (!nulls?.[i]) {
      data.set(vector.data.subarray(starts[i], ends[i]), at);
      at += ends[i]! - starts[i]!;
    }
    newEnds[i] = at;
  }
  return { ...vector, data, starts: newStarts, ends: newEnds, coded: undefined };
}
