/** Finds rows by a sorted column. */
import { abortable } from "../abort.ts";
import type { ReadOptions } from "../store/store.ts";
import type {
  Estimate,
  IndexState,
  Key,
  KeyRange,
  OrderedIndex,
  Ranges,
  Rows,
  RowWindow,
  TextRange,
} from "./api.ts";

import { keysInOrder } from "./in-order.ts";
import type { NumberKeyType } from "./keys.ts";
import { type AnyKey, type Leaf, type Leaves, openNumberLeaves, openTextLeaves } from "./leaves.ts";
import type { IndexReads } from "./pages.ts";
import { PagedArray, pagesOf, unusable } from "./pages.ts";
import { ascendingRows, rowCount, windowRows } from "./row-set.ts";
import type { Truth } from "./truth.ts";
import { checkType, elements } from "./whole.ts";

/** The leaves in which so many ranges begin and end are read for an estimate, since finding begins with them. */
const FEW_RANGES = 4;

/** What the record of a B+tree says. */
export interface TreeOfKeysRecord {
  column: string;
  /** Path of the group: `indexes/date`. */
  path: string;
  type: NumberKeyType | "text";
  /** Rows in it, NULLs included. */
  rows: number;
  /** Rows of these that may be believed. */
  covered: number;
  keys: number;
  nulls: number;
  /** NULLs of these in a last chunk that is not full. */
  nullsInLastChunk: number;
  /** Whether the column is sorted as it stands, so that positions are rows. */
  sorted: boolean;
  /** Row of the first key, where sorted. */
  base: number;
  fenceBytes: number;
  /** Fences of fences, where the fences are not read whole; else 0. */
  fenceTops: number;
  sums: Record<string, number>;
}

interface Opened {
  leaves: Leaves;
  /** Rows by position, then those that are NULL; `undefined` where sorted. */
  rows: PagedArray | undefined;
}

/** The B+tree of one column. */
export class BTree implements OrderedIndex {
  readonly kind = "btree";
  readonly column: string;
  readonly path: string;
  readonly covered: number;
  readonly nullCount: number;
  readonly text: boolean;
  readonly sorted: boolean;
  readonly #record: TreeOfKeysRecord;
  readonly #reads: IndexReads;
  readonly #truth: Truth;
  #opened: Promise<Opened> | undefined;

  constructor(record: TreeOfKeysRecord, reads: IndexReads, truth: Truth) {
    this.column = record.column;
    this.path = `/indexes/${record.column}`;
    this.covered = record.covered;
    this.nullCount = record.nulls - (record.covered < record.rows ? record.nullsInLastChunk : 0);
    this.text = record.type === "text";
    this.sorted = record.sorted;
    this.#record = record;
    this.#reads = reads;
    this.#truth = truth;
  }

  state(options?: ReadOptions): Promise<IndexState> {
    return this.#truth.state(options);
  }

  async estimate(ranges: Ranges, options: ReadOptions = {}): Promise<Estimate> {
    const { leaves, rows } = await this.#open(options);
    const few = ranges.length <= FEW_RANGES;
    const edges = few ? [] : await edgesOf(leaves, ranges, options);
    const spans = few ? await positions(leaves, ranges, options) : roughly(leaves, edges);
    const count = spans.reduce((sum, { from, to }) => sum + to - from, 0);
    const keys = leaves.cost([...new Set(edges.flat())]);
    const more = rows?.cost(spans.flatMap(({ from, to }) => pagesOf(4 * from, 4 * to)));
    return {
      rows: Math.min(Math.ceil(count), this.covered),
      requests: keys.requests + (more?.requests ?? 0),
      bytes: keys.bytes + (more?.bytes ?? 0),
    };
  }

  async find(ranges: Ranges, options: ReadOptions = {}): Promise<Rows> {
    const opened = await this.#open(options);
    return this.#rowsAt(opened, await positions(opened.leaves, ranges, options), options);
  }

