/** The service itself: description, health, metrics, documentation. */
import type { FastifyInstance, RouteHandlerMethod } from "fastify";
import { ZarrsiftError } from "../../errors.ts";
import type { Context } from "../context.ts";
import { DOCS_PAGE, DOCS_POLICY } from "../docs.ts";
import { baseUrl } from "../links.ts";
import { ERRORS } from "../schemas.ts";
import { VERSION } from "../version.ts";

const answer = (description: string, type: string) => ({ description, content: { [type]: { schema: {} } } });

/** `/`, `/healthz`, `/readyz`, `/metrics`, `/openapi.json`, `/docs`. */
export function serviceRoutes(app: FastifyInstance, context: Context, isClosing: () => boolean): void {
  const route = (url: string, summary: string, type: string, handler: RouteHandlerMethod) => {
    const schema = { summary, tags: ["service"], response: { 200: answer(summary, type), ...ERRORS } };
    app.get(url, { schema }, handler);
  };

  route("/", "What this service is, and where things are", "application/json", async (request) => {
    const base = baseUrl(request, context.publicUrl);
    return {
      name: "zarrsift",
      description: "Find granules with SQL, open just those as Zarr",
      version: VERSION,
      collections: `${base}/collections`,
      views: `${base}/views`,
      openapi: `${base}/openapi.json`,
      docs: `${base}/docs`,
    };
  });

  route("/healthz", "Whether the process is up", "application/json", async () => ({ status: "ok" }));

  route("/readyz", "Whether requests can be answered", "application/json", async () => {
    if (isClosing()) throw new ZarrsiftError("shutting_down", "This server is shutting down.");
    context.store.check();
    return { status: "ready", collections: context.catalog.collections.size };
  });

  route("/metrics", "Metrics for Prometheus", "text/plain", async (_request, reply) => {
    const { registry } = context.metrics;
    return reply.type(registry.contentType).send(await registry.metrics());
  });

  app.get("/openapi.json", { schema: { hide: true } }, async (_request, reply) =>
    reply.type("application/json; charset=utf-8").send(JSON.stringify(app.swagger())),
  );

  route("/docs", "This description, for reading", "text/html", async (_request, reply) =>
    reply.type("text/html; charset=utf-8").header("content-security-policy", DOCS_POLICY).send(DOCS_PAGE),
  );
}
