/** Comparisons as they are bound: types brought together, constants made exact ranges of the other side's type. */
import type { Position } from "../../errors.ts";
import { floorDivide, PER_SECOND } from "../../format/calendar.ts";
import { shown, sqlError } from "../../sql/messages.ts";
import { BOOL, DATE, isDate, type SqlType, type TimeUnit, typeName } from "../../table/types.ts";
import { nextAbove, nextBelow } from "../eval/numbers.ts";
import { utf8 } from "../eval/vectors.ts";
import { INTERVAL_FORMS, parseInterval } from "../functions/interval.ts";
import { parseTimestamp, whyNoTimestamp } from "../functions/timestamp.ts";
import {
  type Bound,
  type BoundExpr,
  type Constant,
  constant,
  integerConstant,
  isConstant,
  nullBool,
} from "./bound.ts";

export type Comparison = "=" | "<>" | "<" | "<=" | ">" | ">=";

const MIRRORED: Record<Comparison, Comparison> = {
  "=": "=",
  "<>": "<>",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
};

/** `left op right`. @throws ZarrsiftError `sql_type` where the two cannot be compared */
export function bindComparison(op: Comparison, left: BoundExpr, right: BoundExpr, at: Position): BoundExpr {
  const [a, b] = comparable(left, right, op, at);
  if (a.type.kind === "null" || b.type.kind === "null" || isNull(a) || isNull(b)) return nullBool(at);
  if (op === "<>") return { node: "not", operand: bindComparison("=", a, b, at), type: BOOL, at };
  if (isConstant(a) && !isConstant(b)) return bindComparison(MIRRORED[op], b, a, at);
  if (isConstant(b) && !isText(a.type)) return rangeOf(op, a, b, at);
  if (op === ">" || op === ">=")
    return { node: "compare", op: op === ">" ? "<" : "<=", left: b, right: a, type: BOOL, at };
  return { node: "compare", op, left: a, right: b, type: BOOL, at };
}

const isNull = (expr: BoundExpr) => isConstant(expr) && expr.value === null;
const isText = ({ kind }: SqlType) => kind === "string" || kind === "bytes";
const isNumeric = ({ kind }: SqlType) => kind === "int" || kind === "float";

/** Both sides with a string constant turned into the other side's type. */
export function comparable(
  left: BoundExpr,
  right: BoundExpr,
  op: string,
  at: Position,
): [BoundExpr, BoundExpr] {
  const [a, b] = [fitConstant(left, right.type), fitConstant(right, left.type)];
  const [first, second] = [a.type, b.type];
  const alike = first.kind === second.kind || (isNumeric(first) && isNumeric(second));
  if (first.kind === "null" || second.kind === "null") return [a, b];
  if (first.kind === "geometry" || second.kind === "geometry") {
    throw sqlError(
      "sql_type",
      `${op} does not compare geometry: write ST_Equals(a, b) or ST_Intersects(a, b)`,
      at,
    );
  }
  if (alike) return [a, b];
  const bare = [first, second].some(isNumeric) && [first, second].some(({ kind }) => kind === "timestamp");
  const hint = bare ? "; a time is written '2025-07-01 12:30:00'" : "";
  throw sqlError(
    "sql_type",
    `Cannot compare ${typeName(first)} with ${typeName(second)} by ${op}${hint}`,
    at,
  );
}

/** A string constant as a value of `type`; anything else as it is. */
export function fitConstant(expr: BoundExpr, type: SqlType): BoundExpr {
  if (!isConstant(expr) || typeof expr.value !== "string") return expr;
  if (type.kind === "timestamp") return timeConstant(expr.value, type, expr.at);
  const { value: text, at } = expr;
  if (type.kind === "duration") return durationConstant(text, at);
  if (type.kind === "int" || type.kind === "float") return numberConstant(text, type, at);
  if (type.kind !== "bool") return expr;
  if (/^(true|false)$/i.test(text)) return constant(text.toLowerCase() === "true", BOOL, at);
  throw sqlError("sql_type", `'${shown(text)}' is not a boolean: write TRUE or FALSE`, at);
}

/** @throws ZarrsiftError `sql_type` where the text is no timestamp */
export function timestampConstant(text: string, at: Position): Constant {
  const instant = parseTimestamp(text);
  if (!instant)
    throw sqlError("sql_type", `'${shown(text)}' is not a timestamp: ${whyNoTimestamp(text)}`, at);
  return constant(instant.value, { kind: "timestamp", unit: instant.unit }, at);
}

/** As it stands beside a time; beside a DATE only its day counts, as in DuckDB. */
function timeConstant(text: string, type: SqlType, at: Position): Constant {
  const instant = timestampConstant(text, at);
  if (!isDate(type)) return instant;
  const { unit } = instant.type as { unit: TimeUnit };
  const [days] = floorDivide(instant.value as bigint, PER_SECOND[unit] * 86_400n);
  return constant(days * 86_400n, DATE, at);
}

/** @throws ZarrsiftError `sql_type` where the text is no interval, or has months */
function durationConstant(text: string, at: Position): Constant {
  const interval = parseInterval(text);
  if (interval?.months === 0) return constant(interval.us, { kind: "duration", unit: "us" }, at);
  throw sqlError(
    "sql_type",
    `'${shown(text)}' is not a duration: write ${INTERVAL_FORMS}, in days and less`,
    at,
  );
}

function numberConstant(text: string, type: SqlType, at: Position): Constant {
  if (/^\s*[-+]?\d+\s*$/.test(text)) return integerConstant(BigInt(text.trim().replace(/^\+/, "")), at);
  const number = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(number))
    throw sqlError(
      "sql_type",
      `'${shown(text)}' is not a number, so it cannot be compared with ${typeName(type)}`,
      at,
    );
  return constant(number, { kind: "float", bits: 64 }, at, true);
}

