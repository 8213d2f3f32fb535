import { type Call, endsOperand, type Keyword, type Lexeme, needsOperand, startsOperand } from "./lexemes.ts";
import { shown, sqlError } from "./messages.ts";

/** How deep parentheses, calls, CASE and signs may nest. */
export const MAX_NESTING = 200;

/** How many items SELECT, GROUP BY and ORDER BY may have together. */
export const MAX_ITEMS = 5000;

const CLAUSE_WORDS = new Set<Keyword>([
  "FROM",
  "WHERE",
  "GROUP BY",
  "HAVING",
  "ORDER BY",
  "LIMIT",
  "OFFSET",
  "AS",
]);
const CASE_WORDS = new Set<Keyword>(["WHEN", "THEN", "ELSE", "END"]);

/**
 * The lexemes read so far. Checks, as they come, what a message can say better here than after parsing: a missing
 * operand, a parenthesis or CASE left open, a clause in the wrong place, too deep nesting.
 */
export class Structure {
  readonly lexemes: Lexeme[] = [];
  /** Calls, groups and CASEs not yet closed. */
  readonly #open: Lexeme[] = [];
  #items = 0;

  get #last(): Lexeme | undefined {
    return this.lexemes.at(-1);
  }

  /** Whether an infix operator, not a sign, can come next. */
  get afterOperand(): boolean {
    return endsOperand(this.#last);
  }

  get afterClose(): boolean {
    return this.#last?.kind === "close";
  }

  /** Whether any word that comes next is an alias. */
  get afterAs(): boolean {
    return isKeyword(this.#last, "AS");
  }

  /** Whether `OFFSET n` has just been read. */
  get afterOffset(): boolean {
    return this.#last?.kind === "atom" && isKeyword(this.lexemes.at(-2), "OFFSET");
  }

  /** Whether a `*` that comes next means "all", not "times". */
  get wantsStar(): boolean {
    return this.#last?.kind === "comma" || isKeyword(this.#last, "DISTINCT") || this.takesQuantifier;
  }

  /** Whether ALL or DISTINCT can come next. */
  get takesQuantifier(): boolean {
    return isKeyword(this.#last, "SELECT") || this.#lastFunction !== undefined;
  }

  get #lastFunction(): { distinct: boolean } | undefined {
    const last = this.#last;
    return last?.kind === "call" && last.call.form === "function" ? last.call : undefined;
  }

  /** Makes `count(` a `count(DISTINCT`, if a function was just opened. */
  makeDistinct(): boolean {
    const call = this.#lastFunction;
    if (!call || call.distinct) return false;
    call.distinct = true;
    return true;
  }

  /** Whether the innermost thing open is a CAST that waits for its type. */
  get openCast(): boolean {
    const top = this.#open.at(-1);
    return top?.kind === "call" && top.call.form === "cast" && top.call.to === undefined && this.afterOperand;
  }

  /** The call that is innermost of all that is open, where a word of its own can stand behind its argument. */
  get openFunction(): Extract<Call, { form: "function" }> | undefined {
    const top = this.#open.at(-1);
    return top?.kind === "call" && top.call.form === "function" && this.afterOperand ? top.call : undefined;
  }

  /** Gives the open cast its type. */
  castTo(type: string): void {
    const top = this.#open.at(-1);
    if (top?.kind === "call" && top.call.form === "cast") top.call.to = type;
  }

  push(lexeme: Lexeme): void {
    this.#checkNeighbour(lexeme);
    this.#checkCast(lexeme);
    this.#nest(lexeme);
    this.#checkSize(lexeme);
    this.lexemes.push(lexeme);
  }

  /** Ends the query; `end` stands behind its last token. */
  finish(end: Lexeme): void {
    this.push(end);
    const open = this.#open.at(-1);
    if (!open) return;
    const missing = open.kind === "keyword" ? "END" : ")";
    throw sqlError("sql_syntax", `${shown(open.text)} is never closed: ${missing} is missing`, open.at);
  }

  #checkNeighbour(lexeme: Lexeme): void {
    const last = this.#last;
    if (isKeyword(lexeme, "SELECT") && this.#open.length > 0) {
      throw sqlError("sql_unsupported", "Subqueries are not supported: run two queries", lexeme.at);
    }
    if (this.afterOperand && lexeme.kind === "operator" && lexeme.operator.role === "prefix") {
      throw sqlError(
        "sql_syntax",
        `Unexpected ${lexeme.text}: AND or OR may be missing before it`,
        lexeme.at,
      );
    }
    if (startsOperand(lexeme)) return;
    const quantified = isKeyword(last, "SELECT") && isKeyword(lexeme, "DISTINCT");
    const searched = isKeyword(last, "CASE") && isKeyword(lexeme, "WHEN");
    if (needsOperand(last) && !quantified && !searched) throw missingOperand(last!, lexeme);
    if (this.afterOperand || (lexeme.kind !== "operator" && lexeme.kind !== "call")) return;
    throw sqlError("sql_syntax", `Unexpected ${shown(lexeme.text)}: no value stands before it`, lexeme.at);
  }

  #checkSize(lexeme: Lexeme): void {
    if (this.#open.length > MAX_NESTING) {
      throw sqlError("too_large", `The query is nested more than ${MAX_NESTING} deep`, lexeme.at);
    }
    if (lexeme.kind !== "comma" || this.#open.length > 0) return;
    if (++this.#items >= MAX_ITEMS)
      throw sqlError("too_large", `The query lists more than ${MAX_ITEMS} items`, lexeme.at);
  }

  #checkCast(lexeme: Lexeme): void {
    const top = this.#open.at(-1);
    if (top?.kind !== "call" || top.call.form !== "cast") return;
    const closes = lexeme.kind === "close";
    if (closes === (top.call.to !== undefined)) return;
    if (!closes && top.call.to === undefined) return;
    throw sqlError("sql_syntax", "CAST is written CAST(x AS type)", lexeme.at);
  }

  #nest(lexeme: Lexeme): void {
    const top = this.#open.at(-1);
    if (lexeme.kind === "call" || isKeyword(lexeme, "CASE")) this.#open.push(lexeme);
    else if (lexeme.kind === "close") this.#close(lexeme, top?.kind === "call");
    else if (lexeme.kind === "keyword") this.#checkKeyword(lexeme, lexeme.word, top);
  }

  #close(lexeme: Lexeme, fits: boolean): void {
    const open = this.#open.pop();
    if (fits) return;
    if (!open) throw sqlError("sql_syntax", `${lexeme.text} closes nothing: its ( is missing`, lexeme.at);
    throw sqlError(
      "sql_syntax",
      `Unexpected ): the CASE in line ${open.at.line}, column ${open.at.column} has no END`,
      lexeme.at,
    );
  }

  #checkKeyword(lexeme: Lexeme, word: Keyword, top: Lexeme | undefined): void {
    if (CASE_WORDS.has(word)) {
      if (top?.kind !== "keyword")
        throw sqlError("sql_syntax", `${word} is not inside a CASE${hint(lexeme)}`, lexeme.at);
      if (word === "END") this.#open.pop();
    } else if (CLAUSE_WORDS.has(word) && top) {
      throw misplaced(lexeme, top);
    }
  }
}

