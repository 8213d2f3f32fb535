import type { Geometry } from "./geometry.ts";
import { GEOMETRY_TYPES } from "./geometry.ts";

const ISO_OFFSET = { XY: 0, XYZ: 1000, XYM: 2000, XYZM: 3000 };

/** ISO WKB, little-endian, without SRID; an empty point has NaN ordinates, as everyone writes it. */
export function writeWkb(geometry: Geometry): Uint8Array {
  const bytes = new Uint8Array(wkbSize(geometry));
  write(geometry, new DataView(bytes.buffer), 0);
  return bytes;
}

function wkbSize(geometry: Geometry): number {
  if (geometry.type === "Point") return 5 + 8 * geometry.layout.length;
  if (geometry.type === "LineString") return 9 + 8 * geometry.coordinates.length;
  if (geometry.type === "Polygon")
    return 9 + geometry.rings.reduce((sum, ring) => sum + 4 + 8 * ring.length, 0);
  return 9 + geometry.parts.reduce((sum, part) => sum + wkbSize(part), 0);
}

function write(geometry: Geometry, view: DataView, at: number): number {
  view.setUint8(at, 1);
  view.setUint32(at + 1, GEOMETRY_TYPES.indexOf(geometry.type) + 1 + ISO_OFFSET[geometry.layout], true);
  const body = at + 5;
  const stride = geometry.layout.length;
  if (geometry.type === "Point") {
    const empty = geometry.coordinates.length === 0;
    return writeValues(empty ? new Float64Array(stride).fill(Number.NaN) : geometry.coordinates, view, body);
  }
  if (geometry.type === "LineString") return writeRun(geometry.coordinates, stride, view, body);
  const items = geometry.type === "Polygon" ? geometry.rings : geometry.parts;
  view.setUint32(body, items.length, true);
  let next = body + 4;
  for (const item of items) {
    next = item instanceof Float64Array ? writeRun(item, stride, view, next) : write(item, view, next);
  }
  return next;
}

function writeRun(run: Float64Array, stride: number, view: DataView, at: number): number {
  view.setUint32(at, run.length / stride, true);
  return writeValues(run, view, at + 4);
}

function writeValues(values: Float64Array, view: DataView, at: number): number {
  for (let i = 0; i < values.length; i++) view.setFloat64(at + 8 * i, values[i]!, true);
  return at + 8 * values.length;
}
