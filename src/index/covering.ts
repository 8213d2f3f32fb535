/** Conditions on the columns that hold the boxes of a geometry column, answered by its R-tree. Format: docs/indexes.md. */
import { abortable } from "../abort.ts";
import type { ReadOptions } from "../store/store.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../zarr/json.ts";
import type {
  BoxRanges,
  BoxTest,
  BySide,
  CoveringIndex,
  Estimate,
  IndexState,
  KeyRange,
  QueryBox,
} from "./api.ts";
import { type IndexReads, unusable } from "./pages.ts";
import { RecordReader } from "./records.ts";
import type { RTree } from "./rtree.ts";
import type { Truth } from "./truth.ts";
import { readWhole } from "./whole.ts";

export const SIDES = ["xmin", "ymin", "xmax", "ymax"] as const;

/** What the record of a tree says of its covering. */
export interface CoveringRecord {
  columns: BySide<string>;
  /** Of each column, what it was compared as: `contentSums` of its truth. */
  truth: BySide<readonly number[]>;
  /** Rows of which the columns do not hold the box in the tree. */
  exceptions: { path: string; count: number; sums: readonly number[] } | undefined;
}

/** @throws Error naming what is wrong with the record */
export function coveringRecord(value: JsonValue | undefined): CoveringRecord {
  if (!isJsonObject(value)) throw new Error("its record has no columns");
  const reader = new RecordReader(value);
  const truth = new RecordReader((isJsonObject(value.truth) ? value.truth : {}) as JsonObject);
  const { exceptions } = value;
  return {
    columns: SIDES.map((side) => reader.text(side)) as unknown as BySide<string>,
    truth: SIDES.map((side) => truth.numbers(side)) as unknown as BySide<number[]>,
    exceptions: isJsonObject(exceptions) ? exceptionsRecord(new RecordReader(exceptions)) : undefined,
  };
}

const exceptionsRecord = (reader: RecordReader) => ({
  path: reader.path("path"),
  count: reader.count("count"),
  sums: reader.numbers("sums"),
});

/** Rows whose columns are not the box in the tree, ascending, and four values of each: NaN is NULL. */
export interface Exceptions {
  rows: Uint32Array;
  values: Float64Array;
}

const NO_EXCEPTIONS: Exceptions = { rows: new Uint32Array(0), values: new Float64Array(0) };

/** The covering of one R-tree. */
export class Covering implements CoveringIndex {
  readonly column: string;
  readonly columns: BySide<string>;
  readonly path: string;
  readonly covered: number;
  readonly #record: CoveringRecord;
  readonly #tree: RTree;
  readonly #truths: BySide<Truth>;
  readonly #reads: IndexReads;
  /** Which column was indexed anew since, -1 for none; found when that is asked first. */
  #other: number | undefined;
  #loading: Promise<Exceptions> | undefined;

  /** @param truths of the four columns, as they are now */
  constructor(record: CoveringRecord, tree: RTree, truths: BySide<Truth>, reads: IndexReads) {
    this.column = tree.column;
    this.path = tree.path;
    this.columns = record.columns;
    this.covered = truths.reduce((rows, truth) => Math.min(rows, truth.covered), tree.covered);
    this.#record = record;
    this.#tree = tree;
    this.#truths = truths;
    this.#reads = reads;
  }

