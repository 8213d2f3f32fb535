import type { BinaryOp } from "./ast.ts";
import type { Lexeme } from "./lexemes.ts";
import { constantOf, scalarOf, typedLiteral, typeName } from "./literals.ts";
import { shown, sqlError } from "./messages.ts";
import { readClause, readForm, readOperatorWord, refuse } from "./phrases.ts";
import { Reader } from "./reader.ts";
import type { Token } from "./tokens.ts";

/**
 * Turns tokens into lexemes: decides which word is a keyword and which a name, which minus is a sign and which `*` a
 * star, joins what only means something together, and refuses what is not supported.
 * @param end stands behind the last token
 * @throws sql_syntax, sql_unsupported, too_large
 */
export function lexemes(tokens: readonly Token[], end: Lexeme): Lexeme[] {
  const reader = new Reader(tokens);
  while (reader.token) readLexeme(reader, reader.token);
  reader.out.finish(end);
  return reader.out.lexemes;
}

function readLexeme(reader: Reader, token: Token): void {
  if (token.kind === "word") readWord(reader, token);
  else if (token.kind === "quoted") readName(reader, token);
  else if (token.kind === "symbol") readSymbol(reader, token);
  else reader.atom(1, scalarOf(token));
}

function readSymbol(reader: Reader, token: Token): void {
  const { text, at } = token;
  if (text === "(") reader.call(1, { form: "group" });
  else if (text === ")") reader.mark("close");
  else if (text === ",") reader.mark("comma");
  else if (text === "::") readCast(reader);
  else if (text === ";") {
    throw sqlError("sql_unsupported", "Only one statement is taken: nothing may follow the semicolon", at);
  } else if (text === ".") {
    throw sqlError("sql_syntax", "Unexpected point: names are written column or meta.column", at);
  } else readOperator(reader, text);
}

function readOperator(reader: Reader, text: string): void {
  if (text === "*" && reader.out.wantsStar) reader.atom(1, { type: "star" });
  else if ((text === "-" || text === "+") && !reader.out.afterOperand) {
    reader.operator(1, { role: "prefix", name: text === "-" ? "negate" : "plus" });
  } else {
    reader.operator(1, { role: "infix", name: "binary", op: text === "!=" ? "<>" : (text as BinaryOp) });
  }
}

function readCast(reader: Reader): void {
  const type = typeName(reader.ahead.slice(1));
  if (!type) throw sqlError("sql_syntax", "A type should follow ::", reader.token!.at);
  reader.operator(1 + type.length, { role: "postfix", name: "cast", to: type.name });
}

function readWord(reader: Reader, token: Token): void {
  const value = reader.out.afterAs ? undefined : (constantOf(reader.ahead) ?? typedLiteral(reader.ahead));
  if (value) reader.atom(value.length, value.value);
  else if (reader.out.afterAs) readName(reader, token);
  else if (!readOperatorWord(reader) && !readForm(reader) && !readClause(reader)) {
    refuse(reader, token);
    readName(reader, token);
  }
}

/** `name`, `table.name` or `name(`. */
function readName(reader: Reader, token: Token): void {
  const { at } = token;
  const quoted = token.kind === "quoted";
  if (reader.seesSymbol(".", 1) && !reader.out.afterAs) readQualified(reader, token);
  else if (reader.seesSymbol("(", 1) && !reader.out.afterAs) {
    reader.call(2, { form: "function", name: token.value.toLowerCase(), distinct: false });
  } else reader.atom(1, { type: "column", name: nameOf(token), table: undefined, quoted, at });
}

function readQualified(reader: Reader, table: Token): void {
  const { at } = table;
  const column = reader.ahead[2];
  if (reader.seesSymbol("*", 2)) {
    throw sqlError("sql_unsupported", `${shown(table.text)}.* is not supported: write *`, at);
  }
  if (column?.kind !== "word" && column?.kind !== "quoted") {
    throw sqlError("sql_syntax", `A column's name should follow ${shown(table.text)}.`, at);
  }
  if (reader.seesSymbol(".", 3)) {
    throw sqlError("sql_unsupported", "Names have two parts at most: meta.column", at);
  }
  if (reader.seesSymbol("(", 3)) {
    throw sqlError("sql_unsupported", `Functions have no schema: write ${shown(column.text)}(...)`, at);
  }
  const quoted = column.kind === "quoted";
  reader.atom(3, { type: "column", name: nameOf(column), table: nameOf(table), quoted, at });
}

function nameOf(token: Token): string {
  return token.kind === "quoted" ? token.value : token.text;
}
