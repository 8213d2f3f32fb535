import type { Position } from "../errors.ts";
import type { Expr, Select } from "./ast.ts";
import type { Lexeme } from "./lexemes.ts";
import { lexemes } from "./lexer.ts";
import { positionAt, shown, sqlError } from "./messages.ts";
import { Reading } from "./reading.ts";
import { statement } from "./statement.ts";
import { suggest } from "./suggest.ts";
import { type Token, tokenize } from "./tokens.ts";
import { deeperThan } from "./walk.ts";
import { isStatement } from "./words.ts";

/** The longest query, in bytes of UTF-8. */
export const MAX_SQL_BYTES = 65536;

/**
 * The deepest expression tree, so that whatever walks one may recurse: a sum of 1,000 terms is as deep.
 * Chains of AND and of OR become balanced trees and can be as long as the text.
 */
export const MAX_DEPTH = 1000;

/**
 * Parses one SELECT, with EXPLAIN or EXPLAIN ANALYZE before it or not.
 *
 * Integer literals are bigints, all other numbers doubles; a sign before a number is part of it.
 * @throws sql_syntax, sql_unsupported, too_large; all with `at`
 */
export function parseSelect(text: string): Select {
  checkSize(text);
  const tokens = withoutSemicolons(tokenize(text));
  const end = positionAt(text, tokens.at(-1)?.end ?? text.length);
  const { explain, length } = explainOf(tokens);
  const query = tokens.slice(length);
  checkStart(query[0], end);
  const found = lexemes(query, { kind: "end", at: end, end: end.offset, text: "" });
  const select = { ...structured(found, text), explain };
  checkDepth(select);
  return select;
}

function structured(found: readonly Lexeme[], text: string): Omit<Select, "explain"> {
  try {
    return statement(new Reading(found, text));
  } catch (error) {
    // all depths are limited, but the caller may have used up most of the stack
    if (!(error instanceof RangeError)) throw error;
    throw sqlError("too_large", "The query is nested too deep to be read here", found[0]!.at);
  }
}

function checkSize(text: string): void {
  const bytes = text.length > MAX_SQL_BYTES ? text.length : new TextEncoder().encode(text).length;
  if (bytes <= MAX_SQL_BYTES) return;
  const message = `The query is longer than ${MAX_SQL_BYTES / 1024} KiB: pass long values as parameters`;
  throw sqlError("too_large", message, { offset: 0, line: 1, column: 1 });
}

function withoutSemicolons(tokens: Token[]): Token[] {
  const last = tokens.findLastIndex((token) => token.text !== ";");
  return tokens.slice(0, last + 1);
}

function explainOf(tokens: readonly Token[]): { explain: Select["explain"]; length: number } {
  const [first, second] = tokens;
  if (!isWord(first, /^EXPLAIN$/)) return { explain: undefined, length: 0 };
  if (isWord(second, /^ANALY[ZS]E$/)) return { explain: "analyze", length: 2 };
  if (!second || isWord(second, /^SELECT$/)) return { explain: "plan", length: 1 };
  throw sqlError(
    "sql_unsupported",
    "EXPLAIN takes no options but ANALYZE: EXPLAIN ANALYZE SELECT ...",
    second.at,
  );
}

function isWord(token: Token | undefined, pattern: RegExp): boolean {
  return token?.kind === "word" && pattern.test(token.value);
}

function checkStart(first: Token | undefined, end: Position): void {
  if (!first) throw sqlError("sql_syntax", "The query is empty: write SELECT idx FROM meta WHERE ...", end);
  if (isWord(first, /^SELECT$/)) return;
  if (first.kind === "word" && isStatement(first.value)) {
    const asks = isWord(first, /^(SHOW|DESC|DESCRIBE|SUMMARIZE|PRAGMA)$/);
    const hint = asks ? "; SELECT * FROM meta LIMIT 1 shows the columns" : "";
    throw sqlError(
      "sql_unsupported",
      `${first.value} is not supported: a query is one SELECT${hint}`,
      first.at,
    );
  }
  const meant = first.kind === "word" && suggest(first.value, ["SELECT", "EXPLAIN"]);
  const hint = meant ? `: did you mean ${meant}?` : "";
  throw sqlError("sql_syntax", `A query starts with SELECT, found ${shown(first.text)}${hint}`, first.at);
}

function checkDepth(select: Select): void {
  const { items, where, groupBy, having, orderBy } = select;
  const roots: (Expr | undefined)[] = [where, having, ...groupBy, ...orderBy.map((item) => item.expr)];
  for (const item of items) if (item.type === "expr") roots.push(item.expr);
  const deep = deeperThan(
    roots.filter((expr) => expr !== undefined),
    MAX_DEPTH,
  );
  if (!deep) return;
  const message = `An expression is more than ${MAX_DEPTH} operators deep: write IN (...) or parameters`;
  throw sqlError("too_large", message, deep.at);
}
