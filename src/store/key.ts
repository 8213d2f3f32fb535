import { ZarrsiftError } from "../errors.ts";

/** What no segment of a key may be or hold: "..", ".", nothing, NUL, half a surrogate pair. */
const BAD_SEGMENT = /^\.{0,2}$|\0|\p{Surrogate}/u;

/**
 * The segments of a key, checked: no key leads out of its store.
 *
 * @throws ZarrsiftError `bad_request`
 */
export function keySegments(key: string): string[] {
  const segments = key.split("/");
  if (!segments.some((segment) => BAD_SEGMENT.test(segment))) return segments;
  throw new ZarrsiftError(
    "bad_request",
    `${JSON.stringify(key)} is not a key: expected names with single slashes between, none of them "." or ".."`,
    { details: { key } },
  );
}

/** The segments of a prefix: as a key, or "" for the root. */
export function prefixSegments(prefix: string): string[] {
  return prefix === "" ? [] : keySegments(prefix);
}

/** Whether a name may be a segment of a key. */
export function isSegment(name: string): boolean {
  return !BAD_SEGMENT.test(name) && !name.includes("/");
}
