import { ZarrsiftError } from "../errors.ts";
import type { ByteRange } from "./store.ts";

/** A range with both ends known. */
export interface Span {
  offset: number;
  length: number;
}

/**
 * Where `range` lies in a value of `size` bytes.
 *
 * @param where the value's name, for the message
 * @throws ZarrsiftError `source_unreadable` where it is not wholly inside; a suffix always is
 */
export function spanOf(range: ByteRange, size: number, where: string): Span {
  if ("suffixLength" in range) {
    const length = Math.min(range.suffixLength, size);
    return { offset: size - length, length };
  }
  if (range.offset + range.length <= size) return range;
  throw outOfRange(range, size, where);
}

/** The bytes of `range`: a view of `bytes`, not a copy. Errors as `spanOf`. */
export function takeRange(bytes: Uint8Array, range: ByteRange, where: string): Uint8Array {
  const { offset, length } = spanOf(range, bytes.length, where);
  return bytes.subarray(offset, offset + length);
}

/** Whether nothing is asked for. */
export function isEmptyRange(range: ByteRange): boolean {
  return ("suffixLength" in range ? range.suffixLength : range.length) === 0;
}

/** The error for a range that reaches beyond the end. */
export function outOfRange(range: Span, size: number | undefined, where: string): ZarrsiftError {
  const has = size === undefined ? "fewer" : size;
  return new ZarrsiftError(
    "source_unreadable",
    `${where} has ${has} bytes, bytes ${range.offset} to ${range.offset + range.length} were asked for: ` +
      "it is cut short, or the metadata that names these bytes is out of date",
    { details: { offset: range.offset, length: range.length } },
  );
}
