import parser from "node-sql-parser/build/postgresql.js";
import { endsOperand, type Lexeme, startsOperand } from "./lexemes.ts";
import { sqlError } from "./messages.ts";
import { describe } from "./structure.ts";

/** A node of node-sql-parser's tree: which properties it has depends on where it stands. */
export interface Node {
  readonly [property: string]: unknown;
}

/**
 * The structure of a query, found by node-sql-parser: its clauses, calls and CASEs.
 *
 * Its PostgreSQL grammar gets much else wrong: AND and OR bind alike, `NOT (a) = b` is a call, `''''` loses a quote,
 * `1e5` is an integer, `IS NOT DISTINCT FROM` does not parse. So it never sees an operator, a name or a literal: a run
 * of operands and operators that starts with lexeme 7 is the name `"x7"`, parentheses are calls, and `+` joins them.
 * `NOT (a) = lower(b) AND c` becomes `"x0"+"x1"("x2")+"x4"+"x5"("x6")+"x8"`. The lexemes give the meaning back.
 * @throws sql_syntax
 */
export function parseStructure(lexemes: readonly Lexeme[]): Node {
  const pieces = lexemes.map((lexeme, i) => rendered(lexeme, i, lexemes[i - 1]));
  try {
    return new parser.Parser().astify(pieces.join(" "), { database: "postgresql" }) as unknown as Node;
  } catch (error) {
    throw syntaxError(error, lexemes, pieces);
  }
}

/** Whether `lexeme` belongs to the run of operands and operators that `before` is part of, and has no name itself. */
export function continuesRun(lexeme: Lexeme, before: Lexeme | undefined): boolean {
  if (lexeme.kind !== "atom" && lexeme.kind !== "operator") return false;
  if (startsOperand(lexeme)) return before?.kind === "operator" && !endsOperand(before);
  return before?.kind === "operator" || before?.kind === "atom";
}

/** The index of the lexeme that `"x7"` stands for. */
export function indexOf(name: unknown): number | undefined {
  const digits = typeof name === "string" ? /^x(\d+)$/.exec(name)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

function rendered(lexeme: Lexeme, i: number, before: Lexeme | undefined): string {
  const plus = isJoined(lexeme, before) ? "+" : "";
  switch (lexeme.kind) {
    case "atom":
    case "operator":
      if (continuesRun(lexeme, before)) return "";
      return isRowCount(before) ? String(i) : `${plus}"x${i}"`;
    case "call":
      return `${plus}"x${i}"(`;
    case "keyword":
      return plus + lexeme.word;
    case "close":
      return ")";
    case "comma":
      return ",";
    case "end":
      return "";
  }
}

/** Whether `lexeme` goes on with the expression that `before` is part of. */
function isJoined(lexeme: Lexeme, before: Lexeme | undefined): boolean {
  if (startsOperand(lexeme)) return before?.kind === "operator" && !endsOperand(before);
  return endsOperand(before) && (lexeme.kind === "operator" || lexeme.kind === "call");
}

function syntaxError(error: unknown, lexemes: readonly Lexeme[], pieces: readonly string[]): unknown {
  const offset = (error as { location?: { start?: { offset?: number } } }).location?.start?.offset;
  if (offset === undefined) return error;
  let i = 0;
  for (let end = pieces[0]!.length; end <= offset && i < pieces.length - 1; end += pieces[i]!.length + 1) i++;
  return unexpected(lexemes.slice(0, i + 1));
}

function unexpected(read: readonly Lexeme[]): Error {
  const [found, before, beforeThat] = read.slice(-3).reverse() as [
    Lexeme,
    Lexeme | undefined,
    Lexeme | undefined,
  ];
  const advice = rowCountAdvice(before) ?? rowCountAdvice(beforeThat) ?? missingAdvice(found, before);
  return sqlError("sql_syntax", `Unexpected ${describe(found)}${advice}`, found.at);
}

function rowCountAdvice(lexeme: Lexeme | undefined): string | undefined {
  if (!isRowCount(lexeme)) return undefined;
  return `: ${lexeme!.text.toUpperCase()} takes one whole number or parameter`;
}

function missingAdvice(found: Lexeme, before: Lexeme | undefined): string {
  if (before?.kind === "atom" && before.value.type === "star")
    return ": * stands alone, else name the columns";
  if (startsOperand(found) && endsOperand(before)) {
    return `: an operator or a comma may be missing behind ${describe(before!)}`;
  }
  if (found.kind !== "keyword") return "";
  return ": the order is SELECT, FROM, WHERE, GROUP BY, HAVING, ORDER BY, LIMIT, OFFSET, each once";
}

/** Whether a number of rows must follow: the parser takes nothing but numbers there. */
function isRowCount(lexeme: Lexeme | undefined): boolean {
  return lexeme?.kind === "keyword" && (lexeme.word === "LIMIT" || lexeme.word === "OFFSET");
}
