import type { Coordinates, Geometry, GeometryType, Layout } from "./geometry.ts";
import { badGeometry, GEOMETRY_TYPES, MAX_DEPTH, partType } from "./geometry.ts";

const LAYOUTS: Layout[] = ["XY", "XYZ", "XYM", "XYZM"];
const SRID_FLAG = 0x20000000;

/** What one WKB header says. `size` is its bytes. */
export interface WkbHeader {
  /** 1 to 7, the place in GEOMETRY_TYPES plus one. */
  code: number;
  /** 0 XY, 1 XYZ, 2 XYM, 3 XYZM. */
  layout: number;
  littleEndian: boolean;
  size: number;
}

/**
 * The header at `at`: byte order, type with ISO (+1000, +2000, +3000) or EWKB (high bits) dimensions, SRID.
 * See OGC 06-103r4, 8.2, and PostGIS's EWKB.
 *
 * @param start where the value began, for messages.
 */
export function readHeader(view: DataView, at: number, end: number, start: number, out: WkbHeader): void {
  if (end - at < 5)
    throw badGeometry(
      `WKB byte ${at - start}`,
      `${end - at} bytes left where a geometry of at least 5 begins`,
    );
  const order = view.getUint8(at);
  if (order > 1) throw badGeometry(`WKB byte ${at - start}`, `byte order is ${order}, not 0 or 1`);
  out.littleEndian = order === 1;
  const word = view.getUint32(at + 1, out.littleEndian);
  const thousands = Math.floor((word & 0xffff) / 1000);
  out.code = (word & 0xffff) % 1000;
  const unknown = (word & 0x1fff0000) !== 0 || thousands > 3 || out.code < 1 || out.code > 7;
  if (unknown)
    throw badGeometry(
      `WKB byte ${at - start + 1}`,
      `type ${word} is none of ${GEOMETRY_TYPES.join(", ")} (1-7)`,
    );
  out.layout = thousands | (word >>> 31) | ((word >>> 29) & 2);
  out.size = 5;
  if ((word & SRID_FLAG) !== 0) {
    if (end - at < 9) throw badGeometry(`WKB byte ${at - start + 5}`, "ends inside the SRID");
    checkSrid(view.getUint32(at + 5, out.littleEndian), `WKB byte ${at - start + 5}`);
    out.size = 9;
  }
}

/** Refuses coordinate systems other than EPSG:4326; 0 means unstated. */
export function checkSrid(srid: number, where: string): void {
  if (srid !== 0 && srid !== 4326) throw badGeometry(where, `SRID ${srid}; geometry must be in EPSG:4326`);
}

/**
 * Reads WKB or EWKB, either byte order; what follows the geometry is ignored (fixed-width columns pad).
 * Rings are taken as closed, whether or not the last point repeats the first.
 *
 * @throws bad_geometry with the byte, counted from `start`.
 */
export function parseWkb(data: Uint8Array, start = 0, end: number = data.length): Geometry {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return new Reader(view, start, end).geometry(0, undefined);
}

class Reader {
  private readonly view: DataView;
  private readonly start: number;
  private readonly end: number;
  private at: number;

  constructor(view: DataView, start: number, end: number) {
    this.view = view;
    this.start = start;
    this.end = end;
    this.at = start;
  }

  geometry(depth: number, expected: GeometryType | undefined): Geometry {
    const header: WkbHeader = { code: 0, layout: 0, littleEndian: true, size: 0 };
    readHeader(this.view, this.at, this.end, this.start, header);
    const type = GEOMETRY_TYPES[header.code - 1]!;
    if (expected && type !== expected) throw this.bad(`a ${type} where a ${expected} belongs`);
    if (depth > MAX_DEPTH) throw this.bad(`collections nested deeper than ${MAX_DEPTH}`);
    this.at += header.size;
    const layout = LAYOUTS[header.layout]!;
    const little = header.littleEndian;
    if (type === "Point") return { type, layout, coordinates: this.point(layout.length, little) };
    if (type === "LineString") return { type, layout, coordinates: this.run(layout.length, little) };
    if (type === "Polygon")
      return { type, layout, rings: this.list(4, little, () => this.run(layout.length, little)) };
    return { type, layout, parts: this.list(5, little, () => this.geometry(depth + 1, partType(type))) };
  }

  /** A point whose ordinates are all NaN is empty. */
  private point(stride: number, little: boolean): Coordinates {
    if (this.end - this.at < 8 * stride) throw this.bad("ends inside a point");
    const empty =
      Number.isNaN(this.view.getFloat64(this.at, little)) &&
      Number.isNaN(this.view.getFloat64(this.at + 8, little));
    if (!empty) return this.values(1, stride, little);
    this.at += 8 * stride;
    return new Float64Array(0);
  }

  private run(stride: number, little: boolean): Coordinates {
    return this.values(this.count(8 * stride, little), stride, little);
  }

  private list<T>(least: number, little: boolean, read: () => T): T[] {
    const items: T[] = [];
    for (let n = this.count(least, little); n > 0; n--) items.push(read());
    return items;
  }

  /** A count, checked against the bytes left before anything is allocated for it. */
  private count(least: number, little: boolean): number {
    if (this.end - this.at < 4) throw this.bad("ends inside a count");
    const count = this.view.getUint32(this.at, little);
    if (count * least > this.end - this.at - 4)
      throw this.bad(`a count of ${count}, more than the bytes that are left can hold`);
    this.at += 4;
    return count;
  }

  private values(points: number, stride: number, little: boolean): Coordinates {
    const values = new Float64Array(points * stride);
    for (let i = 0; i < values.length; i++, this.at += 8) {
      const value = this.view.getFloat64(this.at, little);
      if (i % stride < 2 && !Number.isFinite(value)) throw this.bad(`coordinate is ${value}`);
      values[i] = value;
    }
    return values;
  }

  private bad(what: string): Error {
    return badGeometry(`WKB byte ${this.at - this.start}`, what);
  }
}
