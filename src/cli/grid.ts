/** Columns of text set side by side, for a person to read. */

/** What stands between two columns. */
const GAP = "  ";

/** Narrowest a column is made before others give way, in characters. */
const NARROW = 8;

/**
 * Widths for columns that want `wanted` characters each and have `total` together: every column gets what it
 * wants while there is room; else the widest give way first.
 *
 * @param total undefined: as wide as they like
 */
export function shareWidth(wanted: readonly number[], total: number | undefined): number[] {
  if (total === undefined) return [...wanted];
  const room = total - GAP.length * (wanted.length - 1);
  let most = Math.max(NARROW, ...wanted);
  const sum = (limit: number) => wanted.reduce((all, width) => all + Math.min(width, limit), 0);
  while (most > NARROW && sum(most) > room) most--;
  return wanted.map((width) => Math.min(width, most));
}

/** One line of cells, each padded or cut with `…` to its width; numbers stand to the right. */
export function line(cells: readonly string[], widths: readonly number[], right: readonly boolean[]): string {
  const padded = cells.map((cell, i) => {
    const text = cut(plain(cell), widths[i]!);
    const space = " ".repeat(Math.max(0, widths[i]! - [...text].length));
    return right[i] ? space + text : text + space;
  });
  return `${padded.join(GAP).trimEnd()}\n`;
}

/** Characters `cell` takes on a line. */
export function widthOf(cell: string): number {
  return [...plain(cell)].length;
}

/** Line breaks, tabs and other control characters as one space each, so that a cell stays on its line. */
function plain(cell: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal control sequences are what must not get through
  return cell.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ");
}

function cut(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, width - 1).join("")}…`;
}

/** A whole table: heads, a rule, rows. */
export function grid(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly boolean[],
  total?: number,
): string {
  const wanted = heads.map((head, i) => Math.max(widthOf(head), ...rows.map((row) => widthOf(row[i]!))));
  const widths = shareWidth(wanted, total);
  const rule = widths.map((width) => "─".repeat(width));
  return [heads, rule, ...rows].map((cells) => line(cells, widths, right)).join("");
}
