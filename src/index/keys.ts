/** Keys of ordered and category indexes: which type a column's are stored as, and how they order. */
import type { SqlType } from "../table/types.ts";
import type { Key } from "./api.ts";
import type { SortKeys } from "./sort.ts";

/** Keys that are numbers: stored as elements of these types. */
export type NumberKeyType = "uint8" | "int32" | "uint32" | "float32" | "float64" | "int64" | "uint64";
export type KeyArray =
  | Uint8Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** How keys of a column are stored; `undefined`: columns of this type have no ordered or category index. */
export function keyTypeOf(type: SqlType): NumberKeyType | "text" | undefined {
  switch (type.kind) {
    case "bool":
      return "uint8";
    case "int":
      return type.bits === 64 ? (type.signed ? "int64" : "uint64") : type.signed ? "int32" : "uint32";
    case "float":
      return type.bits === 64 ? "float64" : "float32";
    case "timestamp":
    case "duration":
      return "int64";
    case "string":
    case "bytes":
      return "text";
    default:
      return undefined;
  }
}

const CLASSES = {
  uint8: Uint8Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** An array for so many keys of a type. */
export function keyArray(type: NumberKeyType, length: number): KeyArray {
  return new CLASSES[type](length);
}

/** How many of `keys`, which ascend, are below `key` (not above it, for `inclusive`). Numbers and bigints mix exactly. */
export function countBelow(keys: KeyArray, key: Key, inclusive: boolean, from = 0, to = keys.length): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = keys[middle]!;
    if (inclusive ? value <= key : value < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Keys as unsigned integers that order as they do. */
export function sortKeys(keys: KeyArray): SortKeys {
  const { length } = keys;
  if (keys.BYTES_PER_ELEMENT < 8) return { low: narrowKeys(keys) };
  const words = new Uint32Array(keys.buffer, keys.byteOffset, 2 * length);
  const [low, high] = [new Uint32Array(length), new Uint32Array(length)];
  const float = keys instanceof Float64Array;
  const flip = keys instanceof BigUint64Array ? 0 : 0x80000000;
  for (let i = 0; i < length; i++) {
    const a = words[2 * i]!;
    const b = words[2 * i + 1]!;
    const negative = float && b >>> 31 === 1;
    low[i] = negative ? ~a : a;
    high[i] = negative ? ~b : b ^ flip;
  }
  return { low, high };
}

/** What `sortKeys` was made from: into `keys`, which may have held them in another order. */
export function unsortKeys({ low, high }: SortKeys, keys: KeyArray): void {
  if (!high) {
    unsortNarrow(low, keys);
    return;
  }
  const words = new Uint32Array(keys.buffer, keys.byteOffset, 2 * keys.length);
  const float = keys instanceof Float64Array;
  const flip = keys instanceof BigUint64Array ? 0 : 0x80000000;
  for (let i = 0; i < low.length; i++) {
    const b = high[i]!;
    const negative = float && b >>> 31 === 0;
    words[2 * i] = negative ? ~low[i]! : low[i]!;
    words[2 * i + 1] = negative ? ~b : b ^ flip;
  }
}

function unsortNarrow(low: Uint32Array, keys: KeyArray): void {
  if (keys instanceof Uint8Array || keys instanceof Uint32Array) {
    keys.set(low);
    return;
  }
  const words = new Uint32Array(keys.buffer, keys.byteOffset, keys.length);
  const float = keys instanceof Float32Array;
  for (let i = 0; i < low.length; i++) {
    const a = low[i]!;
    words[i] = float && a >>> 31 === 0 ? ~a : a ^ 0x80000000;
  }
}

function narrowKeys(keys: KeyArray): Uint32Array {
  if (keys instanceof Uint8Array || keys instanceof Uint32Array) return Uint32Array.from(keys);
  const words = new Uint32Array(keys.buffer, keys.byteOffset, keys.length);
  const low = new Uint32Array(keys.length);
  const float = keys instanceof Float32Array;
  for (let i = 0; i < keys.length; i++) {
    const a = words[i]!;
    low[i] = float && a >>> 31 === 1 ? ~a : a ^ 0x80000000;
  }
  return low;
}
