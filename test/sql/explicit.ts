import type { Expr } from "../../src/sql/ast.ts";

/** The expression with parentheses around everything, so that no precedence is left to chance. */
export function explicit(expr: Expr): string {
  const not = "negated" in expr && expr.negated ? "NOT " : "";
  const list = (parts: Expr[]): string => parts.map(explicit).join(", ");
  switch (expr.type) {
    case "literal":
      if (typeof expr.value === "string") return `'${expr.value.replaceAll("'", "''")}'`;
      return typeof expr.value === "boolean" || expr.value === null
        ? String(expr.value).toUpperCase()
        : `(${expr.value})`;
    case "typed_literal":
      return `${expr.of} '${expr.value}'`;
    case "parameter":
      return `$${expr.index}`;
    case "column":
      return expr.quoted ? `"${expr.name}"` : expr.name;
    case "not":
      return `(NOT ${explicit(expr.operand)})`;
    case "negate":
      return `(- ${explicit(expr.operand)})`;
    case "binary":
      return `(${explicit(expr.left)} ${expr.op} ${explicit(expr.right)})`;
    case "between":
      return `(${explicit(expr.operand)} ${not}BETWEEN ${explicit(expr.low)} AND ${explicit(expr.high)})`;
    case "in":
      return `(${explicit(expr.operand)} ${not}IN (${list(expr.list)}))`;
    case "like":
      return `(${explicit(expr.operand)} ${not}${expr.insensitive ? "ILIKE" : "LIKE"} ${explicit(expr.pattern)})`;
    case "is":
      return `(${explicit(expr.operand)} IS ${not}${expr.test})`;
    case "is_distinct":
      return `(${explicit(expr.left)} IS ${not}DISTINCT FROM ${explicit(expr.right)})`;
    case "cast":
      return `CAST(${explicit(expr.operand)} AS ${expr.to})`;
    case "extract":
      return `extract(${expr.field} FROM ${explicit(expr.operand)})`;
    case "case": {
      const when = expr.when.map((w) => `WHEN ${explicit(w.condition)} THEN ${explicit(w.result)}`).join(" ");
      return `CASE ${when} ELSE ${explicit(expr.otherwise!)} END`;
    }
    case "call":
      return `${expr.name}(${list(expr.args)})`;
  }
}
