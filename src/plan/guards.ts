/** Conditions that fail on some rows wait for what was written before them: `kind = 'n' AND CAST(value AS int) > 5`. */
import { type BoundExpr, operandsOf } from "./bind/bound.ts";

/** Whether `earlier` may be there to keep rows from `later`, which fails on them. Shapes hardly are, and cost most. */
export function guards(earlier: BoundExpr, later: BoundExpr): boolean {
  return earlier.at.offset < later.at.offset && canFail(later) && !some(earlier, isSpatial);
}

const canFail = (expr: BoundExpr) => some(expr, (each) => isIntegerSum(each) || isReading(each));

const isSpatial = ({ node }: BoundExpr) => node === "spatial";

/** Integers beyond 64 bits. */
const isIntegerSum = (expr: BoundExpr) =>
  expr.node === "arithmetic" && expr.type.kind === "int" && expr.op !== "%";

/** Texts that are no numbers or times; numbers that a type cannot hold. */
const isReading = (expr: BoundExpr) =>
  expr.node === "cast" && expr.type.kind !== "string" && expr.type.kind !== "bool";

function some(expr: BoundExpr, test: (expr: BoundExpr) => boolean): boolean {
  return test(expr) || operandsOf(expr).some((operand) => some(operand, test));
}