  async count(ranges: Ranges, options: ReadOptions = {}): Promise<number> {
    const opened = await this.#open(options);
    const windows = await positions(opened.leaves, ranges, options);
    if (this.#whole) return windows.reduce((sum, { from, to }) => sum + to - from, 0);
    return rowCount(await this.#rowsAt(opened, windows, options));
  }

  async *inOrder(
    options: ReadOptions & { descending?: boolean; within?: Ranges } = {},
  ): AsyncGenerator<Float64Array> {
    const { descending = false, within, ...reading } = options;
    const opened = await this.#open(reading);
    const { leaves } = opened;
    const windows = within ? await positions(leaves, within, reading) : [{ from: 0, to: leaves.count }];
    const place = (key: AnyKey) => positionOf(leaves, key, false, reading);
    for (const window of descending ? windows.reverse() : windows) {
      for await (const run of keysInOrder(leaves, window, descending, place, reading)) {
        const all = await this.#rowsByPosition(opened, run, reading);
        const ordered = run.order ? Float64Array.from(run.order, (at) => all[at]!) : all;
        const rows = ordered.filter((row) => row < this.covered);
        if (rows.length > 0) yield rows;
      }
    }
  }

  async extremes(
    options: ReadOptions = {},
  ): Promise<{ min: Key | Uint8Array; max: Key | Uint8Array } | undefined> {
    const opened = await this.#open(options);
    const { leaves } = opened;
    const first = await this.#firstCovered(opened, 0, 1, options);
    if (first === undefined) return undefined;
    const last = (await this.#firstCovered(opened, leaves.count - 1, -1, options))!;
    const [a, b] = [Math.floor(first / leaves.perLeaf), Math.floor(last / leaves.perLeaf)];
    const read = await leaves.read([a, b], options);
    return { min: read.get(a)!.key(first % leaves.perLeaf), max: read.get(b)!.key(last % leaves.perLeaf) };
  }

  async nullRows(options: ReadOptions = {}): Promise<Rows> {
    const { nulls, keys, base, rows } = this.#record;
    const opened = await this.#open(options);
    if (opened.rows) return this.#rowsAt(opened, [{ from: keys, to: keys + nulls }], options);
    const from = base > 0 ? 0 : rows - nulls;
    return clipped([{ from, to: from + nulls }], this.covered)[0] ?? { from: 0, to: 0 };
  }

  /** Whether all rows in it may be believed. */
  get #whole(): boolean {
    return this.covered === this.#record.rows;
  }

  /** The first position whose row may be believed, from `start` on. */
  async #firstCovered(
    opened: Opened,
    start: number,
    step: 1 | -1,
    options: ReadOptions,
  ): Promise<number | undefined> {
    const { count } = opened.leaves;
    for (let at = start; at >= 0 && at < count; ) {
      const to = step === 1 ? Math.min(count, at + 4096) : at + 1;
      const from = step === 1 ? at : Math.max(0, at - 4095);
      const rows = await this.#rowsByPosition(opened, { from, to }, options);
      const found =
        step === 1
          ? rows.findIndex((row) => row < this.covered)
          : rows.findLastIndex((row) => row < this.covered);
      if (found >= 0) return from + found;
      at = step === 1 ? to : from - 1;
    }
    return undefined;
  }

  #open(options: ReadOptions): Promise<Opened> {
    this.#opened ??= this.#openNow({ traffic: options.traffic }).catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    return abortable(this.#opened, options.signal);
  }

  async #openNow(options: ReadOptions): Promise<Opened> {
    const { path, type, keys, nulls, sorted, fenceBytes, sums } = this.#record;
    const [leaves, rows] = await Promise.all([
      type === "text"
        ? openTextLeaves(this.#reads, path, keys, fenceBytes, sums, options)
        : openNumberLeaves(this.#reads, path, type, this.#record, options),
      sorted
        ? undefined
        : PagedArray.open(this.#reads, `${path}/rows`, {
            ...options,
            length: keys + nulls,
            sums: `${path}/rows_crc`,
          }),
    ]);
    if (rows) checkType(rows, "uint32");
    return { leaves, rows };
  }

  async #rowsByPosition(
    { rows }: Opened,
    { from, to }: RowWindow,
    options: ReadOptions,
  ): Promise<Float64Array> {
    if (!rows) return Float64Array.from({ length: to - from }, (_, i) => this.#record.base + from + i);
    return Float64Array.from(elements(await rows.bytes(4 * from, 4 * to, options), "uint32"));
  }

  async #rowsAt({ rows }: Opened, windows: readonly RowWindow[], options: ReadOptions): Promise<Rows> {
    if (!rows) {
      const { base } = this.#record;
      return windowRows(
        clipped(
          windows.map(({ from, to }) => ({ from: from + base, to: to + base })),
          this.covered,
        ),
      );
    }
    await rows.pages(
      windows.flatMap(({ from, to }) => pagesOf(4 * from, 4 * to)),
      options,
    );
    const found = new Uint32Array(windows.reduce((sum, { from, to }) => sum + to - from, 0));
    let at = 0;
    for (const { from, to } of windows) {
      found.set(elements(await rows.bytes(4 * from, 4 * to, options), "uint32"), at);
      at += to - from;
    }
    let highest = 0;
    for (let i = 0; i < found.length; i++) if (found[i]! > highest) highest = found[i]!;
    if (found.length > 0 && highest >= this.#record.rows)
      throw unusable(`${this.#record.path}/rows`, `it names a row beyond ${this.#record.rows}`);
    return ascendingRows(found, this.covered);
  }
}

