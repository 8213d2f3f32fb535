import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import { parseCodecs, parseSharding } from "./codecs/sharding.ts";
import { parseDataType, parseV2Type } from "./dtype.ts";
import { asNumber, isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { ArrayMeta, ChunkKeyEncoding, GroupMeta, NodeMeta } from "./metadata.ts";
import { codecsOfV2, filterList, objectCodec } from "./v2-codecs.ts";

/** The documents found at a node's path: `zarr.json`, or those of v2. */
export interface NodeDocuments {
  "zarr.json"?: JsonObject | undefined;
  ".zarray"?: JsonObject | undefined;
  ".zgroup"?: JsonObject | undefined;
  ".zattrs"?: JsonObject | undefined;
}

const GROUP_FIELDS = ["zarr_format", "node_type", "attributes", "consolidated_metadata"];
const ARRAY_FIELDS = [
  ...["zarr_format", "node_type", "attributes", "shape", "data_type", "chunk_grid", "chunk_key_encoding"],
  ...["fill_value", "codecs", "dimension_names", "storage_transformers"],
];

/**
 * What a node's documents say; `undefined` where there are none. Attributes are left as they are,
 * `_ARRAY_DIMENSIONS` included.
 *
 * @param path The node's path, for messages.
 * @throws ZarrsiftError `corrupt_metadata` naming document and field; `encoding_unsupported` for what is well-formed
 *   but not read here (irregular chunk grids, storage transformers, extensions that must be understood)
 */
export function parseNode(documents: NodeDocuments, path: string): NodeMeta | undefined {
  const keyOf = (name: string) => (path === "" ? name : `${path}/${name}`);
  const v3 = documents["zarr.json"];
  if (v3) return parseV3(v3, keyOf("zarr.json"));
  const attributes = documents[".zattrs"] ?? {};
  if (documents[".zarray"]) return parseV2Array(documents[".zarray"], attributes, keyOf(".zarray"));
  return documents[".zgroup"] && parseV2Group(documents[".zgroup"], attributes, keyOf(".zgroup"));
}

function parseV3(document: JsonObject, where: string): NodeMeta {
  checkFormat(document, 3, where);
  const attributes = document.attributes ?? {};
  if (!isJsonObject(attributes)) throw corrupt(where, "attributes is no object");
  if (document.node_type === "group") {
    checkExtensions(document, GROUP_FIELDS, where);
    return { nodeType: "group", format: 3, attributes, document } satisfies GroupMeta;
  }
  if (document.node_type !== "array") throw corrupt(where, `node_type is neither "array" nor "group"`);
  checkExtensions(document, ARRAY_FIELDS, where);
  return parseV3Array(document, attributes, where);
}

function parseV3Array(document: JsonObject, attributes: JsonObject, where: string): ArrayMeta {
  const shape = lengths(document.shape, "shape", where);
  const chunkShape = chunkLengths(v3ChunkShape(document.chunk_grid, where), shape, "chunk_grid", where);
  const transformers = document.storage_transformers;
  if (Array.isArray(transformers) && transformers.length > 0) throw notRead(where, "storage_transformers");
  if (document.fill_value === undefined) throw corrupt(where, "fill_value is missing");
  const codecs = within(where, () => parseCodecs(document.codecs, "codecs", shape.length));
  for (const { name, configuration } of codecs) {
    if (name === "sharding_indexed") within(where, () => parseSharding(configuration, chunkShape));
  }
  return {
    nodeType: "array",
    format: 3,
    shape,
    chunkShape,
    dataType: parseDataType(document.data_type, where),
    codecs,
    fillValue: document.fill_value,
    attributes,
    dimensionNames: v3DimensionNames(document.dimension_names, shape.length, where),
    chunkKeys: v3ChunkKeys(document.chunk_key_encoding, where),
    document,
  };
}

function v3ChunkShape(grid: JsonValue | undefined, where: string): JsonValue | undefined {
  if (!isJsonObject(grid)) throw corrupt(where, "chunk_grid is missing");
  if (grid.name !== "regular") throw notRead(where, `chunk_grid "${grid.name}"`);
  return isJsonObject(grid.configuration) ? grid.configuration.chunk_shape : undefined;
}

function v3ChunkKeys(encoding: JsonValue | undefined, where: string): ChunkKeyEncoding {
  const name = isJsonObject(encoding) ? encoding.name : encoding;
  if (typeof name !== "string") throw corrupt(where, "chunk_key_encoding is missing");
  if (name !== "default" && name !== "v2") throw notRead(where, `chunk_key_encoding "${name}"`);
  const configuration =
    isJsonObject(encoding) && isJsonObject(encoding.configuration) ? encoding.configuration : {};
  return {
    name,
    separator: separatorOf(
      configuration.separator ?? (name === "v2" ? "." : "/"),
      "chunk_key_encoding",
      where,
    ),
  };
}

function separatorOf(value: JsonValue, field: string, where: string): "/" | "." {
  if (value === "/" || value === ".") return value;
  throw corrupt(where, `the separator of ${field} is neither "/" nor "."`);
}

function v3DimensionNames(
  value: JsonValue | undefined,
  rank: number,
  where: string,
): ArrayMeta["dimensionNames"] {
  if (value === undefined || value === null) return undefined;
  if (
    !Array.isArray(value) ||
    value.length !== rank ||
    !value.every((name) => name === null || typeof name === "string")
  ) {
    throw corrupt(where, `dimension_names are not ${rank} names`);
  }
  return value as (string | null)[];
}

/** Members that this library does not know must say that they may be ignored. */
function checkExtensions(document: JsonObject, known: readonly string[], where: string): void {
  for (const key of Object.keys(document)) {
    const value = document[key];
    if (known.includes(key) || (isJsonObject(value) && value.must_understand === false)) continue;
    throw notRead(where, `the extension "${key}"`);
  }
}

function parseV2Array(document: JsonObject, attributes: JsonObject, where: string): ArrayMeta {
  checkFormat(document, 2, where);
  const shape = lengths(document.shape, "shape", where);
  const chunkShape = chunkLengths(document.chunks, shape, "chunks", where);
  const filters = filterList(document.filters);
  if (!filters) throw corrupt(where, "filters are no list of codecs");
  const compressor = document.compressor ?? null;
  if (compressor !== null && !(isJsonObject(compressor) && typeof compressor.id === "string")) {
    throw corrupt(where, "compressor is no codec");
  }
  const { order = "C" } = document;
  if (order !== "C" && order !== "F") throw corrupt(where, `order is neither "C" nor "F"`);
  const { dataType, endian } = parseV2Type(document.dtype, objectCodec(filters), where);
  return {
    nodeType: "array",
    format: 2,
    shape,
    chunkShape,
    dataType,
    codecs: codecsOfV2(order, filters, compressor, dataType, endian, shape.length),
    fillValue: document.fill_value ?? null,
    attributes,
    dimensionNames: v2DimensionNames(attributes._ARRAY_DIMENSIONS, shape.length),
    chunkKeys: {
      name: "v2",
      separator: separatorOf(document.dimension_separator ?? ".", "dimension_separator", where),
    },
    document,
  };
}

function parseV2Group(document: JsonObject, attributes: JsonObject, where: string): GroupMeta {
  checkFormat(document, 2, where);
  return { nodeType: "group", format: 2, attributes, document };
}

/** xarray's convention; a list that does not fit names nothing. */
function v2DimensionNames(value: JsonValue | undefined, rank: number): string[] | undefined {
  const fits =
    Array.isArray(value) && value.length === rank && value.every((name) => typeof name === "string");
  return fits ? (value as string[]) : undefined;
}

function checkFormat(document: JsonObject, format: 2 | 3, where: string): void {
  if (asNumber(document.zarr_format) !== format) throw corrupt(where, `zarr_format is not ${format}`);
}

function lengths(value: JsonValue | undefined, field: string, where: string): number[] {
  if (!Array.isArray(value)) throw corrupt(where, `${field} is missing`);
  return value.map((item) => {
    const length = asNumber(item);
    if (length !== undefined && Number.isSafeInteger(length) && length >= 0) return length;
    throw corrupt(where, `${field} holds something that is no length`);
  });
}

/** Chunks have at least one element an axis; writers leave 0 where the array itself has none. */
function chunkLengths(
  value: JsonValue | undefined,
  shape: readonly number[],
  field: string,
  where: string,
): number[] {
  const chunkShape = lengths(value, field, where);
  if (chunkShape.length !== shape.length)
    throw corrupt(where, `${field} has ${chunkShape.length} axes, shape has ${shape.length}`);
  return chunkShape.map((length, axis) => {
    if (length === 0 && shape[axis] !== 0) throw corrupt(where, `${field} has a chunk of 0`);
    return Math.max(length, 1);
  });
}

function within<T>(where: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw isZarrsiftError(error, "corrupt_metadata") ? corrupt(where, error.message) : error;
  }
}

function corrupt(where: string, what: string): ZarrsiftError {
  return new ZarrsiftError("corrupt_metadata", `${where}: ${what}`, { details: { key: where } });
}

function notRead(where: string, what: string): ZarrsiftError {
  return new ZarrsiftError("encoding_unsupported", `${where}: ${what} is not supported`, {
    details: { key: where },
  });
}
