/** Options that callers of the library spell wrong are refused: a filter that is passed over answers with too much. */
import { ZarrsiftError } from "./errors.ts";
import { suggest } from "./sql/suggest.ts";

/** What reads take; callers of the library have use for `signal`. */
const READING = ["traffic", "onStat", "onModified", "asOf", "keep", "expect"];
const QUERY = ["params", "bbox", "datetime", "allowNow", "signal"];
const VIEW = ["fields", "layout", "groupBy", "variables", "missing"];
const VALUES: Record<string, readonly string[]> = {
  layout: ["granules", "stacked", "concatenated"],
  groupBy: ["encoding"],
  missing: ["error", "skip"],
};

/** What options of queries and views are, beside those of `VALUES`. */
const KINDS: Record<string, "a list" | "a text" | "a boolean"> = {
  params: "a list",
  bbox: "a list",
  datetime: "a text",
  allowNow: "a boolean",
  fields: "a list",
  variables: "a list",
};

/** Names of options, each with the names in its value where that is an object, or a list of such objects. */
interface Names {
  [name: string]: Names | null | readonly [Names];
}

const named = (...names: string[]): Names => Object.fromEntries(names.map((name) => [name, null]));
const S3: Names = {
  ...named("endpoint", "region", "pathStyle"),
  credentials: named("accessKeyId", "secretAccessKey", "sessionToken"),
};
const OPEN: Names = {
  ...named("name", "fields", "columns"),
  location: named("column", "template"),
  roles: named("geometry", "time"),
  ...named("indexes", "verifyIndexes", "absent"),
  s3: S3,
  virtualChunks: [{ prefix: null, ...S3 }],
  patience: named("retries", "backoffMs", "timeoutMs"),
  ...named("concurrency", "cacheBytes", "nodesKept", "consolidatedNodes", "log", "total", "signal"),
};
/** What stands for an option of `open` where collections are opened in stores. */
const OPEN_STORE = ["indexStore", "indexCacheBytes", "openVersion"];

/**
 * @throws ZarrsiftError `bad_parameter` for what is no source, or a name that is no option of opening a collection
 */
export function checkOpen(source: unknown, options: unknown): void {
  const isStore = kindOf(source) === "an object" && typeof (source as { get?: unknown }).get === "function";
  if (source === "" || (typeof source !== "string" && !isStore))
    throw bad(
      `A source is a path, a URL or a store, not ${source === "" ? "an empty text" : kindOf(source)}`,
    );
  checkNames(objectOf(options), OPEN, "", [...READING, ...OPEN_STORE]);
}

/** @throws ZarrsiftError `bad_parameter` for what is no text, or no option of a query */
export function checkQuery(sql: unknown, options: unknown): void {
  if (typeof sql !== "string")
    throw bad(`A query is a text such as "SELECT idx FROM meta", not ${kindOf(sql)}`);
  checkNames(objectOf(options), named(...QUERY), "", READING);
  checkKinds(options);
}

/** @throws ZarrsiftError `bad_parameter` for what names no rows, for a name that is no option of a view, or a value that it cannot have */
export function checkView(rows: unknown, options: unknown): void {
  if (typeof rows !== "string" && !isList(rows))
    throw bad(`A view is of a query, as text, or of a list of row numbers, not of ${kindOf(rows)}`);
  checkNames(objectOf(options), named(...QUERY, ...VIEW), "", READING);
  checkKinds(options);
  for (const [name, allowed] of Object.entries(VALUES)) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined && !allowed.includes(value as string))
      throw bad(`${name} is ${allowed.map((one) => `"${one}"`).join(" or ")}, not ${JSON.stringify(value)}`);
  }
}

const isList = (value: unknown) => Array.isArray(value) || ArrayBuffer.isView(value);

function checkKinds(options: unknown): void {
  for (const [name, value] of Object.entries(options as object)) {
    const kind = KINDS[name];
    if (value === undefined || !kind) continue;
    const fits = kind === "a list" ? isList(value) : kind === kindOf(value);
    if (!fits) throw bad(`${name} is ${kind}, not ${kindOf(value)}`);
  }
}

function objectOf(options: unknown): object {
  if (kindOf(options) === "an object") return options as object;
  throw bad(`Options are an object, such as { fields: ["date"] }, not ${kindOf(options)}`);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "string") return "a text";
  if (typeof value === "object") return isList(value) ? "a list" : "an object";
  return `a ${typeof value}`;
}

/** `place` is the option that holds `options`, with a dot behind it; `unlisted` are taken, and not in messages. */
function checkNames(options: object, names: Names, place = "", unlisted: readonly string[] = []): void {
  for (const [name, value] of Object.entries(options)) {
    if (unlisted.includes(name)) continue;
    if (!Object.hasOwn(names, name)) throw unknown(place, name, Object.keys(names));
    const inside = names[name];
    if (inside && value !== undefined) checkInside(value, inside, `${place}${name}`);
  }
}

function checkInside(value: unknown, inside: Names | readonly [Names], place: string): void {
  const isList = Array.isArray(inside);
  const objects = isList ? value : [value];
  const [names] = isList ? inside : [inside];
  if (!Array.isArray(objects) || objects.some((one) => typeof one !== "object" || one === null)) {
    const object = `{ ${Object.keys(names).join(", ")} }`;
    throw bad(`${place} is ${isList ? `a list of ${object}` : `an object, ${object}`}`);
  }
  for (const [i, one] of objects.entries()) checkNames(one, names, isList ? `${place}[${i}].` : `${place}.`);
}

function unknown(place: string, name: string, known: readonly string[]): ZarrsiftError {
  const guess = suggest(name, known);
  const list = `there are: ${known.join(", ")}${guess === undefined ? "" : `. Did you mean ${guess}?`}`;
  return bad(`There is no option ${place}${name} here; ${list}`);
}

const bad = (message: string) => new ZarrsiftError("bad_parameter", message);

/** How the `cacheBytes` of a collection are divided, each part being the default where nothing is said. */
export function cacheShares(bytes: number | undefined) {
  if (bytes === undefined) return { ofStore: undefined, ofTable: {} };
  return { ofStore: bytes / 8, ofTable: { cacheBytes: (bytes * 5) / 8, indexCacheBytes: bytes / 4 } };
}
