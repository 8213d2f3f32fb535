/** The rows of a scan in pieces of bounded size, cut where chunks end. */
import type { Table } from "../../table/table.ts";
import type { Plan } from "../make-plan.ts";

export interface Window {
  from: number;
  to: number;
}

/** Most rows of a window, and most decoded bytes that all columns of a query take for one, roughly. */
const MOST_ROWS = 131_072;
const MOST_BYTES = 64 * 2 ** 20;

/**
 * Windows of a plan in the order of its scan.
 *
 * @param names of the columns the scan reads, the one that most reads are for first: its chunks decide where to cut
 * @param growing begin with one chunk and double, for scans that may stop early
 */
export function* windows(
  plan: Plan,
  table: Table,
  names: readonly string[],
  growing: boolean,
): Generator<Window> {
  const columns = names.map((name) => table.columns.get(name)!);
  const perRow = columns.reduce((sum, column) => sum + column.bytesPerRow, 8);
  const most = Math.max(1024, Math.min(MOST_ROWS, Math.floor(MOST_BYTES / perRow)));
  const chunkRows = columns[0]?.chunkRows ?? most;
  // A chunk that is a little too large stays whole; a far larger one is cut into equal parts.
  const step = chunkRows <= 2 * most ? chunkRows : Math.ceil(chunkRows / Math.ceil(chunkRows / most));
  const full = Math.max(1, Math.floor(most / step)) * step;
  let size = growing ? step : full;
  let { from, to } = plan;
  while (from < to) {
    const window = plan.backwards
      ? { from: Math.max(from, edgeBelow(to, chunkRows, step, size)), to }
      : { from, to: Math.min(to, edgeAbove(from, chunkRows, step, size)) };
    yield window;
    if (plan.backwards) to = window.from;
    else from = window.to;
    size = Math.min(full, size * 2);
  }
}

/** The cut that ends a window of `size` rows, several chunks or part of one, from `row` on. */
function edgeAbove(row: number, chunkRows: number, step: number, size: number): number {
  const first = Math.floor(row / chunkRows) * chunkRows;
  if (step === chunkRows) return first + size;
  const end = first + (Math.floor((row - first) / step) + 1) * step;
  return Math.min(end, first + chunkRows);
}

function edgeBelow(row: number, chunkRows: number, step: number, size: number): number {
  const first = Math.floor((row - 1) / chunkRows) * chunkRows;
  if (step === chunkRows) return first + chunkRows - size;
  return first + Math.floor((row - 1 - first) / step) * step;
}
