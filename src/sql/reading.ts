import type { Position } from "../errors.ts";
import { continuesRun, indexOf, type Node } from "./grammar.ts";
import type { Keyword, Lexeme } from "./lexemes.ts";
import { sqlError } from "./messages.ts";
import { describe, MAX_NESTING } from "./structure.ts";

/**
 * Reads the lexemes along with the parser's tree, in text order. Whatever the tree says must be what stands at the
 * cursor, and at the end nothing may be left: so no clause, parenthesis or operator can get lost or change places.
 */
export class Reading {
  readonly #lexemes: readonly Lexeme[];
  readonly #text: string;
  #cursor = 0;
  #depth = 0;

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

  /** Whether the next lexeme has no name of its own in the tree. */
  get unnamed(): boolean {
    return continuesRun(this.lexeme, this.#lexemes[this.#cursor - 1]);
  }

  /** Whether the lexeme behind the next one continues its run. */
  get goesOn(): boolean {
    const after = this.#lexemes[this.#cursor + 1];
    return after !== undefined && continuesRun(after, this.lexeme);
  }

  /** Takes the next lexeme, which must be a `kind`, and what the tree calls `name` unless it has no name. */
  take<K extends Lexeme["kind"]>(kind: K, name: unknown): Extract<Lexeme, { kind: K }> {
    if (this.lexeme.kind !== kind || (!this.unnamed && indexOf(name) !== this.#cursor)) throw this.mismatch();
    return this.#advance() as Extract<Lexeme, { kind: K }>;
  }

  /** Takes a keyword, a comma, a closing parenthesis or the end. */
  expect(what: Keyword | "comma" | "close" | "end"): void {
    if (!this.skip(what)) throw this.mismatch();
  }

  /** Takes it if it is next. */
  skip(what: Keyword | "comma" | "close" | "end"): boolean {
    const { lexeme } = this;
    const found = (lexeme.kind === "keyword" ? lexeme.word : lexeme.kind) === what;
    if (found && lexeme.kind !== "end") this.#advance();
    return found;
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

  /** The error for a tree that does not say what the text says. */
  mismatch(): Error {
    return sqlError("sql_unsupported", `${describe(this.lexeme)} cannot be read here`, this.at);
  }

  /**
   * Checks that `node` has none but these properties, save empty ones: nothing that the parser found may be ignored.
   */
  only(node: Node, ...properties: string[]): void {
    for (const [property, value] of Object.entries(node)) {
      if (properties.includes(property) || isEmpty(value)) continue;
      throw sqlError("sql_unsupported", `${property.toUpperCase()} is not supported`, this.at);
    }
  }

  #advance(): Lexeme {
    return this.#lexemes[this.#cursor++]!;
  }
}

/** null, false, or an object or array with nothing but such values in it: how the parser says "not there". */
function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === "") return true;
  return typeof value === "object" && Object.values(value).every(isEmpty);
}

/** `value` as a node. */
export function asNode(value: unknown, reading: Reading): Node {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw reading.mismatch();
  return value as Node;
}

/** `value` as a list of nodes; null is an empty one. */
export function asNodes(value: unknown, reading: Reading): Node[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw reading.mismatch();
  return value.map((item) => asNode(item, reading));
}
