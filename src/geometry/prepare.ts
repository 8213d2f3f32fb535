import type { Geometry } from "./geometry.ts";
import { APART, CROSSING, Linework } from "./linework.ts";
import type { Box, Component } from "./longitude.ts";
import {
  broughtHome,
  componentsOf,
  copiesIn,
  dimensionOf,
  homeShift,
  isBoxRing,
  isHome,
  joined,
  queryBoxes,
} from "./longitude.ts";
import type { Predicate } from "./predicates.ts";
import { holds } from "./predicates.ts";
import type { Matrix } from "./relate.ts";
import { relateMatrix } from "./relate.ts";
import { wkbBox, wkbIsBox } from "./wkb-box.ts";
import { parseWkb } from "./wkb-read.ts";

/** Above this many segments of the constant, only those near a row are laid out. */
const CHOOSE_ABOVE = 32;

/** Makes a constant geometry ready to be compared with many rows. */
export function prepare(geometry: Geometry): Prepared {
  return new Prepared(geometry);
}

/** Whether `predicate` holds from `a` to `b`, exactly; longitudes as `longitude.ts` says. */
export function relate(predicate: Predicate, a: Geometry, b: Geometry): boolean {
  return prepare(b).testGeometry(predicate, a);
}

/** The DE-9IM of two geometries as nine characters, `FF2FF1212`. */
export function relatePattern(a: Geometry, b: Geometry): string {
  const [partsA, partsB] = [a, b].map((geometry) => broughtHome(componentsOf(geometry))) as [
    Component[],
    Component[],
  ];
  const apart = isHome(partsA) && isHome(partsB) && !(atMeridian(partsA) && atMeridian(partsB));
  const matrix = apart
    ? relateMatrix(new Linework(partsA), new Linework(partsB))
    : relateOnCircle(partsA, partsB);
  return Array.from(matrix, (dimension) => (dimension < 0 ? "F" : dimension)).join("");
}

function atMeridian(components: readonly Component[]): boolean {
  return components.some((part) => part.west <= -180 || part.east >= 180);
}

/**
 * Relates shapes of which both reach the ±180 meridian: in the plane of all copies near [-180, 180], of which one
 * turn is counted. Copies go a shape's width beyond it, so that each edge that counts is whole.
 */
function relateOnCircle(a: Component[], b: Component[]): Matrix {
  const widest = [...a, ...b].reduce(
    (most, part) => Math.max(most, part.circle ? 0 : part.east - part.west),
    360,
  );
  const reach = 180 + widest;
  const [first, second] = [a, b].map((parts) => new Linework(copiesIn(parts, -reach, reach)));
  return relateMatrix(first!, second!, { window: true });
}

/**
 * A constant geometry, tested against rows: `test("within", row)` is whether the row is within the constant.
 *
 * Exact for valid geometries. Invalid polygons (bow-ties, spikes, overlapping parts) never throw: intersects and disjoint
 * answer as GEOS does, save that holes outside their shell count where GEOS forgets them; for the rest their area is as
 * `relate.ts` says, and parts without area may count as inside or as boundary.
 */
export class Prepared {
  private readonly components: Component[];
  /** The copies that touch [-180, 180]. */
  private readonly work: Linework;
  private readonly boxes: Box[];
  /** The constant's copies where it is a box, else none. */
  private readonly rectangles: Component[];
  private readonly meridian: boolean;
  /** Whether it is one polygon: an edge crossed is then an edge between inside and outside. */
  private readonly single: boolean;
  private readonly row = new Float64Array(4);
  /** [west, south, east, north] that holds all that can meet it; infinite and inside out where it is empty. */
  readonly reach: readonly [number, number, number, number];

  constructor(geometry: Geometry) {
    this.components = broughtHome(componentsOf(geometry));
    const copies = copiesIn(this.components, -180, 180);
    this.work = new Linework(copies);
    this.boxes = queryBoxes(geometry);
    this.reach = joined(this.boxes);
    const [only] = this.components;
    this.single =
      this.components.length === 1 &&
      only!.dimension === 2 &&
      (only!.circle || only!.east - only!.west < 360);
    this.rectangles = this.single && isBoxRing(only!.runs) ? copies : [];
    this.meridian = atMeridian(copies);
  }

