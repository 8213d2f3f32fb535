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
