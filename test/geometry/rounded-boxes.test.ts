/** Envelopes rounded to float32 leave open what they do not know, and are right in all else. */
import { describe, expect, it } from "vitest";
import { PREDICATES, type Predicate } from "../../src/geometry/predicates.ts";
import { prepare } from "../../src/geometry/prepare.ts";
import { newRoundedBoxes, setBox, testRounded } from "../../src/geometry/rounded-boxes.ts";
import { wkbBox, wkbIsBox } from "../../src/geometry/wkb-box.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { random } from "./random.ts";

type Next = (n: number) => number;
type Point = readonly [number, number];

const ring = (points: readonly Point[]) => [...points, points[0]!].map(([x, y]) => `${x} ${y}`).join(", ");
const polygon = (...points: Point[]) => `POLYGON ((${ring(points)}))`;
const rectangle = (w: number, s: number, e: number, n: number) => polygon([w, s], [e, s], [e, n], [w, n]);

/** Few numbers, and their neighbours, so that edges meet, or miss each other by less than float32 can tell. */
function coordinate(next: Next): number {
  const base = [0, 1, -1, 2.5, 0.1, -0.3, 45.123456789, 179.9, -180, 180, 1e-40][next(11)]!;
  return base + [0, 0, 0, 1e-9, -1e-9, 1e-6, -1e-6, 1, 3.3][next(9)]!;
}

function shape(next: Next): string {
  const [a, b] = [coordinate(next), coordinate(next)].sort((x, y) => x - y) as [number, number];
  const [c, d] = [coordinate(next), coordinate(next)].map((y) => y / 2).sort((x, y) => x - y) as [
    number,
    number,
  ];
  const kind = next(6);
  if (kind === 0) return `POINT (${a} ${c})`;
  if (kind === 1) return `LINESTRING (${a} ${c}, ${b} ${d})`;
  if (a === b || c === d) return `POINT (${a} ${c})`;
  if (kind === 2) return polygon([a, c], [b, c], [b, d]);
  // Two thin arms along the west and the south: an envelope that hardly holds any of it.
  const [thinX, thinY] = [(b - a) * 1e-9, (d - c) * 1e-9];
  if (kind === 3 && a + thinX > a && c + thinY > c)
    return polygon([a, c], [b, c], [b, c + thinY], [a + thinX, c + thinY], [a + thinX, d], [a, d]);
  return rectangle(a, c, b, d);
}

function known(wkb: Uint8Array) {
  const boxes = newRoundedBoxes(1);
  const envelope = new Float64Array(4);
  if (wkbBox(wkb, 0, wkb.length, envelope)) setBox(boxes, 0, envelope, wkbIsBox(wkb, 0, wkb.length));
  return boxes;
}

describe("rounded envelopes", () => {
  it.each([1, 2, 3, 4])("decide as the geometries do, or not at all (seed %i)", (seed) => {
    const next = random(seed);
    const tally = new Map<Predicate, { decided: number; all: number }>();
    for (let i = 0; i < 1500; i++) {
      const [row, constant] = [shape(next), shape(next)];
      const wkb = writeWkb(parseWkt(row));
      const prepared = prepare(parseWkt(constant));
      const boxes = known(wkb);
      for (const predicate of PREDICATES) {
        const exact = prepared.test(predicate, wkb);
        const coarse = testRounded(prepared, predicate, boxes, 0);
        if (coarse !== undefined) expect(coarse, `${predicate}: ${row} to ${constant}`).toBe(exact);
        const count = tally.get(predicate) ?? { decided: 0, all: 0 };
        tally.set(predicate, { decided: count.decided + (coarse === undefined ? 0 : 1), all: count.all + 1 });
      }
    }
    for (const [predicate, { decided, all }] of tally) expect(decided / all, predicate).toBeGreaterThan(0.3);
  });

  it("decide for rectangles whose edges are float32", () => {
    const prepared = prepare(parseWkt(rectangle(0, 0, 10, 10)));
    const boxes = known(writeWkb(parseWkt(rectangle(10, 2, 20, 4))));
    expect(testRounded(prepared, "intersects", boxes, 0)).toBe(true);
    expect(testRounded(prepared, "touches", boxes, 0)).toBe(true);
    expect(testRounded(prepared, "within", boxes, 0)).toBe(false);
  });

  it("leave open what lies across ±180", () => {
    const boxes = known(writeWkb(parseWkt(rectangle(170, 0, 190, 10))));
    expect(testRounded(prepare(parseWkt("POINT (-175 5)")), "intersects", boxes, 0)).toBeUndefined();
  });
});
