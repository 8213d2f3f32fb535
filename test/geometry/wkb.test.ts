import { describe, expect, it } from "vitest";
import { isZarrsiftError } from "../../src/errors.ts";
import type { Geometry } from "../../src/geometry/geometry.ts";
import { boundingBox, isEmpty, point } from "../../src/geometry/geometry.ts";
import { prepare } from "../../src/geometry/prepare.ts";
import { looksLikeWkb, looksLikeWkt } from "../../src/geometry/sniff.ts";
import { wkbBox, wkbIsBox } from "../../src/geometry/wkb-box.ts";
import { parseWkb } from "../../src/geometry/wkb-read.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { writeWkt } from "../../src/geometry/wkt-write.ts";
import { random } from "./random.ts";

const EVERY_KIND = [
  "POINT(1 2)",
  "POINT Z (1 2 3)",
  "LINESTRING(0 0,1.5 -2,3 4)",
  "POLYGON((0 0,0 10,10 10,0 0),(1 2,2 4,1 4,1 2))",
  "MULTIPOINT((1 2),(3 4))",
  "MULTILINESTRING((0 0,1 1),(2 2,3 3,4 2))",
  "MULTIPOLYGON M (((0 0 1,0 1 2,1 1 3,0 0 1)),((5 5 1,5 6 2,6 6 3,5 5 1)))",
  "GEOMETRYCOLLECTION(POINT(1 2),GEOMETRYCOLLECTION(LINESTRING(0 0,-7 1)))",
  "POLYGON ZM ((0 0 1 2,0 1 1 2,1 1 1 2,0 0 1 2))",
];
const box = new Float64Array(4);
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const boxOf = (data: Uint8Array) => (wkbBox(data, 0, data.length, box) ? [...box] : undefined);

/** What reading gives: the geometry, or the code of the error. */
function tried<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    if (!isZarrsiftError(error)) throw error;
    return error.code;
  }
}

