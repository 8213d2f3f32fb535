import { messageOf, ZarrsiftError } from "../../errors.ts";
import { joined } from "../../joined.ts";
import type { ReadOptions } from "../store.ts";
import { cacheMode, failureHint, hear, silence } from "./page.ts";

/** How patient a client is. */
export interface Patience {
  /** Further tries after a failure that may pass (429, 5xx, lost connections); default 4. A timeout is tried once more. */
  retries?: number;
  /** Wait before the first of them in milliseconds, doubled each time, with jitter; default 200. */
  backoffMs?: number;
  /** Silence after which a server is given up, in milliseconds; default 30,000. */
  timeoutMs?: number;
}

/** One request. `label` is what messages call it: no credentials in it. */
export interface HttpRequest {
  method: "GET" | "HEAD" | "PUT" | "DELETE";
  url: string;
  label: string;
  headers: Record<string, string>;
  /** What is sent; PUT alone. */
  body?: Uint8Array;
}

/** A whole answer. `body` is empty unless the status is 200 or 206. */
export interface HttpAnswer {
  status: number;
  headers: Headers;
  /** Where it came from in the end, after redirects. */
  url: string;
  body: Uint8Array;
  /** How often it was asked for. */
  tries: number;
}

/** A longer wait than this is not waited for: the server's own word for "not now". */
const LONGEST_WAIT_MS = 20_000;

/**
 * Sends a request until it is answered in full.
 *
 * @returns whatever the server says last, bad statuses too
 * @throws ZarrsiftError `timeout`, or `source_unreadable` where no whole answer could be had
 */
export async function sendRequest(
  request: HttpRequest,
  patience: Patience,
  { signal }: ReadOptions,
): Promise<HttpAnswer> {
  for (let tries = 1; ; tries++) {
    const outcome = await attempt(request, patience.timeoutMs ?? 30_000, signal);
    const wait = waitBefore(outcome, tries, patience);
    if (wait !== undefined) await pause(wait, signal);
    else if (outcome instanceof ZarrsiftError) throw outcome;
    else return { ...outcome, tries };
  }
}

type Outcome = Omit<HttpAnswer, "tries"> | ZarrsiftError;

/** Milliseconds to wait before trying again; `undefined`: do not. */
function waitBefore(outcome: Outcome, tries: number, patience: Patience): number | undefined {
  const failed = outcome instanceof ZarrsiftError;
  if (!failed && !mayPass(outcome.status)) return undefined;
  const slow = failed && outcome.code === "timeout";
  if (tries > (slow ? Math.min(1, patience.retries ?? 4) : (patience.retries ?? 4))) return undefined;
  const backoff = (patience.backoffMs ?? 200) * 2 ** (tries - 1) * (0.5 + Math.random());
  const asked = failed ? 0 : retryAfter(outcome.headers.get("retry-after"));
  return asked > LONGEST_WAIT_MS ? undefined : Math.max(backoff, asked);
}

function mayPass(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** Milliseconds that a Retry-After header asks for: it holds seconds or a date. */
function retryAfter(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? 0 : Math.max(0, ms);
}

/** One try. Only the caller's own abort is thrown. */
async function attempt(request: HttpRequest, timeoutMs: number, signal?: AbortSignal): Promise<Outcome> {
  signal?.throwIfAborted();
  const watch = new Watch(timeoutMs, signal);
  try {
    const { method, headers } = request;
    const body = request.body && { body: request.body as Uint8Array<ArrayBuffer> };
    const response = await fetch(request.url, {
      method,
      headers,
      ...body,
      signal: watch.signal,
      ...cacheMode(headers),
    });
    watch.restart();
    const answer = await readBody(response, method, watch);
    const { status } = response;
    return { status, headers: response.headers, url: response.url || request.url, body: answer };
  } catch (error) {
    signal?.throwIfAborted();
    if (watch.expired) {
      return new ZarrsiftError("timeout", `${request.label}: nothing came for ${timeoutMs / 1000} s`);
    }
    const why = messageOf(error) + failureHint(request.url);
    return new ZarrsiftError("source_unreadable", `${request.label}: ${why}`, { cause: error });
  } finally {
    watch.stop();
  }
}

async function readBody(response: Response, method: string, watch: Watch): Promise<Uint8Array> {
  if (method === "HEAD" || (response.status !== 200 && response.status !== 206)) {
    await response.body?.cancel();
    return new Uint8Array(0);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    watch.restart();
    parts.push(part.value);
    size += part.value.length;
  }
  checkLength(response, size);
  return parts.length === 1 ? parts[0]! : joined(parts, new Uint8Array(size));
}

/**
 * A body must be as long as announced. Not so where it came compressed; a browser hides from other origins whether
 * it did, and checks by itself.
 */
function checkLength(response: Response, size: number): void {
  const announced = response.headers.get("content-length");
  if (announced === null || response.headers.has("content-encoding") || response.type === "cors") return;
  if (Number(announced) !== size) throw new Error(`${size} of ${announced} bytes came`);
}

/** Aborts when the caller does, and when nothing has happened for a time. */
class Watch {
  expired = false;
  readonly #controller = new AbortController();
  readonly #ms: number;
  readonly #caller: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number, caller: AbortSignal | undefined) {
    this.#ms = ms;
    this.#caller = caller;
    caller?.addEventListener("abort", this.#follow, { once: true });
    this.#wait(ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something came. */
  restart(): void {
    hear();
    this.#wait(this.#ms);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const left = this.#ms - silence();
      if (left > 0) return this.#wait(left);
      this.expired = true;
      this.#controller.abort();
    }, ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#follow);
  }

  #follow = () => this.#controller.abort(this.#caller?.reason);
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
