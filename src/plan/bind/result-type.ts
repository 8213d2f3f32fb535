import type { Position } from "../../errors.ts";
import { finerUnit } from "../../format/calendar.ts";
import { sqlError } from "../../sql/messages.ts";
import { FLOAT64, INT64, isDate, NULL_TYPE, type SqlType, typeName } from "../../table/types.ts";
import type { BoundExpr } from "./bound.ts";
import { fitConstant } from "./compare.ts";
import { coarsened } from "./dates.ts";

/**
 * The type that holds the values of all of `exprs`, as the results of CASE and COALESCE have to.
 * @throws ZarrsiftError `sql_type` where there is none
 */
export function commonType(exprs: readonly BoundExpr[], what: string, at: Position): SqlType {
  let type: SqlType = NULL_TYPE;
  for (const expr of exprs) {
    const both = wider(type, expr.type);
    if (!both) throw sqlError("sql_type", `${what} mixes ${typeName(type)} and ${typeName(expr.type)}`, at);
    type = both;
  }
  return type;
}

/** `exprs` with text constants made values of the type that the first of the others has. */
export function fitted(exprs: readonly BoundExpr[]): BoundExpr[] {
  const other = exprs.find(({ type }) => type.kind !== "string" && type.kind !== "null");
  if (!other) return [...exprs];
  return exprs.map((expr) => (expr.type.kind === "string" ? coarsened(fitConstant(expr, other.type)) : expr));
}

function wider(a: SqlType, b: SqlType): SqlType | undefined {
  if (a.kind === "null") return b;
  if (b.kind === "null") return a;
  if (a.kind === "float" || b.kind === "float") {
    const numbers = [a.kind, b.kind].every((kind) => kind === "float" || kind === "int");
    const single = a.kind === "float" && b.kind === "float" && a.bits !== 64 && b.bits !== 64;
    return numbers ? (single ? a : FLOAT64) : undefined;
  }
  if (a.kind !== b.kind) return undefined;
  if (a.kind === "int" && b.kind === "int") {
    if (a.bits === b.bits && a.signed === b.signed) return a;
    const unsigned = !a.signed && !b.signed && (a.bits === 64 || b.bits === 64);
    return unsigned ? { kind: "int", bits: 64, signed: false } : INT64;
  }
  if (isDate(a) && isDate(b)) return a;
  if ("unit" in a && "unit" in b) return { kind: a.kind as "timestamp", unit: finerUnit(a.unit, b.unit) };
  if (a.kind === "geometry" && b.kind === "geometry" && a.encoding !== b.encoding) return undefined;
  return a;
}
