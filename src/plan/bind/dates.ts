/** Days, which are SQL's DATE, and times of constants. */
import type { Position } from "../../errors.ts";
import { DATE, isDate, type SqlType, STRING } from "../../table/types.ts";
import { coarsest } from "../functions/time-arithmetic.ts";
import { type BoundExpr, constant, isConstant } from "./bound.ts";
import { fold } from "./fold.ts";

/** The day of a timestamp, or of the text of one: the second it begins with. */
export function toDate(operand: BoundExpr, at: Position): BoundExpr {
  const { type } = operand;
  if (isDate(type)) return operand;
  const time: SqlType = type.kind === "timestamp" ? type : { kind: "timestamp", unit: "us" };
  const instant = fold({ node: "cast", operand, type: time, at });
  const args = [constant("day", STRING, at), instant];
  const day = fold({ node: "call", name: "date_trunc", args, type: time, at });
  return fold({ node: "cast", operand: day, type: DATE, at });
}

/** A constant in the coarsest unit that holds it, so that the other side's unit stays. */
export function coarsened(expr: BoundExpr): BoundExpr {
  if (!isConstant(expr) || typeof expr.value !== "bigint" || !("unit" in expr.type)) return expr;
  const { ticks, unit } = coarsest(expr.value, expr.type.unit);
  return { ...expr, value: ticks, type: { ...expr.type, unit } };
}
