/** Where a collection says its granules lie. */
import { expect, test } from "vitest";
import { openCollection } from "../../src/index.ts";
import { tinyCollection } from "../view/tiny.ts";

async function extentOf(...geometry: string[]) {
  const granules = geometry.map((_, i) => ({ path: `g${i}`, arrays: { sst: {} } }));
  const collection = await openCollection(await tinyCollection(granules, { geometry }));
  return (await collection.describe()).extent;
}

const box = (west: number, south: number, east: number, north: number) =>
  `POLYGON((${west} ${south},${east} ${south},${east} ${north},${west} ${north},${west} ${south}))`;

test.each([
  [
    [box(1, 2, 3, 4), "POINT(-5 60)"],
    [-5, 2, 3, 60],
  ],
  [[box(170, 2, 190, 4)], [-180, 2, 180, 4]],
  [
    ["POINT(10 90.0001)", "POLYGON EMPTY"],
    [10, 90.0001, 10, 90.0001],
  ],
  [["POLYGON EMPTY"], null],
])("of %j is %j", async (geometry, bbox) => {
  expect(await extentOf(...geometry)).toEqual({ bbox, time: null });
});

test.each([
  [[box(1, 2, 3, 4), box(500_000, 4_000_000, 510_000, 4_010_000)]],
  [["POINT(10 95)"]],
  [["POINT(0 0)", "POINT(4000 0)"]],
])("of %j is none: these are no degrees", async (geometry) => {
  expect(await extentOf(...geometry)).toEqual({
    bbox: null,
    time: null,
    why: expect.stringMatching(/column "geometry" .*no longitudes and latitudes in degrees/),
  });
});
