/** Syntax tree → bound expressions: names, types, folding. Nothing is read here. */
import { type Position, ZarrsiftError } from "../../errors.ts";
import type { BinaryOp, Expr } from "../../sql/ast.ts";
import { shown, sqlError } from "../../sql/messages.ts";
import { printExpr } from "../../sql/print.ts";
import { suggest } from "../../sql/suggest.ts";
import type { Table } from "../../table/table.ts";
import { BOOL, BYTES, FLOAT64, NULL_TYPE, STRING, typeName } from "../../table/types.ts";
import type { Parameter } from "../api.ts";
import { likePattern } from "../eval/like.ts";
import { canCast, castNames, castType } from "../functions/cast.ts";
import { placed } from "../functions/place.ts";
import { bindArithmetic, intervalOperand, negated, type Operand, withoutMonths } from "./arithmetic.ts";
import {
  type ArithmeticOp,
  type BoundExpr,
  constant,
  integerConstant,
  isConstant,
  nullBool,
} from "./bound.ts";
import { bindCall, bindPart, checkName } from "./call.ts";
import {
  bindAnd,
  bindComparison,
  bindIn,
  type Comparison,
  comparable,
  fitConstant,
  timestampConstant,
} from "./compare.ts";
import { toDate } from "./dates.ts";
import { fold } from "./fold.ts";
import { checkTable, resolveColumn, unknownColumn } from "./names.ts";
import { commonType, fitted } from "./result-type.ts";

/** What names and parameters mean in one query. */
export interface Scope {
  table: Table;
  /** What FROM calls the table beside its names. */
  alias?: string | undefined;
  params: readonly Parameter[];
  /** What `now()` is, in µs; undefined: refused. */
  now: bigint | undefined;
  /** Conditions are left as they are written, not turned into ranges of columns; default false. */
  asWritten?: boolean | undefined;
  /** Select items by alias, for names that are no column. */
  aliases?: ReadonlyMap<string, Expr>;
  /** Where groups are read: what an expression is there, undefined for one whose parts decide. */
  group?: ((expr: Expr) => BoundExpr | undefined) | undefined;
}

type Of<T extends Expr["type"]> = Extract<Expr, { type: T }>;

/**
 * @throws ZarrsiftError `unknown_column`, `unknown_table`, `unknown_function`, `sql_type`, `sql_unsupported`,
 *   `bad_parameter`, with the place in the text
 */
export function bindExpr(expr: Expr, scope: Scope): BoundExpr {
  return withoutMonths(bindOperand(expr, scope));
}

/** An expression where intervals of months may stand: beside an arithmetic operator. */
function bindOperand(expr: Expr, scope: Scope): Operand {
  const grouped = scope.group?.(expr);
  if (grouped) return grouped;
  if (expr.type === "typed_literal" && expr.of === "interval") return intervalOperand(expr.value, expr.at);
  if (expr.type === "cast" && expr.to === "interval") return intervalCast(expr, scope);
  if (expr.type === "negate") return negated(bindOperand(expr.operand, scope), expr.at);
  if (expr.type !== "binary" || !isArithmetic(expr.op)) return fold(bindNode(expr, scope));
  return bindArithmetic(expr.op, bindOperand(expr.left, scope), bindOperand(expr.right, scope), expr.at);
}

/** `'1 month'::interval` is what `INTERVAL '1 month'` is. */
function intervalCast({ operand, to, at }: Of<"cast">, scope: Scope): Operand {
  const bound = bindOperand(operand, scope);
  if (bound.node === "months") return bound;
  if (isConstant(bound) && typeof bound.value === "string") return intervalOperand(bound.value, bound.at);
  return fold(bindCast(bound, to, at));
}

function isArithmetic(op: BinaryOp): op is ArithmeticOp {
  return op === "+" || op === "-" || op === "*" || op === "/" || op === "%";
}

