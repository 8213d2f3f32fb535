/**
 * CF conventions on a `meta` column: which stored values are missing, scaling, and times as
 * `<unit> since <epoch>` (CF-1.11 sections 2.5.1, 4.4, 8.1), as xarray reads them.
 */
import { ZarrsiftError } from "../errors.ts";
import { asBigInt, asNumber, type JsonValue } from "../zarr/json.ts";
import type { ArrayMeta, DataType } from "../zarr/metadata.ts";
import { FLOAT64, type SqlType, type TimeUnit } from "./types.ts";

/** A stored value that means NULL, in the form the dtype is compared in. */
export type NullValue = number | bigint | Uint8Array;

/** How stored values become SQL values. */
export interface Decoding {
  type: SqlType;
  /** Stored values, before scaling, that are NULL; NaN and NaT are NULL anyway. */
  nulls: NullValue[];
  /** value = stored × scale + offset, in float64. */
  scaling: { scale: number; offset: number } | undefined;
  /** value = stored × perUnit + origin, both in the type's unit; of `column`, for messages. */
  time: { column: string; perUnit: bigint; origin: bigint } | undefined;
}

const UNIT_NANOS: Record<TimeUnit, bigint> = { s: 1_000_000_000n, ms: 1_000_000n, us: 1_000n, ns: 1n };
const CF_UNITS: [RegExp, bigint][] = [
  [/^(weeks?)$/i, 604_800_000_000_000n],
  [/^(days?|d)$/i, 86_400_000_000_000n],
  [/^(hours?|hrs?|h)$/i, 3_600_000_000_000n],
  [/^(minutes?|mins?)$/i, 60_000_000_000n],
  [/^(seconds?|secs?|s)$/i, 1_000_000_000n],
  [/^(milliseconds?|millisecs?|msecs?|ms)$/i, 1_000_000n],
  [/^(microseconds?|microsecs?|us|µs)$/i, 1_000n],
  [/^(nanoseconds?|nanosecs?|ns)$/i, 1n],
];
const CALENDARS = ["standard", "gregorian", "proleptic_gregorian"];

/**
 * @throws ZarrsiftError `meta_invalid` naming the column, for a calendar or time unit that cannot be read exactly;
 *   `encoding_unsupported` for a dtype that makes it no column at all
 */
export function decodingOf(name: string, meta: ArrayMeta): Decoding {
  const { dataType } = meta;
  const nulls = nullValues(meta);
  switch (dataType.kind) {
    case "bool":
      return plain({ kind: "bool" }, nulls);
    case "string":
    case "fixed_string":
      return plain({ kind: "string" }, nulls);
    case "bytes":
    case "fixed_bytes":
    case "raw":
      return plain({ kind: "bytes" }, nulls);
    case "datetime64":
    case "timedelta64":
      return numpyTime(name, dataType, nulls);
    case "int":
    case "float":
      return cfNumber(name, meta, dataType, nulls);
    default:
      throw new ZarrsiftError(
        "encoding_unsupported",
        `"${name}" is no column: its dtype ${dataType.kind === "other" ? dataType.name : dataType.kind} has no SQL type`,
        { details: { column: name } },
      );
  }
}

function plain(type: SqlType, nulls: NullValue[]): Decoding {
  return { type, nulls, scaling: undefined, time: undefined };
}

function unusable(name: string, why: string): ZarrsiftError {
  return new ZarrsiftError("meta_invalid", `Column "${name}" cannot be used: ${why}`, {
    details: { column: name },
  });
}

/** numpy units coarser than seconds become seconds; scale factors are multiplied in. */
function numpyTime(
  name: string,
  dataType: Extract<DataType, { scale: number }>,
  nulls: NullValue[],
): Decoding {
  const coarse: Record<string, bigint> = { W: 604_800n, D: 86_400n, h: 3_600n, m: 60n };
  const scale = BigInt(dataType.scale);
  const kind = dataType.kind === "datetime64" ? "timestamp" : "duration";
  const nat = [...nulls, -(2n ** 63n)];
  const unit = dataType.unit === "μs" ? "us" : dataType.unit;
  if (unit in coarse)
    return {
      ...plain({ kind, unit: "s" }, nat),
      time: { column: name, perUnit: coarse[unit]! * scale, origin: 0n },
    };
  if (!(unit in UNIT_NANOS))
    throw unusable(name, `numpy time unit "${unit}" has no fixed length in s, ms, us or ns`);
  return {
    ...plain({ kind, unit: unit as TimeUnit }, nat),
    time: scale === 1n ? undefined : { column: name, perUnit: scale, origin: 0n },
  };
}

function cfNumber(
  name: string,
  meta: ArrayMeta,
  dataType: Extract<DataType, { kind: "int" | "float" }>,
  nulls: NullValue[],
): Decoding {
  const { attributes } = meta;
  const scale = asNumber(attributes.scale_factor);
  const offset = asNumber(attributes.add_offset);
  const scaling =
    scale === undefined && offset === undefined ? undefined : { scale: scale ?? 1, offset: offset ?? 0 };
  const isFloat = dataType.kind === "float" || scaling !== undefined;
  const time = cfTime(name, attributes.units, attributes.calendar, isFloat);
  if (time) return { type: time.type, nulls, scaling, time: time.conversion };
  return { type: scaling ? FLOAT64 : dataType, nulls, scaling, time: undefined };
}