  async state(options?: ReadOptions): Promise<IndexState> {
    this.#other ??= this.#truths.findIndex((truth, side) => !truth.isOf(this.#record.truth[side]!));
    if (this.#other >= 0) {
      const why = `${this.columns[this.#other]} is not what it was compared as; index again`;
      return { state: "stale", why };
    }
    const states = await Promise.all([this.#tree, ...this.#truths].map((one) => one.state(options)));
    const of = (wanted: IndexState["state"]) => states.find(({ state }) => state === wanted);
    return of("stale") ?? of("unverified") ?? states[0]!;
  }

  async estimate(ranges: BoxRanges, options: ReadOptions = {}): Promise<Estimate> {
    const test = inRanges(ranges);
    const found = await this.#tree.estimate(touching(ranges), { ...options, test, asStored: true });
    const { exceptions } = this.#record;
    if (!exceptions || this.#loading) return found;
    // Of each its row and four values.
    const bytes = found.bytes + 36 * exceptions.count;
    return { ...found, requests: found.requests + 2, bytes };
  }

  async find(ranges: BoxRanges, options: ReadOptions = {}): Promise<Float64Array> {
    const test = inRanges(ranges);
    const [{ rows }, exceptions] = await Promise.all([
      this.#tree.find(touching(ranges), { ...options, test, asStored: true }),
      this.#exceptions(options),
    ]);
    return replaced(rows, exceptions, ranges, this.covered);
  }

  #exceptions(options: ReadOptions): Promise<Exceptions> {
    const { traffic } = options;
    this.#loading ??= readExceptions(this.#record.exceptions, this.#reads, { traffic }).catch((error) => {
      this.#loading = undefined;
      throw error;
    });
    return abortable(this.#loading, options.signal);
  }
}

/** @throws ZarrsiftError `index_unusable` */
export async function readExceptions(
  exceptions: CoveringRecord["exceptions"],
  reads: IndexReads,
  options: ReadOptions,
): Promise<Exceptions> {
  if (!exceptions) return NO_EXCEPTIONS;
  const { path, count, sums } = exceptions;
  const [rows, values] = await Promise.all([
    readWhole(reads, `${path}/rows`, "uint32", count, sums[0], options),
    readWhole(reads, `${path}/values`, "float64", 4 * count, sums[1], options),
  ]);
  if (rows.some((row, i) => i > 0 && row <= rows[i - 1]!)) throw unusable(path, "its rows do not ascend");
  return { rows, values };
}

/** The box that all must touch whose sides lie in these ranges; it may end before it begins. */
function touching([west, south, east, north]: BoxRanges): QueryBox[] {
  if ([west, south, east, north].some((ranges) => ranges?.length === 0)) return [];
  const low = (ranges: readonly KeyRange[] = [EVERYTHING]) => Math.min(...ranges.map((r) => Number(r.low)));
  const high = (ranges: readonly KeyRange[] = [EVERYTHING]) => Math.max(...ranges.map((r) => Number(r.high)));
  return [
    [
      Math.max(low(west), low(east)),
      Math.max(low(south), low(north)),
      Math.min(high(west), high(east)),
      Math.min(high(south), high(north)),
    ],
  ];
}

const EVERYTHING: KeyRange = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** Whether the sides of boxes lie in their ranges. */
function inRanges(ranges: BoxRanges): BoxTest {
  return {
    within(box) {
      // Both sides along one axis lie between the two of a box around them.
      const all = ranges.every((of, side) => {
        const [least, most] = [box[side & 1]!, box[2 + (side & 1)]!];
        return of === undefined || of.some(({ low, high }) => least >= low && most <= high);
      });
      return all ? true : undefined;
    },
    shape: (box) => lies(ranges, box, 0),
    touching: ranges.every((of, side) => of === undefined || isOpen(of, side)),
  };
}

/** Whether the range of a side has no end, low for the lower sides and high for the others: a touch is all it asks. */
function isOpen([range, ...more]: readonly KeyRange[], side: number): boolean {
  if (!range || more.length > 0 || typeof range.low !== "number" || typeof range.high !== "number")
    return false;
  return side < 2 ? range.low === Number.NEGATIVE_INFINITY : range.high === Number.POSITIVE_INFINITY;
}

/** Whether four values from `at` on lie in their ranges. */
function lies(ranges: BoxRanges, values: Float64Array, at: number): boolean {
  for (let side = 0; side < 4; side++) {
    const value = values[at + side]!;
    const of = ranges[side];
    if (of !== undefined && !of.some(({ low, high }) => value >= low && value <= high)) return false;
  }
  return true;
}

/** The rows that the tree names without the exceptions, and with those of them that lie in the ranges. */
function replaced(
  found: Float64Array,
  { rows, values }: Exceptions,
  ranges: BoxRanges,
  covered: number,
): Float64Array {
  const out = new Float64Array(found.length + rows.length);
  let count = 0;
  for (let i = 0, k = 0; i < found.length || k < rows.length; ) {
    const [own, exception] = [found[i] ?? Infinity, rows[k] ?? Infinity];
    const row = Math.min(own, exception);
    if (row >= covered) break;
    if (own === row) i++;
    if (exception === row ? lies(ranges, values, 4 * k++) : true) out[count++] = row;
  }
  return out.slice(0, count);
}
