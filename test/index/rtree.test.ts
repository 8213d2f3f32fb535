import Flatbush from "flatbush";
import { describe, expect, it } from "vitest";
import { rowBoxes } from "../../src/geometry/longitude.ts";
import { prepare } from "../../src/geometry/prepare.ts";
import { parseWkb } from "../../src/geometry/wkb-read.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import type { QueryBox, SpatialIndex } from "../../src/index/api.ts";
import { openIndexes } from "../../src/index/open.ts";
import { RTreeBuilder } from "../../src/index/rtree-build.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { countRounds } from "./rounds.ts";
import { addTo, makeSource, putIndexes, seeded, tableOf, utf8 } from "./source.ts";

const GEOARROW = { "ARROW:extension:name": "geoarrow.wkb" };
const wkb = (wkt: string) => writeWkb(parseWkt(wkt));
const rect = (w: number, s: number, e: number, n: number) =>
  `POLYGON((${w} ${s},${e} ${s},${e} ${n},${w} ${n},${w} ${s}))`;

/** Shapes of every kind that rows have: boxes, triangles, NULL, empty, across ±180, from 0 to 360, points, bands. */
function shapes(count: number, seed: number): Uint8Array[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => {
    const kind = random();
    const x = Math.round(random() * 3600 - 1800) / 10;
    const y = Math.round(random() * 1600 - 800) / 10;
    const w = Math.round(random() * 80) / 10 + 0.1;
    if (kind < 0.45) return wkb(rect(x, y, Math.min(x + w, 180), y + w));
    if (kind < 0.6) return wkb(`POLYGON((${x} ${y},${x + w} ${y},${x} ${y + w},${x} ${y}))`);
    if (kind < 0.68) return new Uint8Array(0);
    if (kind < 0.72) return wkb("POLYGON EMPTY");
    if (kind < 0.78) return wkb(rect(180 - w, y, 180 + w, y + 1));
    if (kind < 0.82)
      return wkb(
        `MULTIPOLYGON(((170 ${y},180 ${y},180 ${y + 1},170 ${y})),((-180 ${y},-175 ${y},-180 ${y + 1},-180 ${y})))`,
      );
    if (kind < 0.9) return wkb(rect(x + 180, y, x + 180 + w, y + w));
    if (kind < 0.98) return wkb(`POINT(${x} ${y})`);
    return wkb(rect(-180, y, 180, y + 1));
  });
}

async function indexed(values: Uint8Array[], chunkRows: number, format: 2 | 3 = 3) {
  const store = await makeSource(
    { bbox: { type: "variable_length_bytes", values, attributes: GEOARROW } },
    chunkRows,
    format,
  );
  const { hierarchy, table } = await tableOf(store);
  const builder = new RTreeBuilder(values.length);
  const column = table.columns.get("bbox")!;
  for (let chunk = 0; chunk * chunkRows < values.length; chunk++)
    addTo(builder, column, await column.read(chunk));
  const encoded = builder.finish("bbox");
  await putIndexes(store, table, { bbox: encoded }, {}, format);
  const again = await tableOf(store);
  const { indexes, warnings } = await openIndexes(store, again.hierarchy, again.table);
  expect(warnings).toEqual([]);
  void hierarchy;
  return { store, index: indexes[0] as SpatialIndex, encoded, table: again.table };
}

/** The rows one of whose real boxes touches one of the queries. */
function truthOf(values: Uint8Array[], queries: readonly QueryBox[]): number[] {
  return values.flatMap((value, row) => {
    const boxes = value.length === 0 ? [] : rowBoxes(parseWkb(value));
    const touches = boxes.some(([w, s, e, n]) =>
      queries.some((q) => w <= q[2] && e >= q[0] && s <= q[3] && n >= q[1]),
    );
    return touches ? [row] : [];
  });
}

function randomQuery(random: () => number): QueryBox[] {
  const x = random() * 360 - 180;
  const y = random() * 160 - 80;
  const w = random() * random() * 120;
  const east = x + w;
  const box: QueryBox = [x, y, Math.min(east, 180), y + w / 2];
  return east > 180 ? [box, [-180, y, east - 360, y + w / 2]] : [box];
}

