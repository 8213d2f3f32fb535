import { DEFAULT_LIMITS } from "../server/options.ts";

const TEXT = { type: "string", minLength: 1 };
const ENDPOINT = {
  ...TEXT,
  pattern: "^https?://[^/?#@]+/?$",
  description: "base URL of a service other than AWS, such as http://127.0.0.1:9000",
};
const CREDENTIALS = {
  type: "object",
  description: "names of environment variables that hold the keys; left out: requests are not signed",
  properties: { access_key_id_env: TEXT, secret_access_key_env: TEXT, session_token_env: TEXT },
  required: ["access_key_id_env", "secret_access_key_env"],
  additionalProperties: false,
};
const S3 = {
  endpoint: ENDPOINT,
  region: { ...TEXT, description: "default us-east-1" },
  path_style: { type: "boolean", description: "bucket in the path; default: with an endpoint" },
  credentials: CREDENTIALS,
};

const COLLECTION = {
  type: "object",
  properties: {
    source: { ...TEXT, description: "path, relative to this file, or file:, http:, https: or s3: URL" },
    ref: { ...TEXT, description: "branch, tag or snapshot of an Icechunk repository; default main" },
    absent: {
      type: "array",
      items: { type: "integer", minimum: 400, maximum: 499 },
      description: "HTTP statuses that mean not there; default [404]",
    },
    columns: { type: "array", items: TEXT, description: "names of the columns, where they cannot be listed" },
    fields: {
      type: "array",
      items: TEXT,
      description: "columns that views have as fields where nobody names any; default: all",
    },
    location: {
      type: "object",
      description: "the column that says where granules are, and how its values become paths: /groups/{id}",
      properties: { column: TEXT, template: TEXT },
      required: ["column"],
      additionalProperties: false,
    },
    s3: {
      type: "object",
      description: "how an s3: source is read",
      properties: S3,
      additionalProperties: false,
    },
    virtual_chunks: {
      type: "array",
      description:
        "where virtual chunks, and what reference files lead to, may be read, and as whom; nowhere else they are",
      items: {
        type: "object",
        properties: {
          prefix: {
            ...TEXT,
            pattern: "^(s3://.|https?://.|file:///.|[^:]+$)",
            description: "URL or folder, relative to this file: all below it",
          },
          ...S3,
        },
        required: ["prefix"],
        additionalProperties: false,
      },
    },
  },
  required: ["source"],
  additionalProperties: false,
};

/** JSON Schema (2020-12) of the configuration; `docs/config.schema.json` is this. */
export const CONFIG_SCHEMA = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "zarrsift serve --config",
  type: "object",
  properties: {
    collections: {
      type: "object",
      description: "what is served, by name",
      propertyNames: { pattern: "^[A-Za-z0-9][A-Za-z0-9_.-]*$" },
      additionalProperties: COLLECTION,
    },
    limits: {
      type: "object",
      description: "what the server refuses to go beyond",
      properties: Object.fromEntries(
        Object.entries(DEFAULT_LIMITS).map(([name, value]) => [
          name,
          { type: "integer", minimum: 0, default: value },
        ]),
      ),
      additionalProperties: false,
    },
  },
  additionalProperties: false,
};
