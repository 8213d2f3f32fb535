import type { SqlType } from "../table/types.ts";
import type { CellValue } from "../table/vector.ts";
import { textCell } from "./cell.ts";
import { cells, type RowBatch, type RowColumn } from "./rows.ts";

export interface TextTableOptions {
  /** Characters of a line; default: as many as it takes. */
  width?: number | undefined;
  /** Rows shown; the others are counted. Default 1000. */
  maxRows?: number;
}

/** What stands between columns, and in place of NULL. */
const GAP = "  ";
const NULL = "";

/** Narrowest a column gets while others are wider, and widest that a long text gets at all. */
const NARROW = 8;
const WIDE = 60;

/**
 * The answer as a table for people: numbers to the right, long cells cut with `…`, as wide as `width`. Rows that are
 * not shown are counted.
 */
export async function* textTable(
  columns: readonly RowColumn[],
  batches: AsyncIterable<RowBatch>,
  { width, maxRows = 1000 }: TextTableOptions = {},
): AsyncGenerator<string> {
  const rows: string[][] = [];
  let count = 0;
  for await (const batch of batches) {
    const write = cells(batch, shown);
    for (let i = 0; i < batch.length && rows.length < maxRows; i++) rows.push(write.map((cell) => cell(i)));
    count += batch.length;
  }
  const names = columns.map(({ name }) => plain(name));
  const wanted = names.map((name, c) =>
    rows.reduce((most, row) => Math.max(most, widthOf(row[c]!)), widthOf(name)),
  );
  const widths = shareWidth(wanted, width);
  const right = columns.map(({ type }) => type.kind === "int" || type.kind === "float");
  yield line(names, widths, right);
  yield line(
    widths.map((w) => "─".repeat(w)),
    widths,
    right,
  );
  for (const row of rows) yield line(row, widths, right);
  yield footer(count, rows.length);
}

function shown(value: CellValue, type: SqlType): string {
  return value === null ? NULL : plain(textCell(value, type));
}

/** On one line, and without what a terminal would act on. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not get through
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ");
}

const widthOf = (text: string): number => (text.length > 4 * WIDE ? WIDE : [...text].length);

/** The widest columns give way first. */
function shareWidth(wanted: readonly number[], width: number | undefined): number[] {
  let limit = Math.max(1, Math.min(WIDE, Math.max(1, ...wanted)));
  const total = () =>
    wanted.reduce((sum, want) => sum + Math.min(want, limit), GAP.length * (wanted.length - 1));
  while (width !== undefined && limit > NARROW && total() > width) limit--;
  return wanted.map((want) => Math.min(want, limit));
}

function line(row: readonly string[], widths: readonly number[], right: readonly boolean[]): string {
  const padded = row.map((cell, c) => {
    const text = cut(cell, widths[c]!);
    const space = " ".repeat(Math.max(0, widths[c]! - widthOf(text)));
    return right[c] ? space + text : text + space;
  });
  return `${padded.join(GAP).trimEnd()}\n`;
}

function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  const letters = [...text.slice(0, 2 * width + 2)];
  return letters.length <= width ? text : `${letters.slice(0, width - 1).join("")}…`;
}

function footer(count: number, shownRows: number): string {
  const rows = `${count} row${count === 1 ? "" : "s"}`;
  return count > shownRows ? `… ${count - shownRows} more; ${rows} in all\n` : `(${rows})\n`;
}
