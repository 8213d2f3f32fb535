/** Byte ranges of RFC 9110, one at a time. */

/** First byte and number of bytes; `unsatisfiable` is answered 416; `undefined`: the whole. */
export type RangeAnswer = { offset: number; length: number } | "unsatisfiable" | undefined;

/**
 * What a Range header asks of a body of `size` bytes. A header of another unit, with several ranges or not of the
 * grammar is ignored, as the RFC allows: the whole body is always a right answer.
 */
export function parseRange(header: string | undefined, size: number): RangeAnswer {
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? "unsatisfiable" : { offset: size - length, length };
  }
  const first = Number(match[1]);
  const last = match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== "" && Number(match[2]) < first) return undefined;
  return first >= size ? "unsatisfiable" : { offset: first, length: last - first + 1 };
}

/** The Content-Range of a 206, or of a 416 where there is no range. */
export function contentRange(range: { offset: number; length: number } | undefined, size: number): string {
  return range ? `bytes ${range.offset}-${range.offset + range.length - 1}/${size}` : `bytes */${size}`;
}
