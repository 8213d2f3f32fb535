/**
 * Which cells xarray masks, said the way each face needs it.
 *
 * On a v3 array xarray masks by the `_FillValue` attribute alone, which for floats must be base64 of a little-endian
 * float64; on a v2 array by `fill_value`, and by the attribute only where `fill_value` is null
 * (xarray/backends/zarr.py, `FillValueCoder` and `open_store_variable`).
 */
import { attributeValue, type NullValue } from "../table/cf.ts";
import { asNumber, JsonNumber, type JsonObject, type JsonValue } from "../zarr/json.ts";
import type { ArrayMeta, DataType } from "../zarr/metadata.ts";

/** Attributes of an array in the v3 face. */
export function maskV3(meta: ArrayMeta, attributes: JsonObject): JsonObject {
  const { dataType } = meta;
  const { _FillValue: own, ...others } = attributes;
  const masked = meta.format === 2 && meta.fillValue !== null ? meta.fillValue : own;
  if (masked === undefined) return others;
  if (TEXT.includes(dataType.kind)) return withMissing(others, masked);
  const encoded = encodeFill(masked, dataType);
  if (encoded !== undefined) return { ...attributes, _FillValue: encoded };
  return meta.format === 3 ? attributes : others;
}

/**
 * xarray decodes no `_FillValue` of text in v3, but does mask its `missing_value`. For bytes it has neither: what a v2
 * `fill_value` masks among those is not masked in the v3 face.
 */
const TEXT = ["string", "fixed_string"];

function withMissing(attributes: JsonObject, value: JsonValue): JsonObject {
  const before = attributes.missing_value;
  if (before === undefined) return { ...attributes, missing_value: value };
  const list = Array.isArray(before) ? before : [before];
  return list.includes(value) ? attributes : { ...attributes, missing_value: [...list, value] };
}

/** `fill_value` and attributes of an array in the v2 face. */
export function maskV2(
  meta: ArrayMeta,
  attributes: JsonObject,
): { fillValue: JsonValue; attributes: JsonObject } {
  if (meta.format === 2) return { fillValue: meta.fillValue, attributes };
  const { _FillValue: own, ...others } = attributes;
  const fillValue = own === undefined ? null : v2Fill(own, meta.dataType);
  if (fillValue === null) return { fillValue, attributes };
  const sayable =
    !Array.isArray(fillValue) && (typeof fillValue !== "string" || meta.dataType.kind === "string");
  return { fillValue, attributes: sayable ? { ...attributes, _FillValue: fillValue } : others };
}

/** A fill value as xarray's `FillValueCoder` reads it from a v3 attribute; `undefined` for what it cannot read. */
function encodeFill(fill: JsonValue, dataType: DataType): JsonValue | undefined {
  switch (dataType.kind) {
    case "float":
      return floatBase64(fill, dataType);
    case "complex": {
      const part: DataType = { kind: "float", bits: 64 };
      const pair = Array.isArray(fill) ? fill.map((each) => floatBase64(each, part)) : [];
      return pair.length === 2 && pair.every((each) => each !== undefined) ? (pair as string[]) : undefined;
    }
    case "int":
      return fill;
    case "bool":
      return Boolean(typeof fill === "boolean" ? fill : asNumber(fill));
    default:
      return undefined;
  }
}

/** A number, `NaN` and the like, or what is base64 already. */
function floatBase64(fill: JsonValue, dataType: DataType): string | undefined {
  const number = attributeValue(fill, dataType);
  return typeof number === "number" ? float64Base64(number) : undefined;
}

/** A v3 `_FillValue` attribute as a v2 `fill_value`; null where the dtype cannot hold it, so that nothing is masked by it. */
function v2Fill(own: JsonValue, dataType: DataType): JsonValue {
  switch (dataType.kind) {
    case "float": {
      const value = attributeValue(own, dataType);
      return typeof value === "number" ? floatJson(value) : null;
    }
    case "complex": {
      const part: DataType = { kind: "float", bits: 64 };
      const pair = Array.isArray(own) ? own.map((each) => attributeValue(each, part)) : [];
      return pair.length === 2 && pair.every((each) => typeof each === "number") ? pair.map(floatJson) : null;
    }
    case "int":
      return intFits(own, dataType) ? own : null;
    case "bool":
      return typeof own === "boolean" ? own : null;
    case "string":
      return typeof own === "string" ? own : null;
    default:
      return null;
  }
}

function intFits(own: JsonValue, { bits, signed }: Extract<DataType, { kind: "int" }>): boolean {
  const value = attributeValue(own, { kind: "int", bits: 64, signed });
  if (typeof value !== "bigint") return false;
  return signed ? BigInt.asIntN(bits, value) === value : BigInt.asUintN(bits, value) === value;
}

function floatJson(value: NullValue | undefined): JsonValue {
  const number = Number(value);
  if (Number.isFinite(number)) return Number.isInteger(number) ? new JsonNumber(number.toFixed(1)) : number;
  return String(number);
}

function float64Base64(value: number): string {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return btoa(String.fromCharCode(...bytes));
}

/** What a missing chunk reads as, where v2 leaves the fill value null: zeros, NaT, or nothing. */
export function fillOrZero({ fillValue, dataType }: ArrayMeta): JsonValue {
  if (fillValue !== null) return fillValue;
  if (dataType.kind === "bool") return false;
  if (dataType.kind === "datetime64" || dataType.kind === "timedelta64")
    return new JsonNumber(String(-(2n ** 63n)));
  return ["string", "bytes", "fixed_string", "fixed_bytes", "raw"].includes(dataType.kind) ? "" : 0;
}
