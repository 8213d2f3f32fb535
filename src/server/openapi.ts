/** /openapi.json, from the routes' schemas; paths below which Zarr keys are served are written here. */
import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { VERSION } from "./version.ts";

const parameter = (name: string, description: string) => ({
  name,
  in: "path",
  required: true,
  description,
  schema: { type: "string" },
});

const PROBLEM = {
  description: "An error. 410: there is no such view or collection. 404 means absent, and nothing else",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

const BYTES = { schema: { type: "string", format: "binary" } };

const ANSWERS = {
  200: {
    description: "Metadata, a chunk, or a group's children as HTML links",
    content: { "application/json": {}, "application/octet-stream": BYTES, "text/html": {} },
  },
  206: { description: "The range asked for", content: { "application/octet-stream": BYTES } },
  304: { description: "What If-None-Match names is what is here" },
  404: { description: "The key is absent: a missing chunk reads as the fill value" },
  416: { description: "The range lies outside" },
  default: PROBLEM,
};

const KEY = parameter("key", "Key below the view, as Zarr has it; slashes in it are literal");
const NAME = parameter("name", "Name of a collection, or name@ref");
const FACE = { ...parameter("face", "Zarr format"), schema: { type: "string", enum: ["v3", "v2"] } };

function dataPath(summary: string, ...parameters: object[]): object {
  const operation = { summary, tags: ["data"], parameters: [...parameters, FACE, KEY], responses: ANSWERS };
  return { get: operation, head: operation };
}

const DATA_PATHS = {
  "/views/{id}/{face}/{key}": dataPath("Read a view", parameter("id", "Id of a view")),
  "/collections/{name}/sql/{sql}/{face}/{key}": dataPath(
    "Read the view that a query in the path makes, with no POST",
    NAME,
    parameter("sql", "The query, percent-encoded; `/` in it is %2F; now() is refused"),
  ),
  "/collections/{name}/sql64/{sql}/{face}/{key}": dataPath(
    "The same, for proxies that decode paths",
    NAME,
    parameter("sql", "The query, base64url"),
  ),
};

export const SWAGGER: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: "3.1.0",
    info: {
      title: "zarrsift",
      description: "Find granules with SQL, open just those as Zarr.",
      version: VERSION,
    },
  },
  refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `def-${i}`) },
  transformObject: (document) => {
    if (!("openapiObject" in document)) return document.swaggerObject;
    const { openapiObject } = document;
    return { ...openapiObject, paths: { ...openapiObject.paths, ...DATA_PATHS } };
  },
};
