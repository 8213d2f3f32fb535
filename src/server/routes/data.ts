/** Keys below views: `/views/{id}/v3/…` and queries in the path. */
import { createHash } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { isZarrsiftError, ZarrsiftError } from "../../errors.ts";
import { type Context, takeTurn } from "../context.ts";
import type { View } from "../contract.ts";
import { type DataTarget, type DataUrl, isDataUrl, parseDataUrl, pathOf } from "../data-url.ts";
import { listingPage } from "../listing.ts";
import type { LiveView } from "../live-views.ts";
import { problem, sendError, sendProblem } from "../problem.ts";
import { redirectUrl, sendElsewhere } from "../redirect.ts";
import { bufferOf, type Held, heldSize, sendChunk, sendHeld, variantFor } from "../send.ts";
import { Watch, watchClient } from "../watch.ts";

/** The router never sees data URLs, which it would decode its own way: they are all rewritten to this. */
const DATA_ROUTE = "/-/data";

const FOREVER = "public, max-age=31536000, immutable";
const ASK_AGAIN = "no-cache";

/** Hides data URLs from the router; the handler reads the original. */
export function rewriteDataUrl(target: string): string {
  return isDataUrl(pathOf(target)) ? DATA_ROUTE : target;
}

/** What metrics call a route; data URLs are told apart by what is in front of the key. */
export function routeName(route: string | undefined, target: string): string {
  if (route !== undefined && route !== DATA_ROUTE) return route;
  const path = pathOf(target);
  if (!isDataUrl(path)) return "unknown";
  return path.startsWith("/views/") ? "/views/:id/data" : "/collections/:name/sql/data";
}

/** `/views/{id}/v3/…`, `/collections/{c}/sql/{SQL}/v3/…`, and the same with v2. */
export function dataRoutes(app: FastifyInstance, context: Context): void {
  app.route({
    method: ["GET", "HEAD"],
    url: DATA_ROUTE,
    schema: { hide: true },
    // Not async: what is in memory is sent at once, and nothing waits for the answer's last byte.
    handler: (request, reply) => {
      const url = dataUrlOf(context, request);
      const live = peek(context, url);
      if (live && sendFromMemory(context, request, reply, url, live)) return;
      serve(context, request, reply, url, live).catch((error) => sendError(error, request, reply));
    },
  });
}

function dataUrlOf(context: Context, request: FastifyRequest): DataUrl {
  const { originalUrl } = request;
  if (originalUrl.startsWith(DATA_ROUTE)) throw new ZarrsiftError("not_found", "There is nothing here.");
  return parseDataUrl(pathOf(originalUrl), context.limits.urlSqlBytes);
}

/** Whether it could: only chunks, which are sent as they are. */
function sendFromMemory(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  url: DataUrl,
  live: LiveView,
): boolean {
  const held = recall(context, url, live);
  if (held?.kind !== "chunk") return false;
  context.metrics.looked("hit");
  sendHeld(request, reply, held, cacheControl(url, live));
  return true;
}

/** What memory has at a key. Where the source was found changed it is forgotten: reading it then says what is wrong. */
function recall(context: Context, url: DataUrl, live: LiveView): Held | undefined {
  if (url.slash) return undefined;
  const key = cacheKey(live, url);
  const held = context.cache.get(key);
  if (!held || live.view.face(url.face).current()) return held;
  context.cache.delete(key);
  return undefined;
}

function serve(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  url: DataUrl,
  live: LiveView | undefined,
): Promise<void> {
  return watchClient(reply, context.closing).run(async (watch) => {
    const found = live ?? (await open(context, url, watch.signal));
    watch.limit(context.limits.readMs, "Reading this key");
    try {
      await read(context, request, reply, url, found, watch.signal);
    } catch (error) {
      if (url.kind === "sql") context.pinned.noteFailure(pinKey(url), error);
      else context.live.noteFailure(url.id, error);
      throw neverAbsent(error);
    }
  });
}

function peek(context: Context, target: DataTarget): LiveView | undefined {
  return target.kind === "view" ? context.live.peek(target.id) : context.pinned.peek(pinKey(target));
}

