/** Measures in planar degrees, as PostGIS `geometry` and DuckDB have them. */
import type { Geometry, Point } from "./geometry.ts";
import { boundingBox, envelope, point } from "./geometry.ts";
import type { Component } from "./longitude.ts";
import { componentsOf } from "./longitude.ts";

/** Square degrees of all polygons as drawn, holes taken off; 0 for points and lines. */
export function area(geometry: Geometry): number {
  const polygons = componentsOf(geometry).filter((part) => part.dimension === 2);
  return polygons.reduce((sum, polygon) => sum + areaMoments(polygon)[0], 0);
}

/** The centre of mass of the highest-dimensional parts as drawn; an empty point for an empty geometry. */
export function centroid(geometry: Geometry): Point {
  const parts = componentsOf(geometry);
  const moments = [areaMoments, lengthMoments, (part: Component) => [1, part.west, part.south] as const];
  for (const [k, weigh] of moments.entries()) {
    let [weight, x, y] = [0, 0, 0];
    for (const part of parts) {
      if (part.dimension < 2 - k) continue;
      const [w, wx, wy] = weigh(part);
      [weight, x, y] = [weight + w, x + wx, y + wy];
    }
    if (weight > 0) return point(x / weight, y / weight);
  }
  return point(Number.NaN, Number.NaN);
}

/** The bounding box as drawn: a polygon, or a point or line where it has no area, as PostGIS answers. */
export function envelopeOf(geometry: Geometry): Geometry {
  const box = boundingBox(geometry);
  if (!box) return point(Number.NaN, Number.NaN);
  const [west, south, east, north] = box;
  if (west === east && south === north) return point(west, south);
  if (west < east && south < north) return envelope(west, south, east, north);
  return { type: "LineString", layout: "XY", coordinates: Float64Array.of(west, south, east, north) };
}

type Moments = readonly [weight: number, x: number, y: number];

/** Area and its moments; shells add and holes take off, whichever way they are drawn. */
function areaMoments(part: Component): Moments {
  if (part.dimension < 2) return [0, 0, 0];
  let [weight, x, y] = [0, 0, 0];
  for (const [k, ring] of part.runs.entries()) {
    const [w, wx, wy] = ringMoments(ring);
    const sign = w < 0 === (k === 0) ? -1 : 1;
    [weight, x, y] = [weight + sign * w, x + sign * wx, y + sign * wy];
  }
  return [weight, x, y];
}

/** Seen from the ring's first point, so that far-away rings lose no digits. */
function ringMoments(ring: Float64Array): Moments {
  const [x0, y0] = [ring[0]!, ring[1]!];
  let [twice, x, y] = [0, 0, 0];
  for (let i = 2; i < ring.length; i += 2) {
    const [ax, ay, bx, by] = [ring[i - 2]! - x0, ring[i - 1]! - y0, ring[i]! - x0, ring[i + 1]! - y0];
    const cross = ax * by - bx * ay;
    twice += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  }
  const weight = twice / 2;
  return [weight, x / 6 + weight * x0, y / 6 + weight * y0];
}

function lengthMoments(part: Component): Moments {
  let [weight, x, y] = [0, 0, 0];
  if (part.dimension === 0) return [0, 0, 0];
  for (const run of part.runs) {
    for (let i = 2; i < run.length; i += 2) {
      const length = Math.hypot(run[i]! - run[i - 2]!, run[i + 1]! - run[i - 1]!);
      weight += length;
      x += (length * (run[i]! + run[i - 2]!)) / 2;
      y += (length * (run[i + 1]! + run[i - 1]!)) / 2;
    }
  }
  return [weight, x, y];
}
