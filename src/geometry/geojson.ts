/** GeoJSON geometries (RFC 7946, 3.1). */
import type { Coordinates, Geometry, GeometryType, Layout } from "./geometry.ts";
import { badGeometry, GEOMETRY_TYPES, MAX_DEPTH, partType } from "./geometry.ts";

/** A GeoJSON geometry object, ready for JSON.stringify. */
export type GeoJson =
  | { type: Exclude<GeometryType, "GeometryCollection">; coordinates: Nested }
  | { type: "GeometryCollection"; geometries: GeoJson[] };
type Nested = (number | Nested)[];

/**
 * Reads a GeoJSON geometry, given as text or as the parsed object.
 *
 * @throws bad_geometry with the path, `coordinates[0][3]`.
 */
export function parseGeoJson(input: unknown): Geometry {
  return readGeometry(typeof input === "string" ? parseJson(input) : input, "", 0);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badGeometry("GeoJSON text", `it is not JSON: ${(cause as Error).message}`);
  }
}

function readGeometry(value: unknown, path: string, depth: number): Geometry {
  const object = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const type = GEOMETRY_TYPES.find((name) => name === object.type);
  if (!type)
    throw bad(
      `${path}type`,
      `${JSON.stringify(object.type) ?? "nothing"} is none of ${GEOMETRY_TYPES.join(", ")}`,
    );
  if (depth > MAX_DEPTH) throw bad(path, `collections nested deeper than ${MAX_DEPTH}`);
  if (type === "GeometryCollection") {
    const parts = listAt(object.geometries, `${path}geometries`).map((part, i) =>
      readGeometry(part, `${path}geometries[${i}].`, depth + 1),
    );
    return { type, layout: parts.find((part) => part.layout !== "XY")?.layout ?? "XY", parts };
  }
  const layout: Layout = firstPosition(object.coordinates) > 2 ? "XYZ" : "XY";
  return readShape(type, layout, object.coordinates, `${path}coordinates`);
}

function readShape(type: GeometryType, layout: Layout, value: unknown, path: string): Geometry {
  const list = listAt(value, path);
  if (type === "Point")
    return {
      type,
      layout,
      coordinates: list.length ? readRun([list], layout, path, 1) : readRun([], layout, path, 0),
    };
  if (type === "LineString")
    return { type, layout, coordinates: readRun(list, layout, path, list.length && 2) };
  if (type === "Polygon")
    return { type, layout, rings: list.map((ring, i) => readRing(ring, layout, `${path}[${i}]`)) };
  const part = partType(type)!;
  return {
    type: type as "MultiPoint",
    layout,
    parts: list.map((item, i) => readShape(part, layout, item, `${path}[${i}]`)),
  };
}

function readRing(value: unknown, layout: Layout, path: string): Coordinates {
  const ring = readRun(listAt(value, path), layout, path, 4);
  const last = ring.length - layout.length;
  if (ring[0] !== ring[last] || ring[1] !== ring[last + 1]) {
    throw bad(path, "the ring is not closed: its last position must repeat its first");
  }
  return ring;
}

/** Positions of two or three numbers; what a position has beyond three is left out, as RFC 7946 advises. */
function readRun(list: unknown[], layout: Layout, path: string, least: number): Coordinates {
  if (list.length < least) throw bad(path, `${list.length} positions where at least ${least} are needed`);
  const stride = layout.length;
  const values = new Float64Array(list.length * stride);
  for (let i = 0; i < list.length; i++) {
    const position = listAt(list[i], `${path}[${i}]`);
    for (let k = 0; k < stride; k++) {
      const value = position[k];
      if (typeof value !== "number" || !Number.isFinite(value)) {
        throw bad(
          `${path}[${i}]`,
          `a position needs ${stride} finite numbers, not ${JSON.stringify(position).slice(0, 60)}`,
        );
      }
      values[i * stride + k] = value;
    }
  }
  return values;
}

/** The length of the first position in nested coordinates, 0 where there is none. */
function firstPosition(value: unknown): number {
  let list = value;
  for (let depth = 0; depth < 4 && Array.isArray(list) && list.length > 0; depth++) {
    if (typeof list[0] === "number") return list.length;
    list = list[0];
  }
  return 0;
}

function listAt(value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) throw bad(path, "a list belongs here");
  return value;
}

function bad(path: string, what: string): Error {
  return badGeometry(`GeoJSON ${path || "geometry"}`, what);
}

/**
 * As a GeoJSON object, rings closed, with Z where there is one; M has no place in GeoJSON. Longitudes are as stored.
 */
export function writeGeoJson(geometry: Geometry): GeoJson {
  if (geometry.type === "GeometryCollection") {
    return { type: "GeometryCollection", geometries: geometry.parts.map(writeGeoJson) };
  }
  return { type: geometry.type, coordinates: nested(geometry) };
}

function nested(geometry: Geometry): Nested {
  if ("parts" in geometry) return geometry.parts.map(nested);
  if (geometry.type === "Polygon")
    return geometry.rings.map((ring) => closed(positions(ring, geometry.layout)));
  const list = positions(geometry.coordinates, geometry.layout);
  return geometry.type === "Point" ? ((list[0] as Nested | undefined) ?? []) : list;
}

function positions(run: Coordinates, layout: Layout): Nested {
  const size = layout.startsWith("XYZ") ? 3 : 2;
  const list: Nested = [];
  for (let i = 0; i < run.length; i += layout.length) {
    const known = size === 3 && Number.isFinite(run[i + 2]) ? 3 : 2;
    list.push([...run.subarray(i, i + known)]);
  }
  return list;
}

/** With the first position again at the end, where it is not there. */
function closed(ring: Nested): Nested {
  const [first, last] = [ring[0] as Nested | undefined, ring.at(-1) as Nested | undefined];
  return first && (first[0] !== last![0] || first[1] !== last![1]) ? [...ring, first] : ring;
}
