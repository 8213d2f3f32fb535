/**
 * Conditions on functions of a time column as ranges of the column itself: `date_trunc('year', date) = …`,
 * `extract(year FROM date) = 2020`, `now() - date < INTERVAL '3 days'`. Whatever never falls (or never rises) as time
 * goes on has a first and a last time whose value lies in a range; both are found by halving the 64 bits of times.
 */
import { timestampText } from "../../format/iso.ts";
import type { SqlType, TimeUnit } from "../../table/types.ts";
import { FUNCTIONS } from "../functions/functions.ts";
import { type Bound, type BoundExpr, constant, isConstant } from "./bound.ts";
import { bindAnd } from "./compare.ts";
import { fold } from "./fold.ts";

type Range = Extract<BoundExpr, { node: "range" }>;

/** A function of one time: what it is of, whether it rises, and itself of another operand. */
interface Monotone {
  operand: BoundExpr;
  rises: boolean;
  of(operand: BoundExpr): BoundExpr;
}

const [FIRST, LAST] = [-(2n ** 63n) + 1n, 2n ** 63n - 1n];

/** `condition` with such ranges inside AND, OR and NOT moved to their columns; the same truth for every row. */
export function rangesOfColumns(condition: BoundExpr): BoundExpr {
  switch (condition.node) {
    case "and":
      return bindAnd(condition.operands.map(rangesOfColumns), condition.at);
    case "or":
      return { ...condition, operands: condition.operands.map(rangesOfColumns) };
    case "not":
      return { ...condition, operand: rangesOfColumns(condition.operand) };
    case "in":
      return rangesOfPoints(condition);
    case "range":
      return rangeOfColumn(condition);
    default:
      return condition;
  }
}

/** `extract(year FROM date) IN (2019, 2021)` is one range or the other. */
function rangesOfPoints(condition: Extract<BoundExpr, { node: "in" }>): BoundExpr {
  const { operand, points, hasNull, type, at } = condition;
  if (hasNull || points.length === 0 || points.length > 20 || !monotone(operand)) return condition;
  const operands = points.map((point) =>
    rangeOfColumn({ node: "range", operand, low: point, high: point, type, at }),
  );
  return operands.length === 1 ? operands[0]! : { node: "or", operands, type, at };
}

function rangeOfColumn(range: Range): BoundExpr {
  const inner = monotone(range.operand);
  // A sum that is beyond its type in 1970 says nothing about when it is not.
  if (!inner || valueAt(inner.of, inner.operand, 0n) === undefined) return range;
  const low = (value: Bound) => value >= range.low;
  const high = (value: Bound) => value <= range.high;
  const from = firstTime(inner, inner.rises ? low : high);
  const to = firstTime(inner, inner.rises ? (value) => !high(value) : (value) => !low(value)) - 1n;
  const empty = range.low > range.high || from > to;
  const moved: Range = {
    ...range,
    operand: inner.operand,
    low: empty ? Number.POSITIVE_INFINITY : from <= FIRST ? Number.NEGATIVE_INFINITY : from,
    high: empty ? Number.NEGATIVE_INFINITY : to >= LAST ? Number.POSITIVE_INFINITY : to,
  };
  return rangeOfColumn(moved);
}

/** The first time whose value meets a condition that holds from some time on; one past the last where none does. */
function firstTime({ operand, of, rises }: Monotone, meets: (value: Bound) => boolean): bigint {
  const holds = (ticks: bigint) => {
    const value = valueAt(of, operand, ticks);
    return meets(value ?? (ticks > 0n === rises ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY));
  };
  let [low, high] = [FIRST, LAST + 1n];
  while (low < high) {
    const middle = low + (high - low) / 2n;
    if (holds(middle)) high = middle;
    else low = middle + 1n;
  }
  return low;
}

/** undefined: beyond what the function's type can hold, as only far-off times are. */
function valueAt(of: Monotone["of"], operand: BoundExpr, ticks: bigint): Bound | undefined {
  try {
    const made = fold(of(constant(ticks, operand.type, operand.at)));
    return isConstant(made) && made.value !== null ? (made.value as Bound) : undefined;
  } catch {
    return undefined;
  }
}

const isTime = ({ kind }: SqlType) => kind === "timestamp" || kind === "duration";

function monotone(expr: BoundExpr): Monotone | undefined {
  if (expr.node === "cast" && isTime(expr.type) && expr.type.kind === expr.operand.type.kind)
    return { operand: expr.operand, rises: true, of: (operand) => ({ ...expr, operand }) };
  if (expr.node === "arithmetic" && isTime(expr.type)) return ofSum(expr);
  if (expr.node !== "call" || !FUNCTIONS.get(expr.name)?.monotone) return undefined;
  const [operand, others] = [expr.args.at(-1)!, expr.args.slice(0, -1)];
  if (!isTime(operand.type) || isConstant(operand) || !others.every(isConstant)) return undefined;
  return { operand, rises: true, of: (time) => ({ ...expr, args: [...others, time] }) };
}

function ofSum(expr: Extract<BoundExpr, { node: "arithmetic" }>): Monotone | undefined {
  const { op, left, right } = expr;
  if (op !== "+" && op !== "-") return undefined;
  if (isConstant(right)) return { operand: left, rises: true, of: (operand) => ({ ...expr, left: operand }) };
  if (!isConstant(left)) return undefined;
  return { operand: right, rises: op === "+", of: (operand) => ({ ...expr, right: operand }) };
}

/** `date from 2020-01-01T00:00:00Z to …`: the ranges of time columns in `after` that were something else before. */
export function movedText(before: BoundExpr, after: BoundExpr): string {
  const known = new Set(timeRanges(before).map(rangeText));
  const moved = timeRanges(after)
    .map(rangeText)
    .filter((text) => !known.has(text));
  return moved.length === 0 ? "" : ` [${moved.join("; ")}]`;
}

function timeRanges(expr: BoundExpr): Range[] {
  if (expr.node === "and" || expr.node === "or") return expr.operands.flatMap(timeRanges);
  if (expr.node === "not") return timeRanges(expr.operand);
  const isOwn =
    expr.node === "range" && expr.operand.node === "column" && expr.operand.type.kind === "timestamp";
  return isOwn ? [expr as Range] : [];
}

function rangeText({ operand, low, high }: Range): string {
  const { name } = operand as { name: string };
  const { unit } = operand.type as { unit: TimeUnit };
  if (low > high) return `${name} never`;
  const from = typeof low === "bigint" ? ` from ${timestampText(low, unit)}` : "";
  const to = typeof high === "bigint" ? ` to ${timestampText(high, unit)}` : "";
  return `${name}${from}${to}`;
}
