/** Rows of a collection in several formats; plans. */
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isZarrsiftError, ZarrsiftError } from "../../errors.ts";
import { type Context, runQuery } from "../context.ts";
import { checkSqlSize } from "../limits.ts";
import { explainOf, parseParams, type QueryFields, queryOptions } from "../requests.ts";
import { FORMATS, type RowFormat, rowsAs } from "../rows.ts";
import { COLLECTION_PARAMS, ERRORS, EXPLAIN, QUERY_BODY, QUERY_STRING, ROWS } from "../schemas.ts";
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
  return send(context, request, reply, pieces, format);
}

/** What answers come in: text, or Arrow's bytes. */
type Piece = string | Uint8Array;

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

/**
 * Sends short answers whole, so that an error has a status. A long one is streamed in chunks, and where it fails the
 * connection ends without the last of them, which nobody can take for the end.
 */
async function send(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  pieces: AsyncGenerator<Piece>,
  format: RowFormat,
): Promise<FastifyReply> {
  reply.type(FORMATS[format]);
  const { bufferBytes } = context.limits;
  const held: Buffer[] = [];
  for (let length = 0; length <= bufferBytes; ) {
    const next = await pieces.next();
    if (next.done) return reply.send(Buffer.concat(held));
    held.push(bytesOf(next.value));
    length += next.value.length;
  }
  if (request.raw.httpVersion === "1.0") {
    await pieces.return(undefined);
    throw tooLongForHttp10(bufferBytes);
  }
  return reply.send(Readable.from(streamed(context, request, held, pieces), { objectMode: false }));
}

async function* streamed(
  context: Context,
  request: FastifyRequest,
  held: Buffer[],
  pieces: AsyncGenerator<Piece>,
): AsyncGenerator<Buffer> {
  const route = request.routeOptions.url!;
  const counted = (bytes: Buffer): Buffer => {
    context.metrics.sent(route, bytes.length);
    return bytes;
  };
  try {
    for (const bytes of held.splice(0)) yield counted(bytes);
    for await (const piece of pieces) yield counted(bytesOf(piece));
  } catch (error) {
    if (!isZarrsiftError(error, "aborted")) request.log.warn({ err: error }, "cut an answer short");
    request.raw.socket.destroy();
    throw error;
  } finally {
    await pieces.return(undefined);
  }
}

/** Text in UTF-8; bytes are not copied. */
function bytesOf(piece: Piece): Buffer {
  return typeof piece === "string"
    ? Buffer.from(piece)
    : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
}

/** HTTP/1.0 marks the end of a stream by the end of the connection alone, so a cut one looks whole. */
function tooLongForHttp10(bytes: number): ZarrsiftError {
  return new ZarrsiftError(
    "too_large",
    `The answer is longer than ${bytes} bytes, which HTTP/1.0 cannot stream safely; ask by HTTP/1.1 ` +
      "(in nginx: proxy_http_version 1.1), or add LIMIT and OFFSET.",
  );
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
