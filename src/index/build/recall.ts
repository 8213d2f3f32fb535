/** A column's first rows as its index has them, so that what did not change need not be read again. */
import type { ReadOptions } from "../../store/store.ts";
import type { MetaColumn } from "../../table/column.ts";
import type { Vector } from "../../table/vector.ts";
import { packBytes } from "../../table/vector.ts";
import type { JsonObject } from "../../zarr/json.ts";
import type { CategoryIndex, Zones } from "../api.ts";
import { type KeyArray, keyArray, keyTypeOf, type NumberKeyType } from "../keys.ts";
import { ownIndex, ownZones } from "../open.ts";
import { type IndexReads, newIndexCache } from "../pages.ts";
import { truthRecord } from "../records.ts";
import type { Shapes } from "../shapes.ts";
import { readTruth, type StoredChunk, Truth } from "../truth.ts";
import { ifUsable } from "./if-usable.ts";
import { numberVector, recalledKeys, recalledTexts } from "./recall-keys.ts";
import { recalledShapes } from "./recall-shapes.ts";
import type { RecalledRows } from "./recalled-rows.ts";
import type { IndexTarget } from "./target.ts";

/** Whole chunks from the first on. */
export interface Recalled {
  chunks: number;
  /** What reading a chunk would give; of geometry the shapes alone. */
  chunk(number: number): { vector: Vector; shapes?: Shapes };
  stored: readonly StoredChunk[];
}

/** The zones of whole chunks from the first on. */
export interface RecalledZones {
  zones: Zones;
  stored: readonly StoredChunk[];
}

/**
 * The first `chunks` chunks of a column from its index, of which they are known to be what was indexed.
 * @returns `undefined` where the index does not hold them, or is damaged
 */
export function recall(
  column: MetaColumn,
  chunks: number,
  target: IndexTarget,
  options: ReadOptions = {},
): Promise<Recalled | undefined> {
  const record = target.records.indexes[column.name];
  return recalled(column, chunks, target, options, async (stored, reads) => {
    const rows = record && (await rowsOf(column, record, chunks * column.chunkRows, reads, options));
    if (!rows) return undefined;
    const chunk = (number: number) => {
      const [from, to] = [number * column.chunkRows, (number + 1) * column.chunkRows];
      const shapes = rows.shapes?.(from, to);
      return { vector: rows.vector(from, to), ...(shapes && { shapes }) };
    };
    return { chunks, chunk, stored };
  });
}

/** As `recall`, of a column that has a zone map alone, from that. */
export function recallZones(
  column: MetaColumn,
  chunks: number,
  target: IndexTarget,
  options: ReadOptions = {},
): Promise<RecalledZones | undefined> {
  const record = target.records.zones[column.name];
  return recalled(column, chunks, target, options, async (stored, reads) => {
    if (!record) return undefined;
    const zones = await ownZones(column, record, reads, new Truth(column, undefined, reads)).load(options);
    return { zones, stored };
  });
}

async function recalled<T>(
  column: MetaColumn,
  chunks: number,
  { store, hierarchy, records }: IndexTarget,
  options: ReadOptions,
  from: (stored: readonly StoredChunk[], reads: IndexReads) => Promise<T | undefined>,
): Promise<T | undefined> {
  const truth = records.truth[column.name];
  if (!truth || !hierarchy || chunks === 0) return undefined;
  const reads = { store, hierarchy, cache: newIndexCache(2 ** 22) };
  const read = async () => {
    const stored = (await readTruth(truthRecord(truth), reads, options)).slice(0, chunks);
    return stored.length < chunks ? undefined : from(stored, reads);
  };
  return ifUsable(read, () => undefined, options);
}

async function rowsOf(
  column: MetaColumn,
  record: JsonObject,
  rows: number,
  reads: IndexReads,
  options: ReadOptions,
): Promise<RecalledRows | undefined> {
  if (record.kind === "rtree") return recalledShapes(record, rows, reads, options);
  const type = keyTypeOf(column.type);
  if (type === undefined) return undefined;
  if (record.kind === "category") {
    const index = ownIndex(column, record, reads, new Truth(column, undefined, reads));
    return recalledCategories(column, type, index as CategoryIndex, rows, options);
  }
  if (record.kind !== "btree") return undefined;
  return type === "text"
    ? recalledTexts(column, record, rows, reads, options)
    : recalledKeys(column, type, record, rows, reads, options);
}

const NULL_CODE = 0xffff;

async function recalledCategories(
  { type: sqlType }: MetaColumn,
  type: NumberKeyType | "text",
  index: CategoryIndex,
  rows: number,
  options: ReadOptions,
): Promise<RecalledRows> {
  const codes = new Uint16Array(rows).fill(NULL_CODE);
  const values = (await index.values(options)).map(({ value }) => value);
  for (const [code, value] of values.entries()) {
    const found = await index.find([value], { ...options, window: { from: 0, to: rows } });
    if (found instanceof Float64Array) for (const row of found) codes[row] = code;
    else codes.fill(code, found.from, found.to);
  }
  const texts = type === "text" ? packBytes(values as Uint8Array[]) : undefined;
  return {
    vector(from, to) {
      const part = codes.subarray(from, to);
      const nulls = Uint8Array.from(part, (code) => (code === NULL_CODE ? 1 : 0));
      if (!texts) return numberVector(sqlType, picked(type as NumberKeyType, values, part), nulls);
      const [starts, ends] = [new Uint32Array(part.length), new Uint32Array(part.length)];
      part.forEach((code, i) => {
        if (code === NULL_CODE) return;
        starts[i] = texts.starts[code]!;
        ends[i] = texts.ends[code]!;
      });
      return { kind: "bytes", type: sqlType, length: part.length, data: texts.data, starts, ends, nulls };
    },
  };
}

function picked(type: NumberKeyType, values: readonly unknown[], codes: Uint16Array): KeyArray {
  const keys = keyArray(type, codes.length);
  codes.forEach((code, i) => {
    if (code !== NULL_CODE) keys[i] = values[code] as never;
  });
  return keys;
}
