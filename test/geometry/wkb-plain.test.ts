import { describe, expect, it } from "vitest";
import { plainWkb } from "../../src/geometry/wkb-plain.ts";
import { parseWkb } from "../../src/geometry/wkb-read.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { writeWkt } from "../../src/geometry/wkt-write.ts";

const SHAPES = [
  "POINT(1 2)",
  "LINESTRING(0 0,1 1)",
  "LINESTRING EMPTY",
  "POLYGON((0 0,1 0,1 1,0 0),(0.2 0.1,0.3 0.1,0.3 0.2,0.2 0.1))",
  "POLYGON EMPTY",
  "MULTIPOINT(1 2,3 4)",
  "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))",
  "GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION(LINESTRING(0 0,1 1)))",
];

/** The bytes in a larger buffer, `at` the fifth. */
const within = (bytes: Uint8Array) => Uint8Array.of(9, 9, 9, 9, 9, ...bytes, 9);

describe("plain WKB", () => {
  it.each(SHAPES)("stays as it is: %s", (text) => {
    const bytes = writeWkb(parseWkt(text));
    expect(plainWkb(within(bytes), 5, 5 + bytes.length)).toBeUndefined();
  });

  it.each([...SHAPES, "POINT EMPTY", "POINT Z (1 2 3)", "POLYGON M ((0 0 1,1 0 1,1 1 1,0 0 1))"])(
    "comes of padded WKB and of EWKB: %s",
    (text) => {
      const bytes = writeWkb(parseWkt(text));
      const padded = Uint8Array.of(...bytes, 0, 0, 0);
      expect(plainWkb(within(padded), 5, 5 + padded.length)).toEqual(bytes);
      const ewkb = Uint8Array.of(...bytes.subarray(0, 5), 0xe6, 0x10, 0, 0, ...bytes.subarray(5));
      new DataView(ewkb.buffer).setUint8(4, 0x20);
      expect(plainWkb(ewkb, 0, ewkb.length)).toEqual(bytes);
    },
  );

  it("has closed rings", () => {
    const open = writeWkb({ type: "Polygon", layout: "XY", rings: [Float64Array.of(0, 0, 1, 0, 1, 1)] });
    const plain = plainWkb(open, 0, open.length)!;
    expect(writeWkt(parseWkb(plain))).toBe("POLYGON((0 0,1 0,1 1,0 0))");
  });

  it("is an error where bytes are cut, wherever", () => {
    const bytes = writeWkb(parseWkt("MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))"));
    for (let end = 0; end < bytes.length; end++) expect(() => plainWkb(bytes, 0, end)).toThrow();
  });
});
