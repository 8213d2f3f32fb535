/** `+ - * / %` on numbers, times and intervals. */
import type { Position } from "../../errors.ts";
import { finerUnit, PER_SECOND } from "../../format/calendar.ts";
import { shown, sqlError } from "../../sql/messages.ts";
import {
  DATE,
  FLOAT64,
  INT64,
  isDate,
  NULL_TYPE,
  type SqlType,
  type TimeUnit,
  typeName,
} from "../../table/types.ts";
import { INTERVAL_FORMS, parseInterval } from "../functions/interval.ts";
import { type ArithmeticOp, type BoundExpr, constant, integerConstant, isConstant } from "./bound.ts";
import { fitConstant } from "./compare.ts";
import { coarsened } from "./dates.ts";
import { fold } from "./fold.ts";

/** An INTERVAL with months: it has a length only from a given day on, so that all it can do is to be added to times. */
export interface Months {
  node: "months";
  months: number;
  us: bigint;
  at: Position;
}

export type Operand = BoundExpr | Months;

const DURATION: SqlType = { kind: "duration", unit: "us" };

/** An INTERVAL literal: a duration, unless there are months in it. @throws ZarrsiftError `sql_type` */
export function intervalOperand(text: string, at: Position): Operand {
  const interval = parseInterval(text);
  if (!interval)
    throw sqlError("sql_type", `'${shown(text)}' is not an interval: write ${INTERVAL_FORMS}`, at);
  return interval.months === 0 ? constant(interval.us, DURATION, at) : { node: "months", ...interval, at };
}

/** What stands where months mean nothing. @throws ZarrsiftError `sql_unsupported` */
export function withoutMonths(operand: Operand): BoundExpr {
  if (operand.node !== "months") return operand;
  const why = "An interval of months has no fixed length: add it to a timestamp, or write it in days";
  throw sqlError("sql_unsupported", why, operand.at);
}

/** `-operand`. */
export function negated(operand: Operand, at: Position): Operand {
  const isTime = operand.node === "months" || operand.type.kind === "duration";
  if (isTime) return bindArithmetic("*", operand, integerConstant(-1n, at), at);
  return bindArithmetic("-", integerConstant(0n, at), operand, at);
}

/** @throws ZarrsiftError `sql_type` where `op` is not for these types */
export function bindArithmetic(op: ArithmeticOp, left: Operand, right: Operand, at: Position): Operand {
  if (left.node === "months" || right.node === "months") return monthArithmetic(op, left, right, at);
  const [a, b] = [fitConstant(left, right.type), fitConstant(right, left.type)];
  if ("unit" in a.type || "unit" in b.type)
    return fold(dateArithmetic(op, a, b, at) ?? timeArithmetic(op, a, b, at));
  for (const { type } of [a, b]) {
    if (type.kind === "int" || type.kind === "float" || type.kind === "null") continue;
    throw sqlError("sql_type", `${op} works on numbers, not on ${typeName(type)}`, at);
  }
  return fold({ node: "arithmetic", op, left: a, right: b, type: arithmeticType(op, a, b), at });
}

const isUnsigned64 = ({ type }: BoundExpr) => type.kind === "int" && type.bits === 64 && !type.signed;

/** float32 only where a float32 meets one, an integer or a literal; integers are always computed in 64 bits. */
function arithmeticType(op: ArithmeticOp, a: BoundExpr, b: BoundExpr): SqlType {
  const floats = [a, b].filter(({ type }) => type.kind === "float");
  if (floats.length > 0) {
    const narrow = (side: BoundExpr) =>
      side.type.kind !== "float" || side.type.bits !== 64 || (isConstant(side) && side.literal);
    const single = floats.some(({ type }) => type.kind === "float" && type.bits !== 64);
    return single && narrow(a) && narrow(b) ? { kind: "float", bits: 32 } : FLOAT64;
  }
  if (op === "/") return FLOAT64;
  return isUnsigned64(a) || isUnsigned64(b) ? { kind: "int", bits: 64, signed: false } : INT64;
}

type Kind = SqlType["kind"];

/** Result kinds by `left op right`; what is missing is an error. */
const RESULTS: Record<string, Kind> = {
  "timestamp + duration": "timestamp",
  "duration + timestamp": "timestamp",
  "timestamp - duration": "timestamp",
  "timestamp - timestamp": "duration",
  "duration + duration": "duration",
  "duration - duration": "duration",
  "duration * number": "duration",
  "number * duration": "duration",
  "duration / number": "duration",
};

