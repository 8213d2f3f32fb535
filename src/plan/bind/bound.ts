/**
 * Bound expressions: names resolved, types known, constants folded. Plain data; `compile.ts` makes functions of them.
 */
import type { Position } from "../../errors.ts";
import type { Predicate } from "../../geometry/predicates.ts";
import { BOOL, FLOAT64, INT64, type SqlType } from "../../table/types.ts";
import type { CellValue } from "../../table/vector.ts";

export type CompareOp = "=" | "<" | "<=";
export type ArithmeticOp = "+" | "-" | "*" | "/" | "%";

/** A bound of a range: exact, or ±Infinity. */
export type Bound = number | bigint;

export type BoundExpr = { at: Position; type: SqlType } & (
  | {
      node: "constant";
      value: CellValue;
      /** Written in the query: takes on the type of what it meets, as `0.1` next to a float32 column. */
      literal: boolean;
    }
  | { node: "column"; name: string }
  | { node: "idx" }
  | { node: "and" | "or"; operands: BoundExpr[] }
  | { node: "not"; operand: BoundExpr }
  /** `low <= operand <= high`, for numbers, times (in the operand's unit) and bools; empty where low > high. */
  | { node: "range"; operand: BoundExpr; low: Bound; high: Bound }
  | { node: "compare"; op: CompareOp; left: BoundExpr; right: BoundExpr }
  /** Whether the operand is one of `points` (numbers, times, bools) or `texts` (UTF-8 or bytes). */
  | { node: "in"; operand: BoundExpr; points: Bound[]; texts: Uint8Array[]; hasNull: boolean }
  | { node: "like"; operand: BoundExpr; pattern: BoundExpr; escape: string | undefined; insensitive: boolean }
  | { node: "is"; operand: BoundExpr; test: "null" | "true" | "false" }
  /** `equal` is the comparison of the two. */
  | { node: "is_distinct"; equal: BoundExpr; left: BoundExpr; right: BoundExpr }
  | { node: "arithmetic"; op: ArithmeticOp; left: BoundExpr; right: BoundExpr }
  | { node: "concat"; left: BoundExpr; right: BoundExpr }
  | { node: "cast"; operand: BoundExpr }
  | { node: "case"; when: { condition: BoundExpr; result: BoundExpr }[]; otherwise: BoundExpr }
  | { node: "coalesce"; operands: BoundExpr[] }
  /** A scalar function of `functions.ts` by its canonical name. */
  | { node: "call"; name: string; args: BoundExpr[] }
  /** Whether `predicate` holds from `left` to `right`. */
  | { node: "spatial"; predicate: Predicate; left: BoundExpr; right: BoundExpr }
);

export type Constant = Extract<BoundExpr, { node: "constant" }>;

/** A constant; `literal` as the node has it. */
export function constant(value: CellValue, type: SqlType, at: Position, literal = false): Constant {
  return { node: "constant", value, type, at, literal };
}

/** An integer literal: int64, else uint64, else the nearest double. */
export function integerConstant(value: bigint, at: Position): Constant {
  if (BigInt.asIntN(64, value) === value) return constant(value, INT64, at, true);
  if (BigInt.asUintN(64, value) === value)
    return constant(value, { kind: "int", bits: 64, signed: false }, at, true);
  return constant(Number(value), FLOAT64, at, true);
}

/** NULL as a condition. */
export const nullBool = (at: Position): Constant => constant(null, BOOL, at);

/** Whether nothing is left to compute. */
export function isConstant(expr: BoundExpr): expr is Constant {
  return expr.node === "constant";
}

/** The expressions directly inside one. */
export function operandsOf(expr: BoundExpr): BoundExpr[] {
  switch (expr.node) {
    case "constant":
    case "column":
    case "idx":
      return [];
    case "and":
    case "or":
    case "coalesce":
      return expr.operands;
    case "call":
      return expr.args;
    case "like":
      return [expr.operand, expr.pattern];
    case "case":
      return [...expr.when.flatMap(({ condition, result }) => [condition, result]), expr.otherwise];
    case "compare":
    case "is_distinct":
    case "arithmetic":
    case "concat":
    case "spatial":
      return [expr.left, expr.right];
    default:
      return [expr.operand];
  }
}

/** Names of the stored columns an expression needs. */
export function columnsOf(...exprs: BoundExpr[]): string[] {
  const names = new Set<string>();
  const visit = (expr: BoundExpr) => {
    if (expr.node === "column") names.add(expr.name);
    else operandsOf(expr).forEach(visit);
  };
  exprs.forEach(visit);
  return [...names];
}

/** A condition that rows must meet, with its text. */
export interface Condition {
  expr: BoundExpr;
  text: string;
}
