import { ZarrsiftError } from "../errors.ts";

/**
 * JSON that keeps every number as it was written.
 *
 * Zarr metadata holds int64 fill values beyond 2^53 and floats such as `1.0` whose spelling decides the dtype a
 * Python client computes with; `JSON.parse` loses both. A number that JavaScript would not print as it was
 * written is kept as a `JsonNumber`. The bare tokens NaN, Infinity and -Infinity, which Python writes, are read
 * as numbers and written as the strings "NaN", "Infinity", "-Infinity", as Zarr v3 spells them.
 */
export type JsonValue = null | boolean | number | string | JsonNumber | JsonValue[] | JsonObject;
export interface JsonObject {
  [key: string]: JsonValue;
}

/** A number in its own spelling: `1.0`, `-9223372036854775808`, `1e-05`. */
export class JsonNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  valueOf(): number {
    return Number(this.text);
  }
}

/** Arrays and objects within each other; deeper is refused, before the stack gives out. */
const MAX_DEPTH = 200;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const TOKENS: [string, JsonValue][] = [
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
];

/**
 * The value of a JSON text. Objects have no prototype, so that a key named `__proto__` is a key like any other;
 * of a repeated key the last value counts.
 *
 * @param where The key the text was read from, for messages.
 * @throws ZarrsiftError `corrupt_metadata`, naming `where` and the offset in UTF-16 units
 */
export function parseJson(text: string, where: string): JsonValue {
  const value = parseNatively(text);
  return value === undefined ? parseExactly(text, where) : value;
}

