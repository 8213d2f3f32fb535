import { ZarrsiftError } from "../errors.ts";
import { asNumber, isJsonObject, type JsonObject, type JsonValue, writeJson } from "./json.ts";
import type { DataType } from "./metadata.ts";

/** Byte order of multi-byte elements; `undefined` where elements have single bytes. */
export type Endian = "little" | "big" | undefined;

const TIME_UNITS = new Set([
  "generic",
  "Y",
  "M",
  "W",
  "D",
  "h",
  "m",
  "s",
  "ms",
  "us",
  "μs",
  "ns",
  "ps",
  "fs",
  "as",
]);

const int = (bits: 8 | 16 | 32 | 64, signed: boolean): DataType => ({ kind: "int", bits, signed });

const PLAIN: Record<string, DataType> = {
  ...{ int8: int(8, true), int16: int(16, true), int32: int(32, true), int64: int(64, true) },
  ...{ uint8: int(8, false), uint16: int(16, false), uint32: int(32, false), uint64: int(64, false) },
  bool: { kind: "bool" },
  float16: { kind: "float", bits: 16 },
  float32: { kind: "float", bits: 32 },
  float64: { kind: "float", bits: 64 },
  complex64: { kind: "complex", bits: 64 },
  complex128: { kind: "complex", bits: 128 },
  string: { kind: "string" },
  variable_length_bytes: { kind: "bytes" },
  bytes: { kind: "bytes" },
};

/**
 * The type that a v3 `data_type` names; one that this library does not know is `{ kind: "other" }`.
 * Source: Zarr v3 core data types and the zarr-extensions registry, as zarr-python 3.1 writes them.
 *
 * @throws ZarrsiftError `corrupt_metadata` where `value` is no data type at all, or a known one badly configured
 */
export function parseDataType(value: JsonValue | undefined, where: string): DataType {
  if (typeof value === "string") return plainType(value);
  const name = isJsonObject(value) ? value.name : undefined;
  if (typeof name !== "string")
    throw invalid(where, `data_type is ${value === undefined ? "missing" : "no name"}`);
  const configuration = (value as JsonObject).configuration;
  return configuredType(name, isJsonObject(configuration) ? configuration : {}, where);
}

function plainType(name: string): DataType {
  const bits = /^r(\d+)$/.exec(name);
  if (bits && Number(bits[1]) > 0 && Number(bits[1]) % 8 === 0)
    return { kind: "raw", length: Number(bits[1]) / 8 };
  return known(name) ?? { kind: "other", name };
}

function known(name: string): DataType | undefined {
  return Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined;
}

function configuredType(name: string, configuration: JsonObject, where: string): DataType {
  switch (name) {
    case "fixed_length_utf32":
      return { kind: "fixed_string", length: byteLength(configuration, 4, where) / 4 };
    case "null_terminated_bytes":
      return { kind: "fixed_bytes", length: byteLength(configuration, 1, where) };
    case "raw_bytes":
      return { kind: "raw", length: byteLength(configuration, 1, where) };
    case "numpy.datetime64":
    case "numpy.timedelta64":
      return timeType(name === "numpy.datetime64" ? "datetime64" : "timedelta64", configuration, where);
    default:
      return plainType(name);
  }
}

function byteLength(configuration: JsonObject, unit: number, where: string): number {
  const length = asNumber(configuration.length_bytes);
  if (length !== undefined && Number.isSafeInteger(length) && length >= 0 && length % unit === 0)
    return length;
  throw invalid(where, "data_type has no usable length_bytes");
}

function timeType(kind: "datetime64" | "timedelta64", configuration: JsonObject, where: string): DataType {
  const { unit } = configuration;
  const scale = asNumber(configuration.scale_factor) ?? 1;
  if (typeof unit !== "string" || !TIME_UNITS.has(unit))
    throw invalid(where, "data_type has no known time unit");
  if (!Number.isSafeInteger(scale) || scale < 1) throw invalid(where, "data_type has no usable scale_factor");
  return { kind, unit, scale };
}

/** The v3 `data_type` of a type; `undefined` for `other`, which only its own document can spell. */
export function dataTypeJson(type: DataType): JsonValue | undefined {
  switch (type.kind) {
    case "int":
      return `${type.signed ? "" : "u"}int${type.bits}`;
    case "float":
    case "complex":
      return `${type.kind}${type.bits}`;
    case "bytes":
      return "variable_length_bytes";
    case "fixed_string":
      return { name: "fixed_length_utf32", configuration: { length_bytes: type.length * 4 } };
    case "fixed_bytes":
      return { name: "null_terminated_bytes", configuration: { length_bytes: type.length } };
    case "raw":
      return { name: "raw_bytes", configuration: { length_bytes: type.length } };
    case "datetime64":
    case "timedelta64":
      return { name: `numpy.${type.kind}`, configuration: { unit: type.unit, scale_factor: type.scale } };
    case "other":
      return undefined;
    default:
      return type.kind;
  }
}

