/** JSON Schemas of requests and answers: checked on the way in, shown in /openapi.json. */
import { ERROR_STATUS } from "../errors.ts";

const text = (description: string, more: object = {}) => ({ type: "string", description, ...more });
const integer = (description: string, more: object = {}) => ({ type: "integer", description, ...more });
const nullable = (type: string, description: string) => ({ type: [type, "null"], description });
const list = (items: object, description: string) => ({ type: "array", items, description });
const object = (properties: object, required: string[] = Object.keys(properties)) => ({
  type: "object",
  properties,
  required,
});

export const PROBLEM_SCHEMA = {
  $id: "Problem",
  ...object(
    {
      type: text("about:blank: `code` tells errors apart"),
      title: text("The status in words"),
      status: integer("HTTP status"),
      detail: text("What failed, where, and what would work"),
      code: text("Which error it is", { enum: Object.keys(ERROR_STATUS) }),
      line: integer("Line in the SQL text, from 1"),
      column: integer("Column in that line, from 1"),
      details: { type: "object", additionalProperties: true, description: "Further facts for machines" },
    },
    ["type", "title", "status", "detail", "code"],
  ),
};

/** Every error answers with this. */
export const ERRORS = {
  default: {
    description: "An error",
    content: { "application/problem+json": { schema: { $ref: "Problem#" } } },
  },
};

export const COLLECTION_PARAMS = object({
  name: text("Name of a collection, or `name@ref` for a branch, tag or snapshot of its source"),
});

export const VIEW_PARAMS = object({ id: text("Id of a view") });

export const KERCHUNK_STRING = {
  type: "object",
  properties: { zarr_format: text("Of the metadata: 2 (default) or 3", { enum: ["2", "3"] }) },
  additionalProperties: false,
};

const sql = text("SELECT … FROM meta …", { minLength: 1 });
const datetime = text("RFC 3339 instant, or interval `a/b`, `../b`, `a/..`, on the time column");
const paramsList = { type: "array", items: {}, description: "Values of $1, $2 …; integers are read exactly" };
const bbox = {
  anyOf: [
    { type: "array", items: { type: "number" }, minItems: 4, maxItems: 4 },
    { type: "string", pattern: "^[^,]+(,[^,]+){3}$" },
  ],
  description: "west, south, east, north in degrees; west > east crosses the antimeridian",
};
const format = text("json (default), ndjson, csv, arrow (an IPC stream) or geojson");
const explain = text("Answer with the plan: `plan` as it would be, `analyze` as it went", {
  enum: ["plan", "analyze"],
});

export const QUERY_STRING = {
  type: "object",
  properties: {
    sql,
    params: text("JSON array of the values of $1, $2 …"),
    bbox: text("west,south,east,north in degrees; west > east crosses the antimeridian"),
    datetime,
    format,
    explain,
  },
  required: ["sql"],
  additionalProperties: false,
};

export const QUERY_BODY = {
  type: "object",
  properties: { sql, params: paramsList, bbox, datetime, format, explain },
  required: ["sql"],
  additionalProperties: false,
};

export const VIEW_BODY = {
  type: "object",
  properties: {
    sql: { ...sql, description: "The query whose rows are the view's granules; or `idx`" },
    idx: list({ type: "integer", minimum: 0 }, "Rows, in the order wanted; instead of `sql`"),
    params: paramsList,
    bbox,
    datetime,
    fields: list({ type: "string" }, "Columns that become attributes; default: what the SQL selects"),
    layout: text("granules (default), stacked or concatenated", {
      enum: ["granules", "stacked", "concatenated"],
    }),
    group_by: text("stacked: one stack for each encoding that granules have; default: one of all", {
      enum: ["encoding"],
    }),
    variables: list({ type: "string" }, "Only these arrays of each granule; default: all"),
    missing: text("What to do with a row whose granule is not in the source", { enum: ["error", "skip"] }),
    ttl: {
      type: "number",
      exclusiveMinimum: 0,
      maximum: 3_153_600_000,
      description: "Seconds to live; default: for ever",
    },
  },
  additionalProperties: false,
};

export const LIST_STRING = {
  type: "object",
  properties: {
    limit: text("Views on a page, 1 to 1000; default 100", { pattern: "^[0-9]{1,4}$" }),
    cursor: text("`next` of the page before", { pattern: "^[0-9]{1,15}$" }),
  },
  additionalProperties: false,
};

const viewFields = {
  id: text("Hash of what makes the view"),
  count: integer("Granules in it"),
  skipped: integer("Rows left out because their granule is not in the source"),
  fields: list({ type: "string" }, "Columns that are attributes"),
  layout: text("granules, stacked or concatenated"),
  version: text("Version of the source it is pinned to"),
  v3: text("Base URL of its Zarr v3 face"),
  v2: text("Base URL of its Zarr v2 face"),
  python: text("Lines of Python that open it"),
  javascript: text("Lines of JavaScript that open it"),
  expires: nullable("string", "When it expires, RFC 3339"),
};

const groupBy = text("encoding: a stacked view has one stack for each; else absent");

export const VIEW = object({ ...viewFields, group_by: groupBy }, Object.keys(viewFields));

const storedFields = {
  ...viewFields,
  collection: text("The collection it is of"),
  sql: nullable("string", "The query it came from; null for a list of rows"),
  created: text("RFC 3339"),
  used: text("When it was last read, to the minute, RFC 3339"),
};

export const STORED_VIEW = object({ ...storedFields, group_by: groupBy }, Object.keys(storedFields));

export const VIEW_LIST = object({
  views: list(STORED_VIEW, "In the order they were made"),
  next: nullable("string", "The next page's cursor; null on the last page"),
});

export const COLLECTION_LIST = object({
  collections: list(
    object({ name: text("Name"), rows: integer("Rows of its meta group"), url: text("Its description") }),
    "Collections served",
  ),
});

export const COLLECTION = {
  type: "object",
  description: "Columns, rows, extent in time and space, granule layout, version",
  additionalProperties: true,
};

export const ROWS = object({
  columns: list(
    object({ name: text("Name"), type: text("bool, int8 … float64, string, timestamp[ms], geometry …") }),
    "",
  ),
  rows: list({ type: "object", additionalProperties: true }, "One object per row"),
  count: integer("Number of rows"),
  version: text("Version of the source they were read from"),
});

export const EXPLAIN = object({
  plan: list({ type: "object", additionalProperties: true }, "Steps in order"),
  version: text("Version of the source"),
});
