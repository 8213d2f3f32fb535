/** The B+tree of a column. Format: docs/indexes.md. */

import { orderOf } from "../table/texts.ts";
import type { SqlType } from "../table/types.ts";
import type { Vector } from "../table/vector.ts";
import { type EncodedIndex, type IndexArray, PAGE_BYTES, wholeSum, withPageSums } from "./arrays.ts";
import { keysOf, NumberKeys, type RowList, type TextKeys } from "./key-columns.ts";
import { type KeyArray, sortKeys, unsortKeys } from "./keys.ts";
import { sortedTogether } from "./sort.ts";
import { sortedTexts } from "./sort-texts.ts";

/** Texts of one leaf. */
export const TEXTS_PER_LEAF = 1024;

/**
 * Collects a column, row after row, and sorts it. For numbers it takes up to 40 bytes a row.
 */
export class OrderedBuilder {
  readonly #keys: NumberKeys | TextKeys;
  readonly #rows: number;
  readonly #lastChunk: number;

  /**
   * @param rows how many will be added
   * @param chunkRows of the column
   * @throws TypeError for types that have no order: ask `keyTypeOf` first
   */
  constructor(type: SqlType, rows: number, chunkRows: number) {
    const keys = keysOf(type, rows);
    if (!keys) throw new TypeError(`columns of type ${type.kind} have no B+tree`);
    this.#keys = keys;
    this.#rows = rows;
    this.#lastChunk = Math.floor(rows / chunkRows) * chunkRows;
  }

  /** The next rows of the column. */
  addVector(vector: Vector): void {
    (this.#keys as { add(vector: Vector): void }).add(vector);
  }

  /**
   * @param column names the group of the arrays
   * @param wholeFences fences of so many pages are read whole; of more, the first of each page tells which to read
   */
  finish(column: string, wholeFences = 4): EncodedIndex {
    const { list } = this.#keys;
    if (list.added !== this.#rows) throw new RangeError(`${list.added} rows were added, not ${this.#rows}`);
    const { sorted } = list;
    const order = sorted ? undefined : this.#sort();
    const keys =
      this.#keys instanceof NumberKeys
        ? numberArrays(column, this.#keys.keys, wholeFences)
        : textArrays(column, this.#keys, order);
    return {
      arrays: [
        ...keys.arrays,
        ...(order ? withPageSums({ path: `${column}/rows`, data: rowsOf(list, order) }) : []),
      ],
      record: {
        kind: "btree",
        path: `indexes/${column}`,
        covered: this.#rows,
        keys: list.count,
        nulls: list.nulls.length,
        nullsInLastChunk: list.nulls.filter((row) => row >= this.#lastChunk).length,
        sorted,
        ...(sorted && { base: list.base }),
        ...keys.record,
      },
    };
  }

  /** Where the keys stood, in their order. Numbers are put in that order, too. */
  #sort(): Uint32Array {
    if (!(this.#keys instanceof NumberKeys)) return sortedTexts(this.#keys);
    const { keys } = this.#keys;
    const { order, ...sorted } = sortedTogether(sortKeys(keys));
    unsortKeys(sorted, keys);
    return order;
  }
}

/** Rows in the order of their keys, then the rows that are NULL. */
function rowsOf({ rows, nulls }: RowList, order: Uint32Array): Uint32Array {
  if (nulls.length === 0) return order;
  const out = new Uint32Array(order.length + nulls.length);
  for (let i = 0; i < order.length; i++) out[i] = rows[order[i]!]!;
  out.set(nulls, order.length);
  return out;
}

function numberArrays(column: string, keys: KeyArray, wholeFences: number): EncodedIndex {
  const perLeaf = PAGE_BYTES / keys.BYTES_PER_ELEMENT;
  const fences = (keys as Float64Array).filter((_, i) => i % perLeaf === 0);
  const sums = { fences: wholeSum(fences) };
  const own = withPageSums({ path: `${column}/keys`, data: keys });
  if (fences.length <= wholeFences * perLeaf)
    return { arrays: [...own, { path: `${column}/fences`, data: fences }], record: { sums } };
  const tops = fences.filter((_, i) => i % perLeaf === 0);
  return {
    arrays: [
      ...own,
      ...withPageSums({ path: `${column}/fences`, data: fences }),
      { path: `${column}/fence_tops`, data: tops },
    ],
    record: { fenceTops: tops.length, sums: { ...sums, fence_tops: wholeSum(tops) } },
  };
}

function textArrays(column: string, keys: TextKeys, order: Uint32Array | undefined) {
  const count = keys.list.count;
  const { data, ends, starts } = laidOut(keys, order);
  const fences = fenceTexts(data, ends, starts, count);
  const whole: IndexArray[] = [
    { path: `${column}/leaf_starts`, data: starts },
    { path: `${column}/fences`, data: fences.data },
    { path: `${column}/fence_ends`, data: fences.ends },
  ];
  return {
    arrays: [
      ...withPageSums({ path: `${column}/keys`, data }),
      ...withPageSums({ path: `${column}/key_ends`, data: ends }),
      ...whole,
    ],
    record: {
      text: true,
      fenceBytes: fences.data.length,
      sums: {
        leaf_starts: wholeSum(starts),
        fences: wholeSum(fences.data),
        fence_ends: wholeSum(fences.ends),
      },
    },
  };
}

/** Keys one behind the other in their order; `ends` count from the start of each key's leaf. */
function laidOut(keys: TextKeys, order: Uint32Array | undefined) {
  const count = keys.list.count;
  const leaves = Math.ceil(count / TEXTS_PER_LEAF);
  const data = order ? new Uint8Array(keys.data.length) : keys.data;
  const ends = new Uint32Array(count);
  const starts = new Float64Array(leaves + 1);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (i % TEXTS_PER_LEAF === 0) starts[i / TEXTS_PER_LEAF] = at;
    const key = keys.key(order ? order[i]! : i);
    if (order) data.set(key, at);
    at += key.length;
    ends[i] = at - starts[Math.floor(i / TEXTS_PER_LEAF)]!;
  }
  starts[leaves] = at;
  return { data, ends, starts };
}

/** For each leaf the shortest text that is above all before it, and not above any in it. */
function fenceTexts(data: Uint8Array, ends: Uint32Array, starts: Float64Array, count: number) {
  const key = (i: number) => {
    const start = starts[Math.floor(i / TEXTS_PER_LEAF)]!;
    return data.subarray(start + (i % TEXTS_PER_LEAF === 0 ? 0 : ends[i - 1]!), start + ends[i]!);
  };
  const fences: Uint8Array[] = [];
  for (let i = 0; i < count; i += TEXTS_PER_LEAF)
    fences.push(i === 0 ? new Uint8Array(0) : separator(key(i - 1), key(i)));
  const lengths = fences.map(({ length }) => length);
  const out = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  const fenceEnds = new Uint32Array(fences.length);
  let at = 0;
  fences.forEach((fence, i) => {
    out.set(fence, at);
    at += fence.length;
    fenceEnds[i] = at;
  });
  return { data: out, ends: fenceEnds };
}

function separator(before: Uint8Array, first: Uint8Array): Uint8Array {
  if (orderOf(before, first) === 0) return first;
  let shared = 0;
  while (shared < before.length && before[shared] === first[shared]) shared++;
  return first.subarray(0, shared + 1);
}
