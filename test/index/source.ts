/** Small sources in memory, with indexes made by the encoders. */
import {
  arrayChunks,
  arrayDocuments,
  arrayMeta,
  type EncodedIndex,
  groupsOf,
  type IndexArray,
} from "../../src/index/arrays.ts";
import { indexAttributes } from "../../src/index/records.ts";
import { RTreeBuilder } from "../../src/index/rtree-build.ts";
import { shapesOf } from "../../src/index/shapes.ts";
import { encodeTruth, storedChunk } from "../../src/index/truth.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import type { MetaColumn } from "../../src/table/column.ts";
import { type MetaTable, openTable } from "../../src/table/open.ts";
import { type BytesVector, packBytes, type Vector } from "../../src/table/vector.ts";
import { encodeChunk } from "../../src/zarr/chunk.ts";
import { type NumericData, newLike } from "../../src/zarr/chunk-data.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { type JsonObject, writeJson } from "../../src/zarr/json.ts";
import { type ArrayMeta, chunkKey } from "../../src/zarr/metadata.ts";
import { parseNode } from "../../src/zarr/parse.ts";
import { toV2Documents, toV3Document } from "../../src/zarr/write.ts";

export interface TestColumn {
  /** v3 `data_type`. */
  type: string | JsonObject;
  values: NumericData | Uint8Array[];
  attributes?: JsonObject;
}

/** Adds a chunk to an index of any kind. */
export function addTo(
  builder: RTreeBuilder | { addVector(vector: Vector): unknown },
  column: MetaColumn,
  vector: Vector,
): void {
  if (!(builder instanceof RTreeBuilder)) builder.addVector(vector);
  else builder.add(shapesOf(vector as BytesVector, { column: column.name, row: 0 }));
}

/** A generator of numbers from 0 to 1. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const utf8 = (text: string) => new TextEncoder().encode(text);

/** A store with a `meta` of these columns. */
export async function makeSource(
  columns: Record<string, TestColumn>,
  chunkRows: number,
  format: 2 | 3 = 3,
): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const path of ["", "meta/"]) putGroup(store, path, format, {});
  for (const [name, column] of Object.entries(columns))
    await putColumn(store, name, column, chunkRows, format);
  return store;
}

export function putGroup(store: MemoryStore, prefix: string, format: 2 | 3, attributes: JsonObject): void {
  if (format === 3)
    store.set(`${prefix}zarr.json`, writeJson({ zarr_format: 3, node_type: "group", attributes }));
  else {
    store.set(`${prefix}.zgroup`, writeJson({ zarr_format: 2 }));
    store.set(`${prefix}.zattrs`, writeJson(attributes));
  }
}

/** Writes (or writes anew) a column. */
export async function putColumn(
  store: MemoryStore,
  name: string,
  { type, values, attributes = {} }: TestColumn,
  chunkRows: number,
  format: 2 | 3 = 3,
): Promise<void> {
  const text = Array.isArray(values);
  const codec: JsonObject = !text
    ? { name: "bytes", configuration: { endian: "little" } }
    : { name: type === "string" ? "vlen-utf8" : "vlen-bytes", configuration: {} };
  const document: JsonObject = {
    zarr_format: 3,
    node_type: "array",
    shape: [values.length],
    data_type: type,
    chunk_grid: { name: "regular", configuration: { chunk_shape: [chunkRows] } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    fill_value: text ? "" : 0,
    codecs: [codec],
    attributes,
  };
  const meta = parseNode({ "zarr.json": document }, `meta/${name}`) as ArrayMeta;
  putArrayDocuments(store, `meta/${name}`, meta, format);
  for (let chunk = 0; chunk * chunkRows < values.length; chunk++) {
    const part = values.slice(chunk * chunkRows, (chunk + 1) * chunkRows);
    const data = Array.isArray(part) ? packBytes(part, chunkRows) : { data: padded(part, chunkRows) };
    const key = format === 3 ? `c/${chunk}` : `${chunk}`;
    store.set(`meta/${name}/${key}`, await encodeChunk(meta, data));
  }
}

function padded(part: NumericData, length: number): NumericData {
  const whole = newLike(part as Float64Array, length);
  whole.set(part as Float64Array);
  return whole;
}

function putArrayDocuments(store: MemoryStore, path: string, meta: ArrayMeta, format: 2 | 3): void {
  if (format === 3) {
    store.set(`${path}/zarr.json`, writeJson(toV3Document(meta) as JsonObject));
    return;
  }
  const v2 = { ...meta, chunkKeys: { name: "v2", separator: "." } } as ArrayMeta;
  const { zarray, zattrs } = toV2Documents(v2) as { zarray: JsonObject; zattrs: JsonObject };
  store.set(`${path}/.zarray`, writeJson(zarray));
  store.set(`${path}/.zattrs`, writeJson(zattrs));
}

/** Opens the source's table anew. */
export async function tableOf(store: MemoryStore): Promise<{ hierarchy: Hierarchy; table: MetaTable }> {
  const hierarchy = await Hierarchy.open(store);
  return { hierarchy, table: await openTable(hierarchy, store) };
}

/** Writes indexes as a builder would, the attributes last. */
export async function putIndexes(
  store: MemoryStore,
  table: MetaTable,
  indexes: Record<string, EncodedIndex>,
  zones: Record<string, EncodedIndex> = {},
  format: 2 | 3 = 3,
): Promise<void> {
  const truth: Record<string, JsonObject> = {};
  const arrays: IndexArray[] = [];
  for (const name of new Set([...Object.keys(indexes), ...Object.keys(zones)])) {
    const column = table.columns.get(name)!;
    const chunks = [];
    for (let chunk = 0; chunk * column.chunkRows < column.rows; chunk++) {
      const key = column.keyOf(chunk);
      chunks.push(storedChunk(await store.get(key), (await store.stat(key))?.stamp));
    }
    const encoded = encodeTruth(column, chunks, store.snapshot);
    truth[name] = encoded.record;
    arrays.push(...encoded.arrays);
  }
  const all = [...Object.values(indexes), ...Object.values(zones)];
  arrays.push(...all.flatMap((index) => index.arrays));
  for (const path of groupsOf(arrays)) putGroup(store, `indexes/${path}/`, format, {});
  for (const array of arrays) putArray(store, array, format);
  const records = (of: Record<string, EncodedIndex>) =>
    Object.fromEntries(Object.entries(of).map(([name, { record }]) => [name, record]));
  putGroup(
    store,
    "indexes/",
    format,
    indexAttributes({ truth, indexes: records(indexes), zones: records(zones) }),
  );
}

/** Writes one index array. */
export function putArray(store: MemoryStore, array: IndexArray, format: 2 | 3 = 3): void {
  const meta = arrayMeta(array, format);
  for (const [name, document] of Object.entries(arrayDocuments(array, format)))
    store.set(`indexes/${array.path}/${name}`, writeJson(document));
  let chunk = 0;
  for (const bytes of arrayChunks(array))
    store.set(`indexes/${array.path}/${chunkKey(meta.chunkKeys, [chunk++])}`, bytes.slice());
}
