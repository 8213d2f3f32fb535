import type { Expr } from "./ast.ts";
import { shown, sqlError } from "./messages.ts";
import type { Token } from "./tokens.ts";
import { isReserved } from "./words.ts";

type Literal = Extract<Expr, { type: "literal" }>;

/** Digits of the largest integer that is taken: 128 bits, as DuckDB. */
const MAX_DIGITS = 38;

/** The largest n of a parameter $n, as in PostgreSQL. */
const MAX_PARAMETER = 65535;

/** What a number, a string or a parameter stands for. @throws sql_syntax */
export function scalarOf(token: Token): Expr {
  const { at, value } = token;
  if (token.kind === "number") return numberLiteral(token);
  if (token.kind === "string") return { type: "literal", value, at };
  const index = Number(value);
  if (index >= 1 && index <= MAX_PARAMETER) return { type: "parameter", index, at };
  throw sqlError(
    "sql_syntax",
    `${shown(token.text)} is not a parameter: they are $1 ... $${MAX_PARAMETER}`,
    at,
  );
}

/** Some tokens that make one value, and how many they are. */
interface Value {
  value: Expr;
  length: number;
}

const CONSTANTS = new Map([
  ["TRUE", true],
  ["FALSE", false],
  ["NULL", null],
]);

/** Words that are calls without parentheses. */
const CLOCKS = new Map([
  ["CURRENT_TIMESTAMP", "now"],
  ["LOCALTIMESTAMP", "now"],
  ["CURRENT_DATE", "today"],
]);

/** TRUE, FALSE, NULL, or what the clock shows, at the start of `tokens`. */
export function constantOf(tokens: readonly Token[]): Value | undefined {
  const { value: word, at } = tokens[0]!;
  const [value, clock] = [CONSTANTS.get(word), CLOCKS.get(word)];
  if (value !== undefined) return { value: { type: "literal", value, at }, length: 1 };
  if (clock === undefined) return undefined;
  const length = tokens[1]?.text === "(" && tokens[2]?.text === ")" ? 3 : 1;
  return { value: { type: "call", name: clock, args: [], distinct: false, star: false, at }, length };
}

/**
 * A number: integers as bigint, whatever their size, all else as the nearest double.
 * @throws sql_syntax where a double cannot tell the number from its neighbours
 */
function numberLiteral(token: Token): Literal {
  const { at, text } = token;
  if (/^\d+$/.test(text)) {
    if (text.replace(/^0+/, "").length <= MAX_DIGITS) return { type: "literal", value: BigInt(text), at };
    const why = `has more than ${MAX_DIGITS} digits: write it with an exponent`;
    throw sqlError("sql_syntax", `The integer ${shown(text)} ${why}`, at);
  }
  const value = Number(text);
  if (value === Number.POSITIVE_INFINITY) {
    throw sqlError("sql_syntax", `${shown(text)} is beyond the range of float64`, at);
  }
  if (!/e/i.test(text) && value > Number.MAX_SAFE_INTEGER) {
    throw sqlError(
      "sql_syntax",
      `${shown(text)} is not exact in float64: write an integer or an exponent`,
      at,
    );
  }
  return { type: "literal", value, at };
}

const UNITS =
  /^(MICROSECOND|MILLISECOND|SECOND|MINUTE|HOUR|DAY|WEEK|MONTH|QUARTER|YEAR|DECADE|CENTURY|MILLENNIUM|CENTURIES|MILLENNIA)S?$/;

const TYPED: Record<string, "timestamp" | "date" | "interval"> = {
  DATE: "date",
  TIMESTAMP: "timestamp",
  TIMESTAMPTZ: "timestamp",
  INTERVAL: "interval",
};

/**
 * `TIMESTAMP '…'`, `TIMESTAMP WITH TIME ZONE '…'`, `DATE '…'`, `INTERVAL '3 days'`, `INTERVAL '3' DAY`,
 * `INTERVAL 3 DAY` at the start of `tokens`.
 */
export function typedLiteral(tokens: readonly Token[]): Value | undefined {
  const { value: word, at } = tokens[0]!;
  const of = Object.hasOwn(TYPED, word) ? TYPED[word]! : undefined;
  if (of === undefined) return undefined;
  const length = word === "TIMESTAMP" && isZone(tokens, 1) ? 4 : 1;
  const text = tokens[length];
  if (text?.kind !== "string" && !(of === "interval" && text?.kind === "number")) return undefined;
  if (of === "interval") return interval(tokens);
  return { value: { type: "typed_literal", of, value: text.value, at }, length: length + 1 };
}

/** Whether `WITH TIME ZONE` or `WITHOUT TIME ZONE` stands at `index`. */
function isZone(tokens: readonly Token[], index: number): boolean {
  const words = tokens.slice(index, index + 3).map((token) => (token.kind === "word" ? token.value : ""));
  return /^(WITH|WITHOUT) TIME ZONE$/.test(words.join(" "));
}

function interval(tokens: readonly Token[]): Value | undefined {
  const [{ at }, amount, unit, then] = tokens as [Token, Token, Token?, Token?];
  if (unit?.kind !== "word" || !UNITS.test(unit.value)) {
    if (amount.kind === "number") return undefined;
    return { value: { type: "typed_literal", of: "interval", value: amount.value, at }, length: 2 };
  }
  const bare = /^\s*[-+]?[\d.]+\s*$/.test(amount.value);
  if (!bare || then?.value === "TO" || then?.text === "(") {
    throw sqlError("sql_unsupported", "INTERVAL takes all units in its text: INTERVAL '1 day 2 hours'", at);
  }
  const value = `${amount.value.trim()} ${unit.value.toLowerCase()}`;
  return { value: { type: "typed_literal", of: "interval", value, at }, length: 3 };
}

/** The type at the start of `tokens`, in lower case (`double precision`, `varchar(10)`), and how many tokens it takes. */
export function typeName(tokens: readonly Token[]): { name: string; length: number } | undefined {
  const first = tokens[0];
  if ((first?.kind !== "word" && first?.kind !== "quoted") || !/^\w+$/.test(first.value)) return undefined;
  if (first.kind === "word" && isReserved(first.value)) return undefined;
  let name = first.value.toLowerCase();
  let length = 1;
  const second = tokens[1]?.kind === "word" ? tokens[1].value : "";
  if (/^(DOUBLE PRECISION|CHARACTER VARYING|CHAR VARYING)$/.test(`${first.value} ${second}`)) {
    name += ` ${second.toLowerCase()}`;
    length = 2;
  }
  const size = typeSize(tokens.slice(length, length + 5));
  name += size.text;
  length += size.length;
  if (/^(TIMESTAMP|TIME)$/.test(first.value) && isZone(tokens, length)) {
    name += ` ${tokens[length]!.value.toLowerCase()} time zone`;
    length += 3;
  }
  return { name, length };
}

/** `(10)` or `(10, 2)`. */
function typeSize(tokens: readonly Token[]): { text: string; length: number } {
  const text = tokens.map((token) =>
    token.kind === "number" ? token.text : token.kind === "symbol" ? token.text : "?",
  );
  const found = /^\(\d+(?:,\d+)?\)/.exec(text.join(""));
  if (!found) return { text: "", length: 0 };
  return { text: found[0], length: found[0].includes(",") ? 5 : 3 };
}
