/** Options that callers of the library spell wrong are refused: a filter that is passed over answers with too much. */
import { ZarrsiftError } from "./errors.ts";

const READING = ["signal", "traffic", "onStat", "onModified", "asOf", "keep", "expect"];
const QUERY = ["params", "bbox", "datetime", "allowNow"];
const VIEW = ["fields", "layout", "groupBy", "variables", "missing"];
const VALUES: Record<string, readonly string[]> = {
  layout: ["granules", "stacked", "concatenated"],
  groupBy: ["encoding"],
  missing: ["error", "skip"],
};

/** @throws ZarrsiftError `bad_parameter` for a name that is no option of a query */
export function checkQueryOptions(options: object): void {
  checkNames(options, QUERY);
}

/** @throws ZarrsiftError `bad_parameter` for a name that is no option of a view, or a value that it cannot have */
export function checkViewOptions(options: object): void {
  checkNames(options, [...QUERY, ...VIEW]);
  for (const [name, allowed] of Object.entries(VALUES)) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined && !allowed.includes(value as string))
      throw bad(`${name} is ${allowed.map((one) => `"${one}"`).join(" or ")}, not ${JSON.stringify(value)}`);
  }
}

function checkNames(options: object, names: readonly string[]): void {
  for (const name of Object.keys(options))
    if (!names.includes(name) && !READING.includes(name))
      throw bad(`There is no option ${name} here; there are: ${[...names, "signal"].join(", ")}`);
}

const bad = (message: string) => new ZarrsiftError("bad_parameter", message);
