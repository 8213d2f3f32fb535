import type { Position } from "../errors.ts";

/** Every node knows where it stands, for messages. */
interface At {
  at: Position;
}

export type BinaryOp =
  | "or"
  | "and"
  | "="
  | "<>"
  | "<"
  | "<="
  | ">"
  | ">="
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "||";

export type Expr = At &
  (
    | { type: "literal"; value: null | boolean | number | bigint | string }
    /** `TIMESTAMP '…'`, `DATE '…'`, `INTERVAL '…'`: the text, not yet read. */
    | { type: "typed_literal"; of: "timestamp" | "date" | "interval"; value: string }
    | { type: "parameter"; index: number }
    /** `table` as written; `quoted` names keep their case, others match any. */
    | { type: "column"; name: string; table: string | undefined; quoted: boolean }
    | { type: "not"; operand: Expr }
    | { type: "negate"; operand: Expr }
    | { type: "binary"; op: BinaryOp; left: Expr; right: Expr }
    | { type: "between"; operand: Expr; low: Expr; high: Expr; negated: boolean }
    | { type: "in"; operand: Expr; list: Expr[]; negated: boolean }
    | {
        type: "like";
        operand: Expr;
        pattern: Expr;
        escape: Expr | undefined;
        insensitive: boolean;
        negated: boolean;
      }
    | { type: "is"; operand: Expr; test: "null" | "true" | "false"; negated: boolean }
    | { type: "is_distinct"; left: Expr; right: Expr; negated: boolean }
    /** `to` in lower case with its arguments: `double precision`, `varchar(10)`. */
    | { type: "cast"; operand: Expr; to: string }
    | {
        type: "case";
        operand: Expr | undefined;
        when: { condition: Expr; result: Expr }[];
        otherwise: Expr | undefined;
      }
    | { type: "extract"; field: string; operand: Expr }
    /** `name` in lower case; `count(*)` has `star`. */
    | { type: "call"; name: string; args: Expr[]; distinct: boolean; star: boolean }
  );

/** `*` or an expression with its alias. `text` is the expression as written. */
export type SelectItem = At &
  ({ type: "star" } | { type: "expr"; expr: Expr; alias: string | undefined; text: string });

export interface OrderItem extends At {
  expr: Expr;
  descending: boolean;
  /** As written; `undefined`: the default, NULLs last. */
  nulls: "first" | "last" | undefined;
}

export interface Select extends At {
  explain: "plan" | "analyze" | undefined;
  distinct: boolean;
  items: SelectItem[];
  from: At & { name: string; alias: string | undefined };
  where: Expr | undefined;
  groupBy: Expr[];
  having: Expr | undefined;
  orderBy: OrderItem[];
  limit: Expr | undefined;
  offset: Expr | undefined;
}
