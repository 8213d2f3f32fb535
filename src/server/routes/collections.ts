/** What is served. */
import type { FastifyInstance } from "fastify";
import { abortable } from "../../abort.ts";
import type { Context } from "../context.ts";
import { baseUrl } from "../links.ts";
import { COLLECTION, COLLECTION_LIST, COLLECTION_PARAMS, ERRORS } from "../schemas.ts";
import { watchClient } from "../watch.ts";

/** `/collections`, `/collections/{c}`. */
export function collectionRoutes(app: FastifyInstance, context: Context): void {
  const list = {
    summary: "Collections served",
    tags: ["collections"],
    response: { 200: COLLECTION_LIST, ...ERRORS },
  };
  app.get("/collections", { schema: list }, async (request) => {
    const base = baseUrl(request, context.publicUrl);
    const collections = [...context.catalog.collections.values()];
    return {
      collections: collections.map(({ name, rows }) => ({
        name,
        rows,
        url: `${base}/collections/${encodeURIComponent(name)}`,
      })),
    };
  });

  const one = {
    summary: "A collection's columns, rows, extent, granule layout and version",
    tags: ["collections"],
    params: COLLECTION_PARAMS,
    response: { 200: COLLECTION, ...ERRORS },
  };
  app.get<{ Params: { name: string } }>("/collections/:name", { schema: one }, (request, reply) =>
    watchClient(reply, context.closing).run(async (watch) => {
      watch.limit(context.limits.queryMs, "Describing the collection");
      const collection = await context.catalog.find(request.params.name, watch.signal);
      // The extent is found once for all who ask, so no one client's hanging up may end it.
      return abortable(collection.describe(), watch.signal);
    }),
  );
}
