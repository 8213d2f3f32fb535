import type { Expr } from "./ast.ts";
import type { Call, Keyword, Operator } from "./lexemes.ts";
import { Structure } from "./structure.ts";
import type { Token } from "./tokens.ts";

/** The tokens of a query, being read into lexemes. */
export class Reader {
  /** What has been read. */
  readonly out = new Structure();
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get token(): Token | undefined {
    return this.#tokens[this.#next];
  }

  /** The tokens from here on, as far as any phrase reaches. */
  get ahead(): Token[] {
    return this.#tokens.slice(this.#next, this.#next + 12);
  }

  /** Whether these words come next, the first being `from` tokens ahead. */
  sees(words: string, from = 0): boolean {
    const first = this.#tokens[this.#next + from];
    if (first?.kind !== "word" || !words.startsWith(first.value)) return false;
    return words.split(" ").every((word, i) => {
      const token = this.#tokens[this.#next + from + i];
      return token?.kind === "word" && token.value === word;
    });
  }

  /** Whether the symbol comes next, `from` tokens ahead. */
  seesSymbol(symbol: string, from = 0): boolean {
    const token = this.#tokens[this.#next + from];
    return token?.kind === "symbol" && token.text === symbol;
  }

  skip(count: number): void {
    this.#next += count;
  }

  /** Takes `count` tokens and returns what every lexeme made of them carries. */
  take(count: number): { at: Token["at"]; end: number; text: string } {
    const taken = this.#tokens.slice(this.#next, this.#next + count);
    this.#next += count;
    const text = taken.map((token) => token.text).join(" ");
    return { at: taken[0]!.at, end: taken.at(-1)!.end, text };
  }

  atom(count: number, value: Expr | { type: "star" }): void {
    this.out.push({ kind: "atom", value, ...this.take(count) });
  }

  operator(count: number, operator: Operator): void {
    this.out.push({ kind: "operator", operator, ...this.take(count) });
  }

  call(count: number, call: Call): void {
    this.out.push({ kind: "call", call, ...this.take(count) });
  }

  keyword(count: number, word: Keyword): void {
    this.out.push({ kind: "keyword", word, ...this.take(count) });
  }

  mark(kind: "close" | "comma"): void {
    this.out.push({ kind, ...this.take(1) });
  }

  /** A comma, and behind it an argument that is not written. */
  implied(value: Expr): void {
    const { at, end } = this.out.lexemes.at(-1)!;
    this.out.push({ kind: "comma", at, end, text: "" });
    this.out.push({ kind: "atom", value, at, end, text: "" });
  }
}
