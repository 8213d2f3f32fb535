import type { ReadOptions } from "../store/store.ts";
import { crc32c } from "../zarr/codecs/crc32c.ts";
import { typeString } from "./arrays.ts";
import { type IndexReads, PagedArray, unusable } from "./pages.ts";

/** Types of index arrays, and what holds their elements. */
interface Arrays {
  uint8: Uint8Array;
  int32: Int32Array;
  uint32: Uint32Array;
  float32: Float32Array;
  float64: Float64Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
}

export type ElementType = keyof Arrays;

const CLASSES = {
  uint8: Uint8Array,
  int32: Int32Array,
  uint32: Uint32Array,
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
};

/** Bytes as elements, without a copy where that can be. */
export function elements<T extends ElementType>(bytes: Uint8Array, type: T): Arrays[T] {
  const Class = CLASSES[type];
  const size = Class.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new Class(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.length / size) as Arrays[T];
}

/** Bytes of one element. */
export const elementBytes = (type: ElementType): number => CLASSES[type].BYTES_PER_ELEMENT;

/**
 * A small array, read whole.
 *
 * @param sum crc32c of its bytes, as the record has it
 * @throws ZarrsiftError `index_unusable`
 */
export async function readWhole<T extends ElementType>(
  reads: IndexReads,
  path: string,
  type: T,
  length: number,
  sum: number | undefined,
  options: ReadOptions = {},
): Promise<Arrays[T]> {
  const array = await PagedArray.open(reads, path, { ...options, length });
  checkType(array, type);
  const bytes = await array.bytes(0, array.byteLength, options);
  if (crc32c(bytes) !== sum) {
    array.forget();
    throw unusable(path, "it does not have its checksum");
  }
  return elements(bytes, type);
}

/** @throws ZarrsiftError `index_unusable` where the array's elements are of another type */
export function checkType(array: PagedArray, type: ElementType): void {
  const own = typeString(array.meta.dataType);
  if (own !== type) throw unusable(array.path, `its elements are ${own}, not ${type}`);
}
