import type { Position } from "../errors.ts";
import { advance, positionAt, shown, sqlError } from "./messages.ts";
import { operatorHint } from "./words.ts";

/** A piece of the query's text. `text` is as written; `end` is the offset behind it. */
export interface Token {
  kind: "word" | "quoted" | "string" | "number" | "parameter" | "symbol";
  text: string;
  /** Unescaped: the string, the name; an ASCII word in upper case; else as written. */
  value: string;
  at: Position;
  end: number;
}

const SPACE = /(?:[ \t\n\r\f\v]+|--[^\n\r]*)+/y;
/** Patterns of all letters are large: they are made only where a letter beyond ASCII may be. */
const ASCII_WORD = /[A-Za-z_][\w$]*(?![\w$]|[^\0-\x7f])/y;
const WORD_START = /[A-Za-z_]|[^\0-\x7f]/y;
const WORD = /[\p{L}_][\p{L}\p{M}\p{N}_$]*/uy;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const PARAMETER = /\$\d+/y;
const STRING = /'[^']*(?:''[^']*)*'/y;
const QUOTED = /"[^"]*(?:""[^"]*)*"/y;
const PUNCTUATION = /::|[(),.;]/y;
/** As long as PostgreSQL lets them be; each is looked at letter by letter. */
const OPERATOR = /[-+*/<>=~!@#%^&|?:]{1,63}/y;
const JUNK_START = /[\w$.]|[^\0-\x7f]/y;
const JUNK = /[\p{L}\p{N}_$.]/uy;
const OPERATORS = new Set(["+", "-", "*", "/", "%", "=", "<>", "!=", "<", "<=", ">", ">=", "||"]);

/**
 * The tokens of a query, by PostgreSQL's lexical rules: strings take backslashes literally, comments nest.
 * @throws sql_syntax, sql_unsupported
 */
export function tokenize(text: string): Token[] {
  const bad = /\0|[\ud800-\udfff]/u.exec(text);
  if (bad) throw badCharacter(bad[0], positionAt(text, bad.index));
  const tokens: Token[] = [];
  let at: Position = { offset: 0, line: 1, column: 1 };
  for (;;) {
    at = skipSpace(text, at);
    if (at.offset === text.length) return tokens;
    const token = readToken(text, at);
    tokens.push(token);
    at = advance(at, token.text);
  }
}

function match(pattern: RegExp, text: string, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0];
}

function skipSpace(text: string, from: Position): Position {
  let at = from;
  for (;;) {
    const space = match(SPACE, text, at.offset) ?? blockComment(text, at);
    if (space === "") return at;
    at = advance(at, space);
  }
}

function blockComment(text: string, at: Position): string {
  if (!text.startsWith("/*", at.offset)) return "";
  let depth = 0;
  for (const mark of text.slice(at.offset).matchAll(/\/\*|\*\//g)) {
    depth += mark[0] === "/*" ? 1 : -1;
    if (depth === 0) return text.slice(at.offset, at.offset + mark.index + 2);
  }
  throw sqlError("sql_syntax", "The comment /* is never closed: add */", at);
}

function readToken(text: string, at: Position): Token {
  const { offset } = at;
  const token = (kind: Token["kind"], raw: string, value = raw): Token => {
    return { kind, text: raw, value, at, end: offset + raw.length };
  };
  const word = wordAt(text, offset);
  if (word !== undefined) return readWord(text, token("word", word, keyword(word)));
  const number = match(NUMBER, text, offset);
  if (number !== undefined) return clean(text, token("number", number));
  const string = match(STRING, text, offset);
  if (string !== undefined) return token("string", string, string.slice(1, -1).replaceAll("''", "'"));
  const quoted = match(QUOTED, text, offset);
  if (quoted !== undefined)
    return readQuoted(token("quoted", quoted, quoted.slice(1, -1).replaceAll('""', '"')));
  const parameter = match(PARAMETER, text, offset);
  if (parameter !== undefined) return clean(text, token("parameter", parameter, parameter.slice(1)));
  const punctuation = match(PUNCTUATION, text, offset);
  if (punctuation !== undefined) return token("symbol", punctuation);
  const operator = match(OPERATOR, text, offset);
  if (operator !== undefined) return readOperator(token("symbol", operator), token);
  throw badCharacter(String.fromCodePoint(text.codePointAt(offset)!), at);
}

function wordAt(text: string, offset: number): string | undefined {
  const word = match(ASCII_WORD, text, offset);
  if (word !== undefined || match(WORD_START, text, offset) === undefined) return word;
  return match(WORD, text, offset);
}

/** Upper case for what can be a keyword. Only ASCII: `toUpperCase` would make keywords of `ı` and `ſ`. */
function keyword(word: string): string {
  return /^\w+$/.test(word) ? word.toUpperCase() : word;
}

function readWord(text: string, token: Token): Token {
  const next = text[token.end];
  if (next === "'" && /^[EBXN]$/.test(token.value)) {
    throw sqlError(
      "sql_unsupported",
      `${token.text}'...' strings are not supported: write a plain '...'`,
      token.at,
    );
  }
  if (token.value === "U" && /^&['"]/.test(text.slice(token.end, token.end + 2))) {
    throw sqlError(
      "sql_unsupported",
      "U& escapes are not supported: write the characters themselves",
      token.at,
    );
  }
  return token;
}

function readQuoted(token: Token): Token {
  if (token.value === "") throw sqlError("sql_syntax", "A name in double quotes cannot be empty", token.at);
  return token;
}

/** Refuses what PostgreSQL calls trailing junk: `1abc`, `0x1F`, `1_000`, `1.2.3`, `$1a`. */
function clean(text: string, token: Token): Token {
  const { end } = token;
  if (match(JUNK_START, text, end) === undefined || match(JUNK, text, end) === undefined) return token;
  const rest = match(/[\p{L}\p{N}_$.]*/uy, text, token.end)!;
  const what = shown(token.text + rest);
  throw sqlError(
    "sql_syntax",
    `${what} is not a number: write digits, a point, an exponent such as 1.5e3`,
    token.at,
  );
}

/**
 * Operators are read as PostgreSQL does: the longest run, cut where a comment starts and without a sign at its end
 * (`a<-1` is `a < -1`).
 */
function readOperator(run: Token, token: (kind: Token["kind"], raw: string) => Token): Token {
  let raw = run.text.split(/--|\/\*/)[0]!;
  while (raw.length > 1 && !OPERATORS.has(raw) && "-+".includes(raw.at(-1)!)) raw = raw.slice(0, -1);
  if (OPERATORS.has(raw)) return token("symbol", raw);
  throw sqlError(
    "sql_unsupported",
    `The operator ${shown(raw)} is not supported${operatorHint(raw)}`,
    run.at,
  );
}

function badCharacter(character: string, at: Position): Error {
  if (character === "'") {
    return sqlError(
      "sql_syntax",
      "The text that starts here is never closed: add ', and write ' inside a text twice",
      at,
    );
  }
  if (character === '"')
    return sqlError("sql_syntax", 'The name that starts here is never closed: add "', at);
  if (character === "$") {
    return sqlError(
      "sql_unsupported",
      "Dollar quoting is not supported: write '...'; parameters are $1, $2",
      at,
    );
  }
  if (character === "[" || character === "]")
    return sqlError("sql_unsupported", "Arrays are not supported", at);
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  const name = /[\p{C}\p{Z}]/u.test(character) ? `U+${code}` : `${character} (U+${code})`;
  return sqlError("sql_syntax", `Unexpected character ${name}${characterHint(character)}`, at);
}

function characterHint(character: string): string {
  if ("‘’‚´′".includes(character)) return ": texts stand in plain '...'";
  if ("“”„«»″`".includes(character)) return ': names stand in plain "..."';
  return /\p{Z}/u.test(character) ? ": use a plain space" : "";
}