/** What a search is told of each row that it finds, in their order. */
async function shapesIn(index: SpatialIndex, queries: readonly QueryBox[]) {
  const told = new Map<number, { box: number[]; isBox: boolean }>();
  const test = {
    within: () => undefined,
    shape: (box: Float64Array, isBox: boolean, row: number) => {
      told.set(row, { box: [...box], isBox });
      return undefined;
    },
  };
  const { rows, sure } = await index.find(queries, { test });
  expect(sure).toHaveLength(0);
  return new Map(Array.from(rows, (row) => [row, told.get(row)!]));
}

describe("the R-tree of a column", () => {
  it.each([1, 2, 15, 16, 17, 255, 256, 257, 3000, 20000])(
    "of %i rows finds what brute force finds",
    async (count) => {
      const values = shapes(count, count);
      const { index } = await indexed(values, Math.max(1, Math.ceil(count / 3)));
      const random = seeded(count + 1);
      for (let i = 0; i < (count > 5000 ? 12 : 60); i++) {
        const queries = i === 0 ? [[-180, -90, 180, 90] as QueryBox] : randomQuery(random);
        const shapes = await shapesIn(index, queries);
        expect([...shapes.keys()]).toEqual(truthOf(values, queries));
        for (const [row, { box }] of shapes) {
          const boxes = rowBoxes(parseWkb(values[row]!));
          if (boxes.length === 2) expect(box.every(Number.isNaN)).toBe(true);
          else expect(box).toEqual(boxes[0]);
        }
      }
    },
  );

  it("asks a test of whole branches, which spares it their items", async () => {
    const values = shapes(20_000, 5);
    const { index } = await indexed(values, 5000);
    const middle = prepare(parseWkt("POLYGON((-60 -60,60 -60,0 60,-60 -60))"));
    let [branches, items] = [0, 0];
    const test = {
      within(box: Float64Array) {
        branches++;
        if (middle.testBox("intersects", box, true) === false) return false;
        return middle.testBox("intersects", box, false) === true ? true : undefined;
      },
      shape(box: Float64Array, isBox: boolean) {
        items++;
        return middle.testBox("intersects", box, isBox);
      },
    };
    const { rows, sure } = await index.find([[-60, -60, 60, 60]], { test });
    const hits = values.flatMap((bytes, row) =>
      bytes.length > 0 && middle.test("intersects", bytes) ? [row] : [],
    );
    expect(hits.filter((row) => !rows.includes(row))).toEqual([]);
    expect(sure.every((row) => rows.includes(row) && hits.includes(row))).toBe(true);
    expect(sure.length).toBeGreaterThan(0.7 * hits.length);
    expect(branches).toBeGreaterThan(100);
    expect(items).toBeLessThan(hits.length);
  });

  it("reads only the pages it walks, in few rounds, where the tree is large", async () => {
    const random = seeded(31);
    const values = Array.from({ length: 150_000 }, () => {
      const [x, y] = [Math.round(random() * 3500 - 1800) / 10, Math.round(random() * 1600 - 800) / 10];
      return wkb(rect(x, y, x + 0.5, y + 0.5));
    });
    const { store, table } = await indexed(values, 50_000);
    const slow = countRounds(store);
    const { indexes } = await openIndexes(slow, await Hierarchy.open(slow), table);
    const index = indexes[0] as SpatialIndex;
    const traffic = slow.seen;
    Object.assign(traffic, { rounds: 0, bytes: 0, requests: 0 });
    const estimate = await index.estimate([[10, 10, 14, 14]]);
    const { rows } = await index.find([[10, 10, 14, 14]]);
    expect(Array.from(rows)).toEqual(truthOf(values, [[10, 10, 14, 14]]));
    expect(estimate.rows).toBeGreaterThan(rows.length / 2);
    expect(estimate.rows).toBeLessThan(rows.length * 2);
    expect(traffic.rounds).toBeLessThanOrEqual(5);
    expect(traffic.bytes).toBeLessThan(700_000);
    expect(traffic.requests).toBeLessThan(20);
    const again = traffic.requests;
    expect((await index.estimate([[10, 10, 14, 14]])).bytes).toBeLessThan(estimate.bytes);
    await index.find([[10, 10, 14, 14]]);
    expect(traffic.requests).toBe(again);
    for (const query of [randomQuery(random), randomQuery(random), [[-180, -90, 180, 90] as QueryBox]])
      expect(Array.from((await index.find(query)).rows)).toEqual(truthOf(values, query));
  });

  it("knows which shapes are their boxes", async () => {
    const values = [
      wkb(rect(0, 0, 1, 1)),
      wkb("POLYGON((0 0,1 0,0 1,0 0))"),
      wkb("POINT(0.5 0.5)"),
      wkb(rect(190, 0, 200, 1)),
      wkb(rect(175, 0, 185, 1)),
      wkb("POLYGON((0 0,1 0,1 1,0 1,0 0),(.2 .2,.4 .2,.4 .4,.2 .4,.2 .2))"),
    ];
    const { index, encoded } = await indexed(values, 6);
    expect(encoded.record.isBox).toBe("bits");
    const shapes = await shapesIn(index, [[-180, -90, 180, 90]]);
    expect([...shapes.keys()]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...shapes.values()].map(({ isBox }) => isBox)).toEqual([true, false, false, true, false, false]);
    expect(shapes.get(3)!.box).toEqual([-170, 0, -160, 1]);
  });

  it("says so once where all of them are, or none", async () => {
    const boxes = [wkb(rect(0, 0, 1, 1)), new Uint8Array(0), wkb(rect(3, 0, 4, 1))];
    const all = await indexed(boxes, 2);
    expect(all.encoded.record.isBox).toBe("all");
    const shapes = await shapesIn(all.index, [[-180, -90, 180, 90]]);
    expect([...shapes.values()].map(({ isBox }) => isBox)).toEqual([true, true]);
    const none = await indexed([wkb("POINT(1 1)"), wkb("POINT(2 2)")], 2);
    expect(none.encoded.record.isBox).toBe("none");
  });

  it("is a tree that flatbush itself opens, in which NULL is never found", async () => {
    const values = shapes(5000, 7);
    const { encoded } = await indexed(values, 1000);
    const data = encoded.arrays.find(({ path }) => path === "bbox")!.data as Uint8Array;
    const tree = Flatbush.from(data.slice().buffer);
    const random = seeded(3);
    for (let i = 0; i < 40; i++) {
      const [query] = i === 0 ? [[-180, -90, 180, 90] as QueryBox] : randomQuery(random);
      const found = new Set(tree.search(...(query as [number, number, number, number])));
      for (const row of truthOf(values, [query!])) expect(found.has(row)).toBe(true);
      for (const row of found)
        expect(values[row]!.length === 0 || rowBoxes(parseWkb(values[row]!)).length === 0).toBe(false);
    }
  });

  it("works in a v2 source", async () => {
    const values = shapes(300, 5);
    const { index } = await indexed(values, 100, 2);
    const query: QueryBox = [-50, -50, 50, 50];
    expect(Array.from((await index.find([query])).rows)).toEqual(truthOf(values, [query]));
    expect((await index.state()).state).toBe("verified");
  });

  it("takes WKT columns", async () => {
    const values = ["POINT(1 1)", "", rect(2, 2, 3, 3)].map(utf8);
    const store = await makeSource({ bbox: { type: "string", values } }, 3);
    const { table } = await tableOf(store);
    const builder = new RTreeBuilder(3);
    const column = table.columns.get("bbox")!;
    addTo(builder, column, await column.read(0));
    await putIndexes(store, table, { bbox: builder.finish("bbox") });
    const again = await tableOf(store);
    const { indexes } = await openIndexes(store, again.hierarchy, again.table);
    expect(Array.from((await (indexes[0] as SpatialIndex).find([[0, 0, 9, 9]])).rows)).toEqual([0, 2]);
  });
});
