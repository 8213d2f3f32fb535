export type NumericData =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/**
 * Elements of numbers, in C order: bool as Uint8Array of 0 and 1, float16 as Float32Array, datetime64 and
 * timedelta64 as BigInt64Array, complex as pairs (real, imaginary) of its parts.
 */
export interface FixedChunk {
  data: NumericData;
}

/**
 * Elements that are strings (UTF-8) or bytes, in C order: element i is `data[starts[i]…ends[i])`. Elements may
 * share bytes, and `data` may hold more than they use. Padding of fixed-length strings and bytes is cut off.
 */
export interface VariableChunk {
  data: Uint8Array;
  starts: Uint32Array;
  ends: Uint32Array;
}

/** Decoded elements of a whole chunk, the padding of edge chunks included. Read-only: it may share a cache's memory. */
export type ChunkData = FixedChunk | VariableChunk;

/** Typed array for `length` elements of the same type as `like` holds. */
export function newLike<T extends NumericData>(like: T, length: number): T {
  return new (like.constructor as new (length: number) => T)(length);
}