  /** Whether it is a box, so that boxes which touch `queryBoxes` of it intersect it. */
  get isRectangle(): boolean {
    return this.rectangles.length > 0;
  }

  /**
   * Whether `predicate` holds from the row, the WKB value `data[start…end)`, to this geometry.
   *
   * @throws bad_geometry where the bytes are no geometry.
   */
  test(predicate: Predicate, data: Uint8Array, start = 0, end: number = data.length): boolean {
    const { row } = this;
    if (!wkbBox(data, start, end, row)) return this.testEmpty(predicate);
    const shift = homeShift(row[0]!, row[2]!);
    const [west, south, east, north] = [row[0]! + shift, row[1]!, row[2]! + shift, row[3]!];
    if (west >= -180 && east <= 180) {
      if (!this.near(west, south, east, north)) return predicate === "disjoint";
      const known =
        this.byBox(predicate, west, south, east, north) ?? this.byRow(predicate, data, start, end);
      if (known !== undefined) return known;
    }
    return this.exactly(predicate, broughtHome(componentsOf(parseWkb(data, start, end))));
  }

  /**
   * The same for a row of which only the envelope `[west, south, east, north]` is known, within [-180, 180]; NaN where
   * it reaches beyond.
   *
   * @param isBox Whether the row is exactly that rectangle.
   * @returns undefined where the envelope does not decide
   */
  testBox(predicate: Predicate, envelope: Float64Array, isBox: boolean): boolean | undefined {
    // Named one by one: taking lists apart is slow before it is compiled.
    const west = envelope[0]!;
    const south = envelope[1]!;
    const east = envelope[2]!;
    const north = envelope[3]!;
    if (!(west >= -180 && east <= 180)) return undefined;
    if (!this.near(west, south, east, north)) return predicate === "disjoint";
    const meeting = predicate === "intersects" || predicate === "disjoint";
    // Boxes that are near a box meet it.
    if (isBox && meeting && this.isRectangle) return predicate === "intersects";
    const known = this.byBox(predicate, west, south, east, north);
    if (known !== undefined || !isBox) return known;
    if (meeting) return predicate === "intersects";
    const ring = Float64Array.of(west, south, east, south, east, north, west, north, west, south);
    return this.exactly(predicate, [
      { dimension: 2, runs: [ring], west, south, east, north, circle: east - west >= 360 },
    ]);
  }

  /** The same for a row that is no WKB. */
  testGeometry(predicate: Predicate, geometry: Geometry): boolean {
    const components = broughtHome(componentsOf(geometry));
    return components.length === 0 ? this.testEmpty(predicate) : this.exactly(predicate, components);
  }

  /** The same for a row that is empty. */
  testEmpty(predicate: Predicate): boolean {
    return predicate === "disjoint" || (predicate === "equals" && this.components.length === 0);
  }

  private near(west: number, south: number, east: number, north: number): boolean {
    return this.boxes.some((box) => west <= box[2] && east >= box[0] && south <= box[3] && north >= box[1]);
  }

  /** What the row's box alone decides. */
  private byBox(
    predicate: Predicate,
    west: number,
    south: number,
    east: number,
    north: number,
  ): boolean | undefined {
    let touched = 0;
    let held = 0;
    for (const box of this.rectangles) {
      if (west > box.west && east < box.east && south > box.south && north < box.north)
        return whenInside(predicate);
      if (west > box.east || east < box.west || south > box.north || north < box.south) continue;
      touched++;
      if (west >= box.west && east <= box.east && south >= box.south && north <= box.north) held++;
    }
    if (held > 0 && (predicate === "intersects" || predicate === "coveredBy")) return true;
    if (held > 0 && predicate === "disjoint") return false;
    if (touched === 1 && held === 0 && (predicate === "within" || predicate === "coveredBy")) return false;
    if (this.work.touchesBox(west, south, east, north)) return undefined;
    return this.work.locate(west, south) > 0 ? whenInside(predicate) : predicate === "disjoint";
  }

  /** What follows from the row's being its own box, where the box touches this geometry's edges. */
  private byRow(predicate: Predicate, data: Uint8Array, start: number, end: number): boolean | undefined {
    if (predicate !== "intersects" && predicate !== "disjoint") return undefined;
    return wkbIsBox(data, start, end) ? predicate === "intersects" : undefined;
  }

