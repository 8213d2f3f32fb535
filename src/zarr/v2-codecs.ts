import { type Endian, isMultiByte, itemSize, parseV2Type, v2TypeString } from "./dtype.ts";
import { asNumber, isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { Codec, DataType } from "./metadata.ts";

/** How v2 describes what v3 says in its list of codecs. */
export interface V2Encoding {
  dtype: string;
  order: "C" | "F";
  filters: JsonObject[] | null;
  compressor: JsonObject | null;
}

const SHUFFLES = ["noshuffle", "shuffle", "bitshuffle"];
const PREFIX = "numcodecs.";

/** Filters that make elements of elements; all others make bytes of bytes, or are the object codec. */
const ARRAY_FILTERS = new Set([
  "delta",
  "fixedscaleoffset",
  "astype",
  "quantize",
  "bitround",
  "packbits",
  "categorize",
]);
const OBJECT_CODECS = new Set(["vlen-utf8", "vlen-bytes", "vlen-array", "json2", "msgpack2", "pickle"]);
const COMPRESSORS = new Set(["zstd", "blosc", "gzip", "zlib", "lz4", "bz2", "lzma", "snappy"]);

/** Whether a v3 codec makes elements of elements. */
export function isArrayToArray(name: string): boolean {
  if (name.startsWith(PREFIX)) return ARRAY_FILTERS.has(name.slice(PREFIX.length));
  return name === "transpose" || name === "cast_value" || name === "scale_offset";
}

/** The filter that turns `|O` elements into bytes. */
export function objectCodec(filters: readonly JsonObject[]): string | undefined {
  return filters
    .map((filter) => filter.id)
    .find((id): id is string => typeof id === "string" && OBJECT_CODECS.has(id));
}

/** The v3 codecs that decode what v2's order, filters, dtype and compressor encode; names without one of their own get `numcodecs.`. */
export function codecsOfV2(
  order: "C" | "F",
  filters: readonly JsonObject[],
  compressor: JsonObject | null,
  dataType: DataType,
  endian: Endian,
  rank: number,
): Codec[] {
  const codecs: Codec[] = [];
  if (order === "F" && rank > 1) {
    codecs.push({
      name: "transpose",
      configuration: { order: Array.from({ length: rank }, (_, axis) => rank - 1 - axis) },
    });
  }
  let stored = { dataType, endian };
  let serialized = false;
  const serialize = (name = "bytes") => {
    if (!serialized)
      codecs.push({
        name,
        configuration: name === "bytes" && stored.endian ? { endian: stored.endian } : {},
      });
    serialized = true;
  };
  for (const filter of filters) {
    const id = String(filter.id);
    if (OBJECT_CODECS.has(id)) serialize(id);
    else if (ARRAY_FILTERS.has(id)) stored = storedType(filter) ?? stored;
    else serialize();
    if (!OBJECT_CODECS.has(id)) codecs.push(codecOfV2(filter, stored.dataType));
  }
  serialize();
  if (compressor) codecs.push(codecOfV2(compressor, stored.dataType));
  return codecs;
}

/** What a filter stores, where its configuration says so. */
function storedType(filter: JsonObject): { dataType: DataType; endian: Endian } | undefined {
  const dtype = filter.id === "astype" ? filter.encode_dtype : (filter.astype ?? filter.dtype);
  return typeof dtype === "string" ? parseV2Type(dtype, undefined, String(filter.id)) : undefined;
}

function codecOfV2({ id, ...configuration }: JsonObject, stored: DataType): Codec {
  switch (id) {
    case "zstd":
      return {
        name: "zstd",
        configuration: { level: configuration.level ?? 0, checksum: configuration.checksum === true },
      };
    case "blosc":
      return { name: "blosc", configuration: bloscOfV2(configuration, itemSize(stored) || 1) };
    case "gzip":
      return { name: "gzip", configuration };
    case "crc32c":
      if (configuration.location === "start") break;
      return { name: "crc32c", configuration: {} };
  }
  return { name: `${PREFIX}${id}`, configuration };
}

/** v2 counts shuffles; -1 lets Blosc choose by the size of the elements. */
function bloscOfV2(configuration: JsonObject, typesize: number): JsonObject {
  const mode = asNumber(configuration.shuffle) ?? 1;
  const shuffle = SHUFFLES[mode < 0 ? (typesize === 1 ? 2 : 1) : mode] ?? "noshuffle";
  const { cname = "lz4", clevel = 5, blocksize = 0 } = configuration;
  return { typesize, cname, clevel, shuffle, blocksize };
}

/** How v2 says what v3 `codecs` do, decoding the same bytes to the same values; else why it cannot. */
export function codecsToV2(
  codecs: readonly Codec[],
  dataType: DataType,
  rank: number,
): V2Encoding | { unsupported: string } {
  const serial = codecs.findIndex((codec) => !isArrayToArray(codec.name));
  const { name: serialName, configuration } = codecs[serial] ?? { name: "none", configuration: {} };
  const endian = configuration.endian === "big" ? "big" : "little";
  const dtype = v2TypeString(dataType, endian);
  if (dtype === undefined)
    return {
      unsupported: `v2 has no dtype for ${dataType.kind === "other" ? dataType.name : dataType.kind}`,
    };
  if (serialName === "sharding_indexed") return { unsupported: "v2 has no shards" };

  const before = codecs.slice(0, serial);
  const order = before[0]?.name === "transpose" ? orderOf(before.shift()!.configuration.order, rank) : "C";
  if (order === undefined) return { unsupported: "v2 knows no other axis orders than C and F" };
  const filters: JsonObject[] = [];
  for (const codec of before) {
    if (!codec.name.startsWith(PREFIX))
      return { unsupported: `v2 has no codec "${codec.name}" at its place` };
    if (endian === "big" && isMultiByte(dataType))
      return { unsupported: `v2 cannot say the byte order below "${codec.name}"` };
    filters.push({ id: codec.name.slice(PREFIX.length), ...withType(codec.configuration, dtype) });
  }
  if (serialName === "vlen-utf8" || serialName === "vlen-bytes") filters.push({ id: serialName });
  else if (serialName !== "bytes") return { unsupported: `v2 has no codec "${serialName}"` };

  const itemBytes = before.length === 0 ? itemSize(dataType) : undefined;
  const after = codecs.slice(serial + 1).map((codec) => codecToV2(codec, itemBytes));
  const missing = after.indexOf(undefined);
  if (missing >= 0) return { unsupported: `v2 has no codec "${codecs[serial + 1 + missing]!.name}"` };
  filters.push(...(after as JsonObject[]));
  const compressor = after.length > 0 && COMPRESSORS.has(String(filters.at(-1)!.id)) ? filters.pop()! : null;
  return { dtype, order, filters: filters.length > 0 ? filters : null, compressor };
}

/** "F" where the axes are reversed, "C" where they stay; `undefined` for any other order. */
function orderOf(order: JsonValue | undefined, rank: number): "C" | "F" | undefined {
  if (!Array.isArray(order) || order.length !== rank) return undefined;
  if (order.every((axis, i) => axis === i)) return "C";
  return order.every((axis, i) => axis === rank - 1 - i) ? "F" : undefined;
}

/** v2 filters name their dtype, which v3 may leave to the array. */
function withType(configuration: JsonObject, dtype: string): JsonObject {
  if ("encode_dtype" in configuration) return { decode_dtype: dtype, ...configuration };
  return "keepbits" in configuration ? configuration : { dtype, ...configuration };
}

function codecToV2({ name, configuration }: Codec, itemBytes: number | undefined): JsonObject | undefined {
  switch (name) {
    case "zstd": {
      const { checksum, ...rest } = configuration;
      return { id: "zstd", ...rest, ...(checksum === true ? { checksum } : {}) };
    }
    case "blosc":
    case "numcodecs.blosc": {
      const { typesize: _, shuffle = 1, ...rest } = configuration;
      return {
        id: "blosc",
        ...rest,
        shuffle: typeof shuffle === "string" ? SHUFFLES.indexOf(shuffle) : shuffle,
      };
    }
    case "gzip":
      return { id: "gzip", ...configuration };
    case "crc32c":
      return { id: "crc32c", location: "end" };
    case "numcodecs.shuffle":
      if (configuration.elementsize === undefined && itemBytes === undefined) return undefined;
      return { id: "shuffle", elementsize: itemBytes ?? null, ...configuration };
    default:
      return name.startsWith(PREFIX) ? { id: name.slice(PREFIX.length), ...configuration } : undefined;
  }
}

/** v2 filters as a list; `undefined` where they are none. */
export function filterList(value: JsonValue | undefined): JsonObject[] | undefined {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) && value.every((f) => isJsonObject(f) && typeof f.id === "string")
    ? (value as JsonObject[])
    : undefined;
}
