/** What building is asked for, and what it tells. */
import type { ReadOptions } from "../../store/store.ts";
import type { TableOptions } from "../../table/open.ts";
import type { BySide } from "../api.ts";
import type { IndexKind } from "./choose.ts";
import type { ColumnProduct, ProductOptions } from "./product.ts";
import type { WrittenParts } from "./target.ts";

export interface BuildOptions extends ReadOptions {
  /** Names of the columns to index; default: all that gain by it. */
  columns?: readonly string[] | undefined;
  /** Columns that hold the boxes of the geometry column, which are indexed too; default: those that did, and those that are named so. */
  covering?: BySide<string> | undefined;
  onProgress?: ((progress: BuildProgress) => void) | undefined;
  /** Told of each column when it is done. */
  onColumn?: ((report: ColumnReport) => void) | undefined;
  /** How the source's table is opened. */
  table?: TableOptions | undefined;
  /** Columns at work at once, each with up to 80 bytes a row in memory; default 1. */
  parallel?: number | undefined;
  /** Does the work for a column elsewhere, in another thread: `produceColumn` of the same source and target. */
  produceElsewhere?: ((column: string, options: ProductOptions) => Promise<RemoteProduct>) | undefined;
}

/** What was written for a column, and the target's account of it. */
export interface RemoteProduct {
  product: ColumnProduct;
  parts: WrittenParts;
}

export interface BuildProgress {
  column: string;
  /** What is done now: rows are read, then sorted and written. */
  step: "compare" | "read" | "write";
  /** Of this column. */
  rows: number;
  rowsTotal: number;
  /** Columns that are done, of so many. */
  columns: number;
  columnsTotal: number;
}

/** What became of a column's indexes. */
export interface ColumnReport {
  column: string;
  /** `undefined`: it has a zone map alone. */
  kind: IndexKind | undefined;
  /** `left`: it cannot be indexed. */
  what: "built" | "extended" | "rebuilt" | "unchanged" | "left";
  /** Why it is not simply built. */
  why: string | undefined;
  rows: number;
  /** Bytes of the arrays written, and milliseconds taken. */
  bytes: number;
  ms: number;
  /** Columns that an R-tree answers for, because they hold its boxes. */
  covering?: BySide<string> | undefined;
}
