/** Rows of a collection in several formats; plans. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ZarrsiftError } from "../../errors.ts";
import { type Context, runQuery } from "../context.ts";
import { checkSqlSize } from "../limits.ts";
import { explainOf, parseParams, type QueryFields, queryOptions } from "../requests.ts";
import { FORMATS, type RowFormat, rowsAs } from "../rows.ts";
import { COLLECTION_PARAMS, ERRORS, EXPLAIN, QUERY_BODY, QUERY_STRING, ROWS } from "../schemas.ts";
import { type Piece, sendPieces } from "../stream.ts";
import { type Watch, watchClient } from "../watch.ts";

interface QueryBody extends QueryFields {
  sql: string;
  format?: string;
  explain?: "plan" | "analyze";
}

type QueryRequest = FastifyRequest<{ Params: { name: string } }>;

const about = {
  summary: "Run SQL on a collection",
  description:
    "With `explain` the answer is the plan. A stream that is cut before its end is not a whole answer.",
  tags: ["query"],
  params: COLLECTION_PARAMS,
  response: {
    200: {
      description: "The rows, or the plan",
      content: {
        "application/json": { schema: { anyOf: [ROWS, EXPLAIN] } },
        "application/x-ndjson": { schema: { type: "string" } },
        "text/csv": { schema: { type: "string" } },
        "application/vnd.apache.arrow.stream": { schema: { type: "string", format: "binary" } },
        "application/geo+json": { schema: { type: "object" } },
      },
    },
    ...ERRORS,
  },
};

/** `/collections/{c}/query`. */
export function queryRoutes(app: FastifyInstance, context: Context): void {
  app.get<{ Params: { name: string }; Querystring: QueryBody & { params?: string } }>(
    "/collections/:name/query",
    { schema: { ...about, querystring: QUERY_STRING } },
    (request, reply) => {
      const { params, ...query } = request.query;
      return answer(
        context,
        request,
        reply,
        params === undefined ? query : { ...query, params: parseParams(params) },
      );
    },
  );
  app.post<{ Params: { name: string }; Body: QueryBody }>(
    "/collections/:name/query",
    { schema: { ...about, body: QUERY_BODY } },
    (request, reply) => answer(context, request, reply, request.body),
  );
}

async function answer(
  context: Context,
  request: QueryRequest,
  reply: FastifyReply,
  body: QueryBody,
): Promise<unknown> {
  const { sql } = body;
  const explain = body.explain ?? explainOf(sql);
  const { name } = request.params;
  checkSqlSize(sql, context.limits.sqlBytes);
  const options = queryOptions(body);
  const format = formatOf(body.format, request.headers.accept);
  if (explain) {
    return runQuery(context, reply, async (signal) =>
      (await context.catalog.find(name, signal)).explain(sql, explain, { ...options, signal }),
    );
  }
  reply.header("cache-control", "no-cache").header("vary", "Accept");
  const watch = watchClient(reply, context.closing);
  const pieces = rows(context, watch, async () => {
    const collection = await context.catalog.find(name, watch.signal);
    // JSON names the version: what is out of date is found here, and read again, rather than in the answer.
    if (format === "json") await collection.version({ signal: watch.signal });
    const result = await collection.query(sql, { ...options, signal: watch.signal });
    return rowsAs(format, result, context.limits.rows, watch.signal);
  });
  return sendPieces(context, request, reply.type(FORMATS[format]), pieces);
}

/** The pieces of a query's answer; the turn lasts until they are read or given up. */
async function* rows(
  context: Context,
  watch: Watch,
  start: () => Promise<AsyncIterable<Piece>>,
): AsyncGenerator<Piece> {
  let leave: (() => void) | undefined;
  try {
    leave = await context.gate.enter(watch.signal);
    watch.limit(context.limits.queryMs, "The query");
    yield* await start();
  } catch (error) {
    throw watch.reason(error);
  } finally {
    leave?.();
    watch.end();
  }
}

/** `format` where it is given, else what Accept names first, else JSON. */
function formatOf(format: string | undefined, accept: string | undefined): RowFormat {
  if (format !== undefined) {
    if (Object.hasOwn(FORMATS, format)) return format as RowFormat;
    const names = Object.keys(FORMATS).join(", ");
    throw new ZarrsiftError(
      "bad_parameter",
      `format ${JSON.stringify(format)} is not supported; there are: ${names}`,
    );
  }
  const wanted = (accept ?? "").split(",").map((type) => type.split(";")[0]!.trim().toLowerCase());
  for (const type of wanted) {
    if (type === "application/json") return "json";
    if (type === "application/x-ndjson" || type === "application/ndjson") return "ndjson";
    if (type === "text/csv") return "csv";
    if (type === FORMATS.arrow) return "arrow";
    if (type === "application/geo+json") return "geojson";
  }
  return "json";
}
