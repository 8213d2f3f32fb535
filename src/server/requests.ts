/** Parameters of queries and views, from bodies and query strings. */
import { messageOf, ZarrsiftError } from "../errors.ts";
import type { Parameter, QueryOptions } from "../plan/api.ts";
import { JsonNumber, type JsonValue, parseJson } from "../zarr/json.ts";

export { explainOf } from "../plan/explain.ts";

/** A body's JSON: what `JSON.parse` gives, but integers beyond 2^53 are bigints. */
export function parseBody(text: string): unknown {
  if (text.trim() === "") throw new ZarrsiftError("bad_request", "The body is empty; JSON was expected.");
  return exact(parsed(text, "The body"));
}

/** `params` of a query string: a JSON array. */
export function parseParams(text: string): unknown {
  return exact(parsed(text, "params"));
}

/** What a request says beside its SQL. */
export interface QueryFields {
  params?: unknown;
  bbox?: unknown;
  datetime?: string;
}

/** @throws ZarrsiftError `bad_parameter` */
export function queryOptions({ params, bbox, datetime }: QueryFields): QueryOptions {
  return {
    ...(params !== undefined && { params: checkParams(params) }),
    ...(bbox !== undefined && { bbox: parseBbox(bbox) }),
    ...(datetime !== undefined && { datetime }),
  };
}

/** `[w, s, e, n]` or `"w,s,e,n"`, degrees; west > east crosses the antimeridian. */
function parseBbox(value: unknown): [number, number, number, number] {
  const parts = typeof value === "string" ? value.split(",").map(numberOf) : (value as unknown[]);
  const [, south, , north] = parts as number[];
  if (parts.length !== 4 || !parts.every(Number.isFinite) || south! > north!) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    throw new ZarrsiftError(
      "bad_parameter",
      `bbox is west,south,east,north in degrees, south <= north; not ${text}`,
    );
  }
  return parts as [number, number, number, number];
}

function numberOf(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}

function checkParams(params: unknown): Parameter[] {
  if (Array.isArray(params) && params.every(isScalar)) return params as Parameter[];
  throw new ZarrsiftError(
    "bad_parameter",
    "params is a JSON array of null, booleans, finite numbers and strings.",
  );
}

function isScalar(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return value === null || ["boolean", "bigint", "string"].includes(typeof value);
}

function parsed(text: string, what: string): JsonValue {
  try {
    return parseJson(text, what);
  } catch (cause) {
    throw new ZarrsiftError("bad_request", messageOf(cause), { cause });
  }
}

/** Numbers as JavaScript has them, and as bigints where a double would be another integer. */
function exact(value: JsonValue): unknown {
  if (value instanceof JsonNumber) {
    const number = Number(value.text);
    return /^-?\d+$/.test(value.text) && !Number.isSafeInteger(number) ? BigInt(value.text) : number;
  }
  if (Array.isArray(value)) return value.map(exact);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, exact(item)]));
}
