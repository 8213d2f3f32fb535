/**
 * Bounding boxes straight from WKB bytes: no object per geometry, for scans of millions of rows.
 */
import { badGeometry, MAX_DEPTH } from "./geometry.ts";
import type { WkbHeader } from "./wkb-read.ts";
import { readHeader } from "./wkb-read.ts";

const header: WkbHeader = { code: 0, layout: 0, littleEndian: true, size: 0 };

/** The bytes that were read last, and the view of their buffer: rows of one chunk share theirs. */
let seen: Uint8Array = new Uint8Array(0);
let view: DataView = new DataView(new ArrayBuffer(0));
let base = 0;
let box: Float64Array = new Float64Array(4);

/**
 * The box [west, south, east, north] of the WKB value `data[start…end)` as drawn, into `out`.
 *
 * @returns false where the geometry is empty: `out` is then of no meaning.
 * @throws bad_geometry where the bytes are no whole geometry, with the byte counted from `start`.
 */
export function wkbBox(data: Uint8Array, start: number, end: number, out: Float64Array): boolean {
  focus(data);
  out[0] = out[1] = Infinity;
  out[2] = out[3] = -Infinity;
  box = out;
  base = start + data.byteOffset;
  scan(base, Math.min(end, data.length) + data.byteOffset, 0, 0);
  return out[0]! <= out[2]!;
}

/**
 * Whether the value is a polygon of one closed ring of five points along the axes with an area: exactly its own box.
 * Only for bytes that `wkbBox` has accepted.
 */
export function wkbIsBox(data: Uint8Array, start: number, end: number): boolean {
  focus(data);
  let at = start + data.byteOffset;
  base = at;
  readHeader(view, at, end + data.byteOffset, base, header);
  const { code, littleEndian: little } = header;
  if (code !== 3) return false;
  const step = 8 * (2 + (header.layout & 1) + (header.layout >> 1));
  at += header.size;
  if (view.getUint32(at, little) !== 1 || view.getUint32(at + 4, little) !== 5) return false;
  at += 8;
  const x0 = view.getFloat64(at, little);
  const y0 = view.getFloat64(at + 8, little);
  const x1 = view.getFloat64(at + step, little);
  const y1 = view.getFloat64(at + step + 8, little);
  const x2 = view.getFloat64(at + 2 * step, little);
  const y2 = view.getFloat64(at + 2 * step + 8, little);
  const x3 = view.getFloat64(at + 3 * step, little);
  const y3 = view.getFloat64(at + 3 * step + 8, little);
  if (view.getFloat64(at + 4 * step, little) !== x0 || view.getFloat64(at + 4 * step + 8, little) !== y0)
    return false;
  if (x0 === x2 || y0 === y2) return false;
  const flatFirst = y1 === y0 && x1 === x2 && y3 === y2 && x3 === x0;
  return flatFirst || (x1 === x0 && y1 === y2 && x3 === x2 && y3 === y0);
}

/**
 * Both at once for what most footprints are: a little-endian XY polygon of one ring of five points, 93 bytes.
 *
 * @returns 2: it is its box, as `wkbIsBox` says; 1: it has that envelope; 0: it is something else, or wrong
 */
export function quadrangle(data: Uint8Array, start: number, end: number, out: Float64Array): 0 | 1 | 2 {
  if (end - start !== 93) return 0;
  focus(data);
  const at = start + data.byteOffset;
  if (view.getUint8(at) !== 1 || view.getUint32(at + 1, true) !== 3) return 0;
  if (view.getUint32(at + 5, true) !== 1 || view.getUint32(at + 9, true) !== 5) return 0;
  const x0 = view.getFloat64(at + 13, true);
  const y0 = view.getFloat64(at + 21, true);
  const x1 = view.getFloat64(at + 29, true);
  const y1 = view.getFloat64(at + 37, true);
  const x2 = view.getFloat64(at + 45, true);
  const y2 = view.getFloat64(at + 53, true);
  const x3 = view.getFloat64(at + 61, true);
  const y3 = view.getFloat64(at + 69, true);
  if (view.getFloat64(at + 77, true) !== x0 || view.getFloat64(at + 85, true) !== y0) return 0;
  out[0] = Math.min(x0, x1, x2, x3);
  out[1] = Math.min(y0, y1, y2, y3);
  out[2] = Math.max(x0, x1, x2, x3);
  out[3] = Math.max(y0, y1, y2, y3);
  // NaN comes through Math.min, and one subtraction finds it and the infinities.
  if (!(out[2]! - out[0]! < Infinity && out[3]! - out[1]! < Infinity)) return 0;
  if (x0 === x2 || y0 === y2) return 1;
  const flatFirst = y1 === y0 && x1 === x2 && y3 === y2 && x3 === x0;
  return flatFirst || (x1 === x0 && y1 === y2 && x3 === x2 && y3 === y0) ? 2 : 1;
}

function focus(data: Uint8Array): void {
  if (data === seen) return;
  seen = data;
  view = new DataView(data.buffer);
}

/** Takes in the geometry at `at`, which must be of type `expected` unless that is 0, and says where it ends. */
function scan(at: number, end: number, depth: number, expected: number): number {
  readHeader(view, at, end, base, header);
  const { code, littleEndian: little } = header;
  if (expected !== 0 && code !== expected)
    throw bad(at + 1, `type ${code} inside a multi-geometry of type ${expected + 3}`);
  if (depth > MAX_DEPTH) throw bad(at, `collections nested deeper than ${MAX_DEPTH}`);
  const step = 8 * (2 + (header.layout & 1) + (header.layout >> 1));
  const body = at + header.size;
  if (code === 1) return scanPoint(body, end, step, little);
  if (code === 2) return scanRun(body, end, step, little);
  const count = readCount(body, end, code === 3 ? 4 : 5, little);
  let next = body + 4;
  for (let i = 0; i < count; i++) {
    next =
      code === 3 ? scanRun(next, end, step, little) : scan(next, end, depth + 1, code === 7 ? 0 : code - 3);
  }
  return next;
}

function readCount(at: number, end: number, least: number, little: boolean): number {
  if (end - at < 4) throw bad(at, "ends inside a count");
  const count = view.getUint32(at, little);
  if (count * least > end - at - 4)
    throw bad(at, `a count of ${count}, more than the bytes that are left can hold`);
  return count;
}

function scanPoint(at: number, end: number, step: number, little: boolean): number {
  if (end - at < step) throw bad(at, "ends inside a point");
  const empty = Number.isNaN(view.getFloat64(at, little)) && Number.isNaN(view.getFloat64(at + 8, little));
  return empty ? at + step : extend(at, at + step, step, little);
}

function scanRun(at: number, end: number, step: number, little: boolean): number {
  const count = readCount(at, end, step, little);
  return extend(at + 4, at + 4 + count * step, step, little);
}

function extend(from: number, to: number, step: number, little: boolean): number {
  let west = box[0]!;
  let south = box[1]!;
  let east = box[2]!;
  let north = box[3]!;
  for (let at = from; at < to; at += step) {
    const x = view.getFloat64(at, little);
    const y = view.getFloat64(at + 8, little);
    // One subtraction each finds NaN and both infinities.
    if (x - x !== 0 || y - y !== 0) throw bad(at, `coordinates are ${x}, ${y}`);
    if (x < west) west = x;
    if (x > east) east = x;
    if (y < south) south = y;
    if (y > north) north = y;
  }
  box[0] = west;
  box[1] = south;
  box[2] = east;
  box[3] = north;
  return to;
}

function bad(at: number, what: string): Error {
  return badGeometry(`WKB byte ${at - base}`, what);
}
