/** Directory listings as `text/html`, one `<a href>` per child: how clients list over plain HTTP. */

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it is written in HTML, in attributes too. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/**
 * The page of a group or array.
 *
 * Links are relative, so that they hold behind any proxy. fsspec joins them to the URL it asked for, slash or not;
 * everyone else resolves them against the last slash, so a page asked for without one names its base.
 *
 * @param path raw path of the request, without query
 * @param key what it leads to, decoded; "" is the root
 * @param children names, folders with a slash at their end
 */
export function listingPage(path: string, key: string, children: readonly string[]): string {
  const last = path.slice(path.lastIndexOf("/") + 1);
  const base = last === "" ? "" : `<base href="${escapeHtml(last)}/">`;
  // In these words GDAL knows a listing, and whose.
  const title = `Index of ${path.replace(/\/$/, "")}`;
  const folder = folderOf(path, key);
  const items = children.map((name) => {
    const href = WHOLE_URL.test(name) ? `${folder}/${written(name)}` : written(name);
    return `<li><a href="${escapeHtml(href)}">${escapeHtml(name)}</a></li>`;
  });
  return [
    "<!doctype html>",
    `<html lang="en"><head><meta charset="utf-8">${base}<title>${escapeHtml(title)}</title></head><body><ul>`,
    ...items,
    "</ul></body></html>",
    "",
  ].join("\n");
}

/** Names that a link may not begin with: fsspec takes "http…" for a whole URL, browsers whatever has a scheme. */
const WHOLE_URL = /^(?:http|[a-z][a-z\d+.-]*:)/i;

/**
 * A name as it stands in a link. fsspec takes links for names, decoding neither percent-encoding nor entities, so
 * only what would end the link or lead elsewhere is encoded.
 */
function written(name: string): string {
  return name.replace(
    /[%#?&<>"'\\]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The path of a folder whose key is written as in links, which is how fsspec knows it. */
function folderOf(path: string, key: string): string {
  const segments = path.replace(/\/$/, "").split("/");
  const below = key === "" ? [] : key.split("/").map(written);
  return [...segments.slice(0, segments.length - below.length), ...below].join("/");
}
