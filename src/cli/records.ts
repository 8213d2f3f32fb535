import { textCell } from "../format/cell.ts";
import type { RowBatch, RowColumn } from "../format/rows.ts";
import { cellAt } from "../table/vector.ts";
import { line, widthOf } from "./grid.ts";

/** The least a column of a table takes, its gap included. */
const LEAST = 10;

/** Records shown; the others are counted. */
const SHOWN = 1000;

/** Whether a table of `columns` columns would not fit `width` characters. */
export function tooWide(columns: number, width: number): boolean {
  return columns * LEAST > width;
}

/** An answer with many columns for people: a block of lines for each row, a line for each column. */
export async function* records(
  columns: readonly RowColumn[],
  batches: AsyncIterable<RowBatch>,
  width: number,
): AsyncGenerator<string> {
  const names = columns.map(({ name }) => name);
  const first = Math.min(
    Math.floor(width / 2),
    names.reduce((most, name) => Math.max(most, widthOf(name)), 0),
  );
  const widths = [first, width - first - 2];
  let count = 0;
  for await (const { length, vectors } of batches) {
    for (let i = 0; i < length && count + i < SHOWN; i++) {
      yield `── row ${count + i + 1} ──\n`;
      for (const [c, vector] of vectors.entries()) {
        const value = cellAt(vector, i);
        yield line([names[c]!, textCell(value, vector.type)], widths, [false, false]);
      }
    }
    count += length;
  }
  yield `${count > SHOWN ? `… ${count - SHOWN} more; ` : ""}(${count} row${count === 1 ? "" : "s"})\n`;
}
