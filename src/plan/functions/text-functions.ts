/** Functions of text. Positions and lengths count code points from 1, as in DuckDB. */
import { ZarrsiftError } from "../../errors.ts";
import { BOOL, INT64, STRING } from "../../table/types.ts";
import type { BytesVector, Vector } from "../../table/vector.ts";
import { byRow, type ScalarFunction } from "./scalar.ts";
import { checkLetters } from "./text-size.ts";

const trims = (start: boolean, end: boolean): ScalarFunction =>
  byRow(["string", "string"], STRING, (text: string, set?: string) => trimmed(text, set, start, end), 1);

export const TEXT_FUNCTIONS: readonly [string, ScalarFunction][] = [
  ["trim", trims(true, true)],
  ["ltrim", trims(true, false)],
  ["rtrim", trims(false, true)],
  ["substr", byRow(["string", "integer", "integer"], STRING, part, 1)],
  ["left", byRow(["string", "integer"], STRING, (text: string, n: Whole) => pick(text, 0, Number(n)))],
  ["right", byRow(["string", "integer"], STRING, (text: string, n: Whole) => lastOf(text, Number(n)))],
  ["replace", byRow(["string", "string", "string"], STRING, replaced)],
  ["strpos", byRow(["string", "string"], INT64, position)],
  ["starts_with", byRow(["string", "string"], BOOL, (text: string, other: string) => text.startsWith(other))],
  ["ends_with", byRow(["string", "string"], BOOL, (text: string, other: string) => text.endsWith(other))],
  ["contains", byRow(["string", "string"], BOOL, (text: string, other: string) => text.includes(other))],
  ["reverse", byRow(["string"], STRING, reversed)],
  ["lpad", byRow(["string", "integer", "string"], STRING, (...args: Padding) => padded(args, true))],
  ["rpad", byRow(["string", "integer", "string"], STRING, (...args: Padding) => padded(args, false))],
  ["repeat", byRow(["string", "integer"], STRING, repeated)],
  ["octet_length", { args: ["octets"], result: () => INT64, apply: ([vector]) => sizes(vector!) }],
];

/** An int64 comes as bigint, a narrower integer as number. */
type Whole = bigint | number;
type Padding = [text: string, length: Whole, filler: string];

function trimmed(text: string, set: string | undefined, start: boolean, end: boolean): string {
  const letters = [...text];
  const unwanted = new Set(set ?? " ");
  let [from, to] = [0, letters.length];
  while (start && from < to && unwanted.has(letters[from]!)) from++;
  while (end && to > from && unwanted.has(letters[to - 1]!)) to--;
  return letters.slice(from, to).join("");
}

/** A start below 0 counts from the end, a length below 0 goes back from the start; what lies outside is left out. */
function part(text: string, start: Whole, length?: Whole): string {
  const letters = [...text];
  const at = Number(start);
  const from = at < 0 ? letters.length + at : at - 1;
  const size = length === undefined ? Number.POSITIVE_INFINITY : Number(length);
  const [low, high] = size < 0 ? [from + size, from] : [from, from + size];
  return letters.slice(Math.max(0, low), Math.max(0, high)).join("");
}

/** Letters `from` to `to`; a `to` below 0 leaves out as many at the end. */
function pick(text: string, from: number, to: number): string {
  return [...text].slice(from, to).join("");
}

function lastOf(text: string, n: number): string {
  const letters = [...text];
  return letters.slice(n < 0 ? -n : Math.max(0, letters.length - n)).join("");
}

/** Where `other` begins, 0: nowhere. */
function position(text: string, other: string): number {
  const at = text.indexOf(other);
  return at < 0 ? 0 : [...text.slice(0, at)].length + 1;
}

/** Made when it is first needed: it takes as long as many other modules together. */
let graphemes: Intl.Segmenter | undefined;

/** Letters with their accents stay together. */
function reversed(text: string): string {
  graphemes ??= new Intl.Segmenter(undefined, { granularity: "grapheme" });
  return Array.from(graphemes.segment(text), ({ segment }) => segment)
    .reverse()
    .join("");
}

function replaced(text: string, from: string, to: string): string {
  if (from === "") return text;
  const parts = text.split(from);
  checkLetters(text.length + (parts.length - 1) * (to.length - from.length), text.length);
  return parts.join(to);
}

/** Fills up, or cuts off at the end, to `length`. */
function padded([text, length, filler]: Padding, before: boolean): string {
  checkLetters(length, text.length);
  const letters = [...text];
  const missing = Number(length) - letters.length;
  if (missing <= 0) return letters.slice(0, Math.max(0, Number(length))).join("");
  const fill = [...filler];
  if (fill.length === 0)
    throw new ZarrsiftError("sql_type", "There is nothing to pad with: the filler is ''");
  const rest = fill.slice(0, missing % fill.length).join("");
  const padding = filler.repeat(Math.floor(missing / fill.length)) + rest;
  return before ? padding + text : text + padding;
}

function repeated(text: string, count: Whole): string {
  checkLetters(Number(count) * text.length, text.length);
  return text === "" ? text : text.repeat(Math.max(0, Number(count)));
}

function sizes(vector: Vector): Vector {
  const { starts, ends, length, nulls } = vector as BytesVector;
  const values = Float64Array.from({ length }, (_, i) => ends[i]! - starts[i]!);
  return { kind: "number", type: INT64, length, values, nulls };
}