/** The values of `operand` for which `operand op value` holds, as a range. */
function rangeOf(
  op: Exclude<Comparison, "<>">,
  operand: BoundExpr,
  value: Constant,
  at: Position,
): BoundExpr {
  const [low, high] =
    operand.type.kind === "float" ? floatRange(op, operand.type, value) : wholeRange(op, operand.type, value);
  return { node: "range", operand, low, high, type: BOOL, at };
}

const EMPTY: [Bound, Bound] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** A constant beside a float32 is rounded to one where it is a literal, as in DuckDB. */
function floatRange(
  op: Exclude<Comparison, "<>">,
  type: SqlType & { kind: "float" },
  { value, literal }: Constant,
): [Bound, Bound] {
  const given = Number(value);
  const number = type.bits !== 64 && literal ? Math.fround(given) : given;
  const [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (op === "=") return [number, number];
  if (op === "<=") return [least, number];
  if (op === ">=") return [number, most];
  if (op === "<") return number === least ? EMPTY : [least, nextBelow(number)];
  return number === most ? EMPTY : [nextAbove(number), most];
}

/** For whole numbers and times: the integers next to the constant on either side. */
function wholeRange(op: Exclude<Comparison, "<>">, type: SqlType, value: Constant): [Bound, Bound] {
  const around = wholeAround(type, value);
  const [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  if (typeof around === "number") {
    const all = op === (around > 0 ? "<" : ">") || op === (around > 0 ? "<=" : ">=");
    return all ? [least, most] : EMPTY;
  }
  const [floor, ceil] = around;
  if (op === "=") return floor === ceil ? [floor, floor] : EMPTY;
  if (op === "<") return [least, ceil - 1n];
  if (op === "<=") return [least, floor];
  return op === ">" ? [floor + 1n, most] : [ceil, most];
}

/** The whole values of `type` at or below and at or above the constant; ±Infinity for those. */
function wholeAround(type: SqlType, { value, type: own }: Constant): [bigint, bigint] | number {
  if ("unit" in type && "unit" in own) {
    const [fine, coarse] = [PER_SECOND[type.unit], PER_SECOND[own.unit]];
    if (fine >= coarse) return twice((value as bigint) * (fine / coarse));
    const [floor, rest] = floorDivide(value as bigint, coarse / fine);
    return [floor, rest === 0n ? floor : floor + 1n];
  }
  if (typeof value === "number") {
    return Number.isFinite(value) ? [BigInt(Math.floor(value)), BigInt(Math.ceil(value))] : value;
  }
  return twice(typeof value === "boolean" ? BigInt(value) : (value as bigint));
}

const twice = (value: bigint): [bigint, bigint] => [value, value];

/** `operand IN (list)`; items that are not constants are compared one by one. */
export function bindIn(operand: BoundExpr, list: readonly BoundExpr[], at: Position): BoundExpr {
  const items = list.map((item) => comparable(operand, item, "IN", item.at)[1]);
  const fitted = items[0] ? comparable(operand, items[0], "IN", at)[0] : operand;
  const constants = items.filter(isConstant);
  if (isConstant(fitted) || constants.length < items.length) {
    const operands = items.map((item) => bindComparison("=", fitted, item, at));
    return operands.length === 1 ? operands[0]! : { node: "or", operands, type: BOOL, at };
  }
  const known = constants.filter(({ value }) => value !== null);
  const hasNull = known.length < constants.length;
  if (isText(fitted.type)) {
    const texts = known.map(({ value }) => (typeof value === "string" ? utf8(value) : (value as Uint8Array)));
    return { node: "in", operand: fitted, points: [], texts, hasNull, type: BOOL, at };
  }
  const ranges = known
    .map((item) => bindComparison("=", fitted, item, at))
    .filter((range) => range.node === "range");
  const points = ranges.filter(({ low, high }) => low === high).map(({ low }) => low);
  return { node: "in", operand: fitted, points, texts: [], hasNull, type: BOOL, at };
}

/**
 * AND of conditions, those on one operand that are ranges made one range.
 */
export function bindAnd(conditions: readonly BoundExpr[], at: Position): BoundExpr {
  const operands: BoundExpr[] = [];
  for (const condition of conditions.flatMap((each) => (each.node === "and" ? each.operands : [each]))) {
    const same = operands.findIndex((other) => canMerge(other, condition));
    if (same < 0) operands.push(condition);
    else operands[same] = mergeRanges(operands[same] as Range, condition as Range);
  }
  return operands.length === 1 ? operands[0]! : { node: "and", operands, type: BOOL, at };
}

type Range = Extract<BoundExpr, { node: "range" }>;

/** Whether both are ranges of one operand. */
export function canMerge(a: BoundExpr, b: BoundExpr): boolean {
  if (a.node !== "range" || b.node !== "range") return false;
  const [x, y] = [a.operand, b.operand];
  return (
    x === y ||
    (x.node === "idx" && y.node === "idx") ||
    (x.node === "column" && y.node === "column" && x.name === y.name)
  );
}

/** Where both hold. */
export function mergeRanges(a: Range, b: Range): Range {
  // Math.max takes no bigint.
  const [low] = [a.low, b.low].sort((x, y) => (x > y ? -1 : 1)) as [Bound];
  const [high] = [a.high, b.high].sort((x, y) => (x < y ? -1 : 1)) as [Bound];
  return { ...a, low, high };
}
