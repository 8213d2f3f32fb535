import type { Position } from "../errors.ts";
import type { Expr, OrderItem, Select, SelectItem } from "./ast.ts";
import { expression, expressions, takesStar } from "./expressions.ts";
import type { Node } from "./grammar.ts";
import type { Lexeme } from "./lexemes.ts";
import { shown, sqlError } from "./messages.ts";
import { asNode, asNodes, type Reading } from "./reading.ts";

const CLAUSES = [
  "type",
  "distinct",
  "columns",
  "from",
  "where",
  "groupby",
  "having",
  "orderby",
  "limit",
  "_limit",
];

/** The SELECT that the parser's tree is, read along with its lexemes. */
export function statement(tree: Node, reading: Reading): Omit<Select, "explain"> {
  if (tree.type !== "select") throw reading.mismatch();
  reading.only(tree, ...CLAUSES);
  const { at } = reading;
  reading.expect("SELECT");
  const distinct = reading.skip("DISTINCT");
  const items = asNodes(tree.columns, reading).map((node, i) => selectItem(node, i > 0, reading));
  const from = source(asNodes(tree.from, reading), reading);
  const where = reading.skip("WHERE") ? condition(tree.where, reading) : undefined;
  const groupBy = reading.skip("GROUP BY") ? grouping(asNode(tree.groupby, reading), reading) : [];
  const having = reading.skip("HAVING") ? condition(tree.having, reading) : undefined;
  const orderBy = reading.skip("ORDER BY") ? ordering(asNodes(tree.orderby, reading), reading) : [];
  const { limit, offset } = limits(tree, reading);
  reading.expect("end");
  return { at, distinct, items, from, where, groupBy, having, orderBy, limit, offset };
}

function selectItem(node: Node, comma: boolean, reading: Reading): SelectItem {
  reading.only(node, "type", "expr", "as");
  if (comma) reading.expect("comma");
  const { at } = reading;
  const value = asNode(node.expr, reading);
  if (takesStar(value, reading)) {
    if (node.as === null) return { type: "star", at };
    throw sqlError("sql_syntax", "* takes no alias", at);
  }
  const expr = expression(value, reading);
  const text = reading.textSince(at);
  return { type: "expr", expr, alias: alias(node.as, reading), text, at };
}

function alias(as: unknown, reading: Reading): string | undefined {
  if (as === null) return undefined;
  reading.skip("AS");
  return plainName(takeName(as, reading), "An alias");
}

/** One expression; the parser takes lists here, too. */
function condition(value: unknown, reading: Reading): Expr {
  const node = asNode(value, reading);
  if (node.type !== "expr_list") return expression(node, reading);
  const [first] = asNodes(node.value, reading);
  if (first) expression(first, reading);
  throw sqlError("sql_syntax", "Unexpected comma: conditions are joined with AND or OR", reading.at);
}

/** Takes an atom that must be a single name: the parser's names are whole runs of operands and operators. */
function takeName(name: unknown, reading: Reading): Extract<Lexeme, { kind: "atom" }> {
  const { lexeme } = reading;
  if (lexeme.kind !== "atom")
    throw sqlError("sql_syntax", `A name should stand here, found ${shown(lexeme.text)}`, lexeme.at);
  const atom = reading.take("atom", name);
  if (!reading.unnamed) return atom;
  throw sqlError("sql_syntax", `Unexpected ${shown(reading.lexeme.text)} behind a name`, reading.at);
}

/** The name that an atom is, without a table. */
function plainName(atom: Extract<Lexeme, { kind: "atom" }>, what: string): string {
  const { value, at } = atom;
  if (value.type === "column" && value.table === undefined) return value.name;
  throw sqlError("sql_syntax", `${what} is a plain name, found ${atom.text}`, at);
}

function source(tables: readonly Node[], reading: Reading): Select["from"] {
  if (!reading.skip("FROM")) {
    throw sqlError("sql_unsupported", "A query needs a table: add FROM meta", reading.at);
  }
  const [table, second] = tables;
  const { at } = reading;
  if (!table?.table) {
    throw sqlError("sql_unsupported", "Only a table's name can stand behind FROM: FROM meta", at);
  }
  reading.only(table, "table", "as");
  const name = tableName(takeName(table.table, reading), at);
  const from = { name, alias: alias(table.as, reading), at };
  if (!second) return from;
  throw sqlError("sql_unsupported", "Joins are not supported: a query reads one table", reading.at);
}

function tableName(atom: Extract<Lexeme, { kind: "atom" }>, at: Position): string {
  if (atom.value.type === "column" && atom.value.table !== undefined) {
    throw sqlError("sql_unsupported", `Tables have no schema: write FROM ${atom.value.name}`, at);
  }
  return plainName(atom, "A table");
}

function grouping(node: Node, reading: Reading): Expr[] {
  reading.only(node, "columns");
  return expressions(asNodes(node.columns, reading), reading);
}

function ordering(nodes: readonly Node[], reading: Reading): OrderItem[] {
  return nodes.map((node, i) => {
    reading.only(node, "expr", "type", "nulls");
    if (i > 0) reading.expect("comma");
    const { at } = reading;
    const expr = expression(asNode(node.expr, reading), reading);
    const descending = !reading.skip("ASC") && reading.skip("DESC");
    const nulls = reading.skip("NULLS FIRST") ? "first" : reading.skip("NULLS LAST") ? "last" : undefined;
    if (descending !== (node.type === "DESC") || (nulls !== undefined) !== (node.nulls !== null))
      throw reading.mismatch();
    return { expr, descending, nulls, at };
  });
}

/** LIMIT and OFFSET, in either order; the parser keeps what stands second apart. */
function limits(tree: Node, reading: Reading): Pick<Select, "limit" | "offset"> {
  const counts = [...numbers(tree.limit, reading), ...numbers(tree._limit, reading)];
  const found: { LIMIT?: Expr; OFFSET?: Expr } = {};
  for (const count of counts) {
    const word = reading.skip("LIMIT") ? "LIMIT" : "OFFSET";
    if (word === "OFFSET") reading.expect("OFFSET");
    if (found[word]) throw sqlError("sql_syntax", `${word} is given twice`, reading.at);
    found[word] = rowCount(`x${count}`, word, reading);
  }
  return { limit: found.LIMIT, offset: found.OFFSET };
}

function numbers(limit: unknown, reading: Reading): unknown[] {
  if (limit === undefined) return [];
  const node = asNode(limit, reading);
  reading.only(node, "seperator", "value");
  return asNodes(node.value, reading).map((number) => {
    reading.only(number, "type", "value");
    return number.value;
  });
}

function rowCount(name: string, word: string, reading: Reading): Expr {
  const { lexeme, goesOn } = reading;
  if (lexeme.kind === "atom" && !goesOn) {
    const { value } = reading.take("atom", name);
    if (value.type === "parameter") return value;
    if (value.type === "literal" && typeof value.value === "bigint") return value;
  }
  throw sqlError(
    "sql_syntax",
    `${word} takes one whole number or parameter, found ${shown(lexeme.text)}`,
    lexeme.at,
  );
}
