/** Errors as problem+json (RFC 9457). Ours are shown; anything else is logged and blanked. */
import { STATUS_CODES } from "node:http";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { ERROR_STATUS, type ErrorCode, isZarrsiftError, ZarrsiftError } from "../errors.ts";

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** The body of every error. `type` is "about:blank": `code` tells errors apart. */
export interface Problem {
  type: "about:blank";
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  /** Place in the SQL text, both from 1. */
  line?: number;
  column?: number;
  details?: Record<string, string | number | boolean | null>;
}

/** Seconds after which a client may try again. */
const RETRY_AFTER: Partial<Record<ErrorCode, number>> = { busy: 1, shutting_down: 5 };

/** Statuses of the framework's own errors, as codes of ours. */
const FRAMEWORK: Record<string, ErrorCode> = {
  FST_ERR_VALIDATION: "bad_parameter",
  FST_ERR_CTP_BODY_TOO_LARGE: "too_large",
  FST_ERR_MAX_PARAM_LENGTH: "url_too_long",
};

const NO_JSON = "The body is read as JSON: send it with content-type: application/json";

const HANG_UPS: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"]);

/** @param detail what failed, where, and what would work */
export function problem(code: ErrorCode, detail: string, status: number = ERROR_STATUS[code]): Problem {
  const title = STATUS_CODES[status] ?? "Client Closed Request";
  return { type: "about:blank", title, status, detail, code };
}

/** What a client is told of an error. */
export function problemOf(error: unknown): Problem {
  if (isZarrsiftError(error)) {
    const { at, details } = error;
    return {
      ...problem(error.code, error.message),
      ...(at && { line: at.line, column: at.column }),
      ...(Object.keys(details).length > 0 && { details }),
    };
  }
  const { code, statusCode, message } = error as FastifyError;
  if (typeof code === "string" && code.startsWith("FST_") && statusCode! >= 400 && statusCode! < 500) {
    const said = code === "FST_ERR_CTP_INVALID_MEDIA_TYPE" ? NO_JSON : message;
    return problem(FRAMEWORK[code] ?? "bad_request", said, statusCode);
  }
  return problem("internal", "The server failed in a way it did not foresee; its log has this request's id.");
}

const CLIENT_LEFT = new ZarrsiftError("aborted", "The client went away.");

/** Whether this is what Node and the framework say of a request or answer that its client cut off. */
function hungUp(error: unknown, reply: FastifyReply): boolean {
  if (!reply.raw.destroyed && !reply.raw.req.destroyed) return false;
  const { code, name } = error as NodeJS.ErrnoException;
  return name === "AbortError" || HANG_UPS.has(code ?? "");
}

/** Answers with the problem that `error` is, and logs what an operator should see. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const body = problemOf(hungUp(error, reply) ? CLIENT_LEFT : error);
  if (body.code === "internal") request.log.error({ err: error }, "internal error");
  else if (body.status >= 500) request.log.warn({ code: body.code }, body.detail);
  sendProblem(body, reply);
}

/** Answers with a problem, and with nothing that was announced for another answer. */
export function sendProblem(body: Problem, reply: FastifyReply): void {
  const retry = RETRY_AFTER[body.code];
  if (retry !== undefined) reply.header("retry-after", retry);
  for (const name of ["etag", "content-encoding", "content-length"]) reply.removeHeader(name);
  if (body.code !== "bad_range") reply.removeHeader("content-range");
  reply.code(body.status).header("cache-control", "no-store").type(PROBLEM_TYPE);
  reply.send(Buffer.from(JSON.stringify(body)));
}
