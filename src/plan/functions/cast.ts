/** CAST: which types there are, and values from one to another. */
import { ZarrsiftError } from "../../errors.ts";
import { clock, FRACTION_DIGITS, rescaled, timeParts } from "../../format/calendar.ts";
import { floatText } from "../../format/number.ts";
import { shown } from "../../sql/messages.ts";
import {
  BOOL,
  DATE,
  FLOAT64,
  INT64,
  isDate,
  type SqlType,
  STRING,
  type TimeUnit,
  typeName,
} from "../../table/types.ts";
import { type CellValue, cellAt, type Vector } from "../../table/vector.ts";
import { vectorOf } from "../eval/vectors.ts";
import { INTERVAL_FORMS, parseInterval } from "./interval.ts";
import { type Instant, parseTimestamp, whyNoTimestamp } from "./timestamp.ts";

const int = (bits: 8 | 16 | 32, signed: boolean): SqlType => ({ kind: "int", bits, signed });
const UINT64: SqlType = { kind: "int", bits: 64, signed: false };
const FLOAT32: SqlType = { kind: "float", bits: 32 };
const timestamp = (unit: TimeUnit): SqlType => ({ kind: "timestamp", unit });

/** PostgreSQL's, DuckDB's and our own names. */
const TYPES = new Map<string, SqlType>([
  ...named(BOOL, "bool", "boolean"),
  ...named(int(8, true), "tinyint", "int1"),
  ...named(int(16, true), "smallint", "int2"),
  ...named(int(32, true), "int", "integer", "int4"),
  ...named(INT64, "bigint", "int8", "int64"),
  ...named(int(8, false), "utinyint", "uint8"),
  ...named(int(16, false), "usmallint", "uint16"),
  ...named(int(32, false), "uinteger", "uint32"),
  ...named(UINT64, "ubigint", "uint64"),
  ...named(int(16, true), "int16"),
  ...named(int(32, true), "int32"),
  ...named(FLOAT32, "real", "float4", "float", "float32"),
  ...named(FLOAT64, "double", "double precision", "float8", "float64"),
  ...named(STRING, "varchar", "text", "string", "char varying", "character varying"),
  ...named(
    timestamp("us"),
    "timestamp",
    "timestamp without time zone",
    "timestamp with time zone",
    "timestamptz",
  ),
  ...named(timestamp("s"), "timestamp_s"),
  ...named(timestamp("ms"), "timestamp_ms"),
  ...named(timestamp("ns"), "timestamp_ns"),
  ...named(DATE, "date"),
  ...named({ kind: "duration", unit: "us" }, "interval"),
]);

function named(type: SqlType, ...names: string[]): [string, SqlType][] {
  return names.map((name) => [name, type]);
}

/** The type that `CAST(… AS name)` means; undefined: none that is known. */
export const castType = (name: string): SqlType | undefined => TYPES.get(name);

/** Names CAST knows, for messages. */
export const castNames = (): string[] => [...TYPES.keys()];

/** Whether values of `from` can be cast to `to` at all. */
export function canCast(from: SqlType, to: SqlType): boolean {
  if (from.kind === "null" || from.kind === to.kind) return true;
  if (to.kind === "string")
    return from.kind !== "bytes" && from.kind !== "geometry" && from.kind !== "duration";
  if (from.kind === "string") return to.kind !== "bytes" && to.kind !== "geometry";
  return isNumeric(from) && isNumeric(to);
}

const isNumeric = ({ kind }: SqlType) => kind === "int" || kind === "float" || kind === "bool";

/** @throws ZarrsiftError `sql_type` for a value that `to` cannot hold */
export function cast(vector: Vector, to: SqlType): Vector {
  const cells: CellValue[] = [];
  for (let i = 0; i < vector.length; i++) {
    const cell = cellAt(vector, i);
    cells.push(cell === null ? null : castCell(cell, vector.type, to));
  }
  return vectorOf(to, cells);
}

function castCell(value: Exclude<CellValue, null>, from: SqlType, to: SqlType): CellValue {
  if (to.kind === "string") return textOf(value, from);
  if (to.kind === "bool") return typeof value === "string" ? readBool(value) : Boolean(Number(value));
  if (to.kind === "timestamp" || to.kind === "duration") return toTime(value, from, to);
  if (to.kind === "float") return toFloat(value, to);
  return to.kind === "int" ? toInteger(value, to) : value;
}

