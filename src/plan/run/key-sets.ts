/** Hash tables of GROUP BY and DISTINCT: keys are held as words and bytes in a few arrays, with no object per row. */
import { ZarrsiftError } from "../../errors.ts";
import { hash, order } from "../../table/texts.ts";

/** Most memory that the groups of one query take, in bytes. */
export const GROUP_BYTES = 256 * 2 ** 20;

/** Counts what the groups of a query take. */
export class Budget {
  readonly #most: number;
  #used = 0;

  constructor(most: number = GROUP_BYTES) {
    this.#most = most;
  }

  /** @throws ZarrsiftError `too_large` */
  take(bytes: number): void {
    this.#used += bytes;
    if (this.#used <= this.#most) return;
    throw new ZarrsiftError(
      "too_large",
      `GROUP BY and DISTINCT hold at most ${this.#most / 2 ** 20} MiB of groups, and this query has more; ` +
        "group by something coarser, or by fewer rows with WHERE",
    );
  }
}

/** Different keys of `width` words each, numbered from 0 in order of arrival. */
export class WordSet {
  size = 0;
  readonly #width: number;
  readonly #budget: Budget;
  #words: Uint32Array;
  /** Number of the key + 1; 0: free. */
  #slots = new Uint32Array(64);

  constructor(width: number, budget: Budget) {
    this.#width = width;
    this.#budget = budget;
    this.#words = new Uint32Array(32 * width);
  }

  /** The number of the key at `words[at…at + width)`; `size` grows where it is a new one. */
  add(words: Uint32Array, at: number): number {
    const [width, mask] = [this.#width, this.#slots.length - 1];
    const [own, slots] = [this.#words, this.#slots];
    let slot = mixed(words, at, width) & mask;
    for (let found = slots[slot]!; found !== 0; found = slots[slot]!) {
      const start = (found - 1) * width;
      let k = 0;
      while (k < width && own[start + k] === words[at + k]) k++;
      if (k === width) return found - 1;
      slot = (slot + 1) & mask;
    }
    slots[slot] = this.size + 1;
    for (let k = 0; k < width; k++) own[this.size * width + k] = words[at + k]!;
    this.size++;
    if (this.size * 2 >= slots.length) this.#grow();
    return this.size - 1;
  }

  #grow(): void {
    this.#budget.take(4 * (this.#words.length + this.#slots.length));
    const words = new Uint32Array(2 * this.#words.length);
    words.set(this.#words);
    this.#words = words;
    this.#slots = rehashed(this.size, 2 * this.#slots.length, (i) =>
      mixed(words, i * this.#width, this.#width),
    );
  }
}

/** Different byte strings, numbered from 0 in order of arrival. */
export class TextSet {
  size = 0;
  readonly #budget: Budget;
  #data = new Uint8Array(1024);
  #ends = new Uint32Array(33);
  #slots = new Uint32Array(64);

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** The number of `data[start…end)`. */
  add(data: Uint8Array, start: number, end: number): number {
    const mask = this.#slots.length - 1;
    let slot = spread(hash(data, start, end)) & mask;
    for (let found = this.#slots[slot]!; found !== 0; found = this.#slots[slot]!) {
      const [from, to] = [this.#ends[found - 1]!, this.#ends[found]!];
      if (to - from === end - start && order(this.#data, from, to, data, start, end) === 0) return found - 1;
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = this.size + 1;
    this.#append(data, start, end);
    if (this.size * 2 >= this.#slots.length) this.#grow();
    return this.size - 1;
  }

  #append(data: Uint8Array, start: number, end: number): void {
    const from = this.#ends[this.size]!;
    const to = from + end - start;
    if (to > this.#data.length) {
      const more = Math.max(2 * this.#data.length, to) - this.#data.length;
      this.#budget.take(more);
      const longer = new Uint8Array(this.#data.length + more);
      longer.set(this.#data);
      this.#data = longer;
    }
    this.#data.set(data.subarray(start, end), from);
    this.size++;
    this.#ends[this.size] = to;
  }

  #grow(): void {
    this.#budget.take(4 * (this.#ends.length + this.#slots.length));
    const ends = new Uint32Array(2 * this.#ends.length);
    ends.set(this.#ends);
    this.#ends = ends;
    const data = this.#data;
    this.#slots = rehashed(this.size, 2 * this.#slots.length, (i) =>
      spread(hash(data, ends[i]!, ends[i + 1]!)),
    );
  }
}

function rehashed(size: number, length: number, hashOf: (i: number) => number): Uint32Array<ArrayBuffer> {
  const slots = new Uint32Array(length);
  for (let i = 0; i < size; i++) {
    let slot = hashOf(i) & (length - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (length - 1);
    slots[slot] = i + 1;
  }
  return slots;
}

/** MurmurHash3 (32 bits) of some words. */
function mixed(words: Uint32Array, at: number, width: number): number {
  let value = 0;
  for (let k = 0; k < width; k++) {
    let word = Math.imul(words[at + k]!, 0xcc9e2d51);
    word = Math.imul((word << 15) | (word >>> 17), 0x1b873593);
    value ^= word;
    value = (Math.imul((value << 13) | (value >>> 19), 5) + 0xe6546b64) | 0;
  }
  return spread(value);
}

/** Its finalizer: every bit of a hash bears on the low ones, which choose the slot. */
function spread(hashed: number): number {
  let value = hashed ^ (hashed >>> 16);
  value = Math.imul(value, 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
