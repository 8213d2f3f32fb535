/** What is special about reading in a web page or its workers: they have an origin, and a cache lies between. */

/** The page's, `undefined` elsewhere. */
const ORIGIN = (globalThis as { location?: Location }).location?.origin;

/**
 * Whether the page reads `url` across origins. There a range from the end wants the server's leave first, by a request
 * of another method (Fetch, 2.2.2: only ranges with a start are safelisted), which plain file servers do not answer.
 */
export function isCrossOrigin(url: string): boolean {
  return ORIGIN !== undefined && new URL(url).origin !== ORIGIN;
}

/**
 * How a page's HTTP cache takes part. Whole values are kept there but always compared with the server: by default
 * what carries no date of expiry counts as fresh for days, and chunks from before and after a change would mix.
 * Ranges pass it by: Chromium's cache lets one request at a time read or write what it has of a URL.
 */
export function cacheMode(headers: Record<string, string>): { cache?: RequestCache } {
  if (ORIGIN === undefined) return {};
  return { cache: "Range" in headers ? "no-store" : "no-cache" };
}

let heard = Number.NEGATIVE_INFINITY;

/** To be told whenever something came, from whichever server. */
export function hear(): void {
  if (ORIGIN !== undefined) heard = performance.now();
}

/**
 * Milliseconds since a page heard of any server. A browser sends six requests to a server at once over HTTP/1.1: that
 * nothing comes for one that waits in line is no sign of a server that hangs, as long as others are answered.
 */
export const silence = (): number => performance.now() - heard;

/** What to look at where a page's request failed: browsers tell scripts no more than that it did. */
export function failureHint(url: string): string {
  if (!isCrossOrigin(url)) return "";
  return `. Is it up, and does it allow ${ORIGIN} to read, with Access-Control-Allow-Origin on every answer, 404 too (CORS)?`;
}
