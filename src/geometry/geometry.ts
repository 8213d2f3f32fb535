import { ZarrsiftError } from "../errors.ts";

/** Which ordinates each point has; its length is the number of values per point. */
export type Layout = "XY" | "XYZ" | "XYM" | "XYZM";

/** The seven OGC types; WKB's code is the position here plus one. */
export const GEOMETRY_TYPES = [
  "Point",
  "LineString",
  "Polygon",
  "MultiPoint",
  "MultiLineString",
  "MultiPolygon",
  "GeometryCollection",
] as const;

export type GeometryType = (typeof GEOMETRY_TYPES)[number];

/** Values of consecutive points, `layout.length` each: longitude, latitude in degrees, then Z and M. */
export type Coordinates = Float64Array;

export type Point = { type: "Point"; layout: Layout; coordinates: Coordinates };
export type LineString = { type: "LineString"; layout: Layout; coordinates: Coordinates };
/** The first ring is the shell, the others are holes. */
export type Polygon = { type: "Polygon"; layout: Layout; rings: Coordinates[] };
export type Collection = {
  type: "MultiPoint" | "MultiLineString" | "MultiPolygon" | "GeometryCollection";
  layout: Layout;
  parts: Geometry[];
};

/** A geometry as stored: degrees, EPSG:4326, every ordinate kept. An empty one has no coordinates, rings or parts. */
export type Geometry = Point | LineString | Polygon | Collection;

/** How deep collections may nest in what is read. */
export const MAX_DEPTH = 100;

/** The type that the parts of a multi-geometry have; `undefined` for a collection, which takes any. */
export function partType(type: GeometryType): GeometryType | undefined {
  if (type === "GeometryCollection") return undefined;
  return type.startsWith("Multi") ? (type.slice(5) as GeometryType) : undefined;
}

/** Whether it has no point at all, as `POLYGON EMPTY` and `POINT(NaN NaN)`. */
export function isEmpty(geometry: Geometry): boolean {
  if (geometry.type === "Polygon") return geometry.rings.every((ring) => ring.length === 0);
  if ("parts" in geometry) return geometry.parts.every(isEmpty);
  return geometry.coordinates.length === 0;
}

/** A point in degrees; NaN for either makes it empty. */
export function point(x: number, y: number): Point {
  const empty = Number.isNaN(x) || Number.isNaN(y);
  if (!empty && !(Number.isFinite(x) && Number.isFinite(y))) {
    throw new ZarrsiftError("bad_parameter", `A point needs finite coordinates, not (${x}, ${y})`);
  }
  return { type: "Point", layout: "XY", coordinates: Float64Array.from(empty ? [] : [x, y]) };
}

/**
 * The box from `west` to `east`, as a polygon drawn counter-clockwise; west > east crosses the antimeridian,
 * so its east is drawn beyond 180.
 *
 * @throws bad_parameter where a bound is not a finite number or south > north.
 */
export function envelope(west: number, south: number, east: number, north: number): Polygon {
  if (![west, south, east, north].every(Number.isFinite)) {
    throw new ZarrsiftError(
      "bad_parameter",
      `A box needs four finite numbers, not ${west}, ${south}, ${east}, ${north}`,
    );
  }
  if (south > north) {
    throw new ZarrsiftError(
      "bad_parameter",
      `The box's south ${south} is north of its north ${north}; the order is west, south, east, north`,
    );
  }
  const end = west > east ? east + 360 * Math.ceil((west - east) / 360) : east;
  const ring = Float64Array.of(west, south, end, south, end, north, west, north, west, south);
  return { type: "Polygon", layout: "XY", rings: [ring] };
}

/** Calls `visit` with every run of coordinates: points, lines, rings. */
export function eachRun(geometry: Geometry, visit: (run: Coordinates, stride: number) => void): void {
  if ("parts" in geometry) for (const part of geometry.parts) eachRun(part, visit);
  else if (geometry.type === "Polygon")
    for (const ring of geometry.rings) visit(ring, geometry.layout.length);
  else visit(geometry.coordinates, geometry.layout.length);
}

/** Of the geometry as drawn, [west, south, east, north]; `undefined` where it is empty. */
export function boundingBox(geometry: Geometry): [number, number, number, number] | undefined {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  eachRun(geometry, (run, stride) => {
    for (let i = 0; i < run.length; i += stride) {
      west = Math.min(west, run[i]!);
      east = Math.max(east, run[i]!);
      south = Math.min(south, run[i + 1]!);
      north = Math.max(north, run[i + 1]!);
    }
  });
  return west > east ? undefined : [west, south, east, north];
}

/** `bad_geometry`, saying what is wrong and where: `WKB byte 5`, `WKT character 12`, `GeoJSON coordinates[0]`. */
export function badGeometry(where: string, what: string): ZarrsiftError {
  return new ZarrsiftError("bad_geometry", `Bad geometry at ${where}: ${what}`, { details: { where } });
}
