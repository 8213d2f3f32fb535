import type { Expr } from "./ast.ts";
import { BINARY_LEVEL, LEVEL } from "./lexemes.ts";
import { isReserved } from "./words.ts";

/** A value for `$n`. */
export type PrintedValue = null | boolean | number | bigint | string | Uint8Array;

/** A piece of text and how tightly its outermost operator binds. */
interface Printed {
  text: string;
  level: number;
}

/**
 * The canonical text of an expression: equal text, equal meaning. Parentheses stand only where they must, keywords are
 * in upper case, names without quotes in lower case, and tables are left out, for there is just one.
 * With `params`, parameters are written in as literals; bytes as a cast of hexadecimal text.
 */
export function printExpr(expr: Expr, params?: readonly PrintedValue[]): string {
  return print(expr, params).text;
}

function print(expr: Expr, params: readonly PrintedValue[] | undefined): Printed {
  const inside = (part: Expr, level: number): string => {
    const printed = print(part, params);
    return printed.level < level ? `(${printed.text})` : printed.text;
  };
  switch (expr.type) {
    case "literal":
      return literal(expr.value);
    case "typed_literal":
      return atom(`${expr.of.toUpperCase()} ${quoteText(expr.value)}`);
    case "parameter":
      return params && expr.index <= params.length
        ? literal(params[expr.index - 1]!)
        : atom(`$${expr.index}`);
    case "column":
      return atom(columnName(expr.name, expr.quoted));
    case "not":
      return { text: `NOT ${inside(expr.operand, LEVEL.not)}`, level: LEVEL.not };
    case "negate":
      return { text: `-${inside(expr.operand, LEVEL.cast)}`, level: LEVEL.sign };
    case "binary":
      return binary(expr, inside);
    case "is":
    case "is_distinct":
      return test(expr, inside);
    case "between":
    case "in":
    case "like":
      return { text: range(expr, inside), level: LEVEL.range };
    case "cast":
      return atom(`CAST(${inside(expr.operand, 0)} AS ${expr.to})`);
    case "extract":
      return atom(`EXTRACT(${columnName(expr.field, false)} FROM ${inside(expr.operand, 0)})`);
    case "case":
      return atom(caseText(expr, inside));
    case "call":
      return atom(call(expr, inside));
  }
}

/** Prints a part, in parentheses where it binds more loosely than `level`. */
type Inside = (part: Expr, level: number) => string;

type Of<T extends Expr["type"]> = Extract<Expr, { type: T }>;

function atom(text: string): Printed {
  return { text, level: LEVEL.atom };
}

/** AND and OR associate, so that their chains print alike however they are grouped; comparisons do not chain. */
function binary({ op, left, right }: Of<"binary">, inside: Inside): Printed {
  const level = BINARY_LEVEL[op];
  const free = op === "and" || op === "or";
  const leftLevel = level === LEVEL.comparison ? level + 1 : level;
  const text = `${inside(left, leftLevel)} ${op.toUpperCase()} ${inside(right, free ? level : level + 1)}`;
  return { text, level };
}

function not({ negated }: { negated: boolean }): string {
  return negated ? "NOT " : "";
}

function test(expr: Of<"is" | "is_distinct">, inside: Inside): Printed {
  const level = LEVEL.comparison;
  const text =
    expr.type === "is"
      ? `${inside(expr.operand, level)} IS ${not(expr)}${expr.test.toUpperCase()}`
      : `${inside(expr.left, level)} IS ${not(expr)}DISTINCT FROM ${inside(expr.right, level)}`;
  return { text, level: LEVEL.is };
}

function range(expr: Of<"between" | "in" | "like">, inside: Inside): string {
  const level = LEVEL.concat;
  const start = `${inside(expr.operand, level)} ${not(expr)}`;
  if (expr.type === "in") return `${start}IN (${expr.list.map((part) => inside(part, 0)).join(", ")})`;
  if (expr.type === "between")
    return `${start}BETWEEN ${inside(expr.low, level)} AND ${inside(expr.high, level)}`;
  const escaped = expr.escape ? ` ESCAPE ${inside(expr.escape, LEVEL.atom)}` : "";
  return `${start}${expr.insensitive ? "ILIKE" : "LIKE"} ${inside(expr.pattern, level)}${escaped}`;
}

function caseText(expr: Of<"case">, inside: Inside): string {
  const operand = expr.operand ? ` ${inside(expr.operand, 0)}` : "";
  const when = expr.when.map((w) => ` WHEN ${inside(w.condition, 0)} THEN ${inside(w.result, 0)}`).join("");
  const otherwise = expr.otherwise ? ` ELSE ${inside(expr.otherwise, 0)}` : "";
  return `CASE${operand}${when}${otherwise} END`;
}

function call(expr: Of<"call">, inside: Inside): string {
  const special = expr.name === "extract" || expr.name === "interval";
  const plain = isPlain(expr.name) || expr.name === "left" || expr.name === "right";
  const name = plain && !special ? expr.name : quoteName(expr.name);
  if (expr.star) return `${name}(*)`;
  return `${name}(${expr.distinct ? "DISTINCT " : ""}${expr.args.map((arg) => inside(arg, 0)).join(", ")})`;
}

function literal(value: PrintedValue): Printed {
  if (value === null || typeof value === "boolean") return atom(String(value).toUpperCase());
  if (typeof value === "string") return atom(quoteText(value));
  if (typeof value === "number" || typeof value === "bigint") return number(value);
  const digits = Array.from(value, (byte) => byte.toString(16).padStart(2, "0"));
  return atom(`CAST('\\x${digits.join("")}' AS bytea)`);
}

/** Integers stay integers and doubles doubles: 5 and 5.0. */
function number(value: number | bigint): Printed {
  const negative = value < 0 || Object.is(value, -0);
  const level = negative ? LEVEL.sign : LEVEL.atom;
  if (typeof value === "bigint") return { text: String(value), level };
  if (!Number.isFinite(value)) return atom(`CAST('${value}' AS double precision)`);
  if (!Number.isInteger(value)) return { text: String(value), level };
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return { text: value.toExponential(), level };
  return { text: `${negative ? "-" : ""}${Math.abs(value)}.0`, level };
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function isPlain(name: string): boolean {
  // Letters beyond ASCII take a large pattern, which is not made where there are none.
  const word = /^[a-z_][\w$]*$/i.test(name) || /^[\p{L}_][\p{L}\p{M}\p{N}_$]*$/u.test(name);
  return word && !isReserved(name.toUpperCase());
}

/** A name that matches any case where it is not quoted, as PostgreSQL folds it. */
function columnName(name: string, quoted: boolean): string {
  return quoted || !isPlain(name) ? quoteName(name) : name.toLowerCase();
}
