/** A query's answer in a format. */
import type { QueryResult } from "../collection.ts";
import { arrowStream } from "../format/arrow.ts";
import { csvText } from "../format/csv.ts";
import { geojsonText } from "../format/geojson.ts";
import { jsonText } from "../format/json.ts";
import { ndjsonText } from "../format/ndjson.ts";

/** Formats by name, with their media types. */
export const FORMATS = {
  json: "application/json; charset=utf-8",
  ndjson: "application/x-ndjson; charset=utf-8",
  csv: "text/csv; charset=utf-8; header=present",
  arrow: "application/vnd.apache.arrow.stream",
  geojson: "application/geo+json; charset=utf-8",
} as const;

export type RowFormat = keyof typeof FORMATS;

/**
 * The answer in pieces, of text or of bytes.
 * @throws ZarrsiftError `bad_parameter` where the answer has no such form; `too_large` while it is read, once there are
 *   more rows than `maxRows`
 */
export function rowsAs(
  format: RowFormat,
  result: QueryResult,
  maxRows: number,
  signal: AbortSignal,
): AsyncIterable<string | Uint8Array> {
  const { columns, rowQuery } = result;
  const batches = result.batches({ signal });
  if (format === "ndjson") return ndjsonText(columns, batches, { maxRows });
  if (format === "csv") return csvText(columns, batches, { maxRows });
  if (format === "arrow") return arrowStream(columns, batches, { maxRows });
  if (format === "geojson") return geojsonText(columns, batches, { maxRows, idx: rowQuery });
  return jsonText(columns, batches, () => result.version(), { maxRows });
}
