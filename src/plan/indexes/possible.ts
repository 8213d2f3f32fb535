/** Which truths a condition can have within a run of rows, by what is known of the chunks they lie in. */
import { queryBoxes } from "../../geometry/longitude.ts";
import { prepare } from "../../geometry/prepare.ts";
import { parseWkb } from "../../geometry/wkb-read.ts";
import { orderOf } from "../../table/texts.ts";
import type { BoundExpr } from "../bind/bound.ts";
import { likePattern } from "../eval/like.ts";
import { prefixOf, prefixRange } from "../eval/like-prefix.ts";
import { converse } from "../eval/spatial.ts";
import { utf8 } from "../eval/vectors.ts";
import type { KnownZones, Zone } from "./zones.ts";

/** Sets of truths: a sum of these. */
export const [MAY_FALSE, MAY_TRUE, MAY_NULL] = [1, 2, 4] as const;
const ANY = MAY_FALSE | MAY_TRUE | MAY_NULL;
const EITHER = MAY_FALSE | MAY_TRUE;

/** Which truths can occur in rows `from` to `to` (exclusive), which lie in one chunk of each column of the condition. */
export type Possible = (from: number, to: number) => number;

type ZonesOf = (column: string) => KnownZones | undefined;

/** What the zones of its columns say about a condition; the rest of it may have any truth. */
export function possibleTruths(expr: BoundExpr, zones: ZonesOf): Possible {
  switch (expr.node) {
    case "constant": {
      const only = expr.value === null ? MAY_NULL : expr.value === true ? MAY_TRUE : MAY_FALSE;
      return () => only;
    }
    case "and":
      return combined(expr.operands, zones, MAY_FALSE, MAY_TRUE);
    case "or":
      return combined(expr.operands, zones, MAY_TRUE, MAY_FALSE);
    case "not": {
      const inner = possibleTruths(expr.operand, zones);
      return (from, to) => negated(inner(from, to));
    }
    case "is":
      return expr.test === "null" ? isNull(expr.operand, zones) : isTruth(expr, zones);
    case "is_distinct":
      return () => EITHER;
    case "range":
      if (expr.operand.node === "idx") return idxRange(Number(expr.low), Number(expr.high));
      return ofColumn(expr.operand, zones, ({ numbers }) =>
        numbers ? inRange(numbers.low, numbers.high, expr.low, expr.high) : EITHER,
      );
    case "in":
      return ofColumn(expr.operand, zones, (zone) => inList(zone, expr));
    case "column":
      return ofColumn(expr, zones, ({ numbers }) =>
        numbers ? inRange(numbers.low, numbers.high, 1, 1) : EITHER,
      );
    case "compare":
      return compared(expr, zones);
    case "like":
      return like(expr, zones);
    case "spatial":
      return spatial(expr, zones);
    default:
      return () => ANY;
  }
}

/** AND (`decisive` false, `neutral` true) or OR: one operand that is `decisive` decides. */
function combined(
  operands: readonly BoundExpr[],
  zones: ZonesOf,
  decisive: number,
  neutral: number,
): Possible {
  const parts = operands.map((operand) => possibleTruths(operand, zones));
  return (from, to) => {
    let all = neutral;
    for (const part of parts) {
      const one = part(from, to);
      let next = (all | one) & decisive;
      if (all & neutral && one & neutral) next |= neutral;
      if ((all & MAY_NULL && one & (MAY_NULL | neutral)) || (one & MAY_NULL && all & neutral))
        next |= MAY_NULL;
      all = next;
    }
    return all;
  };
}

const negated = (truths: number) =>
  (truths & MAY_NULL) | (truths & MAY_TRUE ? MAY_FALSE : 0) | (truths & MAY_FALSE ? MAY_TRUE : 0);

/** What `some` says of the values of a column that are not NULL, and NULL where some are. */
function ofColumn(operand: BoundExpr, zones: ZonesOf, some: (zone: Zone) => number): Possible {
  const known = operand.node === "column" ? zones(operand.name) : undefined;
  if (!known) return () => ANY;
  return (from) => {
    const zone = known.zone(Math.floor(from / known.chunkRows));
    if (!zone) return ANY;
    if (zone.nulls >= zone.rows) return MAY_NULL;
    return some(zone) | (zone.nulls > 0 ? MAY_NULL : 0);
  };
}

function isNull(operand: BoundExpr, zones: ZonesOf): Possible {
  // Geometry without a point is counted as NULL, and need not be.
  const stored = operand.node === "column" && operand.type.kind !== "geometry";
  const known = stored ? zones(operand.name) : undefined;
  if (!known) return () => EITHER;
  return (from) => {
    const zone = known.zone(Math.floor(from / known.chunkRows));
    if (!zone) return EITHER;
    return (zone.nulls > 0 ? MAY_TRUE : 0) | (zone.nulls < zone.rows ? MAY_FALSE : 0);
  };
}

function isTruth({ operand, test }: Extract<BoundExpr, { node: "is" }>, zones: ZonesOf): Possible {
  const inner = possibleTruths(operand, zones);
  const wanted = test === "true" ? MAY_TRUE : MAY_FALSE;
  return (from, to) => {
    const truths = inner(from, to);
    return (truths & wanted ? MAY_TRUE : 0) | (truths & ~wanted ? MAY_FALSE : 0);
  };
}

