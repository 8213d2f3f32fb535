/** What an earlier comparison of columns with a tree says of its first rows, so that they need not be read again. */
import type { ReadOptions, Store } from "../../store/store.ts";
import type { MetaColumn } from "../../table/column.ts";
import type { JsonObject } from "../../zarr/json.ts";
import type { BySide } from "../api.ts";
import { type CoveringRecord, coveringRecord, readExceptions } from "../covering.ts";
import { type IndexReads, newIndexCache } from "../pages.ts";
import { truthRecord } from "../records.ts";
import { readTruth, type StoredChunk, Truth } from "../truth.ts";
import { changeOf } from "./changes.ts";
import { ifUsable } from "./if-usable.ts";
import type { IndexTarget } from "./target.ts";

/** Of the first rows, that many. */
export interface Compared {
  rows: number;
  /** Of each column, its chunks that lie within these rows. */
  stored: BySide<readonly StoredChunk[]>;
  /** Rows below `rows` whose columns hold something else than the box, and four values of each. */
  exceptions: { rows: number[]; values: number[] };
}

/**
 * What the record of `geometry`'s tree says of the first rows of `four`, where these are what they were then.
 *
 * @param rows of the geometry column that are what they were
 * @returns `undefined` where the record says nothing of them, or nobody knows without reading them
 */
export async function comparedBefore(
  geometry: MetaColumn,
  four: BySide<MetaColumn>,
  rows: number,
  source: Store,
  target: IndexTarget,
  options: ReadOptions,
): Promise<Compared | undefined> {
  const { store, hierarchy, records } = target;
  const stored = records.indexes[geometry.name]?.covering;
  if (rows === 0 || stored === undefined || !hierarchy) return undefined;
  const reads = { store, hierarchy, cache: newIndexCache(2 ** 20) };
  const read = async () => {
    const record = coveringRecord(stored);
    if (four.some(({ name }, side) => name !== record.columns[side])) return undefined;
    const known = four.map((column, side) => {
      const truth = records.truth[column.name];
      return truth && knownChunks(column, truth, record.truth[side]!, reads, source, options);
    });
    const chunks = await Promise.all(known);
    if (!chunks.every((of) => of !== undefined)) return undefined;
    const whole = chunks.map((of, side) => of.length * four[side]!.chunkRows);
    return upTo(Math.min(rows, ...whole), chunks, four, record, reads, options);
  };
  return ifUsable(read, () => undefined, options);
}

/** The whole chunks of a column that was compared as `sums`; `undefined`: it is another, or may be. */
async function knownChunks(
  column: MetaColumn,
  stored: JsonObject,
  sums: readonly number[],
  reads: IndexReads,
  source: Store,
  options: ReadOptions,
): Promise<StoredChunk[] | undefined> {
  const truth = truthRecord(stored);
  if (!new Truth(column, truth, reads).isOf(sums)) return undefined;
  const { what, compared } = await changeOf(column, stored, reads, source, options);
  if (what === "changed" || compared) return undefined;
  return (await readTruth(truth, reads, options)).slice(0, Math.floor(truth.rows / truth.chunkRows));
}

async function upTo(
  rows: number,
  chunks: readonly StoredChunk[][],
  four: BySide<MetaColumn>,
  { exceptions }: CoveringRecord,
  reads: IndexReads,
  options: ReadOptions,
): Promise<Compared> {
  const stored = chunks.map((of, side) => of.slice(0, Math.floor(rows / four[side]!.chunkRows)));
  const all = await readExceptions(exceptions, reads, options);
  const count = all.rows.filter((row) => row < rows).length;
  return {
    rows,
    stored: stored as unknown as BySide<StoredChunk[]>,
    exceptions: { rows: [...all.rows.subarray(0, count)], values: [...all.values.subarray(0, 4 * count)] },
  };
}
