/** Envelopes of many geometries at 17 bytes each: float32, rounded so that they never decide wrongly. */
import { homeShift } from "./longitude.ts";
import type { Predicate } from "./predicates.ts";
import type { Prepared } from "./prepare.ts";

/** What is known of a geometry beside its edges; their sum is a row's `known`. */
export const [NONE, ENVELOPE, EXACT, RECTANGLE, EMPTY, NULL] = [
  /** Nothing: it is read where it matters. */
  0,
  /** The edges hold its envelope, rounded outward. */
  1,
  /** They are not rounded. */
  2,
  /** It is exactly that rectangle. */
  4,
  /** It is empty. */
  8,
  /** There is none. */
  16,
] as const;

/** Edges of the envelopes, in [-180, 180]. */
export interface RoundedBoxes {
  west: Float32Array;
  south: Float32Array;
  east: Float32Array;
  north: Float32Array;
  known: Uint8Array;
}

/** Envelopes of which nothing is known yet. */
export function newRoundedBoxes(length: number): RoundedBoxes {
  const edges = () => new Float32Array(length);
  return { west: edges(), south: edges(), east: edges(), north: edges(), known: new Uint8Array(length) };
}

/**
 * Puts an envelope [west, south, east, north] as drawn at place `i`. Those that cross ±180 are left unknown.
 *
 * @param rectangle Whether the geometry is exactly that rectangle.
 */
export function setBox(boxes: RoundedBoxes, i: number, envelope: Float64Array, rectangle: boolean): void {
  const shift = homeShift(envelope[0]!, envelope[2]!);
  const [west, south, east, north] = [envelope[0]! + shift, envelope[1]!, envelope[2]! + shift, envelope[3]!];
  if (!(west >= -180 && east <= 180 && east - west < 360)) return;
  boxes.west[i] = west;
  boxes.south[i] = south;
  boxes.east[i] = east;
  boxes.north[i] = north;
  const exact =
    boxes.west[i] === west && boxes.south[i] === south && boxes.east[i] === east && boxes.north[i] === north;
  boxes.known[i] = ENVELOPE + (exact ? EXACT : 0) + (rectangle ? RECTANGLE : 0);
  if (exact) return;
  boxes.west[i] = Math.max(-180, west - step(west));
  boxes.south[i] = south - step(south);
  boxes.east[i] = Math.min(180, east + step(east));
  boxes.north[i] = north + step(north);
}

/**
 * More than rounding to float32 moves a number near `x`: at most half a unit in the last place, 2^-24 of it, or
 * 2^-150 below the smallest normal number.
 */
const step = (x: number): number => Math.abs(x) * 2 ** -23 + 2 ** -148;

/** More than `setBox` moves an edge, rounding included. */
const slack = (x: number): number => Math.abs(x) * 2 ** -21 + 2 ** -146;

const outer = new Float64Array(4);
const inner = new Float64Array(4);

/**
 * Whether `predicate` holds from the geometry at `i`, which is not NULL, to a constant.
 * @returns undefined where its envelope does not decide
 */
export function testRounded(
  prepared: Prepared,
  predicate: Predicate,
  boxes: RoundedBoxes,
  i: number,
): boolean | undefined {
  const known = boxes.known[i]!;
  if (known === NONE) return undefined;
  if (known === EMPTY) return prepared.testEmpty(predicate);
  outer[0] = boxes.west[i]!;
  outer[1] = boxes.south[i]!;
  outer[2] = boxes.east[i]!;
  outer[3] = boxes.north[i]!;
  const rectangle = (known & RECTANGLE) !== 0;
  if (known & EXACT) return prepared.testBox(predicate, outer, rectangle);
  const wide = prepared.testBox(predicate, outer, false);
  // What is inside or apart together with a larger box is so itself; but it may be within where that box is not.
  const within = predicate === "within" || predicate === "coveredBy";
  if (wide === true || (wide === false && !within)) return wide;
  if (within && prepared.testBox("intersects", outer, false) === false) return false;
  return rectangle ? testBetween(prepared, predicate) : undefined;
}

/** Of a rectangle that lies between `inner` and `outer`. */
function testBetween(prepared: Prepared, predicate: Predicate): boolean | undefined {
  for (const [edge, inward] of [1, 1, -1, -1].entries())
    inner[edge] = outer[edge]! + inward * slack(outer[edge]!);
  if (!(inner[0]! < inner[2]! && inner[1]! < inner[3]!)) return undefined;
  const [least, most] = GROWING.has(predicate)
    ? [inner, outer]
    : SHRINKING.has(predicate)
      ? [outer, inner]
      : [];
  if (!least || !most) return undefined;
  if (prepared.testBox(predicate, least, true) === true) return true;
  return prepared.testBox(predicate, most, true) === false ? false : undefined;
}

/** Predicates that hold for all that covers a rectangle they hold for, and for all that it covers. */
const GROWING: ReadonlySet<Predicate> = new Set(["intersects", "contains", "covers"]);
const SHRINKING: ReadonlySet<Predicate> = new Set(["disjoint", "within", "coveredBy"]);
