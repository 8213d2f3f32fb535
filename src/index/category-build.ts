/** The category index of a column. Format: docs/indexes.md. */

import { orderOf } from "../table/texts.ts";
import type { SqlType } from "../table/types.ts";
import type { Vector } from "../table/vector.ts";
import { packBytes } from "../table/vector.ts";
import { type EncodedIndex, type IndexArray, wholeSum, withPageSums } from "./arrays.ts";
import { keyArray, keyTypeOf, type NumberKeyType } from "./keys.ts";
import { TextCodes } from "./text-codes.ts";

/** Code of NULL while codes are collected: no value gets it. */
const NULL_CODE = 0xffff;

/** Whether the rows of a value are kept as bits, one for each row, rather than as a list. */
export const isDense = (count: number, rows: number): boolean => count * 32 > rows;

/** Collects the values of a column, row after row. Takes 2 bytes a row, and at the end up to one bit a row and value. */
export class CategoryBuilder {
  readonly #type: NumberKeyType | "text";
  readonly #codes: Uint16Array;
  readonly #most: number;
  readonly #lastChunk: number;
  readonly #numbers: (number | bigint)[] = [];
  readonly #codeOf = new Map<number | bigint, number>();
  readonly #texts: TextCodes;
  #added = 0;

  /**
   * @param rows how many will be added
   * @param chunkRows of the column
   * @param most different values; more make `addVector` answer false
   */
  constructor(type: SqlType, rows: number, chunkRows: number, most = 1024) {
    const stored = keyTypeOf(type);
    if (stored === undefined) throw new TypeError(`columns of type ${type.kind} have no category index`);
    this.#type = stored;
    this.#codes = new Uint16Array(rows);
    this.#lastChunk = Math.floor(rows / chunkRows) * chunkRows;
    this.#most = most;
    this.#texts = new TextCodes(most);
  }

  get #values(): readonly (number | bigint | Uint8Array)[] {
    return this.#type === "text" ? this.#texts.texts : this.#numbers;
  }

  /** The next rows; false: there are too many different values, and this builder is of no more use. */
  addVector(vector: Vector): boolean {
    const values = this.#values;
    for (let i = 0; i < vector.length; i++, this.#added++) {
      this.#codes[this.#added] = vector.nulls?.[i] ? NULL_CODE : this.#codeAt(vector, i);
      if (values.length > this.#most) return false;
    }
    return true;
  }

  #codeAt(vector: Vector, i: number): number {
    if (vector.kind === "bytes") return this.#texts.codeOf(vector.data, vector.starts[i]!, vector.ends[i]!);
    // -0 is 0.
    const value = vector.kind === "number" ? vector.values[i]! + 0 : vector.values[i]!;
    return Number.isNaN(value) ? NULL_CODE : this.#numberCode(value);
  }

  #numberCode(value: number | bigint): number {
    // A chunk of large numbers holds bigints, the next one perhaps none.
    const key = typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
    let code = this.#codeOf.get(key);
    if (code === undefined) {
      code = this.#numbers.push(value) - 1;
      this.#codeOf.set(key, code);
    }
    return code;
  }

  /** @param column names the group of the arrays */
  finish(column: string): EncodedIndex {
    const rows = this.#codes.length;
    const all = this.#values;
    const order = Array.from(all.keys()).sort((a, b) => compareKeys(all[a]!, all[b]!));
    const counts = this.#counts(order);
    const { bits, lists } = this.#places(order, counts);
    const values = this.#valueArrays(column, order);
    const nulls = counts.at(-1)!;
    const whole: IndexArray[] = [...values, { path: `${column}/counts`, data: counts }];
    return {
      arrays: [
        ...whole,
        ...(bits.length > 0 ? withPageSums({ path: `${column}/bits`, data: bits }) : []),
        ...(lists.length > 0 ? withPageSums({ path: `${column}/rows`, data: lists }) : []),
      ],
      record: {
        kind: "category",
        path: `indexes/${column}`,
        covered: rows,
        values: order.length,
        nulls,
        nullsInLastChunk: this.#codes.subarray(this.#lastChunk).filter((code) => code === NULL_CODE).length,
        ...(this.#type === "text" && { text: true, valueBytes: values[0]!.data.length }),
        sums: Object.fromEntries(
          whole.map(({ path, data }) => [path.slice(column.length + 1), wholeSum(data)]),
        ),
      },
    };
  }

  /** Rows of each value in order, those that are NULL last. */
  #counts(order: readonly number[]): Uint32Array {
    const all = new Uint32Array(NULL_CODE + 1);
    for (const code of this.#codes) all[code]!++;
    return Uint32Array.of(...order.map((code) => all[code]!), all[NULL_CODE]!);
  }

  #places(order: readonly number[], counts: Uint32Array): { bits: Uint8Array; lists: Uint32Array } {
    const rows = this.#codes.length;
    const width = Math.ceil(rows / 8);
    const dense = Array.from(counts, (count) => isDense(count, rows));
    const bits = new Uint8Array(width * dense.filter(Boolean).length);
    const lists = new Uint32Array(counts.reduce((sum, count, i) => sum + (dense[i] ? 0 : count), 0));
    const start = new Float64Array(NULL_CODE + 1);
    const isBits = new Uint8Array(NULL_CODE + 1);
    let [bitsAt, listAt] = [0, 0];
    [...order, NULL_CODE].forEach((code, i) => {
      isBits[code] = dense[i] ? 1 : 0;
      start[code] = dense[i] ? bitsAt : listAt;
      if (dense[i]) bitsAt += width;
      else listAt += counts[i]!;
    });
    for (let row = 0; row < rows; row++) {
      const code = this.#codes[row]!;
      if (isBits[code]) bits[start[code]! + (row >> 3)]! |= 1 << (row & 7);
      else lists[start[code]!++] = row;
    }
    return { bits, lists };
  }

  #valueArrays(column: string, order: readonly number[]): IndexArray[] {
    const values = order.map((code) => this.#values[code]!);
    if (this.#type === "text") {
      const { data, ends } = packBytes(values as Uint8Array[]);
      return [
        { path: `${column}/values`, data },
        { path: `${column}/value_ends`, data: ends },
      ];
    }
    const keys = keyArray(this.#type, values.length);
    const big = keys instanceof BigInt64Array || keys instanceof BigUint64Array;
    values.forEach((value, i) => {
      keys[i] = (big ? BigInt(value as number) : value) as never;
    });
    return [{ path: `${column}/values`, data: keys }];
  }
}

function compareKeys(a: number | bigint | Uint8Array, b: number | bigint | Uint8Array): number {
  if (a instanceof Uint8Array) return orderOf(a, b as Uint8Array);
  return a < (b as number) ? -1 : a > (b as number) ? 1 : 0;
}
