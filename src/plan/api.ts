/**
 * What planning offers to the layers above it. Implemented in `plan.ts` (text → plan) and `execute.ts` (plan → rows).
 */
import type { SqlType } from "../table/types.ts";
import type { CellValue, Vector } from "../table/vector.ts";

/** A value for `$n`: numbers and bigints, text, booleans, bytes, null. */
export type Parameter = CellValue;

export interface QueryOptions {
  params?: readonly Parameter[];
  /** [west, south, east, north] degrees, ANDed to WHERE on the geometry column; west > east crosses the antimeridian. */
  bbox?: readonly [number, number, number, number];
  /** RFC 3339 instant or `a/b`, `../b`, `a/..`, ANDed to WHERE on the time column(s). */
  datetime?: string;
  /** false in queries whose answer must not depend on the clock; default true. */
  allowNow?: boolean;
}

/** One column of the answer. */
export interface OutputColumn {
  name: string;
  type: SqlType;
  /** The `meta` column (or "idx") where the item is just that; `undefined` for an expression. */
  column: string | undefined;
  /** false where only `*` named it. */
  named: boolean;
  /** What was computed, in a canonical spelling with parameters written in: equal text, equal values. */
  text: string;
}

/** A run of result rows, column by column. */
export interface Batch {
  length: number;
  /**
   * idx of each row, exact below 2^53. Where the rows are not rows of the table (aggregates, GROUP BY, DISTINCT): the
   * row's number in the answer, from 0.
   */
  idx: Float64Array;
  /** One per output column. */
  vectors: Vector[];
}
