/** What the attributes of `/indexes` say: `zarrsift: {version, truth, indexes, zones}`. */
import { asNumber, isJsonObject, type JsonObject, type JsonValue } from "../zarr/json.ts";
import type { ColumnTruth } from "./truth.ts";

/** Format version that is written, and the highest that is read. */
export const INDEX_VERSION = 1;

/** Everything about the indexes of a source. Keys are names of columns. */
export interface IndexRecords {
  truth: Record<string, JsonObject>;
  indexes: Record<string, JsonObject>;
  zones: Record<string, JsonObject>;
}

/** The attributes of `/indexes` for these records. */
export function indexAttributes(records: IndexRecords): JsonObject {
  return { zarrsift: { version: INDEX_VERSION, ...records } as unknown as JsonObject };
}

/**
 * The records in the attributes of `/indexes`; `undefined` where there are none.
 * @returns a text that says why, where they are of a version that this library does not know
 */
export function indexRecords(attributes: JsonObject): IndexRecords | string | undefined {
  const own = attributes.zarrsift;
  if (!isJsonObject(own)) return undefined;
  const version = asNumber(own.version);
  if (version === undefined || version < 1 || version > INDEX_VERSION)
    return `the indexes are of version ${version ?? "unknown"}; this program reads up to ${INDEX_VERSION}`;
  return { truth: objects(own.truth), indexes: objects(own.indexes), zones: objects(own.zones) };
}

function objects(value: JsonValue | undefined): Record<string, JsonObject> {
  const out: Record<string, JsonObject> = Object.create(null);
  if (isJsonObject(value))
    for (const key of Object.keys(value)) if (isJsonObject(value[key])) out[key] = value[key];
  return out;
}

/** Reads fields of a record; a wrong one is an error that names it. */
export class RecordReader {
  readonly #record: JsonObject;

  constructor(record: JsonObject) {
    this.#record = record;
  }

  text(name: string): string {
    const value = this.#record[name];
    if (typeof value !== "string") throw new Error(`its record has no ${name}`);
    return value;
  }

  /** A path below `/indexes`, whatever the record says. */
  path(name: string): string {
    const value = this.text(name);
    if (
      !value.startsWith("indexes/") ||
      value.split("/").some((part) => part === "" || part === "." || part === "..")
    )
      throw new Error(`its record has the ${name} "${value}", which is not below /indexes`);
    return value;
  }

  /** A whole number, not negative. */
  count(name: string, absent?: number): number {
    const value = this.#record[name];
    if (value === undefined && absent !== undefined) return absent;
    const number = asNumber(value);
    if (number === undefined || !Number.isSafeInteger(number) || number < 0)
      throw new Error(`its record has no ${name}`);
    return number;
  }

  flag(name: string): boolean {
    return this.#record[name] === true;
  }

  optionalText(name: string): string | undefined {
    const value = this.#record[name];
    return typeof value === "string" ? value : undefined;
  }

  numbers(name: string): number[] {
    const value = this.#record[name];
    return Array.isArray(value) ? value.map((item) => asNumber(item) ?? Number.NaN) : [];
  }

  sums(name: string): Record<string, number> {
    const value = this.#record[name];
    if (!isJsonObject(value)) throw new Error(`its record has no ${name}`);
    return Object.fromEntries(Object.entries(value).map(([key, sum]) => [key, asNumber(sum) ?? Number.NaN]));
  }
}

/** A column's truth record. @throws Error naming what is wrong with it */
export function truthRecord(record: JsonObject): ColumnTruth {
  const reader = new RecordReader(record);
  const chunkRows = reader.count("chunkRows");
  if (chunkRows === 0) throw new Error("its record has no chunkRows");
  return {
    rows: reader.count("rows"),
    chunkRows,
    document: reader.text("document"),
    snapshot: reader.optionalText("snapshot"),
    path: reader.path("path"),
    sums: reader.numbers("sums"),
  };
}
