/** Answers that are made while they are sent. */
import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import type { Context } from "./context.ts";

/** What answers come in: text, or bytes such as Arrow's. */
export type Piece = string | Uint8Array;

/**
 * Sends short answers whole, so that an error has a status. A long one is streamed in chunks, and where it fails the
 * connection ends without the last of them, which nobody can take for the end.
 */
export async function sendPieces(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  pieces: AsyncGenerator<Piece>,
): Promise<FastifyReply> {
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
