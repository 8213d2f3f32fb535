import { dataTypeJson, parseDataType, parseV2Type } from "./dtype.ts";
import { fillForV2, fillForV3 } from "./fill-json.ts";
import { isJsonObject, type JsonObject, type JsonValue, jsonEquals } from "./json.ts";
import type { ArrayMeta, Codec, DataType, NodeMeta } from "./metadata.ts";
import {
  codecsOfV2,
  codecsToV2,
  filterList,
  isArrayToArray,
  objectCodec,
  type V2Encoding,
} from "./v2-codecs.ts";

/** A node's documents in v2: `.zarray` or `.zgroup`, and `.zattrs`. */
export type V2Documents =
  | { zarray: JsonObject; zattrs: JsonObject }
  | { zgroup: JsonObject; zattrs: JsonObject };

/** Why a format cannot describe an array so that the same chunk bytes read as the same values. */
export interface Inexpressible {
  unsupported: string;
}

const DIMENSIONS = "_ARRAY_DIMENSIONS";

/**
 * A node's `zarr.json`. Consolidated metadata is left out; `_ARRAY_DIMENSIONS` of a v2 array become
 * `dimension_names`; every other attribute is written as it is.
 */
export function toV3Document(meta: NodeMeta): JsonObject | Inexpressible {
  const { consolidated_metadata: _, dimension_names: __, ...own } = meta.document;
  const document = own.zarr_format === 3 ? own : {};
  if (meta.nodeType === "group")
    return { ...document, zarr_format: 3, node_type: "group", attributes: meta.attributes };

  const dataType = dataTypeOf(meta);
  if (dataType === undefined)
    return { unsupported: `v3 has no data type for ${(meta.dataType as { name: string }).name}` };
  const misplaced = misplacedCodec(meta.codecs);
  if (misplaced) return { unsupported: `v3 has no place for the codec "${misplaced}" in this chain` };
  const { name, separator } = meta.chunkKeys;
  return {
    ...document,
    zarr_format: 3,
    node_type: "array",
    shape: meta.shape,
    data_type: dataType,
    chunk_grid: { name: "regular", configuration: { chunk_shape: meta.chunkShape } },
    chunk_key_encoding: { name, configuration: { separator } },
    fill_value: fillForV3(meta.dataType, meta.fillValue),
    codecs: meta.codecs.map(codecJson),
    attributes: meta.dimensionNames ? without(meta.attributes, DIMENSIONS) : meta.attributes,
    ...(meta.dimensionNames ? { dimension_names: meta.dimensionNames } : {}),
  };
}

/** As the array's own v3 document spells it, where that still says the same. */
function dataTypeOf({ dataType, document }: ArrayMeta): JsonValue | undefined {
  const own = document.data_type;
  if (document.zarr_format === 3 && own !== undefined && sameType(parseDataType(own, "zarr.json"), dataType))
    return own;
  return dataTypeJson(dataType);
}

function sameType(a: DataType, b: DataType): boolean {
  return jsonEquals(a as unknown as JsonValue, b as unknown as JsonValue);
}

/** v3 wants elements-to-elements codecs first, then one that makes bytes. */
function misplacedCodec(codecs: readonly Codec[]): string | undefined {
  const serial = codecs.findIndex((codec) => !isArrayToArray(codec.name));
  return codecs.slice(serial).find((codec) => isArrayToArray(codec.name))?.name;
}

/** zarr-python wants a configuration, even an empty one, of its `numcodecs.` codecs alone. */
function codecJson({ name, configuration }: Codec): JsonObject {
  const bare = Object.keys(configuration).length === 0 && !name.startsWith("numcodecs.");
  return bare ? { name } : { name, configuration };
}

function without(object: JsonObject, key: string): JsonObject {
  const { [key]: _, ...rest } = object;
  return rest;
}

/**
 * A node's v2 documents; dimension names become `_ARRAY_DIMENSIONS`. The separator of chunk keys stays, so that
 * `c/0/1` becomes `0/1`.
 *
 * @returns a reason where v2 cannot describe the array so that the same chunk bytes read as the same values
 */
export function toV2Documents(meta: NodeMeta): V2Documents | Inexpressible {
  if (meta.nodeType === "group") return { zgroup: { zarr_format: 2 }, zattrs: meta.attributes };
  const encoding = ownEncoding(meta) ?? codecsToV2(meta.codecs, meta.dataType, meta.shape.length);
  if ("unsupported" in encoding) return encoding;
  const zarray: JsonObject = {
    zarr_format: 2,
    shape: meta.shape,
    chunks: meta.chunkShape,
    ...encoding,
    fill_value: meta.format === 2 ? meta.fillValue : fillForV2(meta.dataType, meta.fillValue),
    dimension_separator: meta.chunkKeys.separator,
  };
  return { zarray, zattrs: withDimensions(meta) };
}

/** What the array's own `.zarray` says, to the letter, where its codecs are still those. */
function ownEncoding({ document, codecs, dataType, shape }: ArrayMeta): V2Encoding | undefined {
  const { dtype, order = "C", compressor = null } = document;
  const filters = filterList(document.filters);
  if (document.zarr_format !== 2 || !filters || (compressor !== null && !isJsonObject(compressor)))
    return undefined;
  const own = parseV2Type(dtype, objectCodec(filters), ".zarray");
  const same = codecsOfV2(order as "C" | "F", filters, compressor, own.dataType, own.endian, shape.length);
  if (
    !sameType(own.dataType, dataType) ||
    !jsonEquals(same as unknown as JsonValue, codecs as unknown as JsonValue)
  )
    return undefined;
  return {
    dtype: dtype as string,
    order: order as "C" | "F",
    filters: filters.length > 0 ? filters : null,
    compressor,
  };
}

function withDimensions({ attributes, dimensionNames, shape }: ArrayMeta): JsonObject {
  const names = dimensionNames ?? (shape.length === 0 ? [] : undefined);
  return names?.every((name) => name !== null) ? { ...attributes, [DIMENSIONS]: names } : attributes;
}
