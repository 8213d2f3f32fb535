/** The application, apart from listening. */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import swagger from "@fastify/swagger";
import Fastify, { type FastifyHttpOptions, type FastifyInstance, LogController } from "fastify";
import { ZarrsiftError } from "../errors.ts";
import { Lru } from "../lru.ts";
import { Catalog } from "./catalog.ts";
import type { Context } from "./context.ts";
import { addHooks, commonHeaders, requestId } from "./hooks.ts";
import { Lending } from "./lending.ts";
import { Gate } from "./limits.ts";
import { checkPublicUrl } from "./links.ts";
import { LiveViews } from "./live-views.ts";
import { Metrics } from "./metrics.ts";
import { SWAGGER } from "./openapi.ts";
import { type AppOptions, DEFAULT_LIMITS, type Limits } from "./options.ts";
import { PinnedQueries } from "./pinned.ts";
import { PROBLEM_TYPE, type Problem, problem, sendError } from "./problem.ts";
import { parseBody } from "./requests.ts";
import { collectionRoutes } from "./routes/collections.ts";
import { dataRoutes, rewriteDataUrl } from "./routes/data.ts";
import { kerchunkRoutes } from "./routes/kerchunk.ts";
import { queryRoutes } from "./routes/query.ts";
import { serviceRoutes } from "./routes/service.ts";
import { viewRoutes } from "./routes/views.ts";
import { PROBLEM_SCHEMA } from "./schemas.ts";
import { shutdown } from "./shutdown.ts";
import { ViewsStore } from "./views-store.ts";

/** SQL in a path, percent-encoded, and headers beside it. */
const MAX_HEADER_BYTES = 64 * 1024;
const SWEEP_MS = 60_000;
const LENT_BYTES_KEPT = 32 * 2 ** 20;

/**
 * The server's application: listen with `app.listen`, test with `app.inject`, end with `app.close()`, which lets
 * running requests end for `limits.graceMs` and then stops them.
 *
 * @throws ZarrsiftError `bad_parameter` for options that cannot be
 */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const end = shutdown(limits.graceMs);
  const context = await makeContext(options, limits, end.signal);
  const app = Fastify(serverOptions(options, limits));
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/json",
    { parseAs: "string" },
    async (_request: unknown, body: string) => parseBody(body),
  );
  app.setSchemaErrorFormatter(describeInvalid);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  addHooks(app, context.metrics, end.begun);
  await app.register(swagger, SWAGGER);
  app.addSchema(PROBLEM_SCHEMA);
  serviceRoutes(app, context, end.begun);
  collectionRoutes(app, context);
  queryRoutes(app, context);
  viewRoutes(app, context);
  kerchunkRoutes(app, context);
  dataRoutes(app, context);

  const sweep = setInterval(() => sweepAll(app, context), SWEEP_MS).unref();
  app.addHook("onClose", async () => {
    clearInterval(sweep);
    context.store.close();
  });
  end.attach(app);
  return app;
}

async function makeContext(options: AppOptions, limits: Limits, closing: AbortSignal): Promise<Context> {
  const publicUrl = options.publicUrl === undefined ? undefined : checkPublicUrl(options.publicUrl);
  const catalog = new Catalog(options, limits.pinIdleMs);
  const store = await ViewsStore.open(options.views ?? ":memory:");
  for (const collection of catalog.collections.values()) {
    const latest = store.latestVersion(collection.name);
    if (latest !== undefined) collection.recall(latest);
    // Far away it takes a while, and the first view or JSON answer would wait for it; where it fails, it is tried again.
    collection.version().catch(() => {});
  }
  const gate = new Gate(limits.queries, limits.waiting);
  const pinned = new PinnedQueries(limits.pinnedRows, limits.pinIdleMs);
  const gauges = {
    queriesRunning: () => gate.running,
    queriesWaiting: () => gate.waiting,
    viewsStored: () => store.count(),
    pathQueries: () => pinned.size,
  };
  return {
    catalog,
    limits,
    publicUrl,
    redirectSeconds: options.redirectSeconds,
    store,
    live: new LiveViews(store, catalog.collections, limits.openRows),
    pinned,
    gate,
    cache: new Lru(limits.cacheBytes),
    lending: new Lending(LENT_BYTES_KEPT),
    metrics: new Metrics(gauges, options.sourceCounts),
    closing,
  };
}

