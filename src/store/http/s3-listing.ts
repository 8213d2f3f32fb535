import type { Listing } from "../store.ts";

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/**
 * Adds the names of one page of ListObjectsV2 (XML) to `listing`.
 *
 * @param below the prefix that was asked for, with its slash at the end
 * @returns the token of the next page; `undefined` after the last
 */
export function addListingPage(listing: Listing, xml: string, below: string): string | undefined {
  const encoded = textOf(xml, "EncodingType") === "url";
  const name = (text: string) =>
    (encoded ? decodeURIComponent(text.replaceAll("+", " ")) : text).slice(below.length);
  for (const key of textsOf(xml, "Key")) if (name(key) !== "") listing.keys.push(name(key));
  for (const group of xml.matchAll(/<CommonPrefixes>(.*?)<\/CommonPrefixes>/gs)) {
    const prefix = textOf(group[1]!, "Prefix");
    if (prefix !== undefined) listing.prefixes.push(name(prefix).replace(/\/$/, ""));
  }
  return textOf(xml, "IsTruncated") === "true" ? textOf(xml, "NextContinuationToken") : undefined;
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