const STRINGS = /"[^"\\]*(?:\\.[^"\\]*)*"/g;
/** Numbers that `JSON.parse` may read as another than is written, or that have another spelling. */
const INEXACT = /\d[.eE]|\d{16}|-0/;

/** What the engine's own parser, many times as fast, makes of a text; undefined where that may not be what is meant. */
function parseNatively(text: string): JsonValue | undefined {
  try {
    if (INEXACT.test(text.replace(STRINGS, '"'))) return undefined;
    const value: JsonValue = JSON.parse(text);
    return isContainer(value) && !freed(value, 0) ? undefined : value;
  } catch {
    return undefined;
  }
}

const isContainer = (value: JsonValue): value is JsonValue[] | JsonObject =>
  typeof value === "object" && value !== null;

/** Takes the prototypes off the objects in `value`; false where they are nested too deep. */
function freed(value: JsonValue[] | JsonObject, depth: number): boolean {
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((item) => !isContainer(item) || freed(item, depth + 1));
  Object.setPrototypeOf(value, null);
  for (const key in value) {
    const member = value[key]!;
    if (isContainer(member) && !freed(member, depth + 1)) return false;
  }
  return true;
}

function parseExactly(text: string, where: string): JsonValue {
  const reader = new JsonReader(text, where);
  const value = reader.value(0);
  reader.end();
  return value;
}

/**
 * The object that UTF-8 `bytes` spell.
 *
 * @throws ZarrsiftError `corrupt_metadata` for anything that is no UTF-8, no JSON or no object
 */
export function parseJsonObject(bytes: Uint8Array, where: string): JsonObject {
  return parseObjectText(decodeText(bytes, where), where);
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** @throws ZarrsiftError `corrupt_metadata` for bytes that are no UTF-8 */
export function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ZarrsiftError("corrupt_metadata", `${where} is not UTF-8 text`, {
      cause,
      details: { key: where },
    });
  }
}

/** @throws ZarrsiftError `corrupt_metadata` for anything that is no JSON object */
export function parseObjectText(text: string, where: string): JsonObject {
  const value = parseJson(text, where);
  if (isJsonObject(value)) return value;
  throw new ZarrsiftError("corrupt_metadata", `${where} does not hold a JSON object`, {
    details: { key: where },
  });
}

/** Whether `value` is an object, and neither an array, a number in its own spelling nor null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber)
  );
}

class JsonReader {
  #text: string;
  #where: string;
  #at = 0;

  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
  }

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) this.#fail(`deeper than ${MAX_DEPTH} levels`);
    switch (this.#peek()) {
      case 0x7b:
        return this.#object(depth);
      case 0x5b:
        return this.#array(depth);
      case 0x22:
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  end(): void {
    this.#peek();
    if (this.#at < this.#text.length) this.#fail("more text after the value");
  }

  /** The code of the next character that is not white space; NaN at the end. */
  #peek(): number {
    const text = this.#text;
    let code = text.charCodeAt(this.#at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09)
      code = text.charCodeAt(++this.#at);
    return code;
  }

  #object(depth: number): JsonObject {
    const object: JsonObject = Object.create(null);
    this.#at++;
    if (this.#peek() === 0x7d) {
      this.#at++;
      return object;
    }
    for (;;) {
      if (this.#peek() !== 0x22) this.#fail("expected a key in double quotes");
      const key = this.#string();
      if (this.#peek() !== 0x3a) this.#fail("expected ':'");
      this.#at++;
      object[key] = this.value(depth + 1);
      if (this.#closes(0x7d, "}")) return object;
    }
  }

  #array(depth: number): JsonValue[] {
    const array: JsonValue[] = [];
    this.#at++;
    if (this.#peek() === 0x5d) {
      this.#at++;
      return array;
    }
    for (;;) {
      array.push(this.value(depth + 1));
      if (this.#closes(0x5d, "]")) return array;
    }
  }

  #closes(code: number, name: string): boolean {
    const next = this.#peek();
    if (next !== code && next !== 0x2c) this.#fail(`expected ',' or '${name}'`);
    this.#at++;
    return next === code;
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at;
    let escaped = false;
    let i = start + 1;
    for (; ; i++) {
      const code = text.charCodeAt(i);
      if (code === 0x22) break;
      if (code === 0x5c) {
        escaped = true;
        i++;
      } else if (!(code >= 0x20)) {
        this.#at = i;
        this.#fail(i < text.length ? "a control character in a string" : "a string without an end");
      }
    }
    this.#at = i + 1;
    return escaped ? this.#unescape(start, i + 1) : text.slice(start + 1, i);
  }

  #unescape(start: number, end: number): string {
    try {
      return JSON.parse(this.#text.slice(start, end));
    } catch {
      this.#at = start;
      this.#fail("a string with an unknown escape");
    }
  }

  #scalar(): JsonValue {
    for (const [token, value] of TOKENS) {
      if (this.#text.startsWith(token, this.#at)) {
        this.#at += token.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.#at;
    const text = NUMBER.exec(this.#text)?.[0];
    if (text === undefined)
      this.#fail(this.#at < this.#text.length ? "expected a value" : "the text ends too soon");
    this.#at += text.length;
    return numberOf(text);
  }

  #fail(what: string): never {
    throw new ZarrsiftError(
      "corrupt_metadata",
      `${this.#where} is not valid JSON: ${what} at offset ${this.#at}`,
      {
        details: { key: this.#where, offset: this.#at },
      },
    );
  }
}

/** A plain number where JavaScript prints it as `text`, which tells `-0` apart too. */
function numberOf(text: string): number | JsonNumber {
  const number = Number(text);
  return String(number) === text ? number : new JsonNumber(text);
}

/**
 * JSON text of a value, numbers in the spelling they were read in.
 *
 * @param indent Spaces per level; 0, the default, writes one line.
 */
export function writeJson(value: JsonValue, indent = 0): string {
  return write(value, indent, "\n");
}

function write(value: JsonValue, indent: number, newline: string): string {
  if (typeof value === "number") return writeNumber(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (value instanceof JsonNumber) return value.text;
  const inner = newline + " ".repeat(indent);
  if (Array.isArray(value)) {
    const items = value.map((item) => write(item, indent, inner));
    return enclose("[", items, "]", indent, newline);
  }
  const colon = indent > 0 ? ": " : ":";
  const members = Object.keys(value).map(
    (key) => JSON.stringify(key) + colon + write(value[key]!, indent, inner),
  );
  return enclose("{", members, "}", indent, newline);
}

function enclose(open: string, parts: string[], close: string, indent: number, newline: string): string {
  if (parts.length === 0) return open + close;
  if (indent === 0) return open + parts.join(",") + close;
  const inner = newline + " ".repeat(indent);
  return open + inner + parts.join(`,${inner}`) + newline + close;
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? "-0.0" : String(value);
}

/** The number that `value` is, rounded to a double; `undefined` for anything but a number. */
export function asNumber(value: JsonValue | undefined): number | undefined {
  if (typeof value === "number") return value;
  return value instanceof JsonNumber ? Number(value.text) : undefined;
}

/** The integer that `value` spells, exactly (`1.0` and `1e3` too); `undefined` for anything else. */
export function asBigInt(value: JsonValue | undefined): bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : bigIntOf(String(value));
  return value instanceof JsonNumber ? bigIntOf(value.text) : undefined;
}

function bigIntOf(text: string): bigint | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) return undefined;
  const fraction = (match[3] ?? "").replace(/0+$/, "");
  const zeros = Number(match[4] ?? 0) - fraction.length;
  const digits = BigInt(`${match[2]}${fraction}`);
  if (digits === 0n) return 0n;
  if (Math.abs(zeros) > 400) return undefined;
  const power = 10n ** BigInt(Math.abs(zeros));
  if (zeros < 0 && digits % power !== 0n) return undefined;
  const size = zeros < 0 ? digits / power : digits * power;
  return match[1] ? -size : size;
}

/** Whether two values are the same, numbers by their spelling (`1` is not `1.0`), keys in any order. */
export function jsonEquals(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof JsonNumber || b instanceof JsonNumber) {
    return a instanceof JsonNumber && b instanceof JsonNumber && a.text === b.text;
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => jsonEquals(item, b[i]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && jsonEquals(a[key], b[key]))
  );
}
