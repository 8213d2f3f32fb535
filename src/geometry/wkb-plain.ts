/** WKB as every reader takes it. */
import { type Coordinates, type Geometry, MAX_DEPTH } from "./geometry.ts";
import { parseWkb } from "./wkb-read.ts";
import { writeWkb } from "./wkb-write.ts";

/**
 * ISO WKB in place of a value that is not: EWKB, bytes after its end (fixed-width columns pad), rings that are not
 * closed. `undefined` where it may stay as it is.
 *
 * @throws bad_geometry with the byte, counted from `start`
 */
export function plainWkb(data: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return endOfPlain(view, start, end, 0) === end ? undefined : writeWkb(closed(parseWkb(data, start, end)));
}

/** With the first position again at the end of each ring that lacks it. */
function closed(geometry: Geometry): Geometry {
  if ("parts" in geometry) return { ...geometry, parts: geometry.parts.map(closed) } as Geometry;
  if (geometry.type !== "Polygon") return geometry;
  return { ...geometry, rings: geometry.rings.map((ring) => closedRing(ring, geometry.layout.length)) };
}

function closedRing(ring: Coordinates, stride: number): Coordinates {
  const last = ring.length - stride;
  if (last < 0 || (ring[0] === ring[last] && ring[1] === ring[last + 1])) return ring;
  const whole = new Float64Array(ring.length + stride);
  whole.set(ring);
  whole.set(ring.subarray(0, stride), ring.length);
  return whole;
}

/** Where a geometry that is plain, little-endian and XY ends; -1 for all others, which are read to know more. */
function endOfPlain(view: DataView, at: number, end: number, depth: number): number {
  if (end - at < 9 || view.getUint8(at) !== 1 || depth > MAX_DEPTH) return -1;
  const code = view.getUint32(at + 1, true);
  if (code === 1) return pointsEnd(view, at + 5, 1, end);
  const count = view.getUint32(at + 5, true);
  let next = at + 9;
  if (code === 2) return pointsEnd(view, next, count, end);
  if (code < 3 || code > 7) return -1;
  for (let i = 0; i < count && next >= 0; i++) {
    next = code === 3 ? ringEnd(view, next, end) : partEnd(view, next, end, code, depth + 1);
  }
  return next;
}

/** Multi-geometries (4 to 6) hold their own kind (1 to 3), collections anything. */
function partEnd(view: DataView, at: number, end: number, code: number, depth: number): number {
  const own = code === 7 || (end - at >= 5 && view.getUint32(at + 1, true) === code - 3);
  return own ? endOfPlain(view, at, end, depth) : -1;
}

function ringEnd(view: DataView, at: number, end: number): number {
  if (end - at < 4) return -1;
  const count = view.getUint32(at, true);
  const next = pointsEnd(view, at + 4, count, end);
  if (next < 0 || count === 0) return next;
  const last = next - 16;
  const closed =
    view.getFloat64(at + 4, true) === view.getFloat64(last, true) &&
    view.getFloat64(at + 12, true) === view.getFloat64(last + 8, true);
  return closed ? next : -1;
}

function pointsEnd(view: DataView, at: number, count: number, end: number): number {
  const next = at + 16 * count;
  if (next > end) return -1;
  for (let i = at; i < next; i += 8) if (!Number.isFinite(view.getFloat64(i, true))) return -1;
  return next;
}
