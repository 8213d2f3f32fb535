/** SQL types. Names shown to users are those of `typeName`. */
export type TimeUnit = "s" | "ms" | "us" | "ns";

export type SqlType =
  | { kind: "bool" }
  | { kind: "int"; bits: 8 | 16 | 32 | 64; signed: boolean }
  | { kind: "float"; bits: 16 | 32 | 64 }
  | { kind: "string" }
  | { kind: "bytes" }
  /** Time since 1970-01-01T00:00:00Z, proleptic Gregorian, no leap seconds. */
  /** `date`: SQL's DATE, the second that a day begins with. */
  | { kind: "timestamp"; unit: TimeUnit; date?: true }
  | { kind: "duration"; unit: TimeUnit }
  /** Degrees, EPSG:4326. `encoding` is how the values are stored: WKB bytes or WKT text. */
  | { kind: "geometry"; encoding: "wkb" | "wkt" }
  /** The type of a bare NULL. */
  | { kind: "null" };

/** `int64`, `float32`, `timestamp[ms]`, `geometry` … as results and messages name it. */
export function typeName(type: SqlType): string {
  switch (type.kind) {
    case "int":
      return `${type.signed ? "int" : "uint"}${type.bits}`;
    case "float":
      return `float${type.bits}`;
    case "timestamp":
    case "duration":
      return `${type.kind}[${type.unit}]`;
    default:
      return type.kind;
  }
}

export const INT64: SqlType = { kind: "int", bits: 64, signed: true };
export const FLOAT64: SqlType = { kind: "float", bits: 64 };
export const BOOL: SqlType = { kind: "bool" };
export const STRING: SqlType = { kind: "string" };
export const BYTES: SqlType = { kind: "bytes" };
export const DATE: SqlType = { kind: "timestamp", unit: "s", date: true };
export const NULL_TYPE: SqlType = { kind: "null" };

/** Whether values are days, not instants. */
export const isDate = (type: SqlType): boolean => type.kind === "timestamp" && type.date === true;
