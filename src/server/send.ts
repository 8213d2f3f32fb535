/**
 * Answers with bytes of a view: conditions, ranges, compression, lengths.
 *
 * Nothing here returns the reply: it is a thenable, so that an `await` of it would wait for the answer's last byte.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import { ZarrsiftError } from "../errors.ts";
import type { Resource } from "../view/api.ts";
import { gzipEtag, noneMatch, rangeAllowed } from "./conditional.ts";
import { acceptsGzip, gzipped } from "./encoding.ts";
import type { Lending, Loan } from "./lending.ts";
import { contentRange, parseRange, type RangeAnswer } from "./ranges.ts";

/** A resource whose bytes are in memory. */
export interface Held extends Pick<Resource, "kind" | "etag" | "contentType"> {
  bytes: Buffer;
  /** Its gzip form once somebody asked; `null`: it is no smaller. */
  gzip?: Buffer | null;
}

/** One form of a resource, as it is sent. */
interface Body extends Held {
  encoding?: "gzip";
}

/** What a `Held` of so many bytes takes in a cache, compressed form not counted. */
export function heldSize(length: number): number {
  return length + 256;
}

/** Bytes as Node writes them, not copied. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The form of it that this client wants: compressed where it asks for that, and for no range. */
export async function variantFor(request: FastifyRequest, held: Held): Promise<Body> {
  const { headers } = request;
  if (held.kind !== "metadata" || headers.range !== undefined || !acceptsGzip(headers["accept-encoding"]))
    return held;
  held.gzip ??= (await gzipped(held.bytes)) ?? null;
  if (!held.gzip) return held;
  return { ...held, etag: gzipEtag(held.etag), bytes: held.gzip, encoding: "gzip" };
}

/** Sends what is in memory. */
export function sendHeld(
  request: FastifyRequest,
  reply: FastifyReply,
  body: Body,
  cacheControl: string,
): void {
  const size = body.bytes.length;
  announce(reply, body, cacheControl);
  const range = rangeOf(request, body.etag, size);
  if (noneMatch(request.headers["if-none-match"], body.etag)) {
    notModified(reply);
  } else if (range === "unsatisfiable") {
    throw unsatisfiable(reply, size);
  } else if (range) {
    partial(reply, range, size);
    reply.send(body.bytes.subarray(range.offset, range.offset + range.length));
  } else {
    if (body.encoding) reply.header("content-encoding", body.encoding);
    sendBody(request, reply, size, body.bytes);
  }
}

/**
 * Sends a chunk that is not in memory, reading no more than was asked for.
 *
 * @param options.keeps whether so many bytes would be kept
 * @param options.keep is given bytes to keep, where all of them were read
 * @returns whether it was sent; false: the source has no such chunk
 */
export async function sendChunk(
  request: FastifyRequest,
  reply: FastifyReply,
  resource: Resource,
  options: {
    cacheControl: string;
    signal: AbortSignal;
    lending: Lending;
    keeps(length: number): boolean;
    keep(bytes: Buffer): void;
  },
): Promise<boolean> {
  const { cacheControl, signal, lending, keeps, keep } = options;
  const { headers } = request;
  const ranged =
    request.method === "GET" && headers.range !== undefined && rangeAllowed(ifRange(request), resource.etag);
  if (request.method === "HEAD" || ranged || headers["if-none-match"] !== undefined) {
    const size = await resource.size({ signal });
    if (size === undefined) return false;
    announce(reply, resource, cacheControl);
    const range = rangeOf(request, resource.etag, size);
    if (noneMatch(headers["if-none-match"], resource.etag)) notModified(reply);
    else if (request.method === "HEAD") sendBody(request, reply, size);
    else if (range === "unsatisfiable") throw unsatisfiable(reply, size);
    else if (range) await sendRange(reply, resource, range, size, { lending, signal });
    if (reply.sent) return true;
  }
  const loan = lending.loan(keeps);
  const bytes = await readFor(reply, resource, undefined, loan, signal);
  if (!bytes) return false;
  const body = bufferOf(bytes);
  if (!loan.holds(bytes)) keep(body);
  announce(reply, resource, cacheControl);
  sendBody(request, reply, body.length, body);
  return true;
}

async function sendRange(
  reply: FastifyReply,
  resource: Resource,
  range: { offset: number; length: number },
  size: number,
  { lending, signal }: { lending: Lending; signal: AbortSignal },
): Promise<void> {
  const bytes = await readFor(reply, resource, range, lending.loan(), signal);
  if (bytes?.length !== range.length) {
    const message = `The source gave ${bytes?.length ?? "no"} bytes where ${range.length} at ${range.offset} were asked for.`;
    throw new ZarrsiftError("source_unreadable", message);
  }
  partial(reply, range, size);
  reply.send(bufferOf(bytes));
}

/** Reads all of it or a range, where the source can do that into memory that is lent until the answer is sent. */
async function readFor(
  reply: FastifyReply,
  resource: Resource,
  range: { offset: number; length: number } | undefined,
  loan: Loan,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (!resource.readInto)
    return range ? resource.readRange(range.offset, range.length, { signal }) : resource.read({ signal });
  const bytes = await resource.readInto(range, loan.memory, { signal });
  if (bytes && loan.holds(bytes)) reply.raw.once("finish", loan.giveBack);
  return bytes;
}

function announce(
  reply: FastifyReply,
  body: Pick<Held, "kind" | "etag" | "contentType">,
  cacheControl: string,
): void {
  reply.header("etag", body.etag);
  reply.header("content-type", body.contentType);
  reply.header("accept-ranges", "bytes");
  reply.header("cache-control", cacheControl);
  if (body.kind === "metadata") reply.header("vary", "Accept-Encoding");
}

function sendBody(request: FastifyRequest, reply: FastifyReply, length: number, bytes?: Buffer): void {
  reply.header("content-length", length);
  reply.send(request.method === "HEAD" ? undefined : bytes);
}

function notModified(reply: FastifyReply): void {
  reply.removeHeader("content-type");
  reply.code(304).send();
}

function partial(reply: FastifyReply, range: { offset: number; length: number }, size: number): void {
  reply.code(206).header("content-range", contentRange(range, size)).header("content-length", range.length);
}

function rangeOf(request: FastifyRequest, etag: string, size: number): RangeAnswer {
  if (request.method !== "GET" || !rangeAllowed(ifRange(request), etag)) return undefined;
  return parseRange(request.headers.range, size);
}

function ifRange(request: FastifyRequest): string | undefined {
  return request.headers["if-range"] as string | undefined;
}

function unsatisfiable(reply: FastifyReply, size: number): ZarrsiftError {
  reply.header("content-range", contentRange(undefined, size));
  return new ZarrsiftError("bad_range", `The range lies outside the ${size} bytes there are.`);
}
