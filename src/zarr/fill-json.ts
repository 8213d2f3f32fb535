import { filled } from "./fill.ts";
import { asBigInt, asNumber, JsonNumber, type JsonValue } from "./json.ts";
import type { DataType } from "./metadata.ts";

const ZERO = new JsonNumber("0.0");
const NAT = new JsonNumber("-9223372036854775808");

/** A fill value as v3 spells it for this type; null, which v3 does not have, becomes what it reads as. */
export function fillForV3(type: DataType, fill: JsonValue): JsonValue {
  const nothing = fill === null || fill === "" || (typeof fill === "number" && fill === 0);
  switch (type.kind) {
    case "bool":
      return typeof fill === "boolean" ? fill : asNumber(fill) !== undefined && asNumber(fill) !== 0;
    case "int":
      return nothing ? 0 : integerJson(fill);
    case "datetime64":
    case "timedelta64":
      return fill === null ? NAT : integerJson(fill);
    case "float":
      return nothing ? ZERO : fill;
    case "complex":
      return nothing ? [ZERO, ZERO] : Array.isArray(fill) ? fill : [fill, ZERO];
    case "raw":
      return nothing ? base64(new Uint8Array(type.length)) : fill;
    case "other":
      return fill;
    default:
      return nothing ? "" : fill;
  }
}

/** A fill value as v2 spells it: no floats by their bits, no bytes as lists. null stays null. */
export function fillForV2(type: DataType, fill: JsonValue): JsonValue {
  if (type.kind === "float" && typeof fill === "string" && fill.startsWith("0x"))
    return floatJson(type, fill);
  if (Array.isArray(fill) && (type.kind === "bytes" || type.kind === "fixed_bytes" || type.kind === "raw")) {
    return base64(Uint8Array.from(fill, Number));
  }
  return fill;
}

function floatJson(type: DataType, fill: JsonValue): JsonValue {
  const value = Number(filled({ dataType: type, shape: [1], fillValue: fill }).data[0]);
  return Number.isFinite(value) ? value : String(value);
}

/** `0.0`, which v2 writers leave in integer arrays, is 0. */
function integerJson(fill: JsonValue): JsonValue {
  const value = asBigInt(typeof fill === "boolean" ? Number(fill) : fill);
  if (value === undefined) return fill;
  return Number.isSafeInteger(Number(value)) ? Number(value) : new JsonNumber(String(value));
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
