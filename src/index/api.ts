/**
 * What indexes offer to planning. `src/index` knows neither SQL nor plans; `src/plan` knows no formats.
 */
import type { ReadOptions } from "../store/store.ts";

/**
 * - `verified`: the column is what was indexed;
 * - `unverified`: nothing speaks against it, and not everything was checked;
 * - `stale`: something disagrees, so that the index answers nothing.
 */
export interface IndexState {
  state: "verified" | "unverified" | "stale";
  /** What disagrees, or what the state rests on; for EXPLAIN. */
  why: string;
}

/** A number or time in the column's own unit after CF scaling, as Vectors hold it. */
export type Key = number | bigint;

/** `low <= key <= high`; ±Infinity where open. */
export interface KeyRange {
  low: Key;
  high: Key;
}

/** UTF-8 or bytes: `low <= key`, `key < high`; undefined where open. */
export interface TextRange {
  low?: Uint8Array | undefined;
  high?: Uint8Array | undefined;
  /** `key <= high` instead. */
  highInclusive?: boolean | undefined;
}

export type Ranges = readonly KeyRange[] | readonly TextRange[];

/** Rows from `from` to `to` (exclusive). */
export interface RowWindow {
  from: number;
  to: number;
}

/** Rows, ascending, without repeats. */
export type Rows = RowWindow | Float64Array;

/** What a probe probably finds and costs. `bytes`: still to be fetched, caches considered. */
export interface Estimate {
  rows: number;
  requests: number;
  bytes: number;
}

interface AnyIndex {
  readonly column: string;
  /** Of the array or group that is the index, whatever build is in it now: `/indexes/date`. */
  readonly path: string;
  /** Rows 0…covered (exclusive) are in it; later ones must be scanned. */
  readonly covered: number;
  /** Found once per opened version; a chunk that is read later may make it stale. */
  state(options?: ReadOptions): Promise<IndexState>;
}

/** B+tree: numbers, times, strings. NULL rows are in no range. */
export interface OrderedIndex extends AnyIndex {
  readonly kind: "btree";
  readonly nullCount: number;
  /** Whether keys are texts or bytes, so that ranges are `TextRange`s. */
  readonly text: boolean;
  /** The column ascends as it stands: what one range finds is a run of rows, and no row number is read. */
  readonly sorted: boolean;
  estimate(ranges: Ranges, options?: ReadOptions): Promise<Estimate>;
  /** Exactly the covered rows whose key lies in one of the ranges. */
  find(ranges: Ranges, options?: ReadOptions): Promise<Rows>;
  /** Exactly how many, mostly without reading row numbers. */
  count(ranges: Ranges, options?: ReadOptions): Promise<number>;
  /** Rows in the order of their keys, ties by ascending idx also where descending; NULL rows left out. Lazy. */
  inOrder(options?: ReadOptions & { descending?: boolean; within?: Ranges }): AsyncIterable<Float64Array>;
  /** Smallest and largest key; undefined where all are NULL. */
  extremes(options?: ReadOptions): Promise<{ min: Key | Uint8Array; max: Key | Uint8Array } | undefined>;
  nullRows(options?: ReadOptions): Promise<Rows>;
}

/** value → rows, for few different values. */
export interface CategoryIndex extends AnyIndex {
  readonly kind: "category";
  readonly nullCount: number;
  /** Every value with the number of its rows, ordered by value. Read once, small. */
  values(options?: ReadOptions): Promise<{ value: Key | Uint8Array; count: number }[]>;
  estimate(values: readonly (Key | Uint8Array)[], options?: CategoryOptions): Promise<Estimate>;
  /** Covered rows with one of the values. */
  find(values: readonly (Key | Uint8Array)[], options?: CategoryOptions): Promise<Rows>;
  nullRows(options?: ReadOptions): Promise<Rows>;
}

/** Which rows matter: less is read then, and no others are found. */
export interface CategoryOptions extends ReadOptions {
  window?: RowWindow;
  /** Ascending, within `window`. */
  among?: Float64Array;
}

