import type { QueryResult } from "../collection.ts";
import { arrowStream } from "../format/arrow.ts";
import { csvText } from "../format/csv.ts";
import { geojsonText } from "../format/geojson.ts";
import { jsonText } from "../format/json.ts";
import { ndjsonText } from "../format/ndjson.ts";
import { textTable } from "../format/text-table.ts";
import { records, tooWide } from "./records.ts";

/** What `--format` may say; the first is what it says by default. */
export const FORMATS = ["table", "json", "ndjson", "csv", "arrow", "geojson"] as const;
export type Format = (typeof FORMATS)[number];

/**
 * An answer in pieces: text, or Arrow's bytes.
 *
 * @param width columns of the terminal a table has to fit; `undefined` where there is none: then it shows every row
 */
export function rowsAs(
  format: Format,
  result: QueryResult,
  width: number | undefined,
): AsyncIterable<string | Uint8Array> {
  const { columns, rowQuery } = result;
  const batches = result.batches();
  if (format === "json") return jsonText(columns, batches, () => result.version());
  if (format === "ndjson") return ndjsonText(columns, batches);
  if (format === "csv") return csvText(columns, batches);
  if (format === "arrow") return arrowStream(columns, batches);
  if (format === "geojson") return geojsonText(columns, batches, { idx: rowQuery });
  if (width !== undefined && tooWide(columns.length, width)) return records(columns, batches, width);
  return textTable(columns, batches, width === undefined ? { maxRows: Number.POSITIVE_INFINITY } : { width });
}