function isKeyword(lexeme: Lexeme | undefined, word: Keyword): boolean {
  return lexeme?.kind === "keyword" && lexeme.word === word;
}

function misplaced(lexeme: Lexeme, open: Lexeme): Error {
  const place = `line ${open.at.line}, column ${open.at.column}`;
  if (open.kind === "keyword") {
    return sqlError("sql_syntax", `Unexpected ${lexeme.text}: the CASE in ${place} has no END`, lexeme.at);
  }
  const form = `f(x ${lexeme.text.toUpperCase()} ...) is not supported`;
  return sqlError(
    "sql_syntax",
    `Unexpected ${lexeme.text}: the ( in ${place} is not closed, and ${form}`,
    lexeme.at,
  );
}

function missingOperand(before: Lexeme, found: Lexeme): Error {
  if (isKeyword(before, "SELECT") && isKeyword(found, "FROM")) {
    return sqlError(
      "sql_syntax",
      "Nothing is selected: write columns, * or idx between SELECT and FROM",
      found.at,
    );
  }
  const what = isKeyword(before, "FROM") ? "A table's name" : isKeyword(before, "AS") ? "A name" : "A value";
  const follows = before.kind === "comma" ? "the comma" : shown(before.text);
  return sqlError(
    "sql_syntax",
    `${what} should follow ${follows}, found ${describe(found)}${hint(found)}`,
    found.at,
  );
}

/** A lexeme as messages name it. */
export function describe(lexeme: Lexeme): string {
  return lexeme.kind === "end" ? "the end of the query" : shown(lexeme.text);
}

const NAME_LIKE = new Set<Keyword>(["ASC", "DESC", "LIMIT", "OFFSET", "END", "WHEN", "THEN", "ELSE"]);

/** How a column whose name is a keyword is written, where that may be meant. */
function hint(lexeme: Lexeme): string {
  if (lexeme.kind !== "keyword" || !NAME_LIKE.has(lexeme.word)) return "";
  return ` (a column of that name is written "${lexeme.text}")`;
}
