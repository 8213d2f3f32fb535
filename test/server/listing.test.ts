import { describe, expect, it } from "vitest";
import { listingPage } from "../../src/server/listing.ts";

/** As fsspec finds links, without a parser. */
function hrefs(html: string): string[] {
  return [...html.matchAll(/<a\s+(?:[^>]*?\s+)?href=["']([^"']+)/g)].map((match) => match[1]!);
}

describe("a listing", () => {
  it("links each child once, folders with a slash", () => {
    const page = listingPage("/views/x/v3/", "", ["zarr.json", "meta/", "ASCAT A/", "gü+1/"]);
    expect(hrefs(page)).toEqual(["zarr.json", "meta/", "ASCAT A/", "gü+1/"]);
    expect(page).not.toContain("<base");
  });

  it("names its base where the URL has no slash at its end", () => {
    const page = listingPage("/views/x/v3/a%20b", "a b", ["c/"]);
    const base = /<base href="([^"]+)"/.exec(page)![1]!;
    const resolved = new URL(hrefs(page)[0]!, new URL(base, "http://h/views/x/v3/a%20b"));
    expect(resolved.pathname).toBe("/views/x/v3/a%20b/c/");
  });

  it("gives names that look like whole URLs their whole path", () => {
    expect(hrefs(listingPage("/views/x/v3", "", ["https-data/"]))).toEqual(["/views/x/v3/https-data/"]);
    expect(hrefs(listingPage("/views/x/v3/", "", ["http/"]))).toEqual(["/views/x/v3/http/"]);
    expect(hrefs(listingPage("/sql/a%20b/v3/g%C3%BC/50%25", "gü/50%", ["http/", "s1a:x/"]))).toEqual([
      "/sql/a%20b/v3/gü/50%25/http/",
      "/sql/a%20b/v3/gü/50%25/s1a:x/",
    ]);
  });

  it("escapes names", () => {
    const page = listingPage("/v3/", "", [`<img src=x onerror="1">&'/`]);
    expect(page).not.toContain("<img");
    expect(page).toContain("&lt;img src=x onerror=&quot;1&quot;&gt;&amp;&#39;/");
    expect(hrefs(page)).toEqual(["%3Cimg src=x onerror=%221%22%3E%26%27/"]);
  });
});
