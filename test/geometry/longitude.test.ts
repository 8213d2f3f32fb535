/** Longitudes on a circle: the same shapes turned by any angle are related as before. */
import { describe, expect, it } from "vitest";
import { distance, dwithin } from "../../src/geometry/distance.ts";
import type { Collection, Geometry } from "../../src/geometry/geometry.ts";
import { eachRun, envelope, point } from "../../src/geometry/geometry.ts";
import type { Box } from "../../src/geometry/longitude.ts";
import { queryBoxes, rowBoxes } from "../../src/geometry/longitude.ts";
import { area } from "../../src/geometry/measure.ts";
import { PREDICATES } from "../../src/geometry/predicates.ts";
import { prepare, relate, relatePattern } from "../../src/geometry/prepare.ts";
import { parseWkb } from "../../src/geometry/wkb-read.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { random } from "./random.ts";

/** A small shape on a grid of 10°, at most 90° wide, near longitude 0: no part of it near ±180. */
function anyShape(next: (n: number) => number, depth = 0): Geometry {
  const xy = () => `${10 * next(10) - 40} ${10 * next(6)}`;
  const [a, b, c] = [xy(), xy(), xy()];
  const [x, y, w, h] = [10 * next(6) - 40, 10 * next(3), 10 + 10 * next(4), 10 + 10 * next(3)];
  switch (next(depth > 0 ? 6 : 8)) {
    case 0:
      return parseWkt(`POINT(${a})`);
    case 1:
      return parseWkt(`LINESTRING(${a},${b},${c})`);
    case 2: {
      const triangle = parseWkt(`POLYGON((${a},${b},${c},${a}))`);
      return area(triangle) > 0 ? triangle : anyShape(next, depth);
    }
    case 3:
    case 4:
      return envelope(x, y, x + w, y + h);
    case 5:
      return parseWkt(
        `POLYGON((-40 0,50 0,50 50,-40 50,-40 0),(${x} ${y + 1},${x + w - 1} ${y + 1},${x + w - 1} ${y + h - 1},${x} ${y + 1}))`,
      );
    case 6:
      return parseWkt(`MULTIPOINT(${a},${b})`);
    default:
      return { type: "GeometryCollection", layout: "XY", parts: [anyShape(next, 1), anyShape(next, 1)] };
  }
}

function turned(geometry: Geometry, degrees: number): Geometry {
  const copy = parseWkb(writeWkb(geometry));
  eachRun(copy, (run, stride) => {
    for (let i = 0; i < run.length; i += stride) run[i]! += degrees;
  });
  return copy;
}

const halves = (west: Box, east: Box): Collection => ({
  type: "MultiPolygon",
  layout: "XY",
  parts: [envelope(...west), envelope(...east)],
});

