import type { Position } from "../errors.ts";
import type { BinaryOp, Expr } from "./ast.ts";

/**
 * How tightly operators bind, as in PostgreSQL and DuckDB
 * (https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-PRECEDENCE).
 */
export const LEVEL = {
  or: 1,
  and: 2,
  not: 3,
  is: 4,
  comparison: 5,
  /** BETWEEN, IN, LIKE. */
  range: 6,
  concat: 7,
  sum: 8,
  product: 9,
  sign: 10,
  cast: 11,
  atom: 12,
} as const;

export const BINARY_LEVEL: Record<BinaryOp, number> = {
  or: LEVEL.or,
  and: LEVEL.and,
  "=": LEVEL.comparison,
  "<>": LEVEL.comparison,
  "<": LEVEL.comparison,
  "<=": LEVEL.comparison,
  ">": LEVEL.comparison,
  ">=": LEVEL.comparison,
  "||": LEVEL.concat,
  "+": LEVEL.sum,
  "-": LEVEL.sum,
  "*": LEVEL.product,
  "/": LEVEL.product,
  "%": LEVEL.product,
};

export type Operator =
  | { role: "prefix"; name: "not" | "negate" | "plus" }
  | { role: "infix"; name: "binary"; op: BinaryOp }
  | { role: "infix"; name: "distinct" | "between"; negated: boolean }
  | { role: "infix"; name: "like"; insensitive: boolean; negated: boolean }
  | { role: "infix"; name: "escape" }
  | { role: "postfix"; name: "is"; test: "null" | "true" | "false"; negated: boolean }
  | { role: "postfix"; name: "cast"; to: string };

/**
 * Words found between arguments: `swapped` where the second is written first, as in `position(x IN y)`, `from` in
 * `substring(x FROM a`, `all` where none can follow.
 */
export type ArgumentWords = "swapped" | "from" | "all";

/** What stands before a parenthesis and belongs to it. */
export type Call =
  | { form: "group" }
  | { form: "function"; name: string; distinct: boolean; words?: ArgumentWords }
  | { form: "in"; negated: boolean }
  | { form: "extract"; field: string }
  /** `to` is known once its `AS` is read. */
  | { form: "cast"; to: string | undefined };

export type Keyword =
  | "SELECT"
  | "DISTINCT"
  | "FROM"
  | "WHERE"
  | "GROUP BY"
  | "HAVING"
  | "ORDER BY"
  | "ASC"
  | "DESC"
  | "NULLS FIRST"
  | "NULLS LAST"
  | "LIMIT"
  | "OFFSET"
  | "AS"
  | "CASE"
  | "WHEN"
  | "THEN"
  | "ELSE"
  | "END";

/**
 * A unit of a query's structure: one token, or several that only mean something together (`IS NOT NULL`,
 * `TIMESTAMP '…'`, `meta.idx`, a function's name with its parenthesis). `text` is for messages.
 */
export type Lexeme = { at: Position; end: number; text: string } & (
  | { kind: "atom"; value: Expr | { type: "star" } }
  | { kind: "operator"; operator: Operator }
  | { kind: "call"; call: Call }
  | { kind: "keyword"; word: Keyword }
  | { kind: "close" | "comma" | "end" }
);

/** Whether an operand may end with this, so that an infix operator can follow. */
export function endsOperand(lexeme: Lexeme | undefined): boolean {
  if (lexeme === undefined) return false;
  if (lexeme.kind === "operator") return lexeme.operator.role === "postfix";
  return (
    lexeme.kind === "atom" || lexeme.kind === "close" || (lexeme.kind === "keyword" && lexeme.word === "END")
  );
}

/** Whether an operand may start with this. */
export function startsOperand(lexeme: Lexeme): boolean {
  if (lexeme.kind === "operator") return lexeme.operator.role === "prefix";
  if (lexeme.kind === "call") return lexeme.call.form !== "in";
  return lexeme.kind === "atom" || (lexeme.kind === "keyword" && lexeme.word === "CASE");
}

const NEED_OPERAND = new Set<Keyword>(
  "SELECT DISTINCT FROM WHERE HAVING LIMIT OFFSET AS CASE WHEN THEN ELSE"
    .split(" ")
    .concat("GROUP BY", "ORDER BY") as Keyword[],
);

/** Whether an operand must follow this; behind SELECT and CASE there are other choices. */
export function needsOperand(lexeme: Lexeme | undefined): boolean {
  if (lexeme === undefined) return false;
  if (lexeme.kind === "operator") return lexeme.operator.role !== "postfix";
  if (lexeme.kind === "call") return lexeme.call.form !== "function";
  return lexeme.kind === "comma" || (lexeme.kind === "keyword" && NEED_OPERAND.has(lexeme.word));
}
