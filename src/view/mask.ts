/**
 * Which cells xarray masks, said the way each face needs it.
 *
 * On a v3 array xarray masks by the `_FillValue` attribute alone, which for floats must be base64 of a little-endian
 * float64; on a v2 array by `fill_value`, and by the attribute only where `fill_value` is null
 * (xarray/backends/zarr.py, `FillValueCoder` and `open_store_variable`).
 */
import { attributeValue, storedFill } from "../table/cf.ts";
import { asNumber, JsonNumber, type JsonObject, type JsonValue } from "../zarr/json.ts";
import type { ArrayMeta, DataType } from "../zarr/metadata.ts";

/** Attributes of an array in the v3 face. */
export function maskV3(meta: ArrayMeta, attributes: JsonObject): JsonObject {
  const { dataType } = meta;
  if (meta.format === 2 && meta.fillValue !== null) {
    const { _FillValue: _, ...others } = attributes;
    const encoded = encodeFill(meta.fillValue, dataType);
    return encoded === undefined ? others : { ...attributes, _FillValue: encoded };
  }
  const own = attributes._FillValue;
  if (own === undefined || dataType.kind !== "float") return attributes;
  const number = typeof own === "string" ? undefined : asNumber(own);
  return number === undefined ? attributes : { ...attributes, _FillValue: float64Base64(number) };
}

/** `fill_value` and attributes of an array in the v2 face. */
export function maskV2(
  meta: ArrayMeta,
  attributes: JsonObject,
): { fillValue: JsonValue; attributes: JsonObject } {
  if (meta.format === 2) return { fillValue: meta.fillValue, attributes };
  const own = attributes._FillValue;
  const fillValue = own === undefined ? null : v2Fill(own, meta.dataType);
  if (fillValue === null || typeof own !== "string" || meta.dataType.kind !== "float")
    return { fillValue, attributes };
  const { _FillValue: _, ...others } = attributes;
  return {
    fillValue,
    attributes: typeof fillValue === "string" ? others : { ...attributes, _FillValue: fillValue },
  };
}

/** A v2 `fill_value` as xarray's `FillValueCoder` reads it from a v3 attribute; `undefined` for dtypes it cannot read. */
function encodeFill(fill: JsonValue, dataType: DataType): JsonValue | undefined {
  switch (dataType.kind) {
    case "float": {
      const number = storedFill(fill, dataType);
      return typeof number === "number" ? float64Base64(number) : undefined;
    }
    case "int":
      return fill;
    case "bool":
      return Boolean(typeof fill === "boolean" ? fill : asNumber(fill));
    case "string":
      return typeof fill === "string" ? fill : undefined;
    default:
      return undefined;
  }
}

/** A v3 `_FillValue` attribute as a v2 `fill_value`; null where the dtype cannot hold it, so that nothing is masked by it. */
function v2Fill(own: JsonValue, dataType: DataType): JsonValue {
  switch (dataType.kind) {
    case "float": {
      const value = attributeValue(own, dataType);
      return typeof value === "number" ? floatJson(value) : null;
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

function floatJson(value: number): JsonValue {
  if (Number.isFinite(value)) return Number.isInteger(value) ? new JsonNumber(value.toFixed(1)) : value;
  return String(value);
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
