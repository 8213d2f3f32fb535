import { describe, expect, it } from "vitest";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { openIndexes } from "../../src/index/open.ts";
import { shapesOf } from "../../src/index/shapes.ts";
import { ZonesBuilder } from "../../src/index/zones-build.ts";
import type { BytesVector } from "../../src/table/vector.ts";
import { makeSource, putIndexes, type TestColumn, tableOf, utf8 } from "./source.ts";

async function zonesOf(column: TestColumn, chunkRows: number) {
  const store = await makeSource({ k: column }, chunkRows);
  const { table } = await tableOf(store);
  const source = table.columns.get("k")!;
  const builder = new ZonesBuilder(source.type);
  for (let chunk = 0; chunk * chunkRows < source.rows; chunk++) {
    const vector = await source.read(chunk);
    if (source.type.kind !== "geometry") builder.addChunk(vector);
    else builder.addShapes(shapesOf(vector as BytesVector, { column: "k", row: chunk * chunkRows }));
  }
  await putIndexes(store, table, {}, { k: builder.finish("k", chunkRows) });
  const again = await tableOf(store);
  const { zones, warnings } = await openIndexes(store, again.hierarchy, again.table);
  expect(warnings).toEqual([]);
  return (await zones.get("k")!.load())!;
}

describe("zone maps", () => {
  it("hold the smallest and largest number of each chunk", async () => {
    const values = Float64Array.of(3, -2, Number.NaN, Number.NaN, Number.NaN, Number.NaN, -0, Infinity);
    const zones = await zonesOf({ type: "float64", values }, 3);
    expect(Array.from(zones.nulls)).toEqual([1, 3, 0]);
    expect([...zones.numbers!.min]).toEqual([-2, Infinity, 0]);
    expect([...zones.numbers!.max]).toEqual([3, -Infinity, Infinity]);
  });

  it("hold 64-bit integers exactly", async () => {
    const values = BigInt64Array.of(2n ** 63n - 1n, 2n ** 53n + 1n, 5n, -(2n ** 63n));
    const zones = await zonesOf({ type: "int64", values }, 2);
    expect([...zones.numbers!.min]).toEqual([2n ** 53n + 1n, -(2n ** 63n)]);
    expect([...zones.numbers!.max]).toEqual([2n ** 63n - 1n, 5n]);
  });

  it("cut long texts so that they still bound", async () => {
    const long = "x".repeat(40);
    const zones = await zonesOf(
      { type: "string", values: ["b", "a", long, `${long}y`, "", ""].map(utf8) },
      2,
    );
    const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);
    expect(zones.texts!.min.map(text)).toEqual(["a", "x".repeat(32), ""]);
    expect(zones.texts!.max.map(text)).toEqual(["b", `${"x".repeat(31)}y`, ""]);
    expect(Array.from(zones.texts!.exact)).toEqual([1, 0, 1]);
    const high = await zonesOf({ type: "variable_length_bytes", values: [new Uint8Array(40).fill(255)] }, 1);
    expect(high.texts!.max).toEqual([undefined]);
  });

  it("hold the envelopes of shapes brought to [-180, 180]", async () => {
    const wkb = (wkt: string) => writeWkb(parseWkt(wkt));
    const values = [
      wkb("POINT(190 5)"),
      wkb("POINT(-160 -5)"),
      new Uint8Array(0),
      wkb("POINT EMPTY"),
      wkb("LINESTRING(170 0,190 1)"),
    ];
    const zones = await zonesOf(
      { type: "variable_length_bytes", values, attributes: { "ARROW:extension:name": "geoarrow.wkb" } },
      2,
    );
    expect(Array.from(zones.boxes!)).toEqual([
      -170,
      -5,
      -160,
      5,
      Infinity,
      Infinity,
      -Infinity,
      -Infinity,
      -180,
      0,
      180,
      1,
    ]);
    expect(Array.from(zones.nulls)).toEqual([0, 2, 0]);
  });
});
