/** LIKE: `%` is any run of code points, `_` is one; nothing escapes unless ESCAPE says so, as in DuckDB. */
import { ZarrsiftError } from "../../errors.ts";
import { shown } from "../../sql/messages.ts";
import type { BytesVector } from "../../table/vector.ts";
import { testTexts } from "./texts.ts";
import { type Truth, withNulls } from "./truth.ts";
import { utf8 } from "./vectors.ts";

const [ANY, ONE] = [-1, -2] as const;

/** A pattern as bytes to match, with ANY and ONE among them. */
export type LikePattern = Int16Array;

/**
 * Reads a pattern.
 * @throws ZarrsiftError `sql_type` where it ends in its escape character
 */
export function likePattern(text: string, escaping: string | undefined): LikePattern {
  const out: number[] = [];
  const letters = [...text];
  for (let i = 0; i < letters.length; i++) {
    const letter = letters[i]!;
    if (letter === escaping) {
      i++;
      if (i === letters.length)
        throw new ZarrsiftError("sql_type", `The LIKE pattern '${shown(text)}' ends in its escape character`);
      out.push(...utf8(letters[i]!));
    } else if (letter === "%") {
      if (out.at(-1) !== ANY) out.push(ANY);
    } else if (letter === "_") out.push(ONE);
    else out.push(...utf8(letter));
  }
  return Int16Array.from(out);
}

/** Whether each value matches `pattern`. */
export const matchesLike = (vector: BytesVector, pattern: LikePattern): Truth =>
  testTexts(vector, (values) => matchEach(values, pattern));

function matchEach(vector: BytesVector, pattern: LikePattern): Truth {
  const truth = new Uint8Array(vector.length);
  for (let i = 0; i < truth.length; i++) {
    truth[i] = matches(vector.data, vector.starts[i]!, vector.ends[i]!, pattern) ? 1 : 0;
  }
  return withNulls(truth, vector.nulls);
}

/** Greedy with one point to go back to: a later `%` makes earlier ones irrelevant. */
export function matches(data: Uint8Array, start: number, end: number, pattern: LikePattern): boolean {
  let [at, p] = [start, 0];
  let [retryAt, retryPattern] = [-1, -1];
  while (at < end || p < pattern.length) {
    const want = pattern[p];
    if (want === ANY) {
      p++;
      [retryPattern, retryAt] = [p, at];
    } else if (at < end && want === ONE) {
      at = nextLetter(data, at, end);
      p++;
    } else if (at < end && want === data[at]) {
      at++;
      p++;
    } else if (retryPattern >= 0 && retryAt < end) {
      retryAt = nextLetter(data, retryAt, end);
      [at, p] = [retryAt, retryPattern];
    } else return false;
  }
  return true;
}

/** Where the code point after the one at `at` begins. */
function nextLetter(data: Uint8Array, at: number, end: number): number {
  let next = at + 1;
  while (next < end && (data[next]! & 0xc0) === 0x80) next++;
  return next;
}
