import { objectWriter } from "./json.ts";
import { type RowBatch, type RowColumn, type RowLimits, textPieces } from "./rows.ts";

/** The answer as a JSON object a line. @throws ZarrsiftError `too_large` */
export function ndjsonText(
  columns: readonly RowColumn[],
  batches: AsyncIterable<RowBatch>,
  limits: RowLimits = {},
): AsyncGenerator<string> {
  const format = {
    head: "",
    rows(batch: RowBatch) {
      const object = objectWriter(columns, batch);
      return (i: number) => `${object(i)}\n`;
    },
    tail: () => "",
  };
  return textPieces(batches, format, limits);
}
