/** A query's answer as text. */
import type { QueryResult } from "../collection.ts";
import { csvText } from "../format/csv.ts";
import { jsonText } from "../format/json.ts";
import { ndjsonText } from "../format/ndjson.ts";

/** Formats by name, with their media types. */
export const FORMATS = {
  json: "application/json; charset=utf-8",
  ndjson: "application/x-ndjson; charset=utf-8",
  csv: "text/csv; charset=utf-8; header=present",
} as const;

export type RowFormat = keyof typeof FORMATS;

/** @throws ZarrsiftError `too_large` while it is read, once there are more rows than `maxRows` */
export function rowsText(
  format: RowFormat,
  result: QueryResult,
  maxRows: number,
  signal: AbortSignal,
): AsyncIterable<string> {
  const { columns, version } = result;
  const batches = result.batches({ signal });
  if (format === "ndjson") return ndjsonText(columns, batches, { maxRows });
  if (format === "csv") return csvText(columns, batches, { maxRows });
  return jsonText(columns, batches, version, { maxRows });
}
