/** Views: made by POST, listed, described, deleted. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ZarrsiftError } from "../../errors.ts";
import type { Layout, ViewOptions } from "../../view/api.ts";
import { type Context, runQuery } from "../context.ts";
import type { Collection, View } from "../contract.ts";
import { checkSqlSize } from "../limits.ts";
import { baseUrl, viewLinks } from "../links.ts";
import { type QueryFields, queryOptions } from "../requests.ts";
import {
  COLLECTION_PARAMS,
  ERRORS,
  LIST_STRING,
  STORED_VIEW,
  VIEW,
  VIEW_BODY,
  VIEW_LIST,
  VIEW_PARAMS,
} from "../schemas.ts";
import type { StoredView } from "../views-store.ts";

interface ViewBody extends QueryFields {
  sql?: string;
  idx?: number[];
  fields?: string[];
  layout?: Layout;
  group_by?: "encoding";
  variables?: string[];
  missing?: "error" | "skip";
  ttl?: number;
}

const tags = ["views"];
const PAGE = 100;
const MAX_PAGE = 1000;

/** `/collections/{c}/views`, `/views`, `/views/{id}`. */
export function viewRoutes(app: FastifyInstance, context: Context): void {
  const create = {
    summary: "Make a view of the granules a query finds",
    description: "The same request makes the same view, with the same id.",
    tags,
    params: COLLECTION_PARAMS,
    body: VIEW_BODY,
    response: { 201: VIEW, ...ERRORS },
  };
  app.post<{ Params: { name: string }; Body: ViewBody }>(
    "/collections/:name/views",
    { schema: create },
    (request, reply) => createView(context, request, reply),
  );

  const list = {
    summary: "Views kept here",
    tags,
    querystring: LIST_STRING,
    response: { 200: VIEW_LIST, ...ERRORS },
  };
  app.get<{ Querystring: { limit?: string; cursor?: string } }>(
    "/views",
    { schema: list },
    async (request) => {
      const limit = Number(request.query.limit ?? PAGE);
      if (limit < 1 || limit > MAX_PAGE)
        throw new ZarrsiftError("bad_parameter", `limit is 1 to ${MAX_PAGE}`);
      const base = baseUrl(request, context.publicUrl);
      const { views, next } = context.store.list(limit, Number(request.query.cursor ?? 0));
      return {
        views: views.map((view) => described(base, view)),
        next: next === undefined ? null : String(next),
      };
    },
  );

  const one = { summary: "A view", tags, params: VIEW_PARAMS, response: { 200: STORED_VIEW, ...ERRORS } };
  app.get<{ Params: { id: string } }>("/views/:id", { schema: one }, async (request) => {
    const view = context.store.get(request.params.id);
    if (!view) throw noView(request.params.id);
    return described(baseUrl(request, context.publicUrl), view);
  });

  const remove = {
    summary: "Delete a view; whatever is below it is 410 from then on",
    tags,
    params: VIEW_PARAMS,
    response: { 204: { description: "Deleted", type: "null" }, ...ERRORS },
  };
  app.delete<{ Params: { id: string } }>("/views/:id", { schema: remove }, async (request, reply) => {
    if (!context.live.delete(request.params.id)) throw noView(request.params.id);
    return reply.code(204).send();
  });
}

async function createView(
  context: Context,
  request: FastifyRequest<{ Params: { name: string }; Body: ViewBody }>,
  reply: FastifyReply,
): Promise<object> {
  const { ttl, ...body } = request.body;
  checkBody(context, body);
  const base = baseUrl(request, context.publicUrl);
  const view = await runQuery(context, reply, async (signal) => {
    const collection = await context.catalog.find(request.params.name, signal);
    const make = () => makeView(collection, body, signal);
    return (await context.live.asFirstMade(await make(), signal)) ?? make();
  });
  context.live.add(view, ttl === undefined ? undefined : ttl * 1000);
  reply.code(201).header("location", `${base}/views/${view.id}`);
  const { id, count, skipped, fields, layout, version } = view;
  const { groupBy } = view.definition;
  const { expires } = context.store.get(id)!;
  return {
    id,
    count,
    skipped,
    fields,
    layout,
    version,
    ...(groupBy && { group_by: groupBy }),
    ...viewLinks(base, id, layout, groupBy),
    expires: timeOf(expires),
  };
}

function makeView(collection: Collection, body: ViewBody, signal: AbortSignal): Promise<View> {
  const { sql, idx, fields, layout, group_by: groupBy, variables, missing } = body;
  const options: ViewOptions = {
    ...queryOptions(body),
    ...(fields && { fields }),
    ...(layout && { layout }),
    ...(groupBy && { groupBy }),
    ...(variables && { variables }),
    ...(missing && { missing }),
  };
  return collection.view(sql ?? idx!, { ...options, signal });
}

function checkBody({ limits }: Context, body: ViewBody): void {
  if ((body.sql === undefined) === (body.idx === undefined)) {
    throw new ZarrsiftError("bad_parameter", "A view is made of either sql or idx: give one of them.");
  }
  if (body.sql !== undefined) checkSqlSize(body.sql, limits.sqlBytes);
  else if (body.params !== undefined || body.bbox !== undefined || body.datetime !== undefined) {
    throw new ZarrsiftError(
      "bad_parameter",
      "params, bbox and datetime narrow sql; a list of idx is taken as it is.",
    );
  }
}

function described(base: string, view: StoredView): object {
  const { created, expires, used, groupBy, ...about } = view;
  return {
    ...about,
    ...(groupBy && { group_by: groupBy }),
    ...viewLinks(base, view.id, view.layout, groupBy),
    created: timeOf(created),
    expires: timeOf(expires),
    used: timeOf(used),
  };
}

function timeOf(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}

function noView(id: string): ZarrsiftError {
  const shown = JSON.stringify(id.slice(0, 80));
  return new ZarrsiftError(
    "not_found",
    `There is no view ${shown}: it was never made here, expired, or was deleted.`,
  );
}
