/** GROUP BY, aggregates and DISTINCT: what is grouped, and what may be said of groups. */
import { type Position, ZarrsiftError } from "../../errors.ts";
import { finerUnit } from "../../format/calendar.ts";
import type { Expr, Select } from "../../sql/ast.ts";
import { shown, sqlError } from "../../sql/messages.ts";
import { printExpr } from "../../sql/print.ts";
import { children } from "../../sql/walk.ts";
import { FLOAT64, INT64, type SqlType, type TimeUnit, typeName } from "../../table/types.ts";
import { GEOMETRY } from "../functions/geometry-values.ts";
import type { BoundExpr, Condition } from "./bound.ts";
import { AGGREGATES } from "./call.ts";
import { bindExpr, type Scope } from "./expr.ts";
import { same } from "./same.ts";

export type AggregateName = "count" | "min" | "max" | "sum" | "avg" | "st_extent";

/** A value computed over the rows of each group. */
export interface Aggregate {
  /** What it is called where groups are read; also its text in plans. */
  text: string;
  fn: AggregateName;
  /** undefined: `count(*)`. */
  arg: BoundExpr | undefined;
  /** Each value counts once; only where that makes a difference. */
  distinct: boolean;
  type: SqlType;
  at: Position;
}

/**
 * Rows made into groups: one for each key, in order of the key's first row. Without keys there is exactly one. Whatever
 * comes after it reads keys and aggregates as columns, by their texts.
 */
export interface Grouping {
  step: "aggregate" | "distinct";
  keys: { text: string; expr: BoundExpr }[];
  aggregates: Aggregate[];
  /** Groups that stay. */
  having: Condition | undefined;
}

/** Whether an aggregate is called somewhere inside. */
export function hasAggregate(expr: Expr): boolean {
  return isAggregate(expr) || children(expr).some(hasAggregate);
}

function isAggregate(expr: Expr): expr is Call {
  return expr.type === "call" && (expr.star || AGGREGATES.has(expr.name));
}

type Call = Extract<Expr, { type: "call" }>;

/** Whether the answer is made of groups before DISTINCT. */
export function isGrouped({ groupBy, having, items, orderBy }: Select): boolean {
  const exprs = [
    ...items.flatMap((item) => (item.type === "star" ? [] : [item.expr])),
    ...orderBy.map(({ expr }) => expr),
  ];
  return groupBy.length > 0 || having !== undefined || exprs.some(hasAggregate);
}

/** A grouping by `keys`; the scope binds what is said of its groups, and adds the aggregates it meets to it. */
export function bindGrouping(
  step: Grouping["step"],
  keys: readonly { source: Expr; expr: BoundExpr; text: string }[],
  rows: Scope,
): { grouping: Grouping; scope: Scope } {
  const grouping: Grouping = { step, keys: [], aggregates: [], having: undefined };
  for (const { expr, text } of keys)
    if (!grouping.keys.some((key) => same(key.expr, expr)))
      grouping.keys.push({ expr, text: nameOf(text, grouping) });
  const sizes = new Set(keys.map(({ source }) => sizeOf(source)));
  const group = (expr: Expr): BoundExpr | undefined => {
    if (aliased(expr, rows) !== expr) return undefined;
    const leaf = expr.type === "column" || isAggregate(expr);
    const bound = leaf || sizes.has(sizeOf(expr)) ? onRows(expr, rows, step) : undefined;
    const key = bound && grouping.keys.find((each) => same(each.expr, bound));
    if (key) return { node: "column", name: key.text, type: key.expr.type, at: expr.at };
    if (isAggregate(expr) && step === "aggregate") return aggregateColumn(expr, rows, grouping);
    if (leaf) throw notOfGroups(expr, rows, step);
    return undefined;
  };
  return { grouping, scope: { ...rows, group } };
}

/** A name of its own for each column of groups: columns that differ in case alone may print alike. */
function nameOf(text: string, { keys, aggregates }: Grouping): string {
  let name = text;
  const taken = (each: { text: string }) => each.text === name;
  for (let n = 2; keys.some(taken) || aggregates.some(taken); n++) name = `${text} (${n})`;
  return name;
}

/** What an expression is before the grouping; undefined where it is nothing there. */
function onRows(expr: Expr, rows: Scope, step: Grouping["step"]): BoundExpr | undefined {
  if (step === "aggregate" && hasAggregate(expr)) return undefined;
  if (expr.type === "column") return bindExpr(expr, rows);
  try {
    return bindExpr(expr, rows);
  } catch (error) {
    if (error instanceof ZarrsiftError) return undefined;
    throw error;
  }
}

