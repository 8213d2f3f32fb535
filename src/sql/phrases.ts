import type { Keyword, Operator } from "./lexemes.ts";
import { scalarOf, typeName } from "./literals.ts";
import { sqlError } from "./messages.ts";
import type { Reader } from "./reader.ts";
import type { Token } from "./tokens.ts";
import { readWordedCall } from "./worded-calls.ts";
import { isReserved, unsupportedWord } from "./words.ts";

const OPERATOR_WORDS: [string, Operator][] = [
  ["NOT BETWEEN", { role: "infix", name: "between", negated: true }],
  ["NOT LIKE", { role: "infix", name: "like", insensitive: false, negated: true }],
  ["NOT ILIKE", { role: "infix", name: "like", insensitive: true, negated: true }],
  ["NOT", { role: "prefix", name: "not" }],
  ["AND", { role: "infix", name: "binary", op: "and" }],
  ["OR", { role: "infix", name: "binary", op: "or" }],
  ["BETWEEN", { role: "infix", name: "between", negated: false }],
  ["LIKE", { role: "infix", name: "like", insensitive: false, negated: false }],
  ["ILIKE", { role: "infix", name: "like", insensitive: true, negated: false }],
  ["IS NOT NULL", { role: "postfix", name: "is", test: "null", negated: true }],
  ["IS NOT UNKNOWN", { role: "postfix", name: "is", test: "null", negated: true }],
  ["IS NOT TRUE", { role: "postfix", name: "is", test: "true", negated: true }],
  ["IS NOT FALSE", { role: "postfix", name: "is", test: "false", negated: true }],
  ["IS NOT DISTINCT FROM", { role: "infix", name: "distinct", negated: true }],
  ["IS NULL", { role: "postfix", name: "is", test: "null", negated: false }],
  ["IS UNKNOWN", { role: "postfix", name: "is", test: "null", negated: false }],
  ["IS TRUE", { role: "postfix", name: "is", test: "true", negated: false }],
  ["IS FALSE", { role: "postfix", name: "is", test: "false", negated: false }],
  ["IS DISTINCT FROM", { role: "infix", name: "distinct", negated: false }],
  ["ISNULL", { role: "postfix", name: "is", test: "null", negated: false }],
  ["NOTNULL", { role: "postfix", name: "is", test: "null", negated: true }],
];

/** Reads an operator that is words, if one is next. */
export function readOperatorWord(reader: Reader): boolean {
  if (readWordedCall(reader)) return true;
  if (reader.sees("NOT IN")) readIn(reader, true);
  else if (reader.sees("IN")) readIn(reader, false);
  else if (reader.sees("NOT SIMILAR")) return false;
  else if (seesEscape(reader)) reader.operator(1, { role: "infix", name: "escape" });
  else {
    const found = OPERATOR_WORDS.find(([words]) => reader.sees(words));
    if (found) reader.operator(found[0].split(" ").length, found[1]);
    else if (reader.sees("IS")) throw unknownTest(reader.token!);
    return found !== undefined;
  }
  return true;
}

function readIn(reader: Reader, negated: boolean): void {
  const words = negated ? 2 : 1;
  if (!reader.seesSymbol("(", words)) {
    throw sqlError("sql_syntax", "IN needs a list in parentheses: IN (1, 2)", reader.token!.at);
  }
  reader.call(words + 1, { form: "in", negated });
}

/** ESCAPE is not reserved: only between two operands is it the operator, elsewhere a name. */
function seesEscape(reader: Reader): boolean {
  const next = reader.ahead[1];
  if (!reader.sees("ESCAPE") || !reader.out.afterOperand || !next) return false;
  if (next.kind === "word") return next.value === "CASE" || next.value === "CAST" || !isReserved(next.value);
  return next.kind !== "symbol" || next.text === "(";
}

function unknownTest(token: Token): Error {
  const tests = "[NOT] NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM";
  return sqlError("sql_syntax", `IS takes ${tests}: for other values write = or <>`, token.at);
}