function serverOptions(options: AppOptions, limits: Limits): FastifyHttpOptions<Server> {
  return {
    logger: options.logger ?? { level: "warn", stream: process.stderr },
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: options.trustProxy ?? false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: 120_000,
    return503OnClosing: false,
    genReqId: requestId,
    requestIdHeader: false,
    // Without a Host header: refused by a hook, as a problem like others.
    http: { maxHeaderSize: MAX_HEADER_BYTES, requireHostHeader: false },
    routerOptions: { ignoreTrailingSlash: true, caseSensitive: true, maxParamLength: 1024 },
    rewriteUrl: (request) => rewriteDataUrl(request.url!),
    ajv: {
      customOptions: {
        removeAdditional: false,
        coerceTypes: false,
        useDefaults: false,
        allowUnionTypes: true,
      },
    },
    frameworkErrors: (error, request, reply) => {
      reply.headers(commonHeaders(request.id));
      sendError(error, request, reply);
    },
    clientErrorHandler: (error, socket) => refuse(error as unknown as ClientError, socket),
  };
}

function sweepAll(app: FastifyInstance, context: Context): void {
  context.pinned.sweep();
  try {
    context.store.purge();
  } catch (error) {
    app.log.error({ err: error }, "could not remove expired views");
  }
}

/** Names what a schema refuses, which the validator's own words leave out. */
function describeInvalid(
  errors: { instancePath: string; message?: string; params: Record<string, unknown> }[],
  where: string,
): Error {
  const [error] = errors;
  const { additionalProperty, allowedValues } = error!.params;
  const place = `${where}${error!.instancePath.replaceAll("/", ".")}`;
  if (additionalProperty !== undefined) {
    return new ZarrsiftError(
      "bad_parameter",
      `${place} has no parameter ${JSON.stringify(additionalProperty)}`,
    );
  }
  const allowed = Array.isArray(allowedValues) ? `: ${allowedValues.join(", ")}` : "";
  return new ZarrsiftError("bad_parameter", `${place} ${error!.message}${allowed}`);
}

/** What Node says of a request it could not read. */
interface ClientError {
  code: string;
  rawPacket?: Uint8Array;
}

/** What is no HTTP request never reaches a route: it is answered on the socket. */
function refuse(error: ClientError, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const refusal = malformed(error);
  const body = JSON.stringify(refusal);
  const id = requestId({ headers: {} } as Parameters<typeof requestId>[0]);
  const headers = {
    ...commonHeaders(id),
    "content-type": PROBLEM_TYPE,
    "content-length": Buffer.byteLength(body),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${refusal.status} ${refusal.title}\r\n${lines.join("")}\r\n${body}`);
}

function malformed(error: ClientError): Problem {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT")
    return problem("bad_request", "The request did not arrive in time.", 408);
  if (error.code !== "HPE_HEADER_OVERFLOW") return problem("bad_request", "This is not an HTTP request.");
  const detail = (what: string) => `The request's ${what} is longer than ${MAX_HEADER_BYTES} bytes.`;
  return isUrlTooLong(error)
    ? problem("url_too_long", detail("URL"))
    : problem("too_large", detail("header"), 431);
}

/** Node does not say which part was too long: this looks at the end of the first line there is. */
function isUrlTooLong({ rawPacket }: ClientError): boolean {
  const text = Buffer.from(rawPacket ?? []).toString("latin1");
  const [line] = text.split("\r", 1);
  if (line === text) return true;
  return / HTTP\/1\.\d$/.test(line!) && (!/^[A-Z]+ \//.test(line!) || line!.length > MAX_HEADER_BYTES / 2);
}