describe("turning", () => {
  it("changes no predicate, wherever the shapes are and whichever turn they are drawn in", {
    timeout: 240_000,
  }, () => {
    const next = random(11);
    const wrong: string[] = [];
    const held = new Map<string, number>();
    for (let n = 0; n < 1500; n++) {
      const a = anyShape(next);
      const b = n % 10 === 0 ? a : anyShape(next);
      const by = [180, 170, 140, 220, 90, 5 * next(72)][next(6)]!;
      const [a2, b2] = [turned(a, by + 360 * (next(3) - 1)), turned(b, by + 360 * (next(3) - 1))];
      const [before, after] = [prepare(b), prepare(b2)];
      for (const predicate of PREDICATES) {
        const expected = before.testGeometry(predicate, a);
        if (expected) held.set(predicate, (held.get(predicate) ?? 0) + 1);
        const got = [after.test(predicate, writeWkb(a2)), after.testGeometry(predicate, a2)];
        if (got.some((answer) => answer !== expected))
          wrong.push(`${predicate} ${JSON.stringify([a, b])} turned by ${by}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(Math.min(...PREDICATES.map((predicate) => held.get(predicate) ?? 0))).toBeGreaterThan(10);
  });

  it("does not care whether a crossing box is stored in two halves", () => {
    const next = random(12);
    for (let n = 0; n < 800; n++) {
      const [west, east, south] = [100 + 10 * next(9), 190 + 10 * next(8), 10 * next(3)];
      const north = south + 10 + 10 * next(3);
      const whole = envelope(west, south, east, north);
      const split = halves([west, south, 180, north], [-180, south, east - 360, north]);
      const other = turned(anyShape(next), 180);
      expect(relate("equals", split, whole)).toBe(true);
      for (const predicate of PREDICATES) {
        expect([predicate, relate(predicate, split, other)]).toEqual([
          predicate,
          relate(predicate, whole, other),
        ]);
        expect([predicate, relate(predicate, other, split)]).toEqual([
          predicate,
          relate(predicate, other, whole),
        ]);
      }
    }
  });

  it("finds every row that meets the query by boxes alone", () => {
    const next = random(13);
    const touch = (a: Box, b: Box) => a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
    for (let n = 0; n < 4000; n++) {
      const [query, row] = [next(400), next(400)].map((by) =>
        turned(anyShape(next), 10 * Math.round(by / 10)),
      );
      const boxes = queryBoxes(query!);
      expect(boxes.length).toBeLessThanOrEqual(3);
      for (const [west, south, east, north] of [...boxes, ...rowBoxes(row!)]) {
        expect(west >= -180 && west <= east && east <= 180 && south <= north).toBe(true);
      }
      if (relate("intersects", row!, query!))
        expect(rowBoxes(row!).some((box) => boxes.some((q) => touch(box, q)))).toBe(true);
    }
  });
});

describe("the meridian", () => {
  const crossing = envelope(170, -10, -170, 10);
  const world = envelope(-180, -90, 180, 90);

  it("is inside what crosses it", () => {
    for (const x of [175, 180, -180, -175, 185, 540]) {
      expect([x, relate("within", point(x, 0), crossing)]).toEqual([x, true]);
      expect([x, relate("contains", crossing, point(x, 0))]).toEqual([x, true]);
      expect([x, relate("touches", point(x, 0), crossing)]).toEqual([x, false]);
    }
    expect(relate("intersects", point(0, 0), crossing)).toBe(false);
    expect(relate("touches", point(170, 0), crossing)).toBe(true);
    expect(relate("within", point(180, 0), halves([170, -10, 180, 10], [-180, -10, -170, 10]))).toBe(true);
    expect(relate("within", parseWkt("LINESTRING(180 -5,-180 5)"), crossing)).toBe(false);
    expect(relate("within", parseWkt("LINESTRING(180 -5,180 5)"), crossing)).toBe(true);
  });

  it("is the edge of what ends there, on both sides", () => {
    const [east, west] = [envelope(170, 0, 180, 10), envelope(-180, 5, -170, 15)];
    expect(PREDICATES.filter((predicate) => relate(predicate, east, west))).toEqual([
      "intersects",
      "touches",
    ]);
    expect(relate("touches", point(-180, 5), east)).toBe(true);
    expect(relate("intersects", envelope(-180, 11, -170, 15), east)).toBe(false);
    expect(relatePattern(east, west)).toBe("FF2F11212");
  });

  it("is no edge of what goes all the way round", () => {
    expect(relate("within", point(180, 0), world)).toBe(true);
    expect(relate("touches", point(180, 90), world)).toBe(true);
    expect(relate("equals", world, envelope(0, -90, 360, 90))).toBe(true);
    expect(relate("equals", world, envelope(-500, -90, 300, 90))).toBe(true);
    expect(relate("within", crossing, world)).toBe(true);
    expect(relate("contains", crossing, world)).toBe(false);
    expect(relate("overlaps", envelope(-180, -10, 180, 10), envelope(0, 5, 360, 20))).toBe(true);
    expect(relate("touches", envelope(-180, -10, 180, 10), envelope(0, 10, 360, 20))).toBe(true);
    expect(relate("coveredBy", parseWkt("LINESTRING(-180 0,180 0)"), envelope(0, 0, 400, 1))).toBe(true);
  });

  it("is reached only by edges as drawn", () => {
    const wide = parseWkt("POLYGON((170 -10,-170 -10,-170 10,170 10,170 -10))");
    expect(relate("within", point(0, 0), wide)).toBe(true);
    expect(relate("intersects", point(180, 0), wide)).toBe(false);
    expect(relate("covers", envelope(-170, -10, 170, 10), wide)).toBe(true);
  });

  it("is crossed by shapes of several turns", () => {
    // 400° wide at latitude 0, narrowing to a point at 40: 360° wide up to latitude 4, and no farther.
    const spiral = parseWkt("POLYGON((-200 0,200 0,0 40,-200 0))");
    expect(relate("intersects", point(180, 4), spiral)).toBe(true);
    expect(relate("touches", point(180, 4), spiral)).toBe(true);
    expect(relate("within", point(180, 3), spiral)).toBe(true);
    expect(relate("intersects", point(180, 5), spiral)).toBe(false);
    expect(relate("within", point(0, 39), spiral)).toBe(true);
    expect(relate("covers", spiral, envelope(150, 1, 210, 3))).toBe(true);
    expect(relate("covers", spiral, envelope(150, 1, 210, 5))).toBe(false);
  });

  it("is where distance goes the shorter way", () => {
    expect(distance(point(179, 0), point(-179, 0))).toBe(2);
    expect(distance(point(179, 0), envelope(-170, 0, -160, 10))).toBe(11);
    expect(distance(point(180, 0), point(-180, 0))).toBe(0);
    expect(dwithin(envelope(100, 0, 175, 1), point(-175, 1), 10)).toBe(true);
    expect(distance(parseWkt("POINT EMPTY"), point(1, 1))).toBeUndefined();
  });

  it("splits boxes", () => {
    expect(rowBoxes(crossing)).toEqual([
      [-180, -10, -170, 10],
      [170, -10, 180, 10],
    ]);
    expect(rowBoxes(envelope(190, 0, 200, 5))).toEqual([[-170, 0, -160, 5]]);
    expect(rowBoxes(halves([170, 0, 180, 5], [-180, 1, -160, 9]))).toEqual([
      [-180, 1, -160, 9],
      [170, 0, 180, 5],
    ]);
    expect(queryBoxes(envelope(0, 0, 180, 5))).toEqual([
      [0, 0, 180, 5],
      [-180, 0, -180, 5],
    ]);
    expect(queryBoxes(world)).toEqual([[-180, -90, 180, 90]]);
    expect(queryBoxes(envelope(5, -90, 900, 90))).toEqual([[-180, -90, 180, 90]]);
    expect(queryBoxes(envelope(1, 2, 3, 4))).toEqual([[1, 2, 3, 4]]);
    expect(queryBoxes(parseWkt("POLYGON EMPTY"))).toEqual([]);
  });

  it("is not met by numbers that are no longitudes", () => {
    expect(() => prepare(parseWkt("LINESTRING(0 0,1e20 5)"))).toThrow(
      expect.objectContaining({ code: "bad_geometry" }),
    );
    expect(() => envelope(0, 10, 5, 0)).toThrow(/south 10 is north of its north 0/);
    expect(() => envelope(0, Number.NaN, 5, 0)).toThrow(/four finite numbers/);
    expect(relate("within", point(-9999, 0), envelope(80, -1, 82, 1))).toBe(true);
  });
});

describe("empty and invalid geometries", () => {
  it("relates nothing to an empty geometry but that it is disjoint, and equal to another", () => {
    const empty = parseWkt("POLYGON EMPTY");
    for (const other of [point(1, 2), empty]) {
      const expected = other === empty ? ["disjoint", "equals"] : ["disjoint"];
      expect(PREDICATES.filter((predicate) => relate(predicate, empty, other))).toEqual(expected);
      expect(PREDICATES.filter((predicate) => prepare(other).test(predicate, writeWkb(empty)))).toEqual(
        expected,
      );
      expect(PREDICATES.filter((predicate) => relate(predicate, other, empty))).toEqual(expected);
    }
  });

  it("answers for bow-ties, spikes and rings that fold back, and never throws", () => {
    const bowTie = parseWkt("POLYGON((0 0,10 10,10 0,0 10,0 0))");
    expect(relate("intersects", point(1, 5), bowTie)).toBe(true);
    expect(relate("intersects", point(5, 8), bowTie)).toBe(false);
    expect(relate("within", parseWkt("LINESTRING(1 4,1 6)"), bowTie)).toBe(true);
    const next = random(14);
    const xy = () => `${next(6)} ${next(6)}`;
    for (let n = 0; n < 3000; n++) {
      const ring = Array.from({ length: 3 + next(6) }, xy);
      const shape = parseWkt(`POLYGON((${[...ring, ring[0]].join()}))`);
      const other = anyShape(next);
      const answers = new Map(PREDICATES.map((predicate) => [predicate, relate(predicate, shape, other)]));
      expect(answers.get("disjoint")).toBe(!answers.get("intersects"));
      expect(relate("intersects", other, shape)).toBe(answers.get("intersects"));
      expect(relate("contains", other, shape)).toBe(answers.get("within"));
      expect(relate("covers", other, shape)).toBe(answers.get("coveredBy"));
    }
  });
});
