import type { Listing } from "../store.ts";

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * The children that an index page links to, as nginx, Apache, Python's http.server and our own server write them:
 * an `<a href>` each, folders with a slash at their end. Whatever is not directly below the page (parents, sort
 * links, other sites) is left out.
 *
 * @param url where the page is
 */
export function parseListing(html: string, url: string): Listing {
  const page = baseOf(html, url);
  const keys = new Set<string>();
  const prefixes = new Set<string>();
  for (const [, quoted, single, bare] of html.matchAll(
    /<a\s[^>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/gi,
  )) {
    const name = childName(unescapeHtml(quoted ?? single ?? bare ?? ""), page);
    if (name?.endsWith("/")) prefixes.add(name.slice(0, -1));
    else if (name) keys.add(name);
  }
  return { keys: [...keys].sort(), prefixes: [...prefixes].sort() };
}

/** What links are relative to: the page's URL up to its last slash, or what it says itself. */
function baseOf(html: string, url: string): URL {
  const base = /<base\s[^>]*?\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(html);
  return new URL(".", new URL(unescapeHtml(base?.[1] ?? base?.[2] ?? ""), url));
}

/** The name below `page`, with its slash if it has one; `undefined` for a link to anything else. */
function childName(href: string, page: URL): string | undefined {
  if (href === "" || href.startsWith("#") || href.includes("?") || !URL.canParse(href, page.href))
    return undefined;
  const target = new URL(href, page);
  if (target.origin !== page.origin || !target.pathname.startsWith(page.pathname)) return undefined;
  const rest = target.pathname.slice(page.pathname.length);
  if (!/^[^/]+\/?$/.test(rest)) return undefined;
  const name = decode(rest.replace(/\/$/, ""));
  return name === undefined || name.includes("/") ? undefined : name + (rest.endsWith("/") ? "/" : "");
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function unescapeHtml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name) return ENTITIES[name.toLowerCase()] ?? whole;
    const point = hex ? Number.parseInt(hex, 16) : Number(decimal);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}
