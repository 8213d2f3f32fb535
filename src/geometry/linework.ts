import { orient2d } from "robust-predicates";
import type { Component } from "./longitude.ts";
import { dimensionOf, extentOf } from "./longitude.ts";
import type { Rings } from "./parity.ts";
import { Parity } from "./parity.ts";
import { Strips } from "./strips.ts";

/** Which side of a → b point c lies on, exactly: above 0 left, below 0 right, 0 on the line. */
export function sideOf(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): number {
  return -orient2d(ax, ay, bx, by, cx, cy);
}

/** How two segments meet: not at all, at an end or along a stretch, or by crossing between their ends. */
export const APART = 0;
export const TOUCHING = 1;
export const CROSSING = 2;

/**
 * The segments of some components in the plane, findable by latitude: strips hold the segments that pass them.
 * All tests are exact.
 */
export class Linework {
  /** x1, y1, x2, y2 of each segment; none has length 0. */
  readonly segments: Float64Array;
  /** The ring each segment belongs to, counted from 0; -1 for a line's. */
  readonly owner: Int32Array;
  readonly rings: Rings;
  /** x, y of each point component. */
  readonly points: Float64Array;
  /** x, y of both ends of each line. */
  readonly lineEnds: Float64Array;
  /** x, y of the first vertex of each ring, line and point. */
  readonly firsts: Float64Array;
  /** The same without holes: one for each component. */
  readonly heads: Float64Array;
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
  /** Of the highest-dimensional component; -1 where there is none. */
  readonly dimension: number;
  /** Whether there are polygons and nothing else. */
  readonly polygonal: boolean;
  private readonly parity: Parity;
  private strips: Strips | undefined;

  constructor(components: readonly Component[]) {
    const { west, south, east, north } = extentOf(components);
    [this.west, this.south, this.east, this.north] = [west, south, east, north];
    this.dimension = dimensionOf(components);
    const { segments, owner } = segmentsOf(components);
    [this.segments, this.owner] = [segments, owner];
    this.rings = ringsOf(components);
    this.polygonal = this.rings.polygons > 0 && this.rings.polygons === components.length;
    this.parity = new Parity(this.rings);
    this.heads = Float64Array.from(components.flatMap(({ runs: [run] }) => [run![0]!, run![1]!]));
    this.firsts = Float64Array.from(
      components.flatMap(({ runs }) => runs.flatMap((run) => [run[0]!, run[1]!])),
    );
    const pairsOf = (dimension: number, pick: (run: Float64Array) => number[]) =>
      Float64Array.from(
        components.flatMap((part) => (part.dimension === dimension ? pick(part.runs[0]!) : [])),
      );
    this.points = pairsOf(0, (run) => [run[0]!, run[1]!]);
    this.lineEnds = pairsOf(1, (run) => [run[0]!, run[1]!, run.at(-2)!, run.at(-1)!]);
  }

  /** Segments that may touch latitudes `low` to `high`, each at least once, perhaps more. */
  passing(low: number, high: number): Uint32Array {
    this.strips ??= new Strips(this.segments, this.south, this.north);
    return this.strips.passing(low, high);
  }

  /** 1 inside some polygon, 0 on a polygon's edge, -1 outside all. A hole's edge counts only inside its shell. */
  locate(x: number, y: number): -1 | 0 | 1 {
    const { parity, rings, segments: s } = this;
    if (rings.polygons === 0 || x < this.west || x > this.east || y < this.south || y > this.north) return -1;
    parity.clear();
    let onHoleOf = -1;
    for (const i of this.passing(y, y)) {
      const ring = this.owner[i]!;
      if (ring < 0) continue;
      const hit = rayHit(x, y, s[4 * i]!, s[4 * i + 1]!, s[4 * i + 2]!, s[4 * i + 3]!);
      if (hit === ON && rings.isShell[ring]) return 0;
      if (hit === ON) onHoleOf = rings.polygonOf[ring]!;
      else if (hit === CROSSED) parity.cross(ring);
    }
    if (onHoleOf >= 0 && parity.isInShell(onHoleOf)) return 0;
    return parity.count > 0 ? 1 : -1;
  }

  /** Whether the point is inside or on any component. */
  covers(x: number, y: number): boolean {
    if (this.locate(x, y) >= 0) return true;
    for (let i = 0; i < this.points.length; i += 2)
      if (this.points[i] === x && this.points[i + 1] === y) return true;
    return this.polygonal ? false : this.meets(x, y, x, y) !== APART;
  }

