/** Whether values look like geometry, to recognise a column that nothing declares. */
import { isZarrsiftError } from "../errors.ts";
import { wkbBox } from "./wkb-box.ts";
import { parseWkt } from "./wkt-read.ts";

const decoder = new TextDecoder();
const box = new Float64Array(4);

/** Whether the bytes are a whole WKB or EWKB geometry. */
export function looksLikeWkb(bytes: Uint8Array): boolean {
  return parses(() => wkbBox(bytes, 0, bytes.length, box));
}

/** Whether the bytes are a WKT or EWKT geometry in UTF-8. */
export function looksLikeWkt(bytes: Uint8Array): boolean {
  return parses(() => parseWkt(decoder.decode(bytes)));
}

function parses(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (isZarrsiftError(error, "bad_geometry")) return false;
    throw error;
  }
}
