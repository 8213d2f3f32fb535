/** The texts that a LIKE pattern leaves possible, as a range of their bytes. */
import type { TextRange } from "../../index/api.ts";
import type { LikePattern } from "./like.ts";

/**
 * The bytes that every match begins with.
 *
 * `whole`: whether they are all there is to the pattern: `"equal"` without a wildcard, `"begins"` with one `%` behind them.
 */
export function prefixOf(pattern: LikePattern): {
  prefix: Uint8Array;
  whole: "equal" | "begins" | undefined;
} {
  const end = pattern.findIndex((byte) => byte < 0);
  if (end < 0) return { prefix: Uint8Array.from(pattern), whole: "equal" };
  const begins = end === pattern.length - 1 && pattern[end] === -1;
  return { prefix: Uint8Array.from(pattern.subarray(0, end)), whole: begins ? "begins" : undefined };
}

/** The texts that are `prefix`, or that begin with it. */
export function prefixRange(prefix: Uint8Array, whole: "equal" | "begins" | undefined) {
  if (whole === "equal") return { low: prefix, high: prefix, highInclusive: true } satisfies TextRange;
  return { low: prefix, high: above(prefix), highInclusive: false } satisfies TextRange;
}

/** The least text above all that begin with `prefix`; undefined: there is none. */
function above(prefix: Uint8Array): Uint8Array | undefined {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 255) end--;
  if (end === 0) return undefined;
  const next = prefix.slice(0, end);
  next[end - 1]!++;
  return next;
}
