import { describe, expect, it } from "vitest";
import { type Footprint, footprint, type Ring, toWkb } from "../../src/demo/footprint.ts";

const box = (west: number, east: number, south = 10, north = 20): Ring => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
];

/** Square degrees, by the shoelace formula. */
function area(polygons: Footprint): number {
  return polygons.reduce((sum, ring) => {
    const twice = ring.reduce((s, [x, y], k) => {
      const [x2, y2] = ring[(k + 1) % ring.length]!;
      return s + x * y2 - x2 * y;
    }, 0);
    return sum + Math.abs(twice) / 2;
  }, 0);
}

function bounds(ring: Ring): number[] {
  const [lons, lats] = [ring.map((p) => p[0]), ring.map((p) => p[1])];
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

describe("footprint", () => {
  it("leaves a shape away from the antimeridian as it is", () => {
    expect(footprint(box(-5, 5), "split")).toEqual([box(-5, 5)]);
  });

  it("splits at ±180", () => {
    const parts = footprint(box(170, -165), "split");
    expect(parts.map(bounds).sort()).toEqual([
      [-180, 10, -165, 20],
      [170, 10, 180, 20],
    ]);
    expect(area(parts)).toBeCloseTo(250, 9);
  });

  it("or runs on beyond it, on the side where most of it lies", () => {
    expect(footprint(box(170, -175), "unsplit").map(bounds)).toEqual([[170, 10, 185, 20]]);
    expect(footprint(box(175, -165), "unsplit").map(bounds)).toEqual([[-185, 10, -165, 20]]);
  });

  it("splits a shape that crosses the antimeridian several times into simple parts", () => {
    // A comb: three teeth reach east of 180.
    const teeth = [0, 4, 8].flatMap(
      (y): Ring => [
        [-175, y],
        [-175, y + 2],
        [179, y + 2],
        [179, y + 4],
      ],
    );
    const comb: Ring = [...teeth.slice(0, -1), [170, 10], [170, 0]];
    const parts = footprint(comb, "split");
    expect(parts).toHaveLength(4);
    expect(parts.filter((ring) => bounds(ring)[0] === -180).map(bounds)).toEqual([
      [-180, 0, -175, 2],
      [-180, 4, -175, 6],
      [-180, 8, -175, 10],
    ]);
    // 9° x 10° and, three times, 6° x 2°
    expect(area(parts)).toBeCloseTo(126, 9);
  });

  it.each([1, -1])("closes a shape over the pole it contains (%i)", (sign) => {
    const circle = Array.from({ length: 12 }, (_, k): [number, number] => [30 * k - 175, sign * 80]);
    for (const ring of [circle, [...circle].reverse()]) {
      const parts = footprint(ring, "split");
      expect(parts).toHaveLength(1);
      expect(bounds(parts[0]!)).toEqual([
        -180,
        Math.min(80 * sign, 90 * sign),
        180,
        Math.max(80 * sign, 90 * sign),
      ]);
      expect(area(parts)).toBeCloseTo(3600, 9);
    }
  });
});

describe("toWkb", () => {
  it("writes a closed, counter-clockwise polygon", () => {
    const clockwise: Ring = [...box(1, 3)].reverse();
    const bytes = toWkb([clockwise]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    expect([
      view.getUint8(0),
      view.getUint32(1, true),
      view.getUint32(5, true),
      view.getUint32(9, true),
    ]).toEqual([1, 3, 1, 5]);
    const points = Array.from({ length: 5 }, (_, k) => [
      view.getFloat64(13 + 16 * k, true),
      view.getFloat64(21 + 16 * k, true),
    ]);
    expect(points).toEqual([...box(1, 3), [1, 10]]);
    expect(bytes.length).toBe(93);
  });

  it("writes several as a multipolygon", () => {
    const bytes = toWkb([box(1, 3), box(5, 6)]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    expect([view.getUint32(1, true), view.getUint32(5, true), bytes.length]).toEqual([6, 2, 9 + 2 * 93]);
  });
});