/** The select item that a name means where no column has that name; every other expression is itself. */
export function aliased(expr: Expr, rows: Scope): Expr {
  const item = expr.type === "column" && expr.table === undefined ? rows.aliases?.get(expr.name) : undefined;
  if (!item) return expr;
  try {
    bindExpr(expr, { ...rows, aliases: new Map(), group: undefined });
    return expr;
  } catch (error) {
    if (error instanceof ZarrsiftError && error.code === "unknown_column") return item;
    throw error;
  }
}

const sizes = new WeakMap<Expr, number>();

/** How many expressions an expression is made of: those of two sizes are not the same. */
function sizeOf(expr: Expr): number {
  let size = sizes.get(expr);
  if (size === undefined) {
    size = children(expr).reduce((sum, part) => sum + sizeOf(part), 1);
    sizes.set(expr, size);
  }
  return size;
}

function notOfGroups(expr: Expr, { params }: Scope, step: Grouping["step"]): ZarrsiftError {
  const text = shown(printExpr(expr, params));
  const message =
    step === "aggregate"
      ? `${text} has many values in a group: add it to GROUP BY, or write min(${text})`
      : `SELECT DISTINCT can be ordered only by what it selects, and ${text} is not among that`;
  return sqlError("sql_syntax", message, expr.at);
}

/** The column that an aggregate is, where groups are read. */
function aggregateColumn(call: Call, rows: Scope, grouping: Grouping): BoundExpr {
  const { at } = call;
  const { aggregates } = grouping;
  const fn = call.name as AggregateName;
  const arg = argumentOf(call, rows);
  const distinct = call.distinct && (fn === "count" || fn === "sum" || fn === "avg");
  let aggregate = aggregates.find(
    (each) => each.fn === fn && each.distinct === distinct && same(each.arg, arg),
  );
  if (!aggregate) {
    const type = resultType(fn, arg);
    aggregate = { text: nameOf(printExpr(call, rows.params), grouping), fn, arg, distinct, type, at };
    aggregates.push(aggregate);
  }
  return { node: "column", name: aggregate.text, type: aggregate.type, at };
}

function argumentOf(call: Call, rows: Scope): BoundExpr | undefined {
  const { name, args, star, at } = call;
  if (star) return undefined;
  if (args.length !== 1) {
    const what = name === "count" ? "* or one argument" : "one argument";
    throw sqlError("sql_type", `${name}() takes ${what}, not ${args.length}`, at);
  }
  const nested = args.find(hasAggregate);
  if (nested) throw sqlError("sql_syntax", `${name}() cannot hold another aggregate`, nested.at);
  const arg = bindExpr(args[0]!, rows);
  const { kind } = arg.type;
  if (TAKES[name as AggregateName](kind)) return arg;
  throw sqlError("sql_type", `${name}() does not take ${typeName(arg.type)}`, arg.at);
}

type Kind = SqlType["kind"];

const isNumber = (kind: Kind) => kind === "int" || kind === "float" || kind === "null";

const TAKES: Record<AggregateName, (kind: Kind) => boolean> = {
  count: () => true,
  min: (kind) => kind !== "geometry",
  max: (kind) => kind !== "geometry",
  sum: (kind) => isNumber(kind) || kind === "bool" || kind === "duration",
  avg: (kind) => isNumber(kind) || kind === "timestamp" || kind === "duration",
  st_extent: (kind) => kind === "geometry" || kind === "null",
};

/**
 * Sums of integers are int64 (of uint64: uint64), where DuckDB has HUGEINT; of floats float64. Means of times are times
 * of microseconds, or as fine as the times are.
 */
function resultType(fn: AggregateName, arg: BoundExpr | undefined): SqlType {
  if (fn === "count" || !arg) return INT64;
  if (fn === "avg") return "unit" in arg.type ? meanType(arg.type) : FLOAT64;
  if (fn === "st_extent") return GEOMETRY;
  const { type } = arg;
  if (fn !== "sum" || type.kind === "duration") return type;
  if (type.kind === "float") return FLOAT64;
  return type.kind === "int" && type.bits === 64 && !type.signed ? type : INT64;
}

const meanType = ({ kind, unit }: { kind: "timestamp" | "duration"; unit: TimeUnit }): SqlType => ({
  kind,
  unit: finerUnit(unit, "us"),
});