describe("WKB", () => {
  it.each(EVERY_KIND)("keeps %s as it is", (wkt) => {
    expect(writeWkt(parseWkb(writeWkb(parseWkt(wkt))))).toBe(wkt);
  });

  it("reads EWKB with an SRID and dimensions in the high bits", () => {
    expect(writeWkt(parseWkb(bytes("0101000020E6100000000000000000F03F0000000000000040")))).toBe(
      "POINT(1 2)",
    );
    expect(
      writeWkt(parseWkb(bytes("00A0000001000010E63FF000000000000040000000000000004008000000000000"))),
    ).toBe("POINT Z (1 2 3)");
    expect(
      writeWkt(parseWkb(bytes("0101000060E6100000000000000000F03F00000000000000400000000000000840"))),
    ).toBe("POINT M (1 2 3)");
    expect(boxOf(bytes("0101000020E6100000000000000000F03F0000000000000040"))).toEqual([1, 2, 1, 2]);
  });

  it("refuses other coordinate systems, types and byte orders, saying where", () => {
    const cases: [string, RegExp][] = [
      [
        "0101000020110F0000000000000000F03F0000000000000040",
        /byte 5: SRID 3857; geometry must be in EPSG:4326/,
      ],
      ["010800000000000000", /byte 1: type 8 is none of Point/],
      ["0201000000", /byte 0: byte order is 2/],
      ["01A10F000000000000", /byte 1: type 4001/],
      ["0101000000000000000000F07F0000000000000040", /byte 5: coordinate.* Infinity/],
      ["0101000000000000000000F03F000000000000F87F", /coordinate.* NaN/],
      [
        "01040000000100000001020000000000000000",
        /a LineString where a Point belongs|type 2 inside a multi-geometry of type 4|more than the bytes/,
      ],
      ["0102000000FFFFFFFF", /byte 5: a count of 4294967295, more than the bytes/],
    ];
    for (const [hex, message] of cases) {
      expect(() => parseWkb(bytes(hex))).toThrow(message);
      expect(() => boxOf(bytes(hex))).toThrow(message);
    }
  });

  it("refuses a part of the wrong type", () => {
    const wrong = bytes("0104000000010000000102000000000000000000000000000000");
    expect(() => parseWkb(wrong)).toThrow(/byte 9: a LineString where a Point belongs/);
    expect(() => boxOf(wrong)).toThrow(/byte 10: type 2 inside a multi-geometry of type 4/);
  });

  it("knows empty geometries", () => {
    const empty = [
      "POINT EMPTY",
      "LINESTRING EMPTY",
      "POLYGON EMPTY",
      "MULTIPOINT EMPTY",
      "GEOMETRYCOLLECTION EMPTY",
      "GEOMETRYCOLLECTION(POINT EMPTY,MULTIPOLYGON EMPTY)",
    ];
    for (const wkt of empty) {
      const data = writeWkb(parseWkt(wkt));
      expect([writeWkt(parseWkb(data)), isEmpty(parseWkb(data)), boxOf(data)]).toEqual([
        wkt,
        true,
        undefined,
      ]);
    }
    expect(isEmpty(parseWkt("GEOMETRYCOLLECTION(POINT EMPTY,POINT(1 2))"))).toBe(false);
  });

  it("refuses every truncation, and nothing at all", () => {
    for (const wkt of EVERY_KIND) {
      const whole = writeWkb(parseWkt(wkt));
      for (let length = 0; length < whole.length; length++) {
        const part = whole.slice(0, length);
        expect([length, tried(() => parseWkb(part))]).toEqual([length, "bad_geometry"]);
        expect([length, tried(() => boxOf(part))]).toEqual([length, "bad_geometry"]);
        // The same within a longer buffer, as a row of a column lies.
        expect(tried(() => wkbBox(whole, 0, length, box))).toBe("bad_geometry");
        expect(tried(() => parseWkb(whole, 0, length))).toBe("bad_geometry");
      }
    }
  });

  it("survives random bytes, and box and parser accept the same", () => {
    const next = random(3);
    let accepted = 0;
    for (let n = 0; n < 40_000; n++) {
      const data = writeWkb(parseWkt(EVERY_KIND[next(EVERY_KIND.length)]!));
      for (let k = next(4); k >= 0; k--) data[next(data.length)] = next(3) ? next(256) : next(8);
      const parsed = tried(() => parseWkb(data));
      const measured = tried(() => boxOf(data));
      expect(typeof measured === "string").toBe(typeof parsed === "string");
      if (typeof parsed === "string" || typeof measured === "string") continue;
      accepted++;
      expect(measured?.map((value) => value + 0)).toEqual(boundingBox(parsed)?.map((value) => value + 0));
      wkbIsBox(data, 0, data.length);
    }
    expect(accepted).toBeGreaterThan(4000);
  });

  it("limits how deep collections nest", () => {
    let geometry: Geometry = parseWkt("POINT(1 2)");
    for (let depth = 0; depth < 100; depth++)
      geometry = { type: "GeometryCollection", layout: "XY", parts: [geometry] };
    expect(boxOf(writeWkb(geometry))).toEqual([1, 2, 1, 2]);
    const deeper = writeWkb({ type: "GeometryCollection", layout: "XY", parts: [geometry] });
    expect(tried(() => parseWkb(deeper))).toBe("bad_geometry");
    expect(tried(() => boxOf(deeper))).toBe("bad_geometry");
  });

  it("reads a row in the middle of a column, followed by padding", () => {
    const row = writeWkb(parseWkt("POLYGON((0 0,4 0,4 2,0 2,0 0))"));
    const column = new Uint8Array(row.length + 20).fill(0);
    column.set(row, 7);
    const view = column.subarray(3);
    expect(wkbBox(view, 4, view.length, box) && [...box]).toEqual([0, 0, 4, 2]);
    expect(wkbIsBox(view, 4, view.length)).toBe(true);
    expect(boundingBox(parseWkb(view, 4))).toEqual([0, 0, 4, 2]);
  });

  it("takes as a box only a closed rectangle along the axes with an area", () => {
    const isBox = (wkt: string) => {
      const data = writeWkb(parseWkt(wkt));
      return wkbIsBox(data, 0, data.length);
    };
    expect(isBox("POLYGON((0 0,0 2,4 2,4 0,0 0))")).toBe(true);
    expect(isBox("POLYGON Z ((4 2 1,0 2 1,0 0 1,4 0 1,4 2 1))")).toBe(true);
    expect(isBox("POLYGON((0 0,4 0,4 2,0 1,0 0))")).toBe(false);
    expect(isBox("POLYGON((0 0,4 2,4 0,0 2,0 0))")).toBe(false);
    expect(isBox("POLYGON((0 0,4 0,4 0,0 0,0 0))")).toBe(false);
    expect(isBox("POLYGON((0 0,4 0,4 2,0 2,0 0),(1 1,2 1,2 1.5,1 1.5,1 1))")).toBe(false);
    expect(isBox("LINESTRING(0 0,4 0,4 2,0 2,0 0)")).toBe(false);
    expect(isBox("MULTIPOLYGON(((0 0,4 0,4 2,0 2,0 0)))")).toBe(false);
  });

  it("is told from other bytes and texts", () => {
    const text = (value: string) => new TextEncoder().encode(value);
    expect([looksLikeWkb(writeWkb(parseWkt("POINT(1 2)"))), looksLikeWkb(text("POINT(1 2)"))]).toEqual([
      true,
      false,
    ]);
    expect([looksLikeWkt(text("SRID=4326;POINT(1 2)")), looksLikeWkt(text("pointless"))]).toEqual([
      true,
      false,
    ]);
  });
});

describe("large geometries", () => {
  it("have no limit but memory", () => {
    const n = 200_000;
    const points = Array.from({ length: n }, (_, i) => point(i / n, 1));
    const row = writeWkb({ type: "MultiPoint", layout: "XY", parts: points });
    expect(prepare(parseWkt("POLYGON((0 0,2 2,0 2,0 0))")).test("intersects", row)).toBe(true);
    expect(prepare(parseWkt("POLYGON((0 2,2 2,2 3,0 2))")).test("intersects", row)).toBe(false);
    const ring = new Float64Array(2 * n).map((_, i) =>
      (i % 2 ? Math.sin : Math.cos)((2 * Math.PI * (i >> 1)) / n),
    );
    const open = writeWkb({ type: "Polygon", layout: "XY", rings: [ring] });
    expect(prepare(parseWkb(open)).testGeometry("within", point(0.5, 0.5))).toBe(true);
  });
});
