/** Where in a SQL text something stands: `offset` in UTF-16 units from 0, `line` and `column` from 1. */
export interface Position {
  offset: number;
  line: number;
  column: number;
}

/**
 * Every error code with the HTTP status it is answered with.
 * 404 means "absent below a view that exists" and nothing else on data paths: Zarr clients turn it into fill values.
 */
export const ERROR_STATUS = {
  // the request
  bad_request: 400,
  bad_parameter: 400,
  sql_syntax: 400,
  sql_unsupported: 400,
  sql_type: 400,
  unknown_column: 400,
  unknown_function: 400,
  unknown_table: 400,
  not_a_row_query: 400,
  bad_idx: 400,
  not_found: 404,
  method_not_allowed: 405,
  gone: 410,
  too_large: 413,
  url_too_long: 414,
  bad_range: 416,
  // what a view cannot express
  field_collision: 422,
  granule_missing: 422,
  granule_conflict: 422,
  layout_unsupported: 422,
  // limits
  busy: 429,
  aborted: 499,
  // this side
  internal: 500,
  encoding_unsupported: 501,
  icechunk_unavailable: 501,
  // the source
  source_unreadable: 502,
  source_forbidden: 502,
  source_not_found: 502,
  not_listable: 502,
  corrupt_metadata: 502,
  corrupt_chunk: 502,
  meta_invalid: 502,
  bad_geometry: 502,
  /** An index that is damaged: the same query can be answered without it. */
  index_unusable: 502,
  source_changed: 503,
  shutting_down: 503,
  timeout: 504,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface ErrorFields {
  /** Place in the SQL text, for errors of the query. */
  at?: Position;
  /** Further facts for machines: the column, the key, the URL, the row … */
  details?: Record<string, string | number | boolean | null>;
  cause?: unknown;
}

/** The one error class: `message` says what failed, where, and what would work. */
export class ZarrsiftError extends Error {
  override readonly name = "ZarrsiftError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly at: Position | undefined;
  readonly details: Record<string, string | number | boolean | null>;

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = code;
    this.status = ERROR_STATUS[code];
    this.at = fields.at;
    this.details = fields.details ?? {};
  }
}

/** Whether `error` is ours, and of this code where one is given. */
export function isZarrsiftError(error: unknown, code?: ErrorCode): error is ZarrsiftError {
  return error instanceof ZarrsiftError && (code === undefined || error.code === code);
}

/** The message of anything that was thrown, with the messages of its causes. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined || isZarrsiftError(error)
    ? error.message
    : `${error.message}: ${messageOf(error.cause)}`;
}
