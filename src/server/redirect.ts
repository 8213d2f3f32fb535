/** Chunks that clients read from storage themselves: this server only says where. */
import type { FastifyReply } from "fastify";
import type { Resource } from "../view/api.ts";

/**
 * Where a client can read a chunk that is a whole object of the source: its public URL, or a signed one.
 *
 * @param seconds how long a signed URL lasts
 * @returns `"here"`: it has to be served, for it is a part of an object, made by the view, or in a file; `undefined`: the
 *   source has no such chunk
 */
export async function redirectUrl(
  resource: Resource,
  method: "GET" | "HEAD",
  seconds: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const place = await resource.place({ signal });
  if (place === undefined || place === "here" || place.range) return place && "here";
  return place.publicUrl ?? (await place.sign?.(method, seconds)) ?? "here";
}

/**
 * 307: the same method, and the same Range. Not to be kept by anybody: a signed URL expires, is for one method alone, and
 * this server looks each time whether the source is still what it was.
 */
export function sendElsewhere(reply: FastifyReply, url: string): void {
  reply
    .code(307)
    .header("location", url)
    .header("cache-control", "no-store")
    .header("content-length", 0)
    .send();
}