/** [west, south, east, north] in degrees. */
export type QueryBox = readonly [number, number, number, number];

/** What boxes say about shapes, for searches that ask for more than boxes that touch. */
export interface BoxTest {
  /** Of all shapes that lie within `box`: true where each of them is wanted, false where none is. */
  within(box: Float64Array): boolean | undefined;
  /** Of one shape with this envelope (NaN: it crosses ±180, or reaches beyond); `isBox`: it is exactly that rectangle. */
  shape(box: Float64Array, isBox: boolean, row: number): boolean | undefined;
  /** Whether each shape that is exactly a rectangle is wanted where it touches the boxes that are asked for. */
  readonly touching?: boolean;
}

export interface SpatialOptions extends ReadOptions {
  /** Leaves out shapes that are not wanted, and whole branches of the tree. */
  test?: BoxTest;
}

/** R-tree over geometry. NULL and empty geometries are in no answer. */
export interface SpatialIndex extends AnyIndex {
  readonly kind: "rtree";
  /** `boxes`: within [-180, 180], several where a query crosses ±180. */
  estimate(boxes: readonly QueryBox[], options?: SpatialOptions): Promise<Estimate>;
  /** Covered rows whose real boxes touch one of `boxes`: a superset of those whose geometry does. */
  find(boxes: readonly QueryBox[], options?: SpatialOptions): Promise<SpatialMatches>;
  /** Four columns that hold the boxes in it, where there are such. */
  readonly covering?: CoveringIndex | undefined;
}

/** One for each of xmin, ymin, xmax and ymax. */
export type BySide<T> = readonly [xmin: T, ymin: T, xmax: T, ymax: T];

/** Of each side the ranges that it is to lie in; undefined: anything, NULL too. */
export type BoxRanges = BySide<readonly KeyRange[] | undefined>;

/** An R-tree as an index of the number columns that hold the boxes in it: `covering` in GeoParquet. `column` is the geometry's. */
export interface CoveringIndex extends AnyIndex {
  readonly columns: BySide<string>;
  estimate(ranges: BoxRanges, options?: ReadOptions): Promise<Estimate>;
  /** Exactly the covered rows whose sides all lie in their ranges, ascending; NULL lies in none. */
  find(ranges: BoxRanges, options?: ReadOptions): Promise<Float64Array>;
}

export interface SpatialMatches {
  /** Ascending, without repeats. */
  rows: Float64Array;
  /** Those of them that `test` says are wanted. */
  sure: Float64Array;
}

export type Index = OrderedIndex | CategoryIndex | SpatialIndex;

/** min, max and NULL count of every chunk of a column; for geometry the envelope. */
export interface ZoneMap {
  readonly column: string;
  /** `/indexes/_zarrsift/zones/date`. */
  readonly path: string;
  readonly chunkRows: number;
  /** Chunks 0…chunks (exclusive) are covered; one that grew since is not. */
  readonly chunks: number;
  state(options?: ReadOptions): Promise<IndexState>;
  /** Loaded whole, once: a few bytes a chunk. */
  load(options?: ReadOptions): Promise<Zones>;
}

/** Per chunk. Where every value is NULL, `min` is above `max` (floats: Infinity, -Infinity; boxes too). */
export interface Zones {
  nulls: Float64Array;
  numbers?: {
    min: Float64Array | BigInt64Array | BigUint64Array;
    max: Float64Array | BigInt64Array | BigUint64Array;
  };
  /** `max` undefined: no upper bound. `exact` 0: `min` is cut short, or `max` cut and rounded up. */
  texts?: { min: Uint8Array[]; max: (Uint8Array | undefined)[]; exact: Uint8Array };
  /** west, south, east, north of the shapes brought to [-180, 180]; -180…180 where one crosses. */
  boxes?: Float64Array;
}

/** All indexes of a source at one version. */
export interface IndexSet {
  readonly indexes: readonly Index[];
  readonly zones: ReadonlyMap<string, ZoneMap>;
  /** What could not be read or understood: a damaged index is no error of the query. */
  readonly warnings: readonly string[];
}
