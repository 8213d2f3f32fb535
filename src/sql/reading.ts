import type { Position } from "../errors.ts";
import type { Keyword, Lexeme } from "./lexemes.ts";
import { sqlError } from "./messages.ts";
import { MAX_NESTING } from "./structure.ts";
import { unexpected } from "./unexpected.ts";

/** Reads the lexemes of a query in text order. */
export class Reading {
  readonly #lexemes: readonly Lexeme[];
  readonly #text: string;
  #cursor = 0;
  #depth = 0;

  /** @param lexemes the last of them `end`; their parentheses and CASEs are known to be closed */
  constructor(lexemes: readonly Lexeme[], text: string) {
    this.#lexemes = lexemes;
    this.#text = text;
  }

  /** What comes next. */
  get lexeme(): Lexeme {
    return this.#lexemes[this.#cursor]!;
  }

  get at(): Position {
    return this.lexeme.at;
  }

  /** Whether an operator stands behind the next lexeme. */
  get goesOn(): boolean {
    return this.#lexemes[this.#cursor + 1]?.kind === "operator";
  }

  /** Takes the next lexeme, which must be a `kind`. */
  take<K extends Lexeme["kind"]>(kind: K): Extract<Lexeme, { kind: K }> {
    if (this.lexeme.kind !== kind) throw this.unexpected();
    return this.#advance() as Extract<Lexeme, { kind: K }>;
  }

  /** Takes a keyword, a comma, a closing parenthesis or the end. */
  expect(what: Keyword | "comma" | "close" | "end"): void {
    if (!this.skip(what)) throw this.unexpected();
  }

  /** Takes it if it is next. */
  skip(what: Keyword | "comma" | "close" | "end"): boolean {
    const { lexeme } = this;
    const found = (lexeme.kind === "keyword" ? lexeme.word : lexeme.kind) === what;
    if (found && lexeme.kind !== "end") this.#advance();
    return found;
  }

  /** What `read` reads, once and again behind each comma. */
  list<T>(read: () => T): T[] {
    const items = [read()];
    while (this.skip("comma")) items.push(read());
    return items;
  }

  /** The text from `start` up to here, as written. */
  textSince(start: Position): string {
    return this.#text.slice(start.offset, this.#lexemes[this.#cursor - 1]!.end);
  }

  /** Runs `read` one level deeper. @throws too_large */
  nested<T>(read: () => T): T {
    if (++this.#depth > MAX_NESTING) {
      throw sqlError("too_large", `The query is nested more than ${MAX_NESTING} deep`, this.at);
    }
    const result = read();
    this.#depth--;
    return result;
  }

  /** The error for what comes next, which nothing allows here. */
  unexpected(): Error {
    return unexpected(this.#lexemes.slice(0, this.#cursor + 1));
  }

  #advance(): Lexeme {
    return this.#lexemes[this.#cursor++]!;
  }
}
