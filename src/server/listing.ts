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
 * @param children names, folders with a slash at their end
 */
export function listingPage(path: string, children: readonly string[]): string {
  const last = path.slice(path.lastIndexOf("/") + 1);
  const base = last === "" ? "" : `<base href="${escapeHtml(last)}/">`;
  const items = children.map(
    (name) => `<li><a href="${escapeHtml(hrefOf(path, name))}">${escapeHtml(name)}</a></li>`,
  );
  return [
    "<!doctype html>",
    `<html lang="en"><head><meta charset="utf-8">${base}<title>Zarr</title></head><body><ul>`,
    ...items,
    "</ul></body></html>",
    "",
  ].join("\n");
}

/** fsspec takes whatever begins with "http" for a whole URL, so such a name gets its whole path. */
function hrefOf(path: string, name: string): string {
  const folder = name.endsWith("/") ? "/" : "";
  const href = encodeURIComponent(folder ? name.slice(0, -1) : name) + folder;
  return href.startsWith("http") ? `${path.replace(/\/$/, "")}/${href}` : href;
}