type Bound = number | bigint;

/** Whether values between `least` and `most` are within a range: all, none or some. */
function inRange(least: Bound, most: Bound, low: Bound, high: Bound): number {
  if (most < low || least > high) return MAY_FALSE;
  return least >= low && most <= high ? MAY_TRUE : EITHER;
}

const idxRange =
  (low: number, high: number): Possible =>
  (from, to) =>
    inRange(from, to - 1, low, high);

function inList(
  { numbers, texts }: Zone,
  { points, texts: wanted, hasNull }: Extract<BoundExpr, { node: "in" }>,
) {
  const each = numbers
    ? points.map((point) => inRange(numbers.low, numbers.high, point, point))
    : texts
      ? wanted.map((text) => inTexts(texts, text, text, true))
      : [EITHER];
  if (each.includes(MAY_TRUE)) return MAY_TRUE;
  const missed = hasNull ? MAY_NULL : MAY_FALSE;
  return each.includes(EITHER) ? MAY_TRUE | missed : missed;
}

type Texts = NonNullable<Zone["texts"]>;

/** Whether texts between the bounds of a zone lie from `low` to `high`: undefined is open. */
function inTexts(
  zone: Texts,
  low: Uint8Array | undefined,
  high: Uint8Array | undefined,
  inclusive: boolean,
): number {
  const below = (text: Uint8Array) =>
    high === undefined || (inclusive ? orderOf(text, high) <= 0 : orderOf(text, high) < 0);
  const notUnder = (text: Uint8Array) => low === undefined || orderOf(text, low) >= 0;
  if (!below(zone.low) || (zone.high !== undefined && !notUnder(zone.high))) return MAY_FALSE;
  const whole = notUnder(zone.low) && (zone.high === undefined ? high === undefined : below(zone.high));
  return whole ? MAY_TRUE : EITHER;
}

/** Texts beside a constant: `=`, `<`, `<=` with the constant on either side. */
function compared({ op, left, right }: Extract<BoundExpr, { node: "compare" }>, zones: ZonesOf): Possible {
  const [column, fixed] = left.node === "column" ? [left, right] : [right, left];
  if (fixed.node !== "constant" || fixed.value === null) return () => ANY;
  const { value } = fixed;
  if (typeof value !== "string" && !(value instanceof Uint8Array)) return () => ANY;
  const text = typeof value === "string" ? utf8(value) : value;
  const above = column === right;
  return ofColumn(column, zones, ({ texts }) => {
    if (!texts) return EITHER;
    if (op === "=") return inTexts(texts, text, text, true);
    if (!above) return inTexts(texts, undefined, text, op === "<=");
    // text < column is not (column <= text).
    return negated(inTexts(texts, undefined, text, op === "<"));
  });
}

function like(expr: Extract<BoundExpr, { node: "like" }>, zones: ZonesOf): Possible {
  const { operand, pattern, escape: escaping, insensitive } = expr;
  if (insensitive || pattern.node !== "constant" || typeof pattern.value !== "string") return () => ANY;
  const { prefix, whole } = prefixOf(likePattern(pattern.value, escaping));
  const { low, high, highInclusive } = prefixRange(prefix, whole);
  return ofColumn(operand, zones, ({ texts }) => {
    if (!texts) return EITHER;
    const inside = inTexts(texts, low, high, highInclusive);
    return inside === MAY_TRUE && whole === undefined ? EITHER : inside;
  });
}

function spatial(
  { predicate, left, right }: Extract<BoundExpr, { node: "spatial" }>,
  zones: ZonesOf,
): Possible {
  const turned = left.node === "constant";
  const [column, fixed] = turned ? [right, left] : [left, right];
  if (fixed.node !== "constant" || !(fixed.value instanceof Uint8Array)) return () => ANY;
  const geometry = parseWkb(fixed.value);
  const boxes = queryBoxes(geometry);
  if (boxes.length === 0) return () => ANY;
  const prepared = prepare(geometry);
  const asked = turned ? converse(predicate) : predicate;
  const apart = asked === "disjoint" ? MAY_TRUE : MAY_FALSE;
  const known = column.node === "column" ? zones(column.name) : undefined;
  if (!known) return () => ANY;
  return (from) => {
    const zone = known.zone(Math.floor(from / known.chunkRows));
    if (!zone?.box) return ANY;
    // Shapes without a point are counted as NULL; they are apart from everything, if they are not NULL.
    const rest = zone.nulls > 0 ? MAY_NULL | apart : 0;
    if (zone.nulls >= zone.rows) return rest;
    const [west, south, east, north] = zone.box as unknown as [number, number, number, number];
    if (!boxes.some((box) => west <= box[2] && east >= box[0] && south <= box[3] && north >= box[1]))
      return apart | rest;
    const inside = asked === "intersects" || asked === "coveredBy" || asked === "disjoint";
    if (!inside || prepared.testBox("coveredBy", zone.box, false) !== true) return EITHER | rest;
    return negated(apart) | rest;
  };
}
