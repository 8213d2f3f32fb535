import type { Parameter } from "../plan/api.ts";
import { JsonNumber, type JsonValue, parseJson } from "../zarr/json.ts";
import { UsageError } from "./args.ts";

/**
 * `--params '["viirs", 10, null]'`: values for $1, $2 … as a JSON array of text, numbers, true, false and null.
 * Integers keep every digit.
 *
 * @throws UsageError where it is no such array
 */
export function readParams(text: string | undefined): Parameter[] {
  if (text === undefined) return [];
  const values = parsed(text);
  if (!Array.isArray(values)) throw notParams(text);
  return values.map((value) => {
    if (value instanceof JsonNumber)
      return /^-?\d+$/.test(value.text) ? BigInt(value.text) : Number(value.text);
    if (typeof value === "object" && value !== null) throw notParams(text);
    return value;
  });
}

function parsed(text: string): JsonValue | undefined {
  try {
    return parseJson(text, "--params");
  } catch {
    return undefined;
  }
}

function notParams(text: string): UsageError {
  return new UsageError(`--params ${text}: expected a JSON array of text, numbers, true, false and null`);
}
