import type { SqlType } from "../table/types.ts";
import type { CellValue } from "../table/vector.ts";
import { textCell } from "./cell.ts";
import { cells, type RowBatch, type RowColumn, type RowLimits, textPieces } from "./rows.ts";

/**
 * The answer as CSV (RFC 4180): a header, lines that end in CRLF. NULL is an empty field, an empty string is `""`.
 * @throws ZarrsiftError `too_large`
 */
export function csvText(
  columns: readonly RowColumn[],
  batches: AsyncIterable<RowBatch>,
  limits: RowLimits = {},
): AsyncGenerator<string> {
  const format = {
    head: `${columns.map(({ name }) => quoted(name)).join(",")}\r\n`,
    rows(batch: RowBatch) {
      const write = cells(batch, field);
      return (i: number) => `${write.map((cell) => cell(i)).join(",")}\r\n`;
    },
    tail: () => "",
  };
  return textPieces(batches, format, limits);
}

function field(value: CellValue, type: SqlType): string {
  return value === null ? "" : quoted(textCell(value, type));
}

function quoted(text: string): string {
  return text === "" || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
