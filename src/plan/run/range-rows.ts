/** Rows whose value lies in a range, found in place: no value is picked out. */
import { mapLimit } from "../../abort.ts";
import { joined } from "../../joined.ts";
import type { Column } from "../../table/table.ts";
import { type ColumnRange, keepInRange } from "../eval/keep-ranges.ts";
import { within } from "../indexes/row-sets.ts";
import { AT_ONCE, type ReadChunk } from "./rows.ts";

/** Those of `rows` whose value lies in the range; undefined where that is not to be found out in one go. */
export async function rowsInRange(
  column: Column,
  range: ColumnRange,
  rows: Float64Array,
  read: ReadChunk,
): Promise<Float64Array | undefined> {
  // Rows are turned into whole numbers of 32 bits and back by the system, without a loop.
  if (rows.length === 0 || rows.at(-1)! >= 2 ** 32) return undefined;
  const { chunkRows } = column;
  const parts: Float64Array[] = [];
  for (let at = 0; at < rows.length; at += parts.at(-1)!.length) {
    const from = Math.floor(rows[at]! / chunkRows) * chunkRows;
    parts.push(within(rows, { from, to: from + chunkRows }));
  }
  const kept = await mapLimit(parts, AT_ONCE, async (part) => {
    const chunk = Math.floor(part[0]! / chunkRows);
    const vector = await read(column, chunk);
    if (vector.kind !== "number") return undefined;
    const { positions, count } = keepInRange(
      vector,
      range,
      new Uint32Array(part),
      part.length,
      chunk * chunkRows,
    );
    return new Float64Array(positions.subarray(0, count));
  });
  const found = kept.filter((part) => part !== undefined);
  if (found.length < kept.length) return undefined;
  return joined(found, new Float64Array(found.reduce((sum, { length }) => sum + length, 0)));
}
