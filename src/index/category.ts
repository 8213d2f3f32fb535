/** Finds rows by value, for columns of few different values. */
import { abortable } from "../abort.ts";
import type { ReadOptions } from "../store/store.ts";
import { orderOf } from "../table/texts.ts";
import { chosen, markBits, markRows, pagesAmong, within } from "./among.ts";
import type { CategoryIndex, CategoryOptions, Estimate, IndexState, Key, Rows, RowWindow } from "./api.ts";
import { isDense } from "./category-build.ts";
import type { NumberKeyType } from "./keys.ts";
import type { IndexReads } from "./pages.ts";
import { PagedArray, pagesOf } from "./pages.ts";
import { ascendingRows, rowCount, rowsOfBits } from "./row-set.ts";
import type { Truth } from "./truth.ts";
import { elements, readWhole } from "./whole.ts";

/** What the record of a category index says. */
export interface CategoryRecord {
  column: string;
  /** Path of the group: `indexes/collection`. */
  path: string;
  type: NumberKeyType | "text";
  /** Rows in it, NULLs included. */
  rows: number;
  /** Rows of these that may be believed. */
  covered: number;
  values: number;
  nulls: number;
  nullsInLastChunk: number;
  valueBytes: number;
  sums: Record<string, number>;
}

interface Place {
  count: number;
  dense: boolean;
  /** Byte in `bits`, or element in `rows`. */
  start: number;
}

interface Opened {
  values: (Key | Uint8Array)[];
  /** Of each value, and of NULL behind them. */
  places: Place[];
  bits: PagedArray | undefined;
  rows: PagedArray | undefined;
}

/** The category index of one column. */
export class Categories implements CategoryIndex {
  readonly kind = "category";
  readonly column: string;
  readonly path: string;
  readonly covered: number;
  readonly nullCount: number;
  readonly #record: CategoryRecord;
  readonly #reads: IndexReads;
  readonly #truth: Truth;
  #opened: Promise<Opened> | undefined;

  constructor(record: CategoryRecord, reads: IndexReads, truth: Truth) {
    this.column = record.column;
    this.path = `/indexes/${record.column}`;
    this.covered = record.covered;
    this.nullCount = record.nulls - (record.covered < record.rows ? record.nullsInLastChunk : 0);
    this.#record = record;
    this.#reads = reads;
    this.#truth = truth;
  }

  state(options?: ReadOptions): Promise<IndexState> {
    return this.#truth.state(options);
  }

  async values(options: ReadOptions = {}): Promise<{ value: Key | Uint8Array; count: number }[]> {
    const opened = await this.#open(options);
    const { covered, rows } = this.#record;
    const beyond = covered === rows ? undefined : { from: covered, to: rows };
    const counted = opened.values.map(async (value, i) => {
      const { count } = opened.places[i]!;
      if (!beyond) return { value, count };
      return { value, count: count - rowCount(await this.#rowsAt(opened, [i], beyond, options)) };
    });
    return (await Promise.all(counted)).filter(({ count }) => count > 0);
  }

  async estimate(values: readonly (Key | Uint8Array)[], options: CategoryOptions = {}): Promise<Estimate> {
    const opened = await this.#open(options);
    const window = this.#window(options.window);
    const { among } = options;
    const share = (among?.length ?? window.to - window.from) / Math.max(this.#record.rows, 1);
    const cost = { rows: 0, requests: 0, bytes: 0 };
    for (const i of this.#find(opened, values)) {
      const place = opened.places[i]!;
      if (place.count === 0) continue;
      const array = place.dense ? opened.bits : opened.rows;
      const pages = among && place.dense ? pagesAmong(place, among) : pagesOf(...span(place, window));
      const { requests, bytes } = array!.cost(pages);
      cost.rows += Math.ceil(place.count * share);
      cost.requests += requests;
      cost.bytes += bytes;
    }
    return cost;
  }

  async find(values: readonly (Key | Uint8Array)[], options: CategoryOptions = {}): Promise<Rows> {
    const opened = await this.#open(options);
    const [wanted, window] = [this.#find(opened, values), this.#window(options.window)];
    if (!options.among) return this.#rowsAt(opened, wanted, window, options);
    return this.#among(opened, wanted, window, within(options.among, this.covered), options);
  }

  /** Looks each of some rows up in the bits of the values; lists of rows are read whole. */
  async #among(
    opened: Opened,
    wanted: readonly number[],
    window: RowWindow,
    among: Float64Array,
    options: ReadOptions,
  ): Promise<Float64Array> {
    const hits = new Uint8Array(among.length);
    const [dense, listed] = [[] as number[], [] as number[]];
    for (const i of wanted) (opened.places[i]!.dense ? dense : listed).push(i);
    const bits = dense.map(async (i) => {
      const place = opened.places[i]!;
      if (place.count === 0) return;
      markBits(await opened.bits!.pages(pagesAmong(place, among), options), place.start, among, hits);
    });
    const lists = listed.length > 0 ? this.#rowsAt(opened, listed, window, options) : undefined;
    await Promise.all([...bits, lists]);
    if (lists) markRows((await lists) as Float64Array, among, hits);
    return chosen(among, hits);
  }

  async nullRows(options: ReadOptions = {}): Promise<Rows> {
    const opened = await this.#open(options);
    return this.#rowsAt(opened, [opened.values.length], this.#window(undefined), options);
  }

  #window(window: RowWindow | undefined): RowWindow {
    const from = Math.max(0, window?.from ?? 0);
    return { from, to: Math.max(from, Math.min(this.covered, window?.to ?? this.covered)) };
  }

  /** Places of the values that there are, none twice. */
  #find({ values }: Opened, wanted: readonly (Key | Uint8Array)[]): number[] {
    const same = (a: Key | Uint8Array, b: Key | Uint8Array) =>
      // biome-ignore lint/suspicious/noDoubleEquals: a number and a bigint may be equal
      a instanceof Uint8Array ? b instanceof Uint8Array && orderOf(a, b) === 0 : a == b;
    return values.flatMap((value, i) => (wanted.some((one) => same(value, one)) ? [i] : []));
  }

  async #rowsAt(
    { places, bits, rows }: Opened,
    wanted: readonly number[],
    window: RowWindow,
    options: ReadOptions,
  ): Promise<Rows> {
    if (window.to <= window.from) return new Float64Array(0);
    const parts = await Promise.all(
      wanted.map((i) => {
        const place = places[i]!;
        if (place.count === 0) return new Uint8Array(0);
        return place.dense
          ? bits!.bytes(...span(place, window), options)
          : rows!.bytes(...span(place, window), options);
      }),
    );
    // Whole words of bits from the byte that the window begins in.
    const first = window.from & ~7;
    const words = new Uint32Array(Math.ceil((window.to - first) / 32));
    const bytes = new Uint8Array(words.buffer);
    const lists: Uint32Array[] = [];
    const sets: Uint8Array[] = [];
    parts.forEach((part, i) => {
      if (places[wanted[i]!]!.dense) sets.push(part);
      else lists.push(elements(part, "uint32"));
    });
    sets.forEach((set, i) => {
      if (i === 0) bytes.set(set);
      else for (let k = 0; k < set.length; k++) bytes[k]! |= set[k]!;
    });
    for (const list of lists) {
      for (const row of list) {
        if (row < window.from || row >= window.to) continue;
        words[(row - first) >>> 5]! |= 1 << ((row - first) & 31);
      }
    }
    if (lists.length === wanted.length && lists.length === 1) return listed(lists[0]!, window);
    clearOutside(words, window.from - first, window.to - first);
    return rowsOfBits(words, countBits(words), first);
  }