  private exactly(predicate: Predicate, row: Component[]): boolean {
    const home = isHome(row);
    if (predicate === "intersects" || predicate === "disjoint") {
      const work = new Linework(home ? row : copiesIn(row, -180, 180));
      return meets(work, this.work) === (predicate === "intersects");
    }
    // Copies of this geometry beyond the meridian matter only to what must lie in the row.
    const inPlane =
      home && (predicate === "within" || predicate === "coveredBy" || !(this.meridian && atMeridian(row)));
    if (inPlane) return this.inPlane(predicate, new Linework(row));
    return holds(predicate, relateOnCircle(row, this.components), dimensionOf(row), this.work.dimension);
  }

  private inPlane(predicate: Predicate, row: Linework): boolean {
    const { work } = this;
    const known = row.polygonal && work.polygonal ? this.byContact(predicate, row) : undefined;
    if (known !== undefined) return known;
    const choose = work.polygonal && work.owner.length > CHOOSE_ABOVE && row.dimension >= 0;
    const matrix = relateMatrix(row, work, choose ? { chosen: segmentsNear(work, row) } : {});
    const reachesOut =
      work.west < row.west || work.south < row.south || work.east > row.east || work.north > row.north;
    if (choose && reachesOut) [matrix[6], matrix[7]] = [2, 1];
    return holds(predicate, matrix, row.dimension, work.dimension);
  }

  /**
   * What follows for polygons from whether their edges cross or do not meet at all. An edge that is crossed counts as
   * one between inside and outside, as in GEOS; where a polygon is not valid it may be a spike inside it.
   */
  private byContact(predicate: Predicate, row: Linework): boolean | undefined {
    if (predicate === "overlaps") return undefined;
    const contact = strongestContact(row, this.work);
    if (contact === CROSSING && this.single && row.rings.polygons === 1)
      return predicate === "touches" ? undefined : false;
    if (contact !== APART) return undefined;
    if (predicate === "within" || predicate === "coveredBy") return holdsWithoutContact(row, this.work);
    if (predicate === "contains" || predicate === "covers") return holdsWithoutContact(this.work, row);
    return false;
  }
}

/** Of a row that lies in the interior of a polygon. */
function whenInside(predicate: Predicate): boolean {
  return predicate === "intersects" || predicate === "within" || predicate === "coveredBy";
}

/**
 * Whether `outer` covers `inner`, of polygons whose edges do not meet. Undecided where `inner` lies around a ring of
 * several polygons: that may be a hole, or a polygon inside another.
 */
function holdsWithoutContact(inner: Linework, outer: Linework): boolean | undefined {
  if (!every(inner.firsts, (x, y) => outer.locate(x, y) > 0)) return false;
  if (every(outer.firsts, (x, y) => inner.locate(x, y) < 0)) return true;
  return outer.rings.polygons === 1 ? false : undefined;
}

/** Shapes meet where a component of one begins in the other, or where their segments do. */
function meets(a: Linework, b: Linework): boolean {
  if (!every(a.heads, (x, y) => !b.covers(x, y))) return true;
  if (!every(b.heads, (x, y) => !a.covers(x, y))) return true;
  return strongestContact(a, b, true) !== APART;
}

function strongestContact(a: Linework, b: Linework, any = false): number {
  const s = a.segments;
  let strongest = APART;
  for (let i = 0; i < s.length && strongest !== CROSSING; i += 4) {
    strongest = Math.max(strongest, b.meets(s[i]!, s[i + 1]!, s[i + 2]!, s[i + 3]!));
    if (any && strongest !== APART) return strongest;
  }
  return strongest;
}

function* segmentsNear(work: Linework, row: Linework): Generator<number> {
  const s = work.segments;
  for (const i of new Set(work.passing(row.south, row.north))) {
    const [x1, y1, x2, y2] = [s[4 * i]!, s[4 * i + 1]!, s[4 * i + 2]!, s[4 * i + 3]!];
    const beside = (x1 < row.west && x2 < row.west) || (x1 > row.east && x2 > row.east);
    if (!beside && !((y1 < row.south && y2 < row.south) || (y1 > row.north && y2 > row.north))) yield i;
  }
}

function every(pairs: Float64Array, test: (x: number, y: number) => boolean): boolean {
  for (let i = 0; i < pairs.length; i += 2) if (!test(pairs[i]!, pairs[i + 1]!)) return false;
  return true;
}
