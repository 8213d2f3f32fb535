import { describe, expect, it } from "vitest";
import { parseGeoJson, writeGeoJson } from "../../src/geometry/geojson.ts";
import { isEmpty } from "../../src/geometry/geometry.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { writeWkt } from "../../src/geometry/wkt-write.ts";

const respelt = (wkt: string) => writeWkt(parseWkt(wkt));

describe("WKT", () => {
  it("reads the spellings in use and writes PostGIS's", () => {
    const cases: [string, string][] = [
      ["point( 1   2 )", "POINT(1 2)"],
      ["\n POLYGON ((0 0, 0 10, 10 10, 0 0))\t", "POLYGON((0 0,0 10,10 10,0 0))"],
      ["SRID=4326;POINT(-0.5 +1e2)", "POINT(-0.5 100)"],
      ["srid = 0 ; POINT(.5 5.)", "POINT(0.5 5)"],
      ["MULTIPOINT(1 2, 3 4)", "MULTIPOINT((1 2),(3 4))"],
      ["MULTIPOINT((1 2), EMPTY)", "MULTIPOINT((1 2),EMPTY)"],
      ["PointZ(1 2 3)", "POINT Z (1 2 3)"],
      ["POINT(1 2 3)", "POINT Z (1 2 3)"],
      ["POINT M(1 2 3)", "POINT M (1 2 3)"],
      ["LINESTRINGZM(1 2 3 4, 5 6 7 8)", "LINESTRING ZM (1 2 3 4,5 6 7 8)"],
      ["POLYGON Z EMPTY", "POLYGON Z EMPTY"],
      ["multipolygon empty", "MULTIPOLYGON EMPTY"],
      ["MULTIPOLYGON(((0 0,0 1,1 1,0 0)),EMPTY)", "MULTIPOLYGON(((0 0,0 1,1 1,0 0)),EMPTY)"],
      [
        "GeometryCollection(Point(1 2), LineString(0 0, 1 1))",
        "GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))",
      ],
      ["POINT(0.1 1e-7)", "POINT(0.1 1e-7)"],
      ["POINT(-0 179.99999999999997)", "POINT(0 179.99999999999997)"],
    ];
    for (const [given, expected] of cases) {
      expect(respelt(given)).toBe(expected);
      expect(respelt(expected)).toBe(expected);
    }
  });

  it("says what is wrong and at which character", () => {
    const cases: [string, RegExp][] = [
      ["", /character 0: this is none of POINT, LINESTRING.* \(the text ends\)/],
      ["CIRCLE(0 0, 1)", /character 0: "CIRCLE" is none of/],
      ["POINT 1 2", /character 6: "\(" belongs here/],
      ["POINT(1)", /character 6: 1 values in a point where 2 to 4 belong/],
      ["POINT(1 2 3 4 5)", /character 6: 5 values/],
      ["POINT(1 x)", /character 6: 1 values in a point/],
      ["POINT(1 2x)", /character 6: 1 values in a point/],
      ["POINT(1 1e999)", /1e999 is beyond what a double holds/],
      ["POINT(1 2) POINT(3 4)", /character 11: the geometry ends here/],
      ["LINESTRING(1 2)", /character 10: 1 points where at least 2 are needed/],
      ["LINESTRING(1 2, 3 4 5)", /character 16: 3 values in a point where 2 belong/],
      ["POLYGON((0 0,0 1,1 1,2 2))", /character 8: the ring is not closed/],
      ["POLYGON((0 0,0 1,0 0))", /character 8: 3 points where at least 4/],
      ["POLYGON((0 0,0 1,1 1,0 0)", /"\)" belongs here \(the text ends\)/],
      ["SRID=3857;POINT(1 2)", /SRID 3857; geometry must be in EPSG:4326/],
      [`${"GEOMETRYCOLLECTION(".repeat(200)}POINT(1 2)`, /nested deeper than 100/],
    ];
    for (const [wkt, message] of cases) {
      expect(() => parseWkt(wkt)).toThrow(message);
      expect(() => parseWkt(wkt)).toThrow(expect.objectContaining({ code: "bad_geometry" }));
    }
  });
});

describe("GeoJSON", () => {
  it("reads and writes each type", () => {
    const cases = [
      { type: "Point", coordinates: [1, 2, 3] },
      { type: "Point", coordinates: [] },
      {
        type: "MultiPolygon",
        coordinates: [
          [
            [
              [0, 0],
              [0, 1],
              [1, 1],
              [0, 0],
            ],
          ],
          [],
        ],
      },
      {
        type: "GeometryCollection",
        geometries: [
          {
            type: "LineString",
            coordinates: [
              [0, 0],
              [190, 5],
            ],
          },
        ],
      },
    ];
    for (const value of cases) expect(writeGeoJson(parseGeoJson(JSON.stringify(value)))).toEqual(value);
    expect(isEmpty(parseGeoJson(cases[1]))).toBe(true);
    expect(writeGeoJson(parseWkt("POINT ZM (1 2 3 4)"))).toEqual({ type: "Point", coordinates: [1, 2, 3] });
    expect(writeGeoJson(parseWkt("POINT M (1 2 3)"))).toEqual({ type: "Point", coordinates: [1, 2] });
  });

  it("says what is wrong and where", () => {
    const ring = [
      [0, 0],
      [0, 1],
      [1, 1],
      [2, 2],
    ];
    const cases: [unknown, RegExp][] = [
      ["{", /it is not JSON/],
      ["null", /GeoJSON type: nothing is none of Point/],
      [{ type: "Feature" }, /GeoJSON type: "Feature" is none of/],
      [{ type: "Point" }, /GeoJSON coordinates: a list belongs here/],
      [
        { type: "Point", coordinates: [1, "2"] },
        /coordinates\[0\]: a position needs 2 finite numbers, not \[1,"2"\]/,
      ],
      [{ type: "LineString", coordinates: [[1, 2]] }, /coordinates: 1 positions where at least 2/],
      [{ type: "Polygon", coordinates: [ring] }, /coordinates\[0\]: the ring is not closed/],
      [
        { type: "GeometryCollection", geometries: [{ type: "Point", coordinates: 7 }] },
        /geometries\[0\]\.coordinates: a list/,
      ],
    ];
    for (const [value, message] of cases) expect(() => parseGeoJson(value)).toThrow(message);
  });
});
