/** Arrays of one value a row that a view makes itself. */
import { type ChunkData, encodeChunk } from "../zarr/chunk.ts";
import type { JsonObject } from "../zarr/json.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import { ComputedChunks } from "./chunks.ts";
import { type ServedArray, simpleCodecs } from "./face.ts";
import type { Storage } from "./stored-values.ts";

const CHUNK_ROWS = 8192;

/** Elements of rows `from…to` of the view, padded to `length`. */
export type MakeChunk = (from: number, to: number, length: number) => Promise<ChunkData>;

/** A 1-D array of `rows` elements along `dimension`, whose chunks are made when they are asked for. */
export function synthetic(
  { dataType, fillValue, attributes }: Storage,
  rows: number,
  dimension: string,
  make: MakeChunk,
): Omit<ServedArray, "path"> {
  const length = Math.max(1, Math.min(rows, CHUNK_ROWS));
  const meta: ArrayMeta = {
    nodeType: "array",
    format: 3,
    shape: [rows],
    chunkShape: [length],
    dataType,
    codecs: simpleCodecs({ dataType }),
    fillValue,
    attributes,
    dimensionNames: [dimension],
    chunkKeys: { name: "default", separator: "/" },
    document: {},
  };
  const compute = async ([chunk]: readonly number[]) => {
    const from = chunk! * length;
    return encodeChunk(meta, await make(from, Math.min(from + length, rows), length));
  };
  return { meta, attributes, chunks: new ComputedChunks(compute) };
}

/** The rows' idx in what was queried, as int64. */
export function idxArray(idx: Float64Array, dimension: string): Omit<ServedArray, "path"> {
  return intArray((i) => idx[i]!, idx.length, dimension);
}

/** Whole numbers as int64, `rows` of them. */
export function intArray(
  valueAt: (row: number) => number,
  rows: number,
  dimension: string,
  attributes: JsonObject = {},
): Omit<ServedArray, "path"> {
  const make: MakeChunk = async (from, to, length) => {
    const data = new BigInt64Array(length);
    for (let i = from; i < to; i++) data[i - from] = BigInt(valueAt(i));
    return { data };
  };
  const dataType = { kind: "int", bits: 64, signed: true } as const;
  return synthetic({ dataType, fillValue: 0, attributes }, rows, dimension, make);
}
