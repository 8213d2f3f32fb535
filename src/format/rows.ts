/** What all formats share: the rows they write, and how. */
import { ZarrsiftError } from "../errors.ts";
import type { SqlType } from "../table/types.ts";
import { type CellValue, cellAt, type Vector } from "../table/vector.ts";
import { Pace } from "./pace.ts";

/** A column of the answer. */
export interface RowColumn {
  name: string;
  type: SqlType;
}

/** A run of rows, a vector for each column. */
export interface RowBatch {
  length: number;
  vectors: Vector[];
  /** idx of each row. */
  idx?: Float64Array;
}

/** Past a limit an answer fails, it is never cut short. */
export interface RowLimits {
  /** Default: none. */
  maxRows?: number;
  /** Of text, in UTF-16 units. Default: none. */
  maxLength?: number;
}

/** How a format writes an answer. */
export interface RowFormat {
  head: string;
  /** A function from a row's position in `batch` to its text; `count` is the number of rows before the batch. */
  rows(batch: RowBatch, count: number): (i: number) => string;
  tail(count: number): string | Promise<string>;
}

/** How much text is handed on at once, in UTF-16 units, roughly. */
const PIECE = 65_536;

/**
 * The answer as pieces of text worth sending.
 *
 * @param hold how much text is kept back before the first piece, so that what fails early fails before the first byte
 * @throws ZarrsiftError `too_large`
 */
export async function* textPieces(
  batches: AsyncIterable<RowBatch>,
  format: RowFormat,
  limits: RowLimits,
  hold = PIECE,
): AsyncGenerator<string> {
  const pace = new Pace(undefined);
  let [piece, length, count, least] = [format.head, 0, 0, hold];
  for await (const batch of batches) {
    checkCount(count + batch.length, limits);
    const row = format.rows(batch, count);
    for (let i = 0; i < batch.length; i++) {
      piece += row(i);
      if (piece.length < least) continue;
      length += piece.length;
      if (length > (limits.maxLength ?? Number.POSITIVE_INFINITY)) throw tooLong(limits.maxLength!);
      yield piece;
      [piece, least] = ["", PIECE];
      await pace.rest();
    }
    count += batch.length;
  }
  piece += await format.tail(count);
  if (length + piece.length > (limits.maxLength ?? Number.POSITIVE_INFINITY))
    throw tooLong(limits.maxLength!);
  yield piece;
}

/** A function for each column from a row's position to its cell as `write` spells it. */
export function cells(
  batch: RowBatch,
  write: (value: CellValue, type: SqlType) => string,
): ((i: number) => string)[] {
  return batch.vectors.map((vector) => (i) => write(cellAt(vector, i), vector.type));
}

/** @throws ZarrsiftError `too_large` where `count` rows are more than the limit */
export function checkCount(count: number, { maxRows }: RowLimits): void {
  if (maxRows === undefined || count <= maxRows) return;
  throw new ZarrsiftError(
    "too_large",
    `The answer has more than ${maxRows} rows, the limit; add LIMIT and OFFSET`,
  );
}

function tooLong(most: number): ZarrsiftError {
  return new ZarrsiftError(
    "too_large",
    `The answer is longer than ${most} characters, the limit; select less`,
  );
}