function bindNode(expr: Expr, scope: Scope): BoundExpr {
  const { at } = expr;
  const bind = (part: Expr) => bindExpr(part, scope);
  const compared = <P extends Expr[]>(...parts: P) => bindCompared(parts, scope);
  const negate = (bound: BoundExpr, negated: boolean): BoundExpr =>
    negated ? { node: "not", operand: bound, type: BOOL, at } : bound;
  switch (expr.type) {
    case "literal":
      return literal(expr.value, at);
    case "typed_literal":
      return typedLiteral(expr);
    case "parameter":
      return parameter(expr, scope);
    case "column":
      return column(expr, scope);
    case "not":
      return { node: "not", operand: bindCondition(expr.operand, scope, "NOT"), type: BOOL, at };
    case "negate":
      return bindExpr(expr, scope);
    case "binary":
      return binary(expr, scope);
    case "between": {
      const [operand, from, to] = compared(expr.operand, expr.low, expr.high);
      const low = fold(bindComparison(">=", operand, from, at));
      return negate(bindAnd([low, fold(bindComparison("<=", operand, to, at))], at), expr.negated);
    }
    case "in": {
      const [operand, ...list] = compared(expr.operand, ...expr.list);
      return negate(bindIn(operand, list, at), expr.negated);
    }
    case "like":
      return negate(like(expr, scope), expr.negated);
    case "is": {
      const operand =
        expr.test === "null" ? bind(expr.operand) : bindCondition(expr.operand, scope, "IS TRUE");
      return negate({ node: "is", operand, test: expr.test, type: BOOL, at }, expr.negated);
    }
    case "is_distinct": {
      const [one, other] = compared(expr.left, expr.right);
      const [left, right] = comparable(one, other, "IS DISTINCT FROM", at);
      const equal = bindComparison("=", left, right, at);
      return negate({ node: "is_distinct", equal, left, right, type: BOOL, at }, expr.negated);
    }
    case "cast":
      return bindCast(bind(expr.operand), expr.to, at);
    case "case":
      return bindCase(expr, scope);
    case "extract":
      return bindPart(expr.field, bind(expr.operand), at);
    case "call":
      checkName(expr, scope.group !== undefined);
      return bindCall(expr, expr.args.map(bind), scope.now);
  }
}

/** An expression that must be true or false. */
export function bindCondition(expr: Expr, scope: Scope, where: string): BoundExpr {
  const bound = fitConstant(bindExpr(expr, scope), BOOL);
  if (bound.type.kind === "bool") return bound;
  if (bound.type.kind === "null") return nullBool(expr.at);
  const text = shown(printExpr(expr, scope.params));
  throw sqlError("sql_type", `${where} needs a condition, but ${text} is ${typeName(bound.type)}`, expr.at);
}

function literal(value: Of<"literal">["value"], at: Position): BoundExpr {
  if (value === null) return constant(null, NULL_TYPE, at);
  if (typeof value === "bigint") return integerConstant(value, at);
  if (typeof value === "number") return constant(value, FLOAT64, at, true);
  return constant(value, typeof value === "string" ? STRING : BOOL, at, true);
}

function typedLiteral({ of, value, at }: Of<"typed_literal">): BoundExpr {
  const instant = timestampConstant(value, at);
  return of === "date" ? toDate(instant, at) : instant;
}

/** Parameters as literals have them: whole numbers are integers, NaN is NULL. */
export function normalized(params: readonly Parameter[]): Parameter[] {
  return params.map((value) => {
    if (typeof value !== "number") return value;
    return Number.isNaN(value) ? null : Number.isSafeInteger(value) ? BigInt(value) : value;
  });
}

/** A parameter is what its value would be, written there. */
function parameter({ index, at }: Of<"parameter">, { params }: Scope): BoundExpr {
  if (index > params.length) {
    const given = params.length === 1 ? "1 parameter was given" : `${params.length} parameters were given`;
    throw sqlError("bad_parameter", `$${index} has no value: ${given}`, at);
  }
  const value = params[index - 1]!;
  if (value instanceof Uint8Array) return constant(value, BYTES, at, true);
  return literal(value, at);
}

function column(expr: Of<"column">, scope: Scope): BoundExpr {
  if (expr.table !== undefined) checkTable(expr.table, scope.table, expr.at, scope.alias);
  try {
    return resolveColumn(expr, scope.table);
  } catch (error) {
    const item = expr.table === undefined ? scope.aliases?.get(expr.name) : undefined;
    if (!item || !(error instanceof ZarrsiftError) || error.code !== "unknown_column") throw error;
    return bindExpr(item, { ...scope, aliases: new Map() });
  }
}

/** Operands of one comparison. Beside a text or time column a name that no column has may be a text without its quotes. */
function bindCompared<P extends Expr[]>(parts: [...P], scope: Scope): { [K in keyof P]: BoundExpr } {
  const bound = parts.map((part) => {
    try {
      return bindExpr(part, scope);
    } catch (error) {
      const isName = part.type === "column" && part.table === undefined;
      if (!isName || !(error instanceof ZarrsiftError) || error.code !== "unknown_column") throw error;
      const isText = parts.some((other) => other !== part && holdsText(other, scope));
      throw isText ? unknownColumn(part.name, scope.table, part.at, true) : error;
    }
  });
  return bound as { [K in keyof P]: BoundExpr };
}

function holdsText(expr: Expr, scope: Scope): boolean {
  try {
    const bound = bindExpr(expr, scope);
    return !isConstant(bound) && (bound.type.kind === "string" || bound.type.kind === "timestamp");
  } catch {
    return false;
  }
}

