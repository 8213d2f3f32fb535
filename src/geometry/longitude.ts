/**
 * Longitudes for predicates. They live on a circle: a shape is drawn in the plane with the edges it has
 * (170 → -170 is 340° wide) and then rolled onto the cylinder, where x and x ± 360 are one meridian. So
 *
 * - shapes that meet at ±180 from the two sides touch, and rows at 190 and -170 are at one place;
 * - the ±180 meridian is no edge of a shape that crosses it, whether drawn across (170 → 190) or in two halves:
 *   points on it are inside for within, contains, covers and coveredBy;
 * - a box of 360° or more is a band around the whole circle, with no edge in the west or east;
 *   any other shape that wide covers what its turns cover together;
 * - latitude is never wrapped.
 *
 * Nothing is cut: a crossing shape is tested as copies 360° apart, so no edge is rounded at a seam. The copies of
 * what lies within [-180, 180] are exact; farther away a shift rounds to the nearest double.
 */
import type { Coordinates, Geometry } from "./geometry.ts";
import { badGeometry, eachRun } from "./geometry.ts";

/** One point, line or polygon, as pairs of longitude and latitude. */
export interface Component {
  dimension: 0 | 1 | 2;
  /** One run of a point or line; the closed rings of a polygon. */
  runs: Float64Array[];
  west: number;
  south: number;
  east: number;
  north: number;
  /** Whether it is a box of 360° or more. */
  circle: boolean;
}

/** West, south, east, north in degrees, with -180 <= west <= east <= 180. */
export type Box = [number, number, number, number];

/** Wider shapes than this many degrees are refused: their coordinates are no longitudes. */
export const WIDEST = 3600;

/** The points, lines and polygons that a geometry consists of; empty ones are left out. */
export function componentsOf(geometry: Geometry): Component[] {
  if ("parts" in geometry) return geometry.parts.flatMap(componentsOf);
  const runs: Float64Array[] = [];
  eachRun(geometry, (run, stride) => {
    if (run.length > 0)
      runs.push(geometry.type === "Polygon" ? closed(pairs(run, stride)) : pairs(run, stride));
  });
  if (runs.length === 0) return [];
  const component = measured(geometry.type === "Polygon" ? 2 : geometry.type === "LineString" ? 1 : 0, runs);
  if (component.east - component.west > WIDEST) {
    throw badGeometry(
      "its longitudes",
      `they run from ${component.west} to ${component.east}, which is no longitude in degrees`,
    );
  }
  return [component];
}

/** What has shrunk to one point is a point, as in GEOS. */
function measured(dimension: 0 | 1 | 2, runs: Float64Array[]): Component {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const run of runs) {
    for (let i = 0; i < run.length; i += 2) {
      const x = run[i]!;
      const y = run[i + 1]!;
      if (x < west) west = x;
      if (x > east) east = x;
      if (y < south) south = y;
      if (y > north) north = y;
    }
  }
  const box = { west, south, east, north };
  if (west === east && south === north)
    return { dimension: 0, runs: [Float64Array.of(west, south)], ...box, circle: false };
  const circle = east - west >= 360 && dimension === 2 && isBoxRing(runs);
  return { dimension, runs, ...box, circle };
}

function pairs(run: Coordinates, stride: number): Float64Array {
  if (stride === 2) return run;
  return Float64Array.from(
    { length: (2 * run.length) / stride },
    (_, i) => run[(i >> 1) * stride + (i & 1)]!,
  );
}

function closed(ring: Float64Array): Float64Array {
  const last = ring.length - 2;
  if (ring[0] === ring[last] && ring[1] === ring[last + 1]) return ring;
  const whole = new Float64Array(ring.length + 2);
  whole.set(ring);
  whole.set(ring.subarray(0, 2), ring.length);
  return whole;
}

/** Whether a polygon's closed rings are one ring of four edges along the axes, enclosing an area. */
export function isBoxRing(rings: Float64Array[]): boolean {
  const ring = rings[0]!;
  if (rings.length !== 1 || ring.length !== 10) return false;
  const [x0, y0, x1, y1, x2, y2, x3, y3] = ring;
  if (x0 === x2 || y0 === y2) return false;
  const flatFirst = y1 === y0 && x1 === x2 && y3 === y2 && x3 === x0;
  return flatFirst || (x1 === x0 && y1 === y2 && x3 === x2 && y3 === y0);
}

/** The bounds of all components as drawn; infinite and the wrong way round where there are none. */
export function extentOf(components: readonly Component[]): {
  west: number;
  south: number;
  east: number;
  north: number;
} {
  const extent = { west: Infinity, south: Infinity, east: -Infinity, north: -Infinity };
  for (const part of components) {
    extent.west = Math.min(extent.west, part.west);
    extent.south = Math.min(extent.south, part.south);
    extent.east = Math.max(extent.east, part.east);
    extent.north = Math.max(extent.north, part.north);
  }
  return extent;
}

