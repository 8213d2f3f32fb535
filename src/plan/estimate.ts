/** What a condition probably costs and keeps. Rules of thumb: nothing is read to find out. */
import type { Table } from "../table/table.ts";
import type { BoundExpr } from "./bind/bound.ts";
import { operandsOf } from "./bind/bound.ts";

/** Share of rows that a condition probably keeps, 0 to 1. */
export function selectivity(expr: BoundExpr): number {
  switch (expr.node) {
    case "and":
      return expr.operands.reduce((share, operand) => share * selectivity(operand), 1);
    case "or":
      return 1 - expr.operands.reduce((share, operand) => share * (1 - selectivity(operand)), 1);
    case "not":
      return 1 - selectivity(expr.operand);
    case "range":
      return rangeShare(expr.low, expr.high);
    case "in":
      return Math.min(0.5, 0.05 * (expr.points.length + expr.texts.length));
    case "compare":
      return expr.op === "=" ? 0.05 : 0.33;
    case "spatial":
      return expr.predicate === "disjoint" ? 0.95 : 0.05;
    case "like":
      return 0.2;
    case "is":
      return expr.test === "null" ? 0.05 : 0.5;
    default:
      return 0.5;
  }
}

function rangeShare(low: number | bigint, high: number | bigint): number {
  if (low === high) return 0.05;
  const [below, above] = [low === Number.NEGATIVE_INFINITY, high === Number.POSITIVE_INFINITY];
  return below && above ? 0.95 : below || above ? 0.33 : 0.15;
}

/** Work on one row once it is decoded, in bytes that could be decoded in the same time. */
export function effort(expr: BoundExpr): number {
  const own =
    expr.node === "spatial"
      ? 100
      : expr.node === "like" || expr.node === "call" || expr.node === "cast"
        ? 20
        : 1;
  return operandsOf(expr).reduce((sum, operand) => sum + effort(operand), own);
}

/** Decoded bytes per row of columns that are not in `known` yet. */
export function bytesToRead(columns: readonly string[], known: ReadonlySet<string>, table: Table): number {
  return columns.reduce((sum, name) => sum + (known.has(name) ? 0 : table.columns.get(name)!.bytesPerRow), 0);
}