  #open(options: ReadOptions): Promise<Opened> {
    this.#opened ??= this.#openNow({ traffic: options.traffic }).catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    return abortable(this.#opened, options.signal);
  }

  async #openNow(options: ReadOptions): Promise<Opened> {
    const { path, values, sums, rows } = this.#record;
    const counts = await readWhole(this.#reads, `${path}/counts`, "uint32", values + 1, sums.counts, options);
    let [bitsAt, listAt] = [0, 0];
    const places = Array.from(counts, (count): Place => {
      const dense = isDense(count, rows);
      const start = dense ? bitsAt : listAt;
      if (dense) bitsAt += Math.ceil(rows / 8);
      else listAt += count;
      return { count, dense, start };
    });
    const paged = (name: string, length: number) =>
      length === 0
        ? undefined
        : PagedArray.open(this.#reads, `${path}/${name}`, {
            ...options,
            length,
            sums: `${path}/${name}_crc`,
          });
    const [found, bits, lists] = await Promise.all([
      this.#readValues(options),
      paged("bits", bitsAt),
      paged("rows", listAt),
    ]);
    return { values: found, places, bits, rows: lists };
  }

  async #readValues(options: ReadOptions): Promise<(Key | Uint8Array)[]> {
    const { path, type, values, valueBytes, sums } = this.#record;
    if (type !== "text")
      return [...(await readWhole(this.#reads, `${path}/values`, type, values, sums.values, options))];
    const [data, ends] = await Promise.all([
      readWhole(this.#reads, `${path}/values`, "uint8", valueBytes, sums.values, options),
      readWhole(this.#reads, `${path}/value_ends`, "uint32", values, sums.value_ends, options),
    ]);
    return Array.from(ends, (end, i) => data.subarray(i === 0 ? 0 : ends[i - 1]!, end));
  }
}

/** Bytes to read of a value's rows: those of a list are all read. */
function span({ count, dense, start }: Place, { from, to }: RowWindow): [number, number] {
  return dense ? [start + (from >> 3), start + ((to + 7) >> 3)] : [4 * start, 4 * (start + count)];
}

function listed(rows: Uint32Array, { from, to }: RowWindow): Float64Array {
  const inside = from === 0 ? rows : rows.filter((row) => row >= from);
  return ascendingRows(inside, to);
}

function clearOutside(words: Uint32Array, from: number, to: number): void {
  for (let bit = 0; bit < from; bit++) words[0]! &= ~(1 << bit);
  for (let bit = to; bit < 32 * words.length; bit++) words[bit >>> 5]! &= ~(1 << (bit & 31));
}

function countBits(words: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    let x = word - ((word >>> 1) & 0x55555555);
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    count += Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return count;
}
