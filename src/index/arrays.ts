/** Index arrays on their way to the store: 1-D, uncompressed, little-endian, in few large chunks. */

import { type NumericData, newLike } from "../zarr/chunk-data.ts";
import { crc32c } from "../zarr/codecs/crc32c.ts";
import type { JsonObject } from "../zarr/json.ts";
import type { ArrayMeta, DataType } from "../zarr/metadata.ts";
import { toV2Documents, toV3Document } from "../zarr/write.ts";

/** Bytes that have one checksum, and are read at once. */
export const PAGE_BYTES = 16384;

/** Most bytes of one chunk: a multiple of a page. */
export const CHUNK_BYTES = 32 * 2 ** 20;

/** One array to write. `path` is relative to `/indexes`. */
export interface IndexArray {
  path: string;
  /** Its class says the type: a BigInt64Array is int64. */
  data: NumericData;
  attributes?: JsonObject;
  /** Between `c` and the number in the keys of its chunks, v3 only; default "/". */
  separator?: "/" | ".";
}

/** Everything one index consists of: arrays, and what its entry in the attributes of `/indexes` says. */
export interface EncodedIndex {
  arrays: IndexArray[];
  record: JsonObject;
}

const TYPES: Record<string, DataType> = {
  Uint8Array: { kind: "int", bits: 8, signed: false },
  Int32Array: { kind: "int", bits: 32, signed: true },
  Uint32Array: { kind: "int", bits: 32, signed: false },
  Float32Array: { kind: "float", bits: 32 },
  Float64Array: { kind: "float", bits: 64 },
  BigInt64Array: { kind: "int", bits: 64, signed: true },
  BigUint64Array: { kind: "int", bits: 64, signed: false },
};

/** The array's metadata; an empty array has chunks of one element and none of them. */
export function arrayMeta({ data, attributes, separator = "/" }: IndexArray, format: 2 | 3): ArrayMeta {
  const dataType = TYPES[data.constructor.name];
  if (!dataType) throw new TypeError(`no index array holds a ${data.constructor.name}`);
  const most = CHUNK_BYTES / data.BYTES_PER_ELEMENT;
  const endian: JsonObject = data.BYTES_PER_ELEMENT > 1 ? { endian: "little" } : {};
  return {
    nodeType: "array",
    format,
    shape: [data.length],
    chunkShape: [Math.min(Math.max(data.length, 1), most)],
    dataType,
    codecs: [{ name: "bytes", configuration: endian }],
    fillValue: 0,
    attributes: attributes ?? {},
    dimensionNames: undefined,
    chunkKeys: format === 3 ? { name: "default", separator } : { name: "v2", separator: "." },
    document: {},
  };
}

/** The array's documents by name: `zarr.json`, or `.zarray` and `.zattrs`. */
export function arrayDocuments(array: IndexArray, format: 2 | 3): Record<string, JsonObject> {
  const meta = arrayMeta(array, format);
  if (format === 3) return { "zarr.json": toV3Document(meta) as JsonObject };
  const { zarray, zattrs } = toV2Documents(meta) as { zarray: JsonObject; zattrs: JsonObject };
  return { ".zarray": zarray, ".zattrs": zattrs };
}

/** Bytes of every chunk, in order: views of the array's memory but for the last, which is filled up with zeros. */
export function* arrayChunks(array: IndexArray): Generator<Uint8Array> {
  const { data } = array;
  const [most] = arrayMeta(array, 3).chunkShape as [number];
  for (let from = 0; from < data.length; from += most) {
    let part = data.subarray(from, from + most) as NumericData;
    if (part.length < most) {
      const whole = newLike(part as Float64Array, most);
      whole.set(part as Float64Array);
      part = whole;
    }
    yield new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  }
}

/** An array that is read by pages, and beside it the crc32c of each of its pages: path + `_crc`. */
export function withPageSums(array: IndexArray, sumsPath = `${array.path}_crc`): IndexArray[] {
  return [array, { path: sumsPath, data: pageSums(bytesOf(array.data)) }];
}

/** Paths, relative to `/indexes`, of the groups that the arrays are in, outer ones first; `/indexes` itself left out. */
export function groupsOf(arrays: readonly IndexArray[]): string[] {
  const paths = new Set<string>();
  for (const { path } of arrays) {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth++) paths.add(parts.slice(0, depth).join("/"));
  }
  return [...paths].sort();
}

/** crc32c of each page of `bytes`; the last page may be shorter. */
export function pageSums(bytes: Uint8Array): Uint32Array {
  const sums = new Uint32Array(Math.ceil(bytes.length / PAGE_BYTES));
  for (let i = 0; i < sums.length; i++)
    sums[i] = crc32c(bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES));
  return sums;
}

/** crc32c of an array's bytes, for arrays that are read whole: kept in the record. */
export function wholeSum(data: NumericData): number {
  return crc32c(bytesOf(data));
}

/** The memory of a typed array. */
export function bytesOf(data: NumericData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** `uint8`, `int64`, `float64` …: how the documents and records name an array's type. */
export function typeString(type: DataType): string {
  if (type.kind === "int") return `${type.signed ? "" : "u"}int${type.bits}`;
  return type.kind === "float" ? `float${type.bits}` : type.kind;
}