/** @throws ZarrsiftError `gone` for a view or collection that is not there */
async function open(context: Context, target: DataTarget, signal: AbortSignal): Promise<LiveView> {
  if (target.kind === "view") {
    const live = await context.live.get(target.id, signal);
    if (!live)
      throw new ZarrsiftError(
        "gone",
        "There is no such view: it was never made here, expired, or was deleted.",
      );
    return live;
  }
  try {
    return await context.pinned.get(pinKey(target), (shared) => resolve(context, target, shared), signal);
  } catch (error) {
    throw isZarrsiftError(error, "not_found") ? new ZarrsiftError("gone", error.message) : error;
  }
}

/** Runs a query in the path, once for all who ask for it. */
function resolve(context: Context, target: DataTarget & { kind: "sql" }, shared: AbortSignal): Promise<View> {
  const { collection: name, ref, sql } = target;
  return new Watch(shared, context.closing).run(async (watch) => {
    const { signal } = watch;
    const collection = await context.catalog.find(ref === undefined ? name : `${name}@${ref}`, signal);
    return takeTurn(context, watch, () => collection.view(sql, { allowNow: false, signal }));
  });
}

async function read(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  url: DataUrl,
  live: LiveView,
  signal: AbortSignal,
): Promise<void> {
  const control = cacheControl(url, live);
  const send = async (held: Held) => sendHeld(request, reply, await variantFor(request, held), control);
  const held = recall(context, url, live);
  if (held) {
    context.metrics.looked("hit");
    return send(held);
  }
  const face = live.view.face(url.face);
  const resource = url.slash || url.key === "" ? undefined : await face.resource(url.key, { signal });
  if (!resource) {
    const children = await face.children(url.key, { signal });
    return children ? send(listing(request.originalUrl, url.key, children)) : sendAbsent(reply, url);
  }
  const { redirectSeconds } = context;
  if (redirectSeconds !== undefined && resource.kind === "chunk") {
    const method = request.method === "HEAD" ? "HEAD" : "GET";
    const elsewhere = await redirectUrl(resource, method, redirectSeconds, signal);
    if (elsewhere === undefined) return sendAbsent(reply, url);
    if (elsewhere !== "here") return sendElsewhere(reply, elsewhere);
  }
  context.metrics.looked("miss");
  const keep = (bytes: Buffer): Held => {
    const kept: Held = { kind: resource.kind, etag: resource.etag, contentType: resource.contentType, bytes };
    context.cache.set(cacheKey(live, url), kept, heldSize(bytes.length));
    return kept;
  };
  if (resource.kind === "chunk") {
    const { lending } = context;
    // What is found again as fast pushes nothing out.
    const keeps = (length: number) => context.cache.hasRoom(heldSize(length));
    const options = { cacheControl: control, signal, lending, keeps, keep };
    const sent = await sendChunk(request, reply, resource, options);
    return sent ? undefined : sendAbsent(reply, url);
  }
  const bytes = await resource.read({ signal });
  return bytes ? send(keep(bufferOf(bytes))) : sendAbsent(reply, url);
}

function listing(target: string, key: string, children: readonly string[]): Held {
  const [path] = pathOf(target).split("?");
  const bytes = Buffer.from(listingPage(path!, key, children));
  const digest = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  return { kind: "metadata", etag: `"${digest}"`, contentType: "text/html; charset=utf-8", bytes };
}

/** The one answer that clients may take for "absent, so fill values". */
function sendAbsent(reply: FastifyReply, { key }: DataUrl): void {
  sendProblem(problem("not_found", `This view has no key ${JSON.stringify(key)}.`), reply);
}

/** A failed read is never "absent", whatever it failed with. */
function neverAbsent(error: unknown): unknown {
  if (!isZarrsiftError(error, "not_found")) return error;
  return new ZarrsiftError("source_unreadable", error.message, { cause: error, details: error.details });
}

/** A query at a ref may be kept for ever only where the ref is the version itself: branches move. */
function cacheControl(target: DataTarget, live: LiveView): string {
  return target.kind === "view" || target.ref === live.view.version ? FOREVER : ASK_AGAIN;
}

function pinKey(target: DataTarget & { kind: "sql" }): string {
  return JSON.stringify([target.collection, target.ref ?? null, target.sql]);
}

function cacheKey(live: LiveView, url: DataUrl): string {
  return `${live.cacheId}/${url.face}/${url.key}`;
}
