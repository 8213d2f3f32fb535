import { type Position, ZarrsiftError } from "../../errors.ts";
import { sqlError } from "../../sql/messages.ts";

/**
 * Runs `work`, whose errors get the place `at` in the query where they have none. Geometry that is bad at a place in
 * the query is the query's fault, not the source's.
 */
export function placed<T>(work: () => T, at: Position): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ZarrsiftError) || error.at || "row" in error.details) throw error;
    throw sqlError(error.code === "bad_geometry" ? "sql_type" : error.code, error.message, at);
  }
}
