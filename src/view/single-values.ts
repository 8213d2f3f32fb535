/** Fields that are the same for all rows of a view. */
import { jsonCell } from "../format/cell.ts";
import type { OutputColumn } from "../plan/api.ts";
import { cellAt, type Vector } from "../table/vector.ts";
import { type JsonValue, parseJson } from "../zarr/json.ts";

const BLOCK_ROWS = 8192;

/** The values of the fields that have one for all rows `idx`, by name; those that are NULL somewhere are left out. */
export async function singleValues(
  fields: readonly OutputColumn[],
  idx: Float64Array,
  load: (field: number, idx: Float64Array) => Promise<Vector>,
): Promise<Map<string, JsonValue>> {
  const values = new Map<string, JsonValue>();
  if (idx.length === 0) return values;
  if (idx.length === 1) values.set("idx", idx[0]!);
  for (const [i, field] of fields.entries()) {
    if (field.name === "idx") continue;
    const text = await singleText(field, idx, (rows) => load(i, rows));
    if (text !== undefined && text !== "null") values.set(field.name, parseJson(text, field.name));
  }
  return values;
}

/** As JSON; `undefined` as soon as two rows differ. */
async function singleText(
  { type }: OutputColumn,
  idx: Float64Array,
  load: (rows: Float64Array) => Promise<Vector>,
): Promise<string | undefined> {
  let single: string | undefined;
  for (let from = 0; from < idx.length; from += BLOCK_ROWS) {
    const vector = await load(idx.slice(from, from + BLOCK_ROWS));
    for (let i = 0; i < vector.length; i++) {
      const text = jsonCell(cellAt(vector, i), type);
      single ??= text;
      if (text !== single) return undefined;
    }
  }
  return single;
}
