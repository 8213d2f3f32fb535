import type { KeyStat, Listing } from "../store.ts";

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * Adds the names of one page of ListObjectsV2 (XML) to `listing`, and the sizes and ETags of objects that have them.
 *
 * @param below the prefix that was asked for, with its slash at the end
 * @returns the token of the next page; `undefined` after the last
 */
export function addListingPage(listing: Listing, xml: string, below: string): string | undefined {
  const encoded = textOf(xml, "EncodingType") === "url";
  const name = (text: string) =>
    (encoded ? decodeURIComponent(text.replaceAll("+", " ")) : text).slice(below.length);
  for (const [, object] of xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
    const key = name(textOf(object!, "Key") ?? below);
    if (key === "") continue;
    listing.keys.push(key);
    const stat = statOf(object!);
    if (!stat) continue;
    listing.stats ??= new Map();
    listing.stats.set(key, stat);
  }
  for (const group of xml.matchAll(/<CommonPrefixes>(.*?)<\/CommonPrefixes>/gs)) {
    const prefix = textOf(group[1]!, "Prefix");
    if (prefix !== undefined) listing.prefixes.push(name(prefix).replace(/\/$/, ""));
  }
  return textOf(xml, "IsTruncated") === "true" ? textOf(xml, "NextContinuationToken") : undefined;
}

function statOf(object: string): KeyStat | undefined {
  const [size, stamp] = [textOf(object, "Size"), textOf(object, "ETag")];
  return size && stamp ? { size: Number(size), stamp } : undefined;
}

function textOf(xml: string, tag: string): string | undefined {
  return textsOf(xml, tag)[0];
}

function textsOf(xml: string, tag: string): string[] {
  return Array.from(xml.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, "gs")), ([, text]) =>
    unescapeXml(text!),
  );
}

function unescapeXml(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, name) =>
    name ? (ENTITIES[name] ?? whole) : String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal)),
  );
}