/** The part of the windows that is below `covered`. */
function clipped(windows: readonly RowWindow[], covered: number): RowWindow[] {
  return windows
    .map(({ from, to }) => ({ from, to: Math.min(to, covered) }))
    .filter(({ from, to }) => from < to);
}

interface Bounds {
  low: AnyKey | undefined;
  high: AnyKey | undefined;
  highInclusive: boolean;
}

function boundsOf(range: KeyRange | TextRange): Bounds {
  const text = range.low instanceof Uint8Array || range.high instanceof Uint8Array || range.low === undefined;
  return {
    low: range.low,
    high: range.high,
    highInclusive: text ? (range as TextRange).highInclusive === true : true,
  };
}

/** The leaves in which a range of keys begins and ends. */
async function edgeLeaves(
  { fencesBelow, count, perLeaf }: Leaves,
  range: KeyRange | TextRange,
  options: ReadOptions,
): Promise<[number, number]> {
  const { low, high, highInclusive } = boundsOf(range);
  const last = Math.ceil(count / perLeaf) - 1;
  const [from, to] = await Promise.all([
    low === undefined ? 0 : fencesBelow(low, false, options).then((below) => Math.max(0, below - 1)),
    high === undefined ? last : fencesBelow(high, highInclusive, options).then((below) => below - 1),
  ]);
  return [Math.min(from, Math.max(last, 0)), Math.min(to, last)];
}

const edgesOf = (leaves: Leaves, ranges: readonly (KeyRange | TextRange)[], options: ReadOptions) =>
  Promise.all(ranges.map((range) => edgeLeaves(leaves, range, options)));

/** About where the keys of ranges are that begin and end in these leaves. */
function roughly(leaves: Leaves, edges: readonly [number, number][]): RowWindow[] {
  return edges.flatMap(([from, to]) => {
    if (to < from) return [];
    // In the two leaves where a range begins and ends, half of the keys are in it.
    const full = Math.max(0, to - from - 1) * leaves.perLeaf;
    const inside = Math.min(leaves.count, full + (to > from ? leaves.perLeaf : leaves.perLeaf / 4));
    const first = Math.min((from + 0.5) * leaves.perLeaf, leaves.count - 1);
    return [{ from: first, to: Math.min(first + inside, leaves.count) }];
  });
}

/** Positions of the keys in `ranges`, ascending, as windows that neither overlap nor touch. */
async function positions(
  leaves: Leaves,
  ranges: readonly (KeyRange | TextRange)[],
  options: ReadOptions,
): Promise<RowWindow[]> {
  const edges = await edgesOf(leaves, ranges, options);
  const wanted = new Set(edges.flatMap(([from, to]) => (to >= from ? [from, to] : [])));
  const read = await leaves.read([...wanted], options);
  const windows: RowWindow[] = [];
  ranges.forEach((range, i) => {
    const [first, last] = edges[i]!;
    if (last < first) return;
    const { low, high, highInclusive } = boundsOf(range);
    const from = low === undefined ? 0 : placeIn(leaves, first, read.get(first)!, low, false);
    const to =
      high === undefined ? leaves.count : placeIn(leaves, last, read.get(last)!, high, highInclusive);
    if (from < to) windows.push({ from, to });
  });
  return merged(windows);
}

/** How many keys are below `key`, or not above it, `leaf` being the one where that ends. */
function placeIn({ perLeaf }: Leaves, number: number, leaf: Leaf, key: AnyKey, inclusive: boolean): number {
  return number * perLeaf + leaf.below(key, inclusive);
}

async function positionOf(
  leaves: Leaves,
  key: AnyKey,
  inclusive: boolean,
  options: ReadOptions,
): Promise<number> {
  const number = Math.max(0, (await leaves.fencesBelow(key, inclusive, options)) - 1);
  const read = await leaves.read([number], options);
  return placeIn(leaves, number, read.get(number)!, key, inclusive);
}

function merged(windows: RowWindow[]): RowWindow[] {
  const out: RowWindow[] = [];
  for (const window of windows.sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last && window.from <= last.to) last.to = Math.max(last.to, window.to);
    else out.push({ ...window });
  }
  return out;
}