/**
 * The type and byte order that a v2 `dtype` names, as numpy spells it (`<f8`, `|S4`, `>M8[10us]`).
 *
 * @param objectCodec Id of the filter that turns `|O` elements into bytes: `vlen-utf8` or `vlen-bytes`.
 * @throws ZarrsiftError `corrupt_metadata` where `value` is neither a string nor a list of fields
 */
export function parseV2Type(
  value: JsonValue | undefined,
  objectCodec: string | undefined,
  where: string,
): { dataType: DataType; endian: Endian } {
  if (Array.isArray(value)) return { dataType: { kind: "other", name: writeJson(value) }, endian: undefined };
  if (typeof value !== "string") throw invalid(where, "dtype is missing or no string");
  const match = /^([<>|=])?([biufcmMSUVO])(\d*)(?:\[(\d*)([a-zA-Zμ]+)\])?$/.exec(value);
  const dataType = match && v2Type(match[2]!, Number(match[3]), match[4], match[5], objectCodec);
  if (!dataType) return { dataType: { kind: "other", name: value }, endian: undefined };
  return { dataType, endian: isMultiByte(dataType) ? (match[1] === ">" ? "big" : "little") : undefined };
}

function v2Type(
  letter: string,
  size: number,
  scale: string | undefined,
  unit: string | undefined,
  objectCodec: string | undefined,
): DataType | undefined {
  switch (letter) {
    case "b":
      return size === 1 ? PLAIN.bool : undefined;
    case "i":
    case "u":
      return known(`${letter === "i" ? "" : "u"}int${size * 8}`);
    case "f":
      return known(`float${size * 8}`);
    case "c":
      return known(`complex${size * 8}`);
    case "S":
      return { kind: "fixed_bytes", length: size };
    case "U":
      return { kind: "fixed_string", length: size };
    case "V":
      return { kind: "raw", length: size };
    case "O":
      return objectCodec === "vlen-utf8"
        ? PLAIN.string
        : objectCodec === "vlen-bytes"
          ? PLAIN.bytes
          : undefined;
    default:
      return size === 8 ? v2TimeType(letter, scale, unit) : undefined;
  }
}

function v2TimeType(letter: string, scale: string | undefined, unit = "generic"): DataType | undefined {
  if (!TIME_UNITS.has(unit)) return undefined;
  return { kind: letter === "M" ? "datetime64" : "timedelta64", unit, scale: Number(scale || 1) };
}

/** The v2 `dtype` of a type; `undefined` where v2 has none. */
export function v2TypeString(type: DataType, endian: Endian): string | undefined {
  const order = isMultiByte(type) ? (endian === "big" ? ">" : "<") : "|";
  switch (type.kind) {
    case "bool":
      return "|b1";
    case "int":
      return `${order}${type.signed ? "i" : "u"}${type.bits / 8}`;
    case "float":
    case "complex":
      return `${order}${type.kind[0]}${type.bits / 8}`;
    case "string":
    case "bytes":
      return "|O";
    case "fixed_string":
      return `${order}U${type.length}`;
    case "fixed_bytes":
      return `|S${type.length}`;
    case "raw":
      return `|V${type.length}`;
    case "datetime64":
    case "timedelta64":
      return `${order}${type.kind === "datetime64" ? "M" : "m"}8${timeSuffix(type.unit, type.scale)}`;
    case "other":
      return undefined;
  }
}

function timeSuffix(unit: string, scale: number): string {
  return unit === "generic" ? "" : `[${scale === 1 ? "" : scale}${unit}]`;
}

/** Bytes of one stored element; `undefined` where elements vary in length or are unknown. */
export function itemSize(type: DataType): number | undefined {
  switch (type.kind) {
    case "bool":
      return 1;
    case "int":
    case "float":
    case "complex":
      return type.bits / 8;
    case "datetime64":
    case "timedelta64":
      return 8;
    case "fixed_string":
      return type.length * 4;
    case "fixed_bytes":
    case "raw":
      return type.length;
    default:
      return undefined;
  }
}

/** Whether byte order matters: elements have several bytes and are no byte strings. */
export function isMultiByte(type: DataType): boolean {
  return type.kind !== "fixed_bytes" && type.kind !== "raw" && (itemSize(type) ?? 1) > 1;
}

function invalid(where: string, what: string): ZarrsiftError {
  return new ZarrsiftError("corrupt_metadata", `${where}: ${what}`, { details: { key: where } });
}
