import { cellAt } from "../table/vector.ts";
import { type BoundExpr, constant, isConstant, operandsOf } from "./bound.ts";
import { compileValue } from "./compile.ts";
import { NO_COLUMNS } from "./frame.ts";
import { placed } from "./place.ts";

/** A constant where everything inside is; literals computed from literals stay literals. */
export function fold(bound: BoundExpr): BoundExpr {
  const operands = operandsOf(bound);
  if (operands.length === 0 || !operands.every(isConstant)) return bound;
  const vector = placed(() => compileValue(bound)(NO_COLUMNS), bound.at);
  const isLiteral =
    bound.node === "arithmetic" && bound.op !== "/" && operands.every((operand) => operand.literal);
  return constant(cellAt(vector, 0), bound.type, bound.at, isLiteral);
}
