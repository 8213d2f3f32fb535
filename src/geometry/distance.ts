/** Distances in planar degrees, across the ±180 meridian where that is nearer. */
import type { Geometry } from "./geometry.ts";
import { Linework } from "./linework.ts";
import { type Component, componentsOf, copiesIn, extentOf } from "./longitude.ts";
import { type Prepared, prepare } from "./prepare.ts";

/** The least distance in degrees; `undefined` where either is empty. */
export function distance(a: Geometry, b: Geometry): number | undefined {
  return new PreparedDistance(a).to(b);
}

/** Whether the distance is at most `limit`; false where either is empty. At most 0 is to meet, without rounding. */
export function dwithin(a: Geometry, b: Geometry, limit: number): boolean {
  return new PreparedDistance(a).within(b, limit);
}

/** A constant geometry, made ready for its distances to many rows. */
export class PreparedDistance {
  private readonly parts: Component[];
  private readonly prepared: Prepared;
  private readonly work: Linework;

  constructor(geometry: Geometry) {
    this.parts = componentsOf(geometry);
    this.prepared = prepare(geometry);
    this.work = new Linework(this.parts);
  }

  /** As `distance`. */
  to(row: Geometry): number | undefined {
    const parts = componentsOf(row);
    if (this.parts.length === 0 || parts.length === 0) return undefined;
    if (this.prepared.testGeometry("intersects", row)) return 0;
    const { west, east } = extentOf(this.parts);
    return gap(this.work, new Linework(copiesIn(parts, west - 180, east + 180)));
  }

  /** As `dwithin`. */
  within(row: Geometry, limit: number): boolean {
    if (limit === 0) return this.prepared.testGeometry("intersects", row);
    const between = this.to(row);
    return between !== undefined && between <= limit;
  }
}

/** Between shapes that do not meet the least distance is at a vertex of one of them. */
function gap(a: Linework, b: Linework): number {
  return Math.sqrt(Math.min(vertexGap(a, b), vertexGap(b, a)));
}

function vertexGap(a: Linework, b: Linework): number {
  let least = Infinity;
  const measure = (x: number, y: number) => {
    for (let i = 0; i < b.points.length; i += 2) {
      least = Math.min(least, (x - b.points[i]!) ** 2 + (y - b.points[i + 1]!) ** 2);
    }
    for (let i = 0; i < b.segments.length; i += 4) least = Math.min(least, toSegment(x, y, b.segments, i));
  };
  for (let i = 0; i < a.points.length; i += 2) measure(a.points[i]!, a.points[i + 1]!);
  for (let i = 0; i < a.segments.length; i += 2) measure(a.segments[i]!, a.segments[i + 1]!);
  return least;
}

function toSegment(x: number, y: number, s: Float64Array, i: number): number {
  const [dx, dy] = [s[i + 2]! - s[i]!, s[i + 3]! - s[i + 1]!];
  const along = ((x - s[i]!) * dx + (y - s[i + 1]!) * dy) / (dx * dx + dy * dy);
  const t = Math.max(0, Math.min(1, along));
  return (x - s[i]! - t * dx) ** 2 + (y - s[i + 1]! - t * dy) ** 2;
}
