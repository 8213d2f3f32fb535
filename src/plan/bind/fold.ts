import { cellAt } from "../../table/vector.ts";
import { compileValue } from "../eval/compile.ts";
import { NO_COLUMNS } from "../eval/frame.ts";
import { placed } from "../functions/place.ts";
import { type BoundExpr, constant, isConstant, operandsOf } from "./bound.ts";

/** A constant where everything inside is; literals computed from literals stay literals. */
export function fold(bound: BoundExpr): BoundExpr {
  const operands = operandsOf(bound);
  if (operands.length === 0 || !operands.every(isConstant)) return bound;
  const vector = placed(() => compileValue(bound)(NO_COLUMNS), bound.at);
  const isLiteral =
    bound.node === "arithmetic" && bound.op !== "/" && operands.every((operand) => operand.literal);
  return constant(cellAt(vector, 0), bound.type, bound.at, isLiteral);
}
