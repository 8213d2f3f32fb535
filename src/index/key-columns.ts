/** A column's keys collected from its chunks, NULLs left out, with the row of each. */

import { orderOf } from "../table/texts.ts";
import type { SqlType } from "../table/types.ts";
import type { BytesVector, Vector } from "../table/vector.ts";
import { type KeyArray, keyArray, keyTypeOf, type NumberKeyType } from "./keys.ts";

/** Where a column's NULLs stand, so far as that matters to whether it is sorted. */
export class RowList {
  /** Row of each key, in the order they came. */
  readonly rows: Uint32Array;
  /** Rows that are NULL. */
  nulls: number[] = [];
  /** Whether keys never fell. */
  ascending = true;
  count = 0;
  added = 0;

  constructor(rows: number) {
    this.rows = new Uint32Array(rows);
  }

  /** Whether the column is sorted as it stands: keys ascend, and NULLs are all before or all after them. */
  get sorted(): boolean {
    const { nulls, count, added } = this;
    if (!this.ascending) return false;
    return (
      nulls.length === 0 ||
      count === 0 ||
      this.rows[0] === nulls.length ||
      this.rows[count - 1] === added - nulls.length - 1
    );
  }

  /** Rows before the first key of a sorted column. */
  get base(): number {
    return this.count === 0 ? 0 : this.rows[0]!;
  }
}

/** Keys that are numbers. */
export class NumberKeys {
  readonly list: RowList;
  readonly type: NumberKeyType;
  #keys: KeyArray;

  constructor(type: NumberKeyType, rows: number) {
    this.type = type;
    this.list = new RowList(rows);
    this.#keys = keyArray(type, rows);
  }

  get keys(): KeyArray {
    return this.#keys.subarray(0, this.list.count);
  }

  add(vector: Vector): void {
    if (vector.kind === "bytes") throw new TypeError("numbers are expected");
    const { list } = this;
    const wide = this.#keys.BYTES_PER_ELEMENT === 8 && !(this.#keys instanceof Float64Array);
    const from = list.count;
    for (let i = 0; i < vector.length; i++, list.added++) {
      const value = vector.values[i] as number;
      if (vector.nulls?.[i] || Number.isNaN(value)) list.nulls.push(list.added);
      else list.rows[list.count++] = list.added;
    }
    const picks = list.rows.subarray(from, list.count);
    const first = list.added - vector.length;
    if (vector.kind === "number" && wide) this.#addWide(vector.values, picks, first, from);
    else {
      const keys = this.#keys as Float64Array;
      const values = vector.values as Float64Array;
      // Adding 0 makes 0 of -0.
      if (vector.kind === "number")
        for (let i = 0; i < picks.length; i++) keys[from + i] = values[picks[i]! - first]! + 0;
      else for (let i = 0; i < picks.length; i++) keys[from + i] = values[picks[i]! - first]!;
    }
    this.#watch(from);
  }

  /** Safe integers as two words each: far faster than through bigints. */
  #addWide(values: ArrayLike<number>, picks: Uint32Array, first: number, from: number): void {
    const words = new Uint32Array(this.#keys.buffer);
    for (let i = 0; i < picks.length; i++) {
      const value = values[picks[i]! - first]!;
      const high = Math.floor(value / 2 ** 32);
      words[2 * (from + i)] = value - high * 2 ** 32;
      words[2 * (from + i) + 1] = high;
    }
  }

  #watch(from: number): void {
    const { list } = this;
    const keys = this.#keys;
    for (let i = Math.max(from, 1); list.ascending && i < list.count; i++)
      list.ascending = keys[i]! >= keys[i - 1]!;
  }
}

/** Keys that are texts or bytes. */
export class TextKeys {
  readonly list: RowList;
  #data = new Uint8Array(2 ** 16);
  #used = 0;
  /** Where each key ends in `data`. */
  readonly ends: Float64Array;

  constructor(rows: number) {
    this.list = new RowList(rows);
    this.ends = new Float64Array(rows);
  }

  get data(): Uint8Array {
    return this.#data.subarray(0, this.#used);
  }

  key(i: number): Uint8Array {
    return this.#data.subarray(i === 0 ? 0 : this.ends[i - 1]!, this.ends[i]!);
  }

  add(vector: BytesVector): void {
    const { list } = this;
    for (let i = 0; i < vector.length; i++, list.added++) {
      if (vector.nulls?.[i]) {
        list.nulls.push(list.added);
        continue;
      }
      const value = vector.data.subarray(vector.starts[i]!, vector.ends[i]!);
      this.#room(value.length);
      this.#data.set(value, this.#used);
      this.#used += value.length;
      this.ends[list.count] = this.#used;
      list.rows[list.count] = list.added;
      if (list.ascending && list.count > 0)
        list.ascending = orderOf(this.key(list.count - 1), this.key(list.count)) <= 0;
      list.count++;
    }
  }

  #room(bytes: number): void {
    if (this.#used + bytes <= this.#data.length) return;
    const larger = new Uint8Array(Math.max(this.#used + bytes, Math.ceil(this.#data.length * 1.6)));
    larger.set(this.data);
    this.#data = larger;
  }
}

/** What collects keys of a type; `undefined`: columns of this type have no keys. */
export function keysOf(type: SqlType, rows: number): NumberKeys | TextKeys | undefined {
  const stored = keyTypeOf(type);
  if (stored === undefined) return undefined;
  return stored === "text" ? new TextKeys(rows) : new NumberKeys(stored, rows);
}
