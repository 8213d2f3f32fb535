import type { Position } from "../errors.ts";
import type { Expr, OrderItem, Select, SelectItem } from "./ast.ts";
import { expression, expressions, takesStar } from "./expressions.ts";
import type { Lexeme } from "./lexemes.ts";
import { shown, sqlError } from "./messages.ts";
import type { Reading } from "./reading.ts";

/** The SELECT that the lexemes are: its clauses in their order, each at most once. */
export function statement(reading: Reading): Omit<Select, "explain"> {
  const { at } = reading;
  reading.expect("SELECT");
  const distinct = reading.skip("DISTINCT");
  const items = reading.list(() => selectItem(reading));
  const from = source(reading);
  const where = reading.skip("WHERE") ? condition(reading) : undefined;
  const groupBy = reading.skip("GROUP BY") ? expressions(reading) : [];
  const having = reading.skip("HAVING") ? condition(reading) : undefined;
  const orderBy = reading.skip("ORDER BY") ? reading.list(() => orderItem(reading)) : [];
  const { limit, offset } = limits(reading);
  reading.expect("end");
  return { at, distinct, items, from, where, groupBy, having, orderBy, limit, offset };
}

function selectItem(reading: Reading): SelectItem {
  const { at } = reading;
  if (takesStar(reading)) {
    if (alias(reading) === undefined) return { type: "star", at };
    throw sqlError("sql_syntax", "* takes no alias", at);
  }
  const expr = expression(reading);
  const text = reading.textSince(at);
  return { type: "expr", expr, alias: alias(reading), text, at };
}

function alias(reading: Reading): string | undefined {
  if (!reading.skip("AS") && reading.lexeme.kind !== "atom") return undefined;
  return plainName(takeName(reading), "An alias");
}

function condition(reading: Reading): Expr {
  const expr = expression(reading);
  if (reading.lexeme.kind !== "comma") return expr;
  throw sqlError("sql_syntax", "Unexpected comma: conditions are joined with AND or OR", reading.at);
}

/** Takes an atom that must be a single name. */
function takeName(reading: Reading): Extract<Lexeme, { kind: "atom" }> {
  const { lexeme } = reading;
  if (lexeme.kind !== "atom")
    throw sqlError("sql_syntax", `A name should stand here, found ${shown(lexeme.text)}`, lexeme.at);
  const atom = reading.take("atom");
  if (reading.lexeme.kind !== "operator") return atom;
  throw sqlError("sql_syntax", `Unexpected ${shown(reading.lexeme.text)} behind a name`, reading.at);
}

/** The name that an atom is, without a table. */
function plainName(atom: Extract<Lexeme, { kind: "atom" }>, what: string): string {
  const { value, at } = atom;
  if (value.type === "column" && value.table === undefined) return value.name;
  throw sqlError("sql_syntax", `${what} is a plain name, found ${atom.text}`, at);
}

function source(reading: Reading): Select["from"] {
  const { lexeme } = reading;
  if (lexeme.kind !== "end" && !isClause(lexeme)) throw reading.unexpected();
  if (!reading.skip("FROM"))
    throw sqlError("sql_unsupported", "A query needs a table: add FROM meta", reading.at);
  const { at } = reading;
  if (reading.lexeme.kind === "call")
    throw sqlError("sql_unsupported", "Only a table's name can stand behind FROM: FROM meta", at);
  const name = tableName(takeName(reading), at);
  const from = { name, alias: alias(reading), at };
  if (reading.lexeme.kind !== "comma") return from;
  throw sqlError("sql_unsupported", "Joins are not supported: a query reads one table", reading.at);
}

/** Whether a clause of a query starts here. */
const isClause = (lexeme: Lexeme): boolean =>
  lexeme.kind === "keyword" && /^(FROM|WHERE|GROUP BY|HAVING|ORDER BY|LIMIT|OFFSET)$/.test(lexeme.word);

function tableName(atom: Extract<Lexeme, { kind: "atom" }>, at: Position): string {
  if (atom.value.type === "column" && atom.value.table !== undefined) {
    throw sqlError("sql_unsupported", `Tables have no schema: write FROM ${atom.value.name}`, at);
  }
  return plainName(atom, "A table");
}

function orderItem(reading: Reading): OrderItem {
  const { at } = reading;
  const expr = expression(reading);
  const descending = !reading.skip("ASC") && reading.skip("DESC");
  const nulls = reading.skip("NULLS FIRST") ? "first" : reading.skip("NULLS LAST") ? "last" : undefined;
  return { expr, descending, nulls, at };
}

/** LIMIT and OFFSET, in either order. */
function limits(reading: Reading): Pick<Select, "limit" | "offset"> {
  const found: { LIMIT?: Expr; OFFSET?: Expr } = {};
  for (;;) {
    const word = reading.skip("LIMIT") ? "LIMIT" : reading.skip("OFFSET") ? "OFFSET" : undefined;
    if (!word) return { limit: found.LIMIT, offset: found.OFFSET };
    if (found[word]) throw sqlError("sql_syntax", `${word} is given twice`, reading.at);
    found[word] = rowCount(word, reading);
  }
}

function rowCount(word: string, reading: Reading): Expr {
  const { lexeme, goesOn } = reading;
  if (lexeme.kind === "call" || lexeme.kind === "keyword") throw reading.unexpected();
  if (lexeme.kind === "atom" && !goesOn) {
    const { value } = reading.take("atom");
    if (value.type === "parameter") return value;
    if (value.type === "literal" && typeof value.value === "bigint") return value;
  }
  throw sqlError(
    "sql_syntax",
    `${word} takes one whole number or parameter, found ${shown(lexeme.text)}`,
    lexeme.at,
  );
}