/** The highest dimension among the components; -1 where there are none. */
export function dimensionOf(components: readonly Component[]): number {
  return components.reduce((most, part) => Math.max(most, part.dimension), -1);
}

/** Every copy, shifted by a multiple of 360°, that touches longitudes `low` to `high`; bands span them with room. */
export function copiesIn(components: Component[], low: number, high: number): Component[] {
  const copies: Component[] = [];
  for (const component of components) {
    if (component.circle) {
      copies.push(band(component, low - 360, high + 360));
      continue;
    }
    const last = Math.ceil((high - component.west) / 360);
    for (let turn = Math.floor((low - component.east) / 360); turn <= last; turn++) {
      if (component.west + 360 * turn <= high && component.east + 360 * turn >= low)
        copies.push(shifted(component, 360 * turn));
    }
  }
  return copies;
}

function band({ south, north, ...component }: Component, west: number, east: number): Component {
  const ring = Float64Array.of(west, south, east, south, east, north, west, north, west, south);
  return { ...component, runs: [ring], west, south, east, north };
}

function shifted(component: Component, by: number): Component {
  if (by === 0) return component;
  const runs = component.runs.map((run) => run.map((value, i) => (i % 2 === 0 ? value + by : value)));
  return { ...component, runs, west: component.west + by, east: component.east + by };
}

/** Components that lie wholly one turn east or west of [-180, 180], brought there; that is exact. */
export function broughtHome(components: Component[]): Component[] {
  return components.map((component) => {
    const by = homeShift(component.west, component.east);
    return by === 0 || component.circle ? component : shifted(component, by);
  });
}

/** The shift that brings longitudes `west` to `east` into [-180, 180]: 0, 360 or -360; 0 also where none does. */
export function homeShift(west: number, east: number): number {
  if (east > 180 && west >= 180 && east <= 540) return -360;
  return west < -180 && east <= -180 && west >= -540 ? 360 : 0;
}

/** Whether all of it lies in [-180, 180] as drawn, and is no band. */
export function isHome(components: Component[]): boolean {
  return components.every((part) => part.west >= -180 && part.east <= 180 && !part.circle);
}

/**
 * The boxes that a row must touch with one of its `rowBoxes` to meet `geometry`: none where it is empty, else one or
 * two, since what touches the meridian on one side is met from the other side too.
 */
export function queryBoxes(geometry: Geometry): Box[] {
  const boxes = rowBoxes(geometry);
  if (boxes.length === 0) return boxes;
  const [west, south, east, north] = joined(boxes);
  if (boxes.length === 2) return boxes.map((box) => [box[0], south, box[2], north]);
  if (west === -180 && east < 180) boxes.push([180, south, 180, north]);
  if (east === 180 && west > -180) boxes.push([-180, south, -180, north]);
  return boxes;
}

/**
 * The real boxes of a shape in [-180, 180]: none where it is empty, two where it reaches the ±180 meridian from both
 * sides and leaves a gap between, else one.
 */
export function rowBoxes(geometry: Geometry): Box[] {
  const pieces = broughtHome(componentsOf(geometry)).flatMap((component) =>
    (isHome([component]) ? [component] : copiesIn([component], -180, 180)).map(clipped),
  );
  if (pieces.length === 0) return [];
  const [west, , east] = joined(pieces);
  return west === -180 && east === 180 ? splitAtWidestGap(pieces) : [joined(pieces)];
}

function clipped({ west, south, east, north }: Component): Box {
  return [Math.max(west, -180), south, Math.min(east, 180), north];
}

/** The box that holds all of `boxes`. */
export function joined(boxes: readonly Box[]): Box {
  const all: Box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [west, south, east, north] of boxes) {
    all[0] = Math.min(all[0], west);
    all[1] = Math.min(all[1], south);
    all[2] = Math.max(all[2], east);
    all[3] = Math.max(all[3], north);
  }
  return all;
}

function splitAtWidestGap(boxes: Box[]): Box[] {
  const sorted = [...boxes].sort((a, b) => a[0] - b[0]);
  let [reach, widest, cut] = [sorted[0]![2], 0, 0];
  for (let i = 1; i < sorted.length; i++) {
    const gap = sorted[i]![0] - reach;
    if (gap > widest) [widest, cut] = [gap, i];
    reach = Math.max(reach, sorted[i]![2]);
  }
  return cut === 0 ? [joined(sorted)] : [joined(sorted.slice(0, cut)), joined(sorted.slice(cut))];
}
