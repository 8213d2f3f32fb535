/** Everything a pair of geometries can be asked, against shapely. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { distance, dwithin } from "../../src/geometry/distance.ts";
import { parseGeoJson, writeGeoJson } from "../../src/geometry/geojson.ts";
import type { Geometry } from "../../src/geometry/geometry.ts";
import { boundingBox } from "../../src/geometry/geometry.ts";
import { area, centroid } from "../../src/geometry/measure.ts";
import { PREDICATES } from "../../src/geometry/predicates.ts";
import { prepare } from "../../src/geometry/prepare.ts";
import { wkbBox, wkbIsBox } from "../../src/geometry/wkb-box.ts";
import { parseWkb } from "../../src/geometry/wkb-read.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { writeWkt } from "../../src/geometry/wkt-write.ts";

interface Forms {
  wkb: string;
  ewkb: string;
  wkt: string;
  geojson: unknown;
  area: number;
  centroid: number[];
  bounds: number[];
}

interface Pair {
  a: Forms;
  b: Forms;
  values: boolean[];
  distance: number | null;
}

const python = process.env.ZARRSIFT_PYTHON ?? ".venv/bin/python";
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex").toUpperCase();
const fromHex = (text: string) => Uint8Array.from(Buffer.from(text, "hex"));

function pairs(seed: number, count: number): Pair[] {
  const script = new URL("pairs.py", import.meta.url).pathname;
  return JSON.parse(
    execFileSync(python, [script, `${seed}`, `${count}`], { maxBuffer: 2 ** 30, encoding: "utf8" }),
  );
}

describe.skipIf(!existsSync(python))("against shapely, by ZARRSIFT_PYTHON or .venv/bin/python", () => {
  const all = existsSync(python) ? pairs(5, 6000) : [];

  it("answers every predicate as GEOS does, for rows in WKB and parsed", { timeout: 120_000 }, () => {
    const wrong: string[] = [];
    for (const { a, b, values } of all) {
      const prepared = prepare(parseWkb(fromHex(b.wkb)));
      for (const [i, predicate] of PREDICATES.entries()) {
        const answers = [
          prepared.test(predicate, fromHex(a.wkb)),
          prepared.testGeometry(predicate, parseWkt(a.wkt)),
        ];
        if (answers.some((answer) => answer !== values[i]))
          wrong.push(`${predicate} ${a.wkt} ${b.wkt} is ${values[i]}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("has each predicate true and false often enough to mean something", () => {
    for (const i of PREDICATES.keys()) {
      const yes = all.filter((pair) => pair.values[i]).length;
      expect(Math.min(yes, all.length - yes)).toBeGreaterThan(30);
    }
  });

  it("reads WKB, big-endian EWKB, WKT and GeoJSON as one geometry and writes shapely's bytes", () => {
    for (const { a } of all) {
      const geometry = parseWkb(fromHex(a.wkb));
      expect(hex(writeWkb(geometry))).toBe(a.wkb);
      expect(hex(writeWkb(parseWkb(fromHex(a.ewkb))))).toBe(a.wkb);
      expect(hex(writeWkb(parseWkt(a.wkt)))).toBe(a.wkb);
      expect(hex(writeWkb(parseWkt(writeWkt(geometry))))).toBe(a.wkb);
      expect(writeGeoJson(geometry)).toEqual(a.geojson);
      expect(hex(writeWkb(parseGeoJson(JSON.stringify(a.geojson))))).toBe(a.wkb);
    }
  });

  it("measures boxes, areas, centroids and distances", () => {
    const box = new Float64Array(4);
    for (const { a, b, distance: apart } of all) {
      const [first, second] = [a, b].map(({ wkb }) => parseWkb(fromHex(wkb))) as [Geometry, Geometry];
      const bytes = fromHex(a.ewkb);
      expect(wkbBox(bytes, 0, bytes.length, box) ? [...box] : []).toEqual(a.bounds);
      expect(boundingBox(first) ?? []).toEqual(a.bounds);
      expect(area(first)).toBeCloseTo(a.area, 7);
      expectClose(centroid(first).coordinates, a.centroid);
      const measured = distance(first, second);
      if (apart === null) expect(measured).toBeUndefined();
      else expect(measured).toBeCloseTo(apart, 9);
      if (apart !== null)
        expect([dwithin(first, second, apart + 1e-9), dwithin(first, second, apart - 1e-6)]).toEqual([
          true,
          false,
        ]);
    }
  });

  it("knows a polygon that is its own box", () => {
    let boxes = 0;
    for (const { a } of all) {
      const [west, south, east, north] = a.bounds;
      const isBox =
        /^POLYGON \(\([^)]*\)\)$/.test(a.wkt) && a.area === (east! - west!) * (north! - south!) && a.area > 0;
      const plain = isBox && a.wkt.split(",").length === 5;
      expect(wkbIsBox(fromHex(a.wkb), 0, a.wkb.length / 2)).toBe(plain);
      if (plain) boxes++;
    }
    expect(boxes).toBeGreaterThan(100);
  });
});

function expectClose(actual: Float64Array, expected: number[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 7);
}
