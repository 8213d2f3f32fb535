import type { ZarrsiftError } from "../errors.ts";
import type { RoundedBoxes } from "../geometry/rounded-boxes.ts";
import type { ReadOptions } from "../store/store.ts";
import type { SqlType } from "./types.ts";
import type { Vector } from "./vector.ts";

export interface BoxesOptions extends ReadOptions {
  /** Given the chunk's values where they had to be read, which are not cached. */
  onValues?: (values: Vector) => void;
}

/** One column of `meta`, read a chunk at a time. */
export interface Column {
  readonly name: string;
  readonly type: SqlType;
  /** Rows per chunk; the last one may be shorter. Columns of one table may differ. */
  readonly chunkRows: number;
  /** Whether a stored value can be NULL at all. */
  readonly nullable: boolean;
  /** Decoded bytes a row takes, roughly: what reading costs. */
  readonly bytesPerRow: number;
  /**
   * The rows of one chunk, edge chunks cut to the table's rows, NULLs marked, CF scaling applied. Cached.
   * @param options.keep whether to cache them; default true
   * @throws ZarrsiftError `corrupt_chunk`, `source_unreadable` … naming column and chunk
   */
  read(chunk: number, options?: ReadOptions & { keep?: boolean }): Promise<Vector>;
  /** Envelopes of one chunk of a geometry column. Cached apart from the values. */
  boxes?(chunk: number, options?: BoxesOptions): Promise<RoundedBoxes>;
}

/** The `meta` group as typed columns. */
export interface Table {
  /** What SQL may call it, beside `meta`. */
  readonly name: string;
  readonly rows: number;
  /** In the order they are listed. */
  readonly columns: ReadonlyMap<string, Column>;
  /**
   * Arrays that cannot be used, each with the error to throw when a query names it; where that is `meta_invalid`, they
   * are columns all the same, and `*` is an error too.
   */
  readonly unusable?: ReadonlyMap<string, ZarrsiftError>;
  readonly roles: Roles;
}

/** Which columns mean what, inferred or configured. */
export interface Roles {
  /** The geometry column that `bbox=` filters on. */
  geometry?: string;
  /** The timestamp column that `datetime=` filters on, or start and end where a pair is known. */
  time?: string | { start: string; end: string };
}
