import type { BinaryOp, Expr } from "./ast.ts";
import { BINARY_LEVEL, LEVEL, type Lexeme, type Operator } from "./lexemes.ts";
import { sqlError } from "./messages.ts";
import type { Reading } from "./reading.ts";

/** Operands and operators in text order. */
export interface Chain {
  readonly reading: Reading;
  /** Takes the operand that is next. */
  operand(): Expr;
  /** Takes the operator that is next. */
  operator(): Operator;
  /** Takes the `IN (…)` that is next: its list. */
  list(): Expr[];
}

/** What follows an operand: an operator, or IN with its list. */
type Follower = Operator | { role: "in"; negated: boolean };

/**
 * The expression that starts at `chain`, as far as operators bind at least as tightly as `min`: precedence climbing.
 * Comparisons and tests do not associate: behind one, only what binds more loosely can follow. `a < b = c` is an error
 * everywhere, `a IN (1) * 2` in DuckDB alone; `a IS NULL = b` is an error here, for few would read it as one does.
 */
export function climb(chain: Chain, min: number): Expr {
  let left = prefixed(chain, min);
  let closed = Number.POSITIVE_INFINITY;
  for (;;) {
    const follower = followerOf(chain.reading.lexeme);
    if (!follower) return left;
    const level = levelOf(follower);
    if (level < min) return left;
    if (level >= closed) throw chained(chain.reading.lexeme);
    left = extend(chain, left, follower, level);
    closed = level >= LEVEL.is && level <= LEVEL.range ? level : Number.POSITIVE_INFINITY;
  }
}

function followerOf(lexeme: Lexeme): Follower | undefined {
  if (lexeme.kind === "operator") return lexeme.operator;
  if (lexeme.kind !== "call" || lexeme.call.form !== "in") return undefined;
  return { role: "in", negated: lexeme.call.negated };
}

function levelOf(follower: Follower): number {
  if (follower.role === "in") return LEVEL.range;
  if (follower.name === "binary") return BINARY_LEVEL[follower.op];
  if (follower.name === "distinct" || follower.name === "is") return LEVEL.is;
  return follower.name === "cast" ? LEVEL.cast : LEVEL.range;
}

function chained(lexeme: Lexeme): Error {
  const fix = `write parentheses around what stands before ${lexeme.text}`;
  return sqlError("sql_syntax", `Comparisons cannot be chained: ${fix}`, lexeme.at);
}

function prefixed(chain: Chain, min: number): Expr {
  const { lexeme, at } = chain.reading;
  if (lexeme.kind !== "operator") return chain.operand();
  const operator = chain.operator();
  if (operator.name === "negate") return negated(operandOf(chain, LEVEL.sign), at);
  if (operator.name === "plus") return unsigned(operandOf(chain, LEVEL.sign), at);
  if (operator.name !== "not") throw chain.reading.unexpected();
  if (min > LEVEL.not) throw sqlError("sql_syntax", "NOT needs parentheses here: (NOT x)", at);
  return { type: "not", operand: operandOf(chain, LEVEL.not), at };
}

function operandOf(chain: Chain, min: number): Expr {
  return chain.reading.nested(() => climb(chain, min));
}

/** `-x`; the sign of a number is part of it, so that -9223372036854775808 is exact. */
function negated(operand: Expr, at: Expr["at"]): Expr {
  if (
    operand.type === "literal" &&
    (typeof operand.value === "bigint" || typeof operand.value === "number")
  ) {
    return { type: "literal", value: -operand.value, at };
  }
  return { type: "negate", operand, at };
}

function unsigned(operand: Expr, at: Expr["at"]): Expr {
  const numeric =
    operand.type === "literal" && (typeof operand.value === "bigint" || typeof operand.value === "number");
  if (numeric) return { ...operand, at };
  throw sqlError("sql_unsupported", "A plus sign stands before numbers only: leave it out", at);
}

function extend(chain: Chain, left: Expr, follower: Follower, level: number): Expr {
  const { at } = left;
  if (follower.role === "in") {
    return { type: "in", operand: left, list: chain.list(), negated: follower.negated, at };
  }
  if (follower.name === "escape") throw sqlError("sql_syntax", "ESCAPE stands behind LIKE", chain.reading.at);
  chain.operator();
  const right = (): Expr => climb(chain, level + 1);
  switch (follower.name) {
    case "binary":
      return follower.op === "and" || follower.op === "or"
        ? conjunction(chain, left, follower.op)
        : { type: "binary", op: follower.op, left, right: right(), at };
    case "distinct":
      return { type: "is_distinct", left, right: right(), negated: follower.negated, at };
    case "is":
      return { type: "is", operand: left, test: follower.test, negated: follower.negated, at };
    case "cast":
      return { type: "cast", operand: left, to: follower.to, at };
    case "between":
      return between(chain, left, follower.negated);
    case "like":
      return like(chain, left, follower);
    default:
      throw chain.reading.unexpected();
  }
}

/** `a AND b AND c …` as a balanced tree: it may have thousands of terms, and what walks it recurses. */
function conjunction(chain: Chain, first: Expr, op: "and" | "or"): Expr {
  const terms = [first];
  do terms.push(climb(chain, BINARY_LEVEL[op] + 1));
  while (takes(chain, op));
  return balanced(op, terms, 0, terms.length);
}

/** Takes the operator if it is next. */
function takes(chain: Chain, op: BinaryOp): boolean {
  const { lexeme } = chain.reading;
  const found = lexeme.kind === "operator" && lexeme.operator.name === "binary" && lexeme.operator.op === op;
  if (found) chain.operator();
  return found;
}

function balanced(op: BinaryOp, terms: readonly Expr[], from: number, to: number): Expr {
  if (to - from === 1) return terms[from]!;
  const middle = (from + to + 1) >> 1;
  const left = balanced(op, terms, from, middle);
  return { type: "binary", op, left, right: balanced(op, terms, middle, to), at: left.at };
}

function between(chain: Chain, operand: Expr, negated: boolean): Expr {
  const low = climb(chain, LEVEL.concat);
  if (!takes(chain, "and")) {
    const { at } = chain.reading;
    throw sqlError(
      "sql_syntax",
      "BETWEEN is written x BETWEEN low AND high: a bound may need parentheses",
      at,
    );
  }
  return { type: "between", operand, low, high: climb(chain, LEVEL.concat), negated, at: operand.at };
}

function like(chain: Chain, operand: Expr, operator: { insensitive: boolean; negated: boolean }): Expr {
  const { insensitive, negated } = operator;
  const pattern = climb(chain, LEVEL.concat);
  const { lexeme } = chain.reading;
  const escaped = lexeme.kind === "operator" && lexeme.operator.name === "escape";
  if (escaped) chain.operator();
  const character = escaped ? climb(chain, LEVEL.concat) : undefined;
  return { type: "like", operand, pattern, escape: character, insensitive, negated, at: operand.at };
}
