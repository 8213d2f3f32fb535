/** What became of a column since it was indexed. */
import { messageOf } from "../../errors.ts";
import type { ReadOptions, Store } from "../../store/store.ts";
import type { MetaColumn } from "../../table/column.ts";
import type { JsonObject } from "../../zarr/json.ts";
import type { IndexReads } from "../pages.ts";
import { truthRecord } from "../records.ts";
import { Truth } from "../truth.ts";
import { ifUsable } from "./if-usable.ts";

/** `same`, or more rows, or other values (or nobody can tell); `why` for people. */
export interface Change {
  what: "same" | "grown" | "changed";
  why: string;
  /** Whether bytes had to be read to see it. */
  compared: boolean;
}

/**
 * Compares every indexed chunk with what it was: by its size and time where the store says the same of them as then,
 * else by its checksum.
 */
export async function changeOf(
  column: MetaColumn,
  record: JsonObject,
  reads: IndexReads,
  source: Store,
  options: ReadOptions = {},
): Promise<Change> {
  const read = async (): Promise<Change> => {
    const recorded = truthRecord(record);
    let state = await new Truth(column, recorded, reads, { source }).state(options);
    if (state.state === "unverified")
      state = await new Truth(column, recorded, reads, { source, verify: true }).state(options);
    if (state.state === "stale") return { what: "changed", why: state.why, compared: true };
    const compared = state.why.startsWith("checksums");
    if (column.rows === recorded.rows) return { what: "same", why: state.why, compared };
    return { what: "grown", why: `${column.rows - recorded.rows} rows were added`, compared };
  };
  // A source that cannot be read is met again.
  return ifUsable(read, (error) => ({ what: "changed", why: messageOf(error), compared: false }), options);
}