function binary(expr: Of<"binary">, scope: Scope): BoundExpr {
  const { op, at } = expr;
  if (op === "and" || op === "or") {
    const sides = [expr.left, expr.right].map((side) => bindCondition(side, scope, op.toUpperCase()));
    if (op === "and") return bindAnd(sides, at);
    return {
      node: "or",
      operands: sides.flatMap((side) => (side.node === "or" ? side.operands : [side])),
      type: BOOL,
      at,
    };
  }
  const [left, right] = bindCompared([expr.left, expr.right], scope);
  if (op === "||") return concatenation(left, right, at);
  return bindComparison(op as Comparison, left, right, at);
}

function concatenation(left: BoundExpr, right: BoundExpr, at: Position): BoundExpr {
  for (const { type, at: place } of [left, right]) {
    const wrong = type.kind === "bytes" || type.kind === "geometry" || type.kind === "duration";
    if (wrong) throw sqlError("sql_type", `|| joins text, not ${typeName(type)}`, place);
  }
  if (
    left.type.kind !== "string" &&
    right.type.kind !== "string" &&
    left.type.kind !== "null" &&
    right.type.kind !== "null"
  ) {
    throw sqlError(
      "sql_type",
      `|| needs text on at least one side, not ${typeName(left.type)} and ${typeName(right.type)}`,
      at,
    );
  }
  return { node: "concat", left, right, type: STRING, at };
}

function like(expr: Of<"like">, scope: Scope): BoundExpr {
  const { at } = expr;
  const [operand, pattern] = bindCompared([expr.operand, expr.pattern], scope);
  for (const { type, at: place } of [operand, pattern]) {
    if (type.kind !== "string" && type.kind !== "null")
      throw sqlError("sql_type", `LIKE needs text, not ${typeName(type)}${likeHint(type.kind)}`, place);
  }
  const escaping = escapeOf(expr, scope);
  if (operand.type.kind === "null" || pattern.type.kind === "null" || escaping === null) return nullBool(at);
  if (isConstant(pattern) && pattern.value === null) return nullBool(at);
  if (isConstant(pattern)) placed(() => likePattern(pattern.value as string, escaping), pattern.at);
  return { node: "like", operand, pattern, escape: escaping, insensitive: expr.insensitive, type: BOOL, at };
}

function likeHint(kind: string): string {
  if (kind === "int" || kind === "float") return "; CAST(… AS varchar) makes text of it";
  if (kind !== "timestamp") return "";
  return "; a year is >= '2021-01-01' AND < '2022-01-01', or extract(year FROM …) = 2021";
}

/** `''` escapes nothing; null: NULL. */
function escapeOf({ escape: given }: Of<"like">, scope: Scope): string | undefined | null {
  if (!given) return undefined;
  const bound = bindExpr(given, scope);
  const value = isConstant(bound) ? bound.value : undefined;
  if (value === null || value === "") return value === "" ? undefined : null;
  if (typeof value === "string" && [...value].length === 1) return value;
  throw sqlError("sql_type", "ESCAPE needs one character, or '' for none", given.at);
}

function bindCast(operand: BoundExpr, to: string, at: Position): BoundExpr {
  const type = castType(to.replace(/^(varchar|character varying|char varying|timestamp)\(\d+\)/, "$1"));
  if (!type) {
    const guess = suggest(to, castNames());
    const known = "boolean, integer, bigint, real, double precision, varchar, timestamp, date";
    throw sqlError(
      "sql_unsupported",
      `CAST to ${shown(to)} is not supported${guess ? `, did you mean ${guess}?` : ";"} types: ${known}`,
      at,
    );
  }
  if (!canCast(operand.type, type)) {
    throw sqlError("sql_type", `Cannot cast ${typeName(operand.type)} to ${to}`, at);
  }
  return to === "date" ? toDate(operand, at) : { node: "cast", operand, type, at };
}

function bindCase({ operand, when, otherwise, at }: Of<"case">, scope: Scope): BoundExpr {
  const subject = operand && bindExpr(operand, scope);
  const branches = when.map(({ condition, result }) => ({
    condition: subject
      ? fold(bindComparison("=", subject, bindExpr(condition, scope), condition.at))
      : bindCondition(condition, scope, "WHEN"),
    result: bindExpr(result, scope),
  }));
  const last = otherwise ? bindExpr(otherwise, scope) : constant(null, NULL_TYPE, at);
  const results = fitted([...branches.map(({ result }) => result), last]);
  const type = commonType(results, "CASE", at);
  const fittedBranches = branches.map(({ condition }, i) => ({ condition, result: results[i]! }));
  return { node: "case", when: fittedBranches, otherwise: results.at(-1)!, type, at };
}
