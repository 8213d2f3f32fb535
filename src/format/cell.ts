/** One cell as text: of JSON, and for people and CSV. */

import { parseWkb } from "../geometry/wkb-read.ts";
import { writeWkt } from "../geometry/wkt-write.ts";
import type { SqlType } from "../table/types.ts";
import type { CellValue } from "../table/vector.ts";
import { durationText, timestampText } from "./iso.ts";
import { floatText } from "./number.ts";

/**
 * JSON of a cell: exact integers, ISO 8601 times, WKT, base64; NULL and NaN are null, ±Infinity the strings
 * "Infinity" and "-Infinity".
 *
 * @throws ZarrsiftError `bad_geometry` where stored WKB is broken
 */
export function jsonCell(value: CellValue, type: SqlType): string {
  if (value === null || Number.isNaN(value)) return "null";
  if (type.kind === "float" && Number.isFinite(value)) return jsonNumber(value as number, type.bits);
  if (type.kind === "int" || type.kind === "bool") return String(value);
  return JSON.stringify(textCell(value, type));
}

/** `1e21` is JSON, but so is `1e+21`, which is how JavaScript writes it. -0 stays -0. */
function jsonNumber(value: number, bits: 16 | 32 | 64): string {
  return Object.is(value, -0) ? "-0.0" : floatText(value, bits);
}

/** The same as plain text; NULL and NaN are empty. */
export function textCell(value: CellValue, type: SqlType): string {
  if (value === null || Number.isNaN(value)) return "";
  switch (type.kind) {
    case "timestamp":
      return timestampText(BigInt(value as bigint), type.unit);
    case "duration":
      return durationText(BigInt(value as bigint), type.unit);
    case "float":
      return floatText(value as number, type.bits);
    case "geometry":
      return value instanceof Uint8Array ? writeWkt(parseWkb(value)) : String(value);
    default:
      return value instanceof Uint8Array ? base64(value) : String(value);
  }
}

/** Bytes a call of `String.fromCharCode` gets at once. */
const PIECE = 0x8000;

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += PIECE) {
    binary += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  }
  return btoa(binary);
}