/** A value as CAST to text spells it, which for times is DuckDB's way. */
export function textOf(value: Exclude<CellValue, null>, type: SqlType): string {
  if (type.kind === "timestamp") {
    const { year, month, day, second, fraction } = timeParts(value as bigint, type.unit);
    const date = `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
    if (isDate(type)) return date;
    return `${date} ${clock(second)}${`.${fraction}`.replace(/\.?0*$/, "")}`;
  }
  if (type.kind === "float") return floatText(value as number, type.bits);
  return String(value);
}

function toTime(
  value: Exclude<CellValue, null>,
  from: SqlType,
  to: { kind: "timestamp" | "duration"; unit: TimeUnit },
): bigint {
  const { value: ticks, unit } =
    "unit" in from
      ? { value: value as bigint, unit: from.unit }
      : to.kind === "timestamp"
        ? readTimestamp(value as string)
        : readDuration(value as string);
  const result = rescaled(ticks, unit, to.unit);
  if (BigInt.asIntN(64, result) !== result)
    throw bad(
      `A time of ${FRACTION_DIGITS[to.unit]} fraction digits does not reach to '${shown(String(value))}'`,
    );
  return result;
}

function readTimestamp(text: string): Instant {
  const instant = parseTimestamp(text);
  if (instant) return instant;
  throw bad(`'${shown(text)}' is not a timestamp: ${whyNoTimestamp(text)}`);
}

function readDuration(text: string): Instant {
  const interval = parseInterval(text);
  if (interval?.months === 0) return { value: interval.us, unit: "us" };
  throw bad(`'${shown(text)}' is not a duration: write ${INTERVAL_FORMS}, in days and less`);
}

/** NaN is NULL; what is finite must stay so. */
function toFloat(value: Exclude<CellValue, null>, to: SqlType & { kind: "float" }): CellValue {
  const number = typeof value === "string" ? readNumber(value, to) : Number(value);
  const narrow = to.bits === 64 ? number : Math.fround(number);
  if (Number.isFinite(number) && !Number.isFinite(narrow)) throw bad(`${value} does not fit ${typeName(to)}`);
  return Number.isNaN(narrow) ? null : narrow;
}

function toInteger(value: Exclude<CellValue, null>, to: SqlType & { kind: "int" }): CellValue {
  const whole =
    typeof value === "bigint"
      ? value
      : typeof value === "string"
        ? wholeText(value, to)
        : wholeOf(Number(value), to);
  const fits = to.signed ? BigInt.asIntN(to.bits, whole) : BigInt.asUintN(to.bits, whole);
  if (fits !== whole) throw bad(`${value} does not fit ${typeName(to)}`);
  return to.bits === 64 ? whole : Number(whole);
}

/** Halves go to the even neighbour, as DuckDB rounds doubles. */
function wholeOf(number: number, to: SqlType): bigint {
  if (!Number.isFinite(number)) throw bad(`${number} does not fit ${typeName(to)}`);
  const floor = Math.floor(number);
  const rest = number - floor;
  return BigInt(rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor);
}

const DECIMAL = /^([-+]?)(\d*)\.?(\d*)(?:e([-+]?\d+))?$/i;

/** Text keeps all its digits; halves go away from 0, as DuckDB rounds text. */
function wholeText(text: string, to: SqlType): bigint {
  const number = readNumber(text, to);
  const [, sign, digits, fraction, exponent] = DECIMAL.exec(text.trim()) ?? [];
  // No integer type has 40 digits.
  if (digits === undefined || !(Math.abs(number) < 1e40)) throw bad(`${number} does not fit ${typeName(to)}`);
  const shift = Number(exponent ?? 0) - fraction!.length;
  const all = BigInt(digits + fraction);
  const tens = (count: number) => 10n ** BigInt(Math.min(count, digits.length + fraction!.length + 1));
  const size =
    shift >= 0 ? all * 10n ** BigInt(all === 0n ? 0 : shift) : (all + tens(-shift) / 2n) / tens(-shift);
  return sign === "-" ? -size : size;
}

const WORDS: Record<string, number> = { nan: Number.NaN, inf: Infinity, infinity: Infinity };

/** NaN and infinities are words, in any case. */
function readNumber(text: string, to: SqlType): number {
  const [, sign, word] = /^\s*([-+]?)(nan|inf|infinity)\s*$/i.exec(text) ?? [];
  if (word !== undefined) return sign === "-" ? -WORDS[word.toLowerCase()]! : WORDS[word.toLowerCase()]!;
  const number = text.trim() === "" || /^\s*[-+]?0[xob]/i.test(text) ? Number.NaN : Number(text);
  if (Number.isNaN(number)) throw bad(`'${shown(text)}' is not a number, so not ${typeName(to)}`);
  return number;
}

function readBool(text: string): boolean {
  if (/^(t|true|1|y|yes|on)$/i.test(text)) return true;
  if (/^(f|false|0|n|no|off)$/i.test(text)) return false;
  throw bad(`'${shown(text)}' is not a boolean: write 'true' or 'false'`);
}

function bad(message: string): ZarrsiftError {
  return new ZarrsiftError("sql_type", message);
}