/** `undefined` where `units` is not a time since an epoch. Counts that may be fractional are read to the microsecond. */
function cfTime(
  name: string,
  units: JsonValue | undefined,
  calendar: JsonValue | undefined,
  fractional: boolean,
) {
  const match = typeof units === "string" ? /^\s*(\S+)\s+since\s+(.+?)\s*$/i.exec(units) : null;
  if (!match) return undefined;
  const perUnit = CF_UNITS.find(([pattern]) => pattern.test(match[1]!))?.[1];
  if (perUnit === undefined) {
    if (/^(months?|years?|common_years?)$/i.test(match[1]!))
      throw unusable(name, `units "${units}" have no fixed length`);
    return undefined;
  }
  if (calendar !== undefined && !CALENDARS.includes(String(calendar).toLowerCase())) {
    throw unusable(name, `calendar "${calendar}" is not supported (${CALENDARS.join(", ")} are)`);
  }
  const epoch = epochNanos(match[2]!);
  if (epoch === undefined) throw unusable(name, `the epoch of units "${units}" is not a date`);
  let unit = (["s", "ms", "us", "ns"] as const).find(
    (u) => perUnit % UNIT_NANOS[u] === 0n && epoch % UNIT_NANOS[u] === 0n,
  )!;
  if (fractional && (unit === "s" || unit === "ms")) unit = "us";
  const nanos = UNIT_NANOS[unit];
  return {
    type: { kind: "timestamp", unit } as SqlType,
    conversion: { column: name, perUnit: perUnit / nanos, origin: epoch / nanos },
  };
}

/** Nanoseconds since 1970 of a CF reference time: `1990-01-01`, `1990-1-1 0:0:0.0`, with `Z`, `UTC` or `+01:00`. */
function epochNanos(text: string): bigint | undefined {
  const m =
    /^(\d{1,4})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d+))?)?)?)?\s*(Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?$/i.exec(
      text,
    );
  if (!m) return undefined;
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map((part) => Number(part ?? 0)) as number[];
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day!);
  date.setUTCHours(hour!, minute!, second!, 0);
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day! || hour! > 23) return undefined;
  const fraction = BigInt((m[7] ?? "").padEnd(9, "0").slice(0, 9));
  const zone = /^([+-])(\d{1,2}):?(\d{2})?$/.exec(m[8] ?? "");
  const minutes = zone ? (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3] ?? 0)) : 0;
  return BigInt(date.getTime() - minutes * 60_000) * 1_000_000n + fraction;
}

/**
 * Stored values that are NULL: the `_FillValue` and `missing_value` attributes (a number, base64, or a list), and
 * a v2 `fill_value` unless it is 0, false or "".
 */
function nullValues(meta: ArrayMeta): NullValue[] {
  const { attributes, dataType } = meta;
  const declared = [attributes._FillValue, attributes.missing_value].flatMap((v) =>
    Array.isArray(v) ? v : [v],
  );
  const values = declared.map((v) => attributeValue(v, dataType));
  if (meta.format === 2) {
    const fill = storedFill(meta.fillValue, dataType);
    const empty = fill instanceof Uint8Array ? isPadding(fill, dataType) : Number(fill) === 0;
    if (fill !== undefined && !empty) values.push(fill);
  }
  return values.filter((v): v is NullValue => v !== undefined && !Number.isNaN(v));
}

/** What a value of no bytes is stored as. */
function isPadding(bytes: Uint8Array, { kind }: DataType): boolean {
  return kind === "fixed_bytes" || kind === "raw" ? bytes.every((byte) => byte === 0) : bytes.length === 0;
}

/** An attribute as a stored value: xarray writes floats (little-endian float64) and bytes as base64. */
export function attributeValue(value: JsonValue | undefined, dataType: DataType): NullValue | undefined {
  if (value === undefined || value === null) return undefined;
  switch (dataType.kind) {
    case "bool":
      return typeof value === "boolean" ? Number(value) : asNumber(value);
    case "int":
      return dataType.bits === 64 ? asBigInt(value) : asNumber(value);
    case "datetime64":
    case "timedelta64":
      return asBigInt(value);
    case "float": {
      const number = typeof value === "string" ? floatText(value) : asNumber(value);
      return number === undefined ? undefined : roundTo(number, dataType.bits);
    }
    case "string":
    case "fixed_string":
      return typeof value === "string" ? new TextEncoder().encode(value) : undefined;
    case "bytes":
    case "fixed_bytes":
    case "raw":
      return typeof value === "string" ? base64Bytes(value) : undefined;
    default:
      return undefined;
  }
}

/** A v2 `fill_value` as a stored value; unlike an attribute, a float's may be spelt "NaN". */
function storedFill(fill: JsonValue, dataType: DataType): NullValue | undefined {
  if (dataType.kind === "float" && typeof fill === "string") return floatWord(fill);
  return attributeValue(fill, dataType);
}

function floatWord(text: string): number | undefined {
  const words: Record<string, number> = { NaN: Number.NaN, Infinity: Infinity, "-Infinity": -Infinity };
  return words[text];
}

function floatText(text: string): number | undefined {
  const word = floatWord(text);
  if (word !== undefined) return word;
  const bytes = base64Bytes(text);
  if (bytes?.length !== 8) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
}

/** Base64 to bytes; `undefined` where it is not base64. */
export function base64Bytes(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function roundTo(value: number, bits: 16 | 32 | 64): number {
  return bits === 64 ? value : Math.fround(value);
}
