/** Entity tags: If-None-Match, If-Range, and the tag of a compressed variant (RFC 9110, 8.8.3 and 13.1). */

/** Whether an If-None-Match header names `etag`: the weak comparison; `*` names anything that exists. */
export function noneMatch(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  const tags = header.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.some((tag) => opaque(tag) === opaque(etag));
}

/** Whether a Range may be answered: no If-Range, or one with the very same strong tag. Dates never match. */
export function rangeAllowed(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || (ifRange.trim() === etag && !etag.startsWith("W/"));
}

/** The tag of the gzip variant: other bytes, so another strong tag. */
export function gzipEtag(etag: string): string {
  return `${etag.slice(0, -1)}-gzip"`;
}

function opaque(tag: string): string {
  return tag.startsWith("W/") ? tag.slice(2) : tag;
}
