import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { gzipEtag, noneMatch, rangeAllowed } from "../../src/server/conditional.ts";
import { acceptsGzip, gzipped } from "../../src/server/encoding.ts";
import { contentRange, parseRange } from "../../src/server/ranges.ts";

describe("Range", () => {
  it.each([
    ["bytes=0-0", { offset: 0, length: 1 }],
    ["bytes=2-4", { offset: 2, length: 3 }],
    ["bytes=7-", { offset: 7, length: 3 }],
    ["bytes=7-100", { offset: 7, length: 3 }],
    ["bytes=-4", { offset: 6, length: 4 }],
    ["bytes=-100", { offset: 0, length: 10 }],
    [" Bytes = 1-2 ", { offset: 1, length: 2 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=10-20", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=4-2", undefined],
    ["bytes=0-1,4-5", undefined],
    ["bytes=-", undefined],
    ["bytes=a-b", undefined],
    ["items=0-1", undefined],
    [undefined, undefined],
  ])("%s of 10 bytes", (header, expected) => {
    expect(parseRange(header, 10)).toEqual(expected);
  });

  it("of nothing lies outside", () => {
    expect(parseRange("bytes=0-", 0)).toBe("unsatisfiable");
    expect(parseRange("bytes=-5", 0)).toBe("unsatisfiable");
  });

  it("is announced", () => {
    expect(contentRange({ offset: 6, length: 4 }, 10)).toBe("bytes 6-9/10");
    expect(contentRange(undefined, 10)).toBe("bytes */10");
  });
});

describe("entity tags", () => {
  it.each([
    ['"a"', true],
    ['W/"a"', true],
    ['"x", "a"', true],
    ['"x,y","a"', true],
    ["*", true],
    ['"b"', false],
    ["a", false],
    ["", false],
    [undefined, false],
  ])("If-None-Match %s", (header, expected) => {
    expect(noneMatch(header, '"a"')).toBe(expected);
  });

  it.each([
    [undefined, true],
    ['"a"', true],
    ['W/"a"', false],
    ['"b"', false],
    ["Wed, 21 Oct 2015 07:28:00 GMT", false],
  ])("If-Range %s", (header, expected) => {
    expect(rangeAllowed(header, '"a"')).toBe(expected);
  });

  it("differ for other bytes", () => {
    expect(gzipEtag('"a"')).toBe('"a-gzip"');
  });
});

describe("Accept-Encoding", () => {
  it.each([
    ["gzip", true],
    ["gzip, deflate", true],
    ["deflate, GZIP;q=0.5", true],
    ["*", true],
    ["gzip;q=0", false],
    ["*;q=0", false],
    ["gzip;q=0, *", false],
    ["identity", false],
    ["gzip;q=0.5, identity;q=0.9", false],
    ["br", false],
    ["", false],
    [undefined, false],
  ])("%s", (header, expected) => {
    expect(acceptsGzip(header)).toBe(expected);
  });

  it("is served only where it saves bytes", async () => {
    const text = Buffer.from(JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ i }))));
    const small = await gzipped(text);
    expect(small!.length).toBeLessThan(text.length / 2);
    expect(gunzipSync(small!).equals(text)).toBe(true);
    expect(await gzipped(Buffer.from("{}"))).toBeUndefined();
  });
});
