import type { SqlType } from "../table/types.ts";
import type { CellValue } from "../table/vector.ts";

/**
 * One cell as JSON text, the same in attributes, JSON rows and CSV:
 * timestamps ISO 8601 UTC with as many fraction digits as the unit has (s 0, ms 3, us 6, ns 9; none where they are
 * all zero … see `formatTimestamp`), geometry WKT, 64-bit integers exact, bytes base64, ±Infinity as strings, NULL null.
 */
export type FormatCell = (value: CellValue, type: SqlType) => string;