  /** The strongest way in which the segment (or point, where both ends are one) meets a segment. */
  meets(ax: number, ay: number, bx: number, by: number): number {
    const s = this.segments;
    const [west, east] = ax < bx ? [ax, bx] : [bx, ax];
    const [south, north] = ay < by ? [ay, by] : [by, ay];
    if (east < this.west || west > this.east || north < this.south || south > this.north) return APART;
    let strongest = APART;
    for (const i of this.passing(south, north)) {
      const x1 = s[4 * i]!;
      const y1 = s[4 * i + 1]!;
      const x2 = s[4 * i + 2]!;
      const y2 = s[4 * i + 3]!;
      if ((x1 < west && x2 < west) || (x1 > east && x2 > east)) continue;
      if ((y1 < south && y2 < south) || (y1 > north && y2 > north)) continue;
      const p = sideOf(x1, y1, x2, y2, ax, ay);
      const q = sideOf(x1, y1, x2, y2, bx, by);
      if ((p > 0 && q > 0) || (p < 0 && q < 0)) continue;
      const r = sideOf(ax, ay, bx, by, x1, y1);
      const t = sideOf(ax, ay, bx, by, x2, y2);
      if ((r > 0 && t > 0) || (r < 0 && t < 0)) continue;
      if (p !== 0 && q !== 0 && r !== 0 && t !== 0) return CROSSING;
      strongest = TOUCHING;
    }
    return strongest;
  }

  /** Whether a segment or point touches the closed box. */
  touchesBox(west: number, south: number, east: number, north: number): boolean {
    const s = this.segments;
    for (let i = 0; i < this.points.length; i += 2) {
      const x = this.points[i]!;
      const y = this.points[i + 1]!;
      if (x >= west && x <= east && y >= south && y <= north) return true;
    }
    for (const i of this.passing(south, north)) {
      const x1 = s[4 * i]!;
      const y1 = s[4 * i + 1]!;
      const x2 = s[4 * i + 2]!;
      const y2 = s[4 * i + 3]!;
      if ((x1 < west && x2 < west) || (x1 > east && x2 > east)) continue;
      if ((y1 < south && y2 < south) || (y1 > north && y2 > north)) continue;
      // The line leaves the box on one side exactly when both corners across its slope are on that side.
      const rising = x1 < x2 === y1 < y2;
      const p = sideOf(x1, y1, x2, y2, west, rising ? north : south);
      const q = sideOf(x1, y1, x2, y2, east, rising ? south : north);
      if (!((p > 0 && q > 0) || (p < 0 && q < 0))) return true;
    }
    return false;
  }
}

function ringsOf(components: readonly Component[]): Rings {
  const [polygonOf, isShell]: [number[], boolean[]] = [[], []];
  let polygons = 0;
  for (const { dimension, runs } of components) {
    if (dimension < 2) continue;
    for (const k of runs.keys()) {
      polygonOf.push(polygons);
      isShell.push(k === 0);
    }
    polygons++;
  }
  return { polygonOf, isShell, polygons };
}

/** The segments of all lines and rings, leaving out those of length 0, with the number of each one's ring. */
function segmentsOf(components: readonly Component[]): { segments: Float64Array; owner: Int32Array } {
  const most = components.reduce((n, { runs }) => runs.reduce((sum, run) => sum + run.length / 2 - 1, n), 0);
  const segments = new Float64Array(4 * most);
  const owner = new Int32Array(most);
  let [count, ring] = [0, 0];
  for (const { dimension, runs } of components) {
    for (const run of runs) {
      for (let i = 2; i < run.length; i += 2) {
        if (run[i - 2] === run[i] && run[i - 1] === run[i + 1]) continue;
        for (let k = 0; k < 4; k++) segments[4 * count + k] = run[i - 2 + k]!;
        owner[count++] = dimension === 2 ? ring : -1;
      }
      if (dimension === 2) ring++;
    }
  }
  return { segments: segments.subarray(0, 4 * count), owner: owner.subarray(0, count) };
}

const [MISSED, CROSSED, ON] = [0, 1, 2] as const;

/** What a ray from (x, y) to the east, just north of its latitude, does to a segment. */
function rayHit(x: number, y: number, x1: number, y1: number, x2: number, y2: number): 0 | 1 | 2 {
  if (x1 < x && x2 < x) return MISSED;
  if (y1 === y && y2 === y) return x1 <= x || x2 <= x ? ON : MISSED;
  if ((x1 === x && y1 === y) || (x2 === x && y2 === y)) return ON;
  if (y1 > y === y2 > y) return MISSED;
  const side = sideOf(x1, y1, x2, y2, x, y);
  if (side === 0) return ON;
  return side > 0 === y2 > y1 ? CROSSED : MISSED;
}
