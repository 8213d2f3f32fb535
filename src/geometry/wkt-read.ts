import type { Coordinates, Geometry, GeometryType, Layout } from "./geometry.ts";
import { badGeometry, GEOMETRY_TYPES, MAX_DEPTH, partType } from "./geometry.ts";
import { checkSrid } from "./wkb-read.ts";

const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?![\w.])/iy;
const WORD = /[a-z]+/iy;
const SRID = /\s*SRID\s*=\s*(\d{1,9})\s*;/iy;

/**
 * Reads WKT or EWKT, in any case, `POINT Z (…)`, `POINTZ(…)` and PostGIS's `POINT(1 2 3)` (Z) alike.
 *
 * @throws bad_geometry with the character, counted from 0.
 */
export function parseWkt(text: string): Geometry {
  return new Reader(text).whole();
}

class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  whole(): Geometry {
    const srid = this.match(SRID);
    if (srid) checkSrid(Number(srid[1]), "WKT character 0");
    const geometry = this.geometry(0);
    this.space();
    if (this.at < this.text.length) throw this.bad("the geometry ends here, but the text goes on");
    return geometry;
  }

  private geometry(depth: number): Geometry {
    this.space();
    if (depth > MAX_DEPTH) throw this.bad(`collections nested deeper than ${MAX_DEPTH}`);
    const { type, layout } = this.tag();
    if (this.word("EMPTY")) return emptyOf(type, layout ?? "XY");
    if (type === "GeometryCollection") return { type, ...this.collection(layout, depth) };
    const shape = new Ordinates(layout);
    const geometry = this.body(type, shape);
    return withLayout(geometry, shape.layout ?? "XY");
  }

  /** The type's name and its dimensions: `POLYGON`, `POLYGON ZM`, `POLYGONZM`. */
  private tag(): { type: GeometryType; layout: Layout | undefined } {
    const start = this.at;
    const word = (this.match(WORD)?.[0] ?? "").toUpperCase();
    const attached = /^(.*?[^Z])(ZM|Z|M)$/.exec(word);
    const known = (name: string | undefined) => GEOMETRY_TYPES.find((type) => type.toUpperCase() === name);
    const type = known(word) ?? known(attached?.[1]);
    if (!type) {
      this.at = start;
      throw this.bad(
        `${word ? `"${word}"` : "this"} is none of ${GEOMETRY_TYPES.map((t) => t.toUpperCase()).join(", ")}`,
      );
    }
    const suffix = known(word) ? ["ZM", "Z", "M"].find((s) => this.word(s)) : attached![2];
    return { type, layout: suffix === undefined ? undefined : (`XY${suffix}` as Layout) };
  }

  private body(type: GeometryType, shape: Ordinates): Geometry {
    if (type === "Point") return { type, layout: "XY", coordinates: this.point(shape) };
    if (type === "LineString") return { type, layout: "XY", coordinates: this.run(shape, 2) };
    if (type === "Polygon") return { type, layout: "XY", rings: this.list(() => this.ring(shape)) };
    const part = partType(type)!;
    return { type: type as "MultiPoint", layout: "XY", parts: this.list(() => this.part(part, shape)) };
  }

  /** A part of a multi-geometry; a multipoint's points may stand without parentheses. */
  private part(type: GeometryType, shape: Ordinates): Geometry {
    this.space();
    if (this.word("EMPTY")) return emptyOf(type, "XY");
    if (type === "Point" && this.text[this.at] !== "(")
      return { type, layout: "XY", coordinates: this.tuples(shape, 1) };
    return this.body(type, shape);
  }

  private collection(layout: Layout | undefined, depth: number): { layout: Layout; parts: Geometry[] } {
    const parts = this.list(() => this.geometry(depth + 1));
    return { layout: layout ?? parts.find((part) => part.layout !== "XY")?.layout ?? "XY", parts };
  }

  private point(shape: Ordinates): Coordinates {
    this.expect("(");
    const point = this.tuples(shape, 1);
    this.expect(")");
    return point;
  }

  private run(shape: Ordinates, least: number): Coordinates {
    this.space();
    const start = this.at;
    if (this.word("EMPTY")) return new Float64Array(0);
    this.expect("(");
    const run = this.tuples(shape, Infinity);
    this.expect(")");
    if (run.length < least * shape.stride) {
      this.at = start;
      throw this.bad(`${run.length / shape.stride} points where at least ${least} are needed`);
    }
    return run;
  }

  private ring(shape: Ordinates): Coordinates {
    this.space();
    const start = this.at;
    const ring = this.run(shape, 4);
    const last = ring.length - shape.stride;
    if (ring.length > 0 && (ring[0] !== ring[last] || ring[1] !== ring[last + 1])) {
      this.at = start;
      throw this.bad("the ring is not closed: its last point must repeat its first");
    }
    return ring;
  }

  private list<T>(read: () => T): T[] {
    this.expect("(");
    const items = [read()];
    while (this.take(",")) items.push(read());
    this.expect(")");
    return items;
  }

  private tuples(shape: Ordinates, most: number): Coordinates {
    const values: number[] = [];
    for (let n = 0; n < most; n++) {
      this.tuple(shape, values);
      if (most === 1 || !this.take(",")) break;
    }
    return Float64Array.from(values);
  }

  private tuple(shape: Ordinates, values: number[]): void {
    this.space();
    const start = this.at;
    let count = 0;
    for (let number = this.match(NUMBER); number; number = this.match(NUMBER), count++) {
      const value = Number(number[0]);
      if (!Number.isFinite(value)) throw this.bad(`${number[0]} is beyond what a double holds`);
      values.push(value);
      this.space();
    }
    if (shape.accepts(count)) return;
    if (count === 0) throw this.bad("a number belongs here");
    this.at = start;
    throw this.bad(`${count} values in a point where ${shape.layout?.length ?? "2 to 4"} belong`);
  }

  private word(word: string): boolean {
    this.space();
    const start = this.at;
    if (this.match(WORD)?.[0].toUpperCase() === word) return true;
    this.at = start;
    return false;
  }

  private expect(sign: string): void {
    if (!this.take(sign)) throw this.bad(`"${sign}" belongs here`);
  }

  private take(sign: string): boolean {
    this.space();
    if (this.text[this.at] !== sign) return false;
    this.at++;
    return true;
  }

  private space(): void {
    while (this.at < this.text.length && " \t\r\n".includes(this.text[this.at]!)) this.at++;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  private bad(what: string): Error {
    const found = this.at < this.text.length ? "" : " (the text ends)";
    return badGeometry(`WKT character ${this.at}`, what + found);
  }
}

/** How many values a point has: as tagged, else as the first point shows (3 is Z, as in PostGIS). */
class Ordinates {
  layout: Layout | undefined;

  constructor(layout: Layout | undefined) {
    this.layout = layout;
  }

  get stride(): number {
    return this.layout?.length ?? 2;
  }

  accepts(count: number): boolean {
    if (count < 2 || count > 4) return false;
    this.layout ??= (["XY", "XYZ", "XYZM"] as const)[count - 2]!;
    return this.layout.length === count;
  }
}

function emptyOf(type: GeometryType, layout: Layout): Geometry {
  if (type === "Point" || type === "LineString") return { type, layout, coordinates: new Float64Array(0) };
  if (type === "Polygon") return { type, layout, rings: [] };
  return { type, layout, parts: [] };
}

/** The layout is known only when the first point has been read. */
function withLayout(geometry: Geometry, layout: Layout): Geometry {
  geometry.layout = layout;
  if ("parts" in geometry) for (const part of geometry.parts) withLayout(part, layout);
  return geometry;
}
