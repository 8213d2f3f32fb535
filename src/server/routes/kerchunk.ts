/** `/views/{id}/kerchunk.json`: a view as references, for fsspec. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ZarrsiftError } from "../../errors.ts";
import { kerchunkJson } from "../../export/kerchunk-json.ts";
import type { Reference } from "../../export/references.ts";
import type { Place } from "../../store/store.ts";
import type { Face } from "../../view/api.ts";
import type { Context } from "../context.ts";
import { baseUrl } from "../links.ts";
import { ERRORS, KERCHUNK_STRING, VIEW_PARAMS } from "../schemas.ts";
import { sendPieces } from "../stream.ts";
import { watchClient } from "../watch.ts";

type KerchunkRequest = FastifyRequest<{ Params: { id: string }; Querystring: { zarr_format?: "2" | "3" } }>;

/** `/views/{id}/kerchunk.json`. */
export function kerchunkRoutes(app: FastifyInstance, context: Context): void {
  const schema = {
    summary: "A view as kerchunk references",
    description:
      "References, version 1, that fsspec's ReferenceFileSystem reads. Chunks that lie untouched in objects that anyone " +
      "can read over HTTP are referred to there; all others at this view's own URLs, so that no " +
      "reference shows a path of this server, or a key. Streamed: an answer that is cut before its end is not a whole one.",
    tags: ["views"],
    params: VIEW_PARAMS,
    querystring: KERCHUNK_STRING,
    response: {
      200: { description: "The references", content: { "application/json": { schema: { type: "object" } } } },
      ...ERRORS,
    },
  };
  app.get("/views/:id/kerchunk.json", { schema }, (request: KerchunkRequest, reply) =>
    answer(context, request, reply),
  );
}

async function answer(
  context: Context,
  request: KerchunkRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id } = request.params;
  const format: Face = request.query.zarr_format === "3" ? 3 : 2;
  const base = `${baseUrl(request, context.publicUrl)}/views/${encodeURIComponent(id)}/v${format}`;
  reply.type("application/json").header("cache-control", "no-cache");
  const watch = watchClient(reply, context.closing);
  watch.limit(context.limits.referencesMs, "Making these references");
  const live = await context.live.get(id, watch.signal).catch((error) => {
    watch.end();
    throw watch.reason(error);
  });
  if (!live || request.method === "HEAD") {
    watch.end();
    if (live) return reply.send();
    throw new ZarrsiftError(
      "gone",
      "There is no such view: it was never made here, expired, or was deleted.",
    );
  }
  const pieces = async function* () {
    try {
      const { signal } = watch;
      yield* kerchunkJson(live.view.face(format), format, { signal, refer: referrer(base) });
    } catch (error) {
      context.live.noteFailure(id, error);
      throw watch.reason(error);
    } finally {
      watch.end();
    }
  };
  return sendPieces(context, request, reply, pieces());
}

/** Where anyone can read the chunk: in the source, else here. */
function referrer(base: string): (place: Place | "here", key: string) => Reference {
  return (place, key) => {
    if (place === "here" || place.publicUrl === undefined)
      return { url: `${base}/${key.split("/").map(encodeURIComponent).join("/")}` };
    return { url: place.publicUrl, ...(place.range && { range: place.range }) };
  };
}
