/** What holds for every request: ids, CORS, methods, metrics. */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isDataUrl, pathOf } from "./data-url.ts";
import type { Metrics } from "./metrics.ts";
import { type Problem, problem, sendProblem } from "./problem.ts";
import { routeName } from "./routes/data.ts";
import { VERSION } from "./version.ts";

const EXPOSED =
  "ETag, Content-Range, Content-Length, Accept-Ranges, Content-Encoding, Location, Retry-After, X-Request-Id, Zarrsift-Version";
const ALLOWED_HEADERS = "Range, If-None-Match, If-Range, Content-Type, Accept, Authorization, X-Request-Id";

/** A client's own id where it is a sane one, else a new one. */
export function requestId({ headers }: IncomingMessage): string {
  const id = headers["x-request-id"];
  return typeof id === "string" && /^[\w.:-]{1,128}$/.test(id) ? id : randomUUID();
}

/** Headers of every answer. */
export function commonHeaders(id: string): Record<string, string> {
  return {
    "x-request-id": id,
    "zarrsift-version": VERSION,
    "access-control-allow-origin": "*",
    "access-control-expose-headers": EXPOSED,
    "x-content-type-options": "nosniff",
  };
}

/** To be called before any route is added. `isClosing` says whether the server has begun to close. */
export function addHooks(app: FastifyInstance, metrics: Metrics, isClosing: () => boolean): void {
  const methods = new MethodTable();
  app.addHook("onRoute", ({ url, method }) => methods.add(url, [method].flat()));
  app.addHook("onRequest", (request, reply, next) => {
    reply.headers(commonHeaders(request.id));
    keepFirst(request.raw.headers);
    if (lacksHost(request))
      return sendProblem(problem("bad_request", "HTTP/1.1 requires a Host header."), reply);
    if ((request.is404 || request.method !== "GET") && answerMethod(request, reply, methods)) return;
    if (isClosing()) return refuseClosing(reply);
    if (request.is404) return sendProblem(notFound(request), reply);
    next();
  });
  app.addHook("onResponse", (request, reply, done) => {
    metrics.answered(request, reply, routeName(request.routeOptions.url, request.originalUrl));
    done();
  });
}

/** OPTIONS, and methods that this URL does not have. Before any body is read. */
function answerMethod(request: FastifyRequest, reply: FastifyReply, methods: MethodTable): boolean {
  const path = pathOf(request.originalUrl).split("?")[0]!;
  const allowed = isDataUrl(path) ? ["GET", "HEAD"] : methods.of(path);
  if (request.method === "OPTIONS") {
    preflight(reply, allowed);
    return true;
  }
  if (allowed.length === 0 || allowed.includes(request.method)) return false;
  reply.header("allow", [...allowed, "OPTIONS"].join(", "));
  const detail = `${request.method} is not possible here; ${allowed.join(" and ")} is. Views are made by POST to /collections/{name}/views.`;
  sendProblem(problem("method_not_allowed", detail), reply);
  return true;
}

function preflight(reply: FastifyReply, allowed: readonly string[]): void {
  const methods = [...(allowed.length > 0 ? allowed : ["GET", "HEAD"]), "OPTIONS"].join(", ");
  reply
    .code(204)
    .header("allow", methods)
    .header("access-control-allow-methods", methods)
    .header("access-control-allow-headers", ALLOWED_HEADERS)
    .header("access-control-max-age", 86_400)
    .send();
}

function refuseClosing(reply: FastifyReply): void {
  reply.header("connection", "close");
  sendProblem(problem("shutting_down", "This server is shutting down."), reply);
}

/**
 * Where proxies in a row each added a value, the client's own is the first. The framework, which knows whether to
 * believe these headers at all, would take the last.
 */
function keepFirst(headers: IncomingHttpHeaders): void {
  for (const name of ["x-forwarded-host", "x-forwarded-proto"]) {
    const value = headers[name];
    if (typeof value === "string") headers[name] = value.split(",", 1)[0]!.trim();
  }
}

/** RFC 9112, 3.2. Node would refuse it too, without our headers. */
function lacksHost({ raw }: FastifyRequest): boolean {
  return raw.headers.host === undefined && raw.httpVersion === "1.1";
}

/** A segment that names a face, however it is written. */
const FACE = /\/(?:v|%76|%56)(?:[23]|%3[23])(?:\/|$)/i;

/** Never 404 where a client may be asking for a key, which it would take for absent and fill. */
function notFound(request: FastifyRequest): Problem {
  const path = pathOf(request.originalUrl).split("?")[0]!;
  if (path.startsWith("/t/")) {
    return problem("gone", "/t/{token}/ is reserved for access tokens, which this server does not use yet.");
  }
  if (FACE.test(path)) {
    return problem(
      "gone",
      "No view is at this URL. Data is at /views/{id}/v3/{key} and /collections/{name}/sql/{SQL}/v3/{key}.",
    );
  }
  return problem("not_found", "There is nothing here; /openapi.json lists what there is.");
}

/** Which methods a path has, by the patterns of the routes. */
class MethodTable {
  readonly #routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();

  add(url: string, methods: readonly string[]): void {
    const source = url
      .replace(/\/$/, "")
      .replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replace(/:\w+/g, "[^/]+");
    const route = this.#routes.get(url) ?? { pattern: new RegExp(`^${source}/?$`), methods: new Set() };
    for (const method of methods) route.methods.add(method);
    this.#routes.set(url, route);
  }

  of(path: string): string[] {
    const found = [...this.#routes.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
  }
}