/** Days between dates, and dates some days on: whole numbers, where instants have durations. */
function dateArithmetic(op: ArithmeticOp, a: BoundExpr, b: BoundExpr, at: Position): BoundExpr | undefined {
  if (op === "-" && isDate(a.type) && isDate(b.type)) {
    const between = fold(timeArithmetic(op, a, b, at));
    return { node: "call", name: "whole days", args: [between], type: INT64, at };
  }
  if (op === "+" && isDate(b.type) && a.type.kind === "int") return dateArithmetic(op, b, a, at);
  if ((op !== "+" && op !== "-") || !isDate(a.type) || b.type.kind !== "int") return undefined;
  const days = fold(timeArithmetic("*", constant(86_400n, { kind: "duration", unit: "s" }, at), b, at));
  return { node: "arithmetic", op, left: a, right: days, type: DATE, at };
}

function timeArithmetic(op: ArithmeticOp, a: BoundExpr, b: BoundExpr, at: Position): BoundExpr {
  if (a.type.kind === "null" || b.type.kind === "null") return constant(null, NULL_TYPE, at);
  const named = ({ type }: BoundExpr) =>
    type.kind === "int" || type.kind === "float" ? "number" : type.kind;
  const kind = RESULTS[`${named(a)} ${op} ${named(b)}`] as "timestamp" | "duration" | undefined;
  if (!kind) {
    const hint = "; times take INTERVAL '3 days', and timestamps are subtracted from one another";
    throw sqlError("sql_type", `${op} does not join ${typeName(a.type)} and ${typeName(b.type)}${hint}`, at);
  }
  if (named(a) === "number") return timeArithmetic(op, b, a, at);
  if (named(b) === "number") {
    const unit = b.type.kind === "float" || op === "/" ? finerUnit("us", unitOf(a)) : unitOf(a);
    return { node: "arithmetic", op, left: a, right: b, type: { kind, unit }, at };
  }
  const swapped = b.type.kind === "timestamp" && a.type.kind === "duration";
  const [left, right] = [swapped ? b : a, swapped ? a : b].map(coarsened) as [BoundExpr, BoundExpr];
  const unit = finerUnit(unitOf(left), unitOf(right));
  return { node: "arithmetic", op, left, right, type: { kind, unit }, at };
}

const unitOf = ({ type }: BoundExpr): TimeUnit => (type as { unit: TimeUnit }).unit;

function monthArithmetic(op: ArithmeticOp, left: Operand, right: Operand, at: Position): Operand {
  if (left.node !== "months") {
    const turned = op === "+" || (op === "*" && left.type.kind === "int");
    if (turned) return monthArithmetic(op, right, left, at);
    if (op === "-" && left.type.kind === "timestamp")
      return monthArithmetic("+", negated(right, at), left, at);
    if (op === "-") return bindArithmetic("+", left, negated(right, at), at);
    return refused(op, at);
  }
  if (right.node === "months" && (op === "+" || op === "-")) {
    const sign = op === "-" ? -1 : 1;
    return lengthened(left, left.months + sign * right.months, left.us + BigInt(sign) * right.us, at);
  }
  if (right.node === "months") return refused(op, at);
  const fitted = fitConstant(right, { kind: "timestamp", unit: "us" });
  if (op === "+" && fitted.type.kind === "timestamp") return timeAfter(fitted, left, at);
  if (right.type.kind === "null") return constant(null, NULL_TYPE, at);
  if (!isConstant(right) || typeof right.value !== "bigint") return refused(op, at);
  if (op === "*" && right.type.kind === "int")
    return lengthened(left, left.months * Number(right.value), left.us * right.value, at);
  if ((op === "+" || op === "-") && right.type.kind === "duration") {
    const us = (right.value * PER_SECOND.us) / PER_SECOND[right.type.unit];
    return lengthened(left, left.months, left.us + (op === "-" ? -us : us), at);
  }
  return refused(op, at);
}

function lengthened(interval: Months, months: number, us: bigint, at: Position): Operand {
  return months === 0 ? constant(us, DURATION, at) : { ...interval, months, us, at };
}

function refused(op: ArithmeticOp, at: Position): never {
  const message = `${op} is not for an interval of months and this: they are added to timestamps, or multiplied by a constant`;
  throw sqlError("sql_unsupported", message, at);
}

const instantType = (type: SqlType): SqlType =>
  "unit" in type ? { kind: type.kind, unit: type.unit } : type;

/** Months first, then the rest, as everyone does. */
function timeAfter(time: BoundExpr, { months, us }: Months, at: Position): BoundExpr {
  const count = constant(BigInt(months), INT64, at);
  const later = fold({
    node: "call",
    name: "add months",
    args: [count, time],
    type: instantType(time.type),
    at,
  });
  return us === 0n ? later : fold(timeArithmetic("+", later, constant(us, DURATION, at), at));
}
