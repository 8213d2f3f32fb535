import type { Expr } from "./ast.ts";

/** The expressions that `expr` is made of, in text order; not what those are made of. */
export function children(expr: Expr): Expr[] {
  switch (expr.type) {
    case "not":
    case "negate":
    case "is":
    case "cast":
    case "extract":
      return [expr.operand];
    case "binary":
    case "is_distinct":
      return [expr.left, expr.right];
    case "between":
      return [expr.operand, expr.low, expr.high];
    case "in":
      return [expr.operand, ...expr.list];
    case "like":
      return expr.escape ? [expr.operand, expr.pattern, expr.escape] : [expr.operand, expr.pattern];
    case "case":
      return [expr.operand, ...expr.when.flatMap((w) => [w.condition, w.result]), expr.otherwise].filter(
        (part) => part !== undefined,
      );
    case "call":
      return expr.args;
    default:
      return [];
  }
}

/** The first expression, walking from `roots`, that lies deeper than `depth` levels. Does not recurse. */
export function deeperThan(roots: readonly Expr[], depth: number): Expr | undefined {
  const open = roots.map((expr) => ({ expr, level: 1 }));
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.level > depth) return next.expr;
    for (const expr of children(next.expr)) open.push({ expr, level: next.level + 1 });
  }
  return undefined;
}