/** Reads `CAST(`, `EXTRACT(field FROM`, or `AS type` in a cast, if one is next. */
export function readForm(reader: Reader): boolean {
  const { at } = reader.token!;
  if (reader.sees("CAST") && reader.seesSymbol("(", 1)) {
    reader.call(2, { form: "cast", to: undefined });
  } else if (reader.sees("EXTRACT") && reader.seesSymbol("(", 1)) {
    const field = reader.ahead[2];
    if (!field || field.kind === "number" || field.kind === "symbol" || !reader.sees("FROM", 3)) {
      throw sqlError("sql_syntax", "EXTRACT is written EXTRACT(year FROM x)", at);
    }
    reader.call(4, { form: "extract", field: field.value.toLowerCase() });
  } else if (reader.sees("AS") && reader.out.openCast) {
    const type = typeName(reader.ahead.slice(1));
    if (!type) throw sqlError("sql_syntax", "A type should follow AS", at);
    reader.out.castTo(type.name);
    reader.skip(1 + type.length);
  } else return false;
  return true;
}

const CLAUSES: Keyword[] = [
  "SELECT",
  "DISTINCT",
  "FROM",
  "WHERE",
  "GROUP BY",
  "HAVING",
  "ORDER BY",
  "ASC",
  "DESC",
  "NULLS FIRST",
  "NULLS LAST",
  "LIMIT",
  "OFFSET",
  "AS",
  "CASE",
  "WHEN",
  "THEN",
  "ELSE",
  "END",
];

/** Reads a keyword of a clause or of CASE, if one is next. Words that change nothing are left out. */
export function readClause(reader: Reader): boolean {
  const word = CLAUSES.find((words) => reader.sees(words));
  if (reader.sees("LIMIT ALL")) reader.skip(2);
  else if (reader.sees("ALL") && reader.out.takesQuantifier) reader.skip(1);
  else if (reader.out.afterOffset && (reader.sees("ROWS") || reader.sees("ROW"))) reader.skip(1);
  else if (reader.sees("FETCH")) readFetch(reader);
  else if (reader.sees("DISTINCT ON")) {
    const { at } = reader.token!;
    throw sqlError("sql_unsupported", "DISTINCT ON is not supported: write DISTINCT or GROUP BY", at);
  } else if (word === "DISTINCT" && reader.out.makeDistinct()) reader.skip(1);
  else if (word) reader.keyword(word.split(" ").length, word);
  else return false;
  return true;
}

/** `FETCH FIRST n ROWS ONLY` is `LIMIT n`. */
function readFetch(reader: Reader): void {
  const count = reader.ahead[2];
  const first = reader.sees("FIRST", 1) || reader.sees("NEXT", 1);
  const rows = reader.sees("ROWS ONLY", 3) || reader.sees("ROW ONLY", 3);
  if (!first || !rows || (count?.kind !== "number" && count?.kind !== "parameter")) {
    throw sqlError("sql_syntax", "FETCH is written FETCH FIRST 10 ROWS ONLY, or LIMIT 10", reader.token!.at);
  }
  reader.keyword(2, "LIMIT");
  reader.atom(1, scalarOf(count));
  reader.skip(2);
}

/** What can only be a construct that is not supported, or a reserved word in a name's place. */
export function refuse(reader: Reader, token: Token): void {
  const call = reader.seesSymbol("(", 1);
  const similar = reader.sees("NOT SIMILAR") ? "SIMILAR" : token.value;
  if (reader.sees("AT TIME ZONE")) {
    throw sqlError("sql_unsupported", "AT TIME ZONE is not supported: all times are UTC", token.at);
  }
  if (/^(OVER|FILTER|WITHIN)$/.test(token.value) && reader.out.afterClose) {
    throw sqlError("sql_unsupported", `${token.value} is not supported: only plain aggregates are`, token.at);
  }
  if (token.value === "INTERVAL" && call) {
    throw sqlError("sql_unsupported", "INTERVAL takes a text: INTERVAL '3 days'", token.at);
  }
  if (call && /^(LEFT|RIGHT)$/.test(token.value)) return;
  const why = unsupportedWord(similar);
  if (why !== undefined) throw sqlError("sql_unsupported", why, token.at);
  if (!isReserved(token.value)) return;
  const keyword = /^(GROUP|ORDER)$/.test(token.value)
    ? `the clause is ${token.value} BY`
    : "it is a reserved word";
  const hint = `${keyword}, and a column of that name is written "${token.text}"`;
  throw sqlError("sql_syntax", `Unexpected ${token.text}: ${hint}`, token.at);
}
