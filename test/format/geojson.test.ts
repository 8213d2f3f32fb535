import { describe, expect, it } from "vitest";
import { geojsonText } from "../../src/format/geojson.ts";
import type { RowBatch, RowColumn } from "../../src/format/rows.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { vectorOf } from "../../src/plan/eval/vectors.ts";
import { INT64, type SqlType, STRING } from "../../src/table/types.ts";

const WKB: SqlType = { kind: "geometry", encoding: "wkb" };
const WKT: SqlType = { kind: "geometry", encoding: "wkt" };
const N: RowColumn = { name: "n", type: INT64 };
const G: RowColumn = { name: "g", type: WKB };
const W: RowColumn = { name: "w", type: WKT };

async function textOf(columns: RowColumn[], batches: RowBatch[], limits = {}): Promise<string> {
  const all = async function* () {
    yield* batches;
  };
  let text = "";
  for await (const piece of geojsonText(columns, all(), limits)) text += piece;
  return text;
}

const wkb = (text: string) => writeWkb(parseWkt(text));
const geometryOf = async (type: SqlType, cell: string | Uint8Array | null) => {
  const batch = { length: 1, vectors: [vectorOf(type, [cell])] };
  return JSON.parse(await textOf([{ name: "g", type }], [batch])).features[0].geometry;
};

describe("GeoJSON", () => {
  it("has the first geometry as geometry, other columns and idx as properties, integers exact", async () => {
    const vectors = [
      vectorOf(INT64, [9007199254740993n, null]),
      vectorOf(WKT, ["POINT(1 2)", null]),
      vectorOf(WKB, [wkb("POINT(3 4)"), null]),
    ];
    const batch = { length: 2, vectors, idx: Float64Array.of(7, 9) };
    expect(await textOf([N, W, G], [batch])).toBe(
      '{"type":"FeatureCollection","features":[\n' +
        '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"idx":7,"n":9007199254740993,"g":"POINT(3 4)"}},\n' +
        '{"type":"Feature","geometry":null,"properties":{"idx":9,"n":null,"g":null}}\n]}\n',
    );
  });

  it("has an idx that was selected once, and no other", async () => {
    const idx = { name: "idx", type: STRING };
    const vectors = [vectorOf(WKT, ["POINT(1 2)"]), vectorOf(STRING, ["mine"])];
    const text = await textOf([W, idx], [{ length: 1, vectors, idx: Float64Array.of(7) }]);
    expect(text).toContain('"properties":{"idx":"mine"}');
    const bare = await textOf([W], [{ length: 1, vectors: [vectors[0]!], idx: Float64Array.of(7) }]);
    expect(bare).toContain('"properties":{"idx":7}');
    const grouped = { length: 1, vectors: [vectors[0]!], idx: Float64Array.of(0) };
    expect(await textOf([W], [grouped], { idx: false })).toContain('"properties":{}');
  });

  it("of nothing is an empty collection", async () => {
    expect(JSON.parse(await textOf([G], []))).toEqual({ type: "FeatureCollection", features: [] });
  });

  it("closes rings, leaves out M, and heights that are not numbers", async () => {
    const open = writeWkb({ type: "Polygon", layout: "XY", rings: [Float64Array.of(0, 0, 1, 0, 1, 1)] });
    expect((await geometryOf(WKB, open)).coordinates).toEqual([
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 0],
      ],
    ]);
    expect((await geometryOf(WKT, "POINT ZM (1 2 3 4)")).coordinates).toEqual([1, 2, 3]);
    const flat = writeWkb({ type: "Point", layout: "XYZ", coordinates: Float64Array.of(1, 2, Number.NaN) });
    expect((await geometryOf(WKB, flat)).coordinates).toEqual([1, 2]);
    expect(await geometryOf(WKT, "POLYGON EMPTY")).toEqual({ type: "Polygon", coordinates: [] });
  });

  it("needs geometry", () => {
    const none = (async function* () {})();
    expect(() => geojsonText([N], none)).toThrow(
      "format geojson needs a geometry column in the answer, which has: n; select one, or ask for json",
    );
  });

  it("keeps to the limit of rows, and says which geometry is broken", async () => {
    const batch = { length: 2, vectors: [vectorOf(WKT, ["POINT(1 2)", "POINT(1"])] };
    await expect(textOf([W], [batch], { maxRows: 1 })).rejects.toMatchObject({ code: "too_large" });
    await expect(textOf([W], [batch])).rejects.toMatchObject({ code: "bad_geometry" });
  });
});
