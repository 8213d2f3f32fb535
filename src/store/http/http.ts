import { ZarrsiftError } from "../../errors.ts";
import { keySegments, prefixSegments } from "../key.ts";
import { isEmptyRange, outOfRange, type Span, spanOf, takeRange } from "../range.ts";
import type { ByteRange, KeyStat, Listing, Place, ReadOptions, Store } from "../store.ts";
import { ServerClock } from "./clock.ts";
import { parseListing } from "./listing.ts";
import { isCrossOrigin } from "./page.ts";
import { type HttpAnswer, type Patience, sendRequest } from "./request.ts";

/** Settings of an `HttpStore`. */
export interface HttpOptions extends Patience {
  /** Statuses that mean "no such key"; default 404 alone. */
  absent?: readonly number[] | undefined;
  /** Headers that a server wants of each request, such as a signature; asked for once a request. */
  sign?: ((method: "GET" | "HEAD", url: string) => Promise<Record<string, string>>) | undefined;
  /** What helps where the server answers 401 or 403, for messages. */
  forbiddenHint?: string | undefined;
}

/**
 * A store over plain HTTP.
 *
 * | status | means |
 * |---|---|
 * | 200, 206 | bytes, checked against what was asked for |
 * | 404, or what `absent` names | no such key |
 * | 401, 403 | `source_forbidden` |
 * | 429, 5xx, no or half an answer | tried again, then `source_unreadable` or `timeout` |
 * | all else | `source_unreadable` |
 */
export class HttpStore implements Store {
  /** Without credentials and query. */
  readonly url: string;
  readonly #base: string;
  readonly #query: string;
  readonly #headers: Record<string, string>;
  readonly #options: HttpOptions;
  readonly #absent: ReadonlySet<number>;
  readonly #clock = new ServerClock();

  /**
   * @param url http or https; `user:password@` is sent as an Authorization header, a query with every request
   * @throws ZarrsiftError `bad_request`
   */
  constructor(url: string, options: HttpOptions = {}) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (!parsed || !/^https?:$/.test(parsed.protocol)) {
      throw new ZarrsiftError("bad_request", "the source is not an http or https URL that can be read");
    }
    this.#base = parsed.origin + parsed.pathname.replace(/\/+$/, "");
    this.url = this.#base;
    this.#query = parsed.search;
    // Only bytes as they are stored can be cut into ranges. Browsers leave this header out, and undo gzip.
    this.#headers = { "Accept-Encoding": "identity", ...authorization(parsed) };
    this.#options = options;
    this.#absent = new Set(options.absent ?? [404]);
  }

  async get(key: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    const answer = await this.#send("GET", key, {}, options);
    if (this.#absent.has(answer.status)) return undefined;
    const whole = answer.status === 206 && contentRange(answer);
    if (answer.status === 200 || (whole && whole.offset === 0 && whole.length === whole.size)) {
      options.onStat?.({ size: answer.body.length, stamp: stampOf(answer) });
      return answer.body;
    }
    throw this.#bad(answer, key);
  }

  async getRange(key: string, range: ByteRange, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    if (isEmptyRange(range)) return (await this.stat(key, options)) && new Uint8Array(0);
    return "suffixLength" in range
      ? this.#suffix(key, range.suffixLength, options)
      : this.#span(key, range, options);
  }

  async stat(key: string, options: ReadOptions = {}): Promise<KeyStat | undefined> {
    const head = await this.#send("HEAD", key, {}, options);
    if (this.#absent.has(head.status)) return undefined;
    const size = head.headers.get("content-length");
    if (head.status === 200 && size !== null && !head.headers.has("content-encoding")) {
      return { size: Number(size), stamp: stampOf(head) };
    }
    return this.#statByGet(key, options);
  }

  /** Public where nothing is sent along that only this client has. */
  async place(key: string, options: ReadOptions = {}): Promise<Place | undefined> {
    const stat = await this.stat(key, options);
    if (!stat) return undefined;
    const url = this.#urlOf(key);
    const secret = this.#query !== "" || "Authorization" in this.#headers || this.#options.sign !== undefined;
    return { url, size: stat.size, ...(!secret && { publicUrl: url }) };
  }

  async list(prefix: string, options: ReadOptions = {}): Promise<Listing | undefined> {
    const path = prefixSegments(prefix).map(encodeURIComponent);
    const answer = await this.#request(
      "GET",
      `${[this.#base, ...path].join("/")}/`,
      { Accept: "text/html" },
      options,
    );
    if (answer.status === 429 || answer.status >= 500) throw this.#bad(answer, `${prefix}/`);
    const isPage = answer.headers.get("content-type")?.startsWith("text/html");
    if (answer.status !== 200 || !isPage) return undefined;
    return parseListing(new TextDecoder().decode(answer.body), answer.url);
  }

  async #span(key: string, span: Span, options: ReadOptions): Promise<Uint8Array | undefined> {
    const Range = `bytes=${span.offset}-${span.offset + span.length - 1}`;
    const answer = await this.#send("GET", key, { Range }, options);
    const where = this.#label(key);
    if (this.#absent.has(answer.status)) return undefined;
    if (answer.status === 200) return takeRange(answer.body, span, where);
    if (answer.status === 416) throw outOfRange(span, contentRange(answer)?.size, where);
    if (answer.status !== 206) throw this.#bad(answer, key);
    const sent = contentRange(answer);
    if (sent?.offset === span.offset && sent.size !== undefined) spanOf(span, sent.size, where);
    if (answer.body.length === span.length && (sent ?? span).offset === span.offset) return answer.body;
    throw wrongRange(answer, Range, where);
  }

  /** Some servers know no suffix ranges: they refuse, or send other bytes. Then the size tells where the range is. */
  async #suffix(key: string, suffixLength: number, options: ReadOptions): Promise<Uint8Array | undefined> {
    if (isCrossOrigin(this.#base)) return this.#suffixBySize(key, suffixLength, options);
    const answer = await this.#send("GET", key, { Range: `bytes=-${suffixLength}` }, options);
    if (this.#absent.has(answer.status)) return undefined;
    if (answer.status === 200) return takeRange(answer.body, { suffixLength }, this.#label(key));
    if (answer.status === 206 && isSuffix(answer, suffixLength)) return answer.body;
    if (![206, 400, 416, 501].includes(answer.status)) throw this.#bad(answer, key);
    return this.#suffixBySize(key, suffixLength, options);
  }

  async #suffixBySize(
    key: string,
    suffixLength: number,
    options: ReadOptions,
  ): Promise<Uint8Array | undefined> {
    const stat = await this.stat(key, options);
    if (!stat || stat.size === 0) return stat && new Uint8Array(0);
    return this.#span(key, spanOf({ suffixLength }, stat.size, this.#label(key)), options);
  }

  /** The size from the answer to a range of one byte, for servers that do not answer HEAD well. */
  async #statByGet(key: string, options: ReadOptions): Promise<KeyStat | undefined> {
    const answer = await this.#send("GET", key, { Range: "bytes=0-0" }, options);
    if (this.#absent.has(answer.status)) return undefined;
    if (answer.status === 200) return { size: answer.body.length, stamp: stampOf(answer) };
    const size = [206, 416].includes(answer.status) ? contentRange(answer)?.size : undefined;
    if (size !== undefined) return { size, stamp: stampOf(answer) };
    if (answer.status !== 206) throw this.#bad(answer, key);
    const whole = await this.get(key, options);
    return whole && { size: whole.length, stamp: stampOf(answer) };
  }

  #send(method: "GET" | "HEAD", key: string, headers: Record<string, string>, options: ReadOptions) {
    return this.#request(method, this.#urlOf(key), headers, options);
  }

  #urlOf(key: string): string {
    return [this.#base, ...keySegments(key).map(encodeURIComponent)].join("/");
  }

  async #request(
    method: "GET" | "HEAD",
    label: string,
    headers: Record<string, string>,
    options: ReadOptions,
  ): Promise<HttpAnswer> {
    const url = label + this.#query;
    const signed = await this.#options.sign?.(method, url);
    const request = { method, url, label, headers: { ...this.#headers, ...headers, ...signed } };
    const began = Date.now();
    const answer = await sendRequest(request, this.#options, options);
    refuseChanged(answer, label, options);
    const modified = this.#clock.modified(answer, began);
    if (modified !== undefined) options.onModified?.(modified);
    return answer;
  }

  #label(key: string): string {
    return `${this.url}/${key}`;
  }

  /** The error for an answer that is neither bytes nor "not there". */
  #bad({ status, tries }: HttpAnswer, key: string): ZarrsiftError {
    const details = { key, http_status: status };
    const what = `${this.#label(key)} answered ${status}`;
    if (status === 401) {
      const hint =
        this.#options.forbiddenHint ?? "put credentials in the source: https://user:password@host/path";
      return new ZarrsiftError("source_forbidden", `${what} (unauthorized): ${hint}`, { details });
    }
    if (status === 403) {
      const absent =
        "buckets that may not be listed say so of keys that are not there; if this is one, --absent 404,403 helps";
      const hint = [this.#options.forbiddenHint, absent].filter(Boolean).join("; ");
      return new ZarrsiftError("source_forbidden", `${what} (forbidden): ${hint}`, { details });
    }
    const often = tries > 1 ? ` ${tries} times` : "";
    return new ZarrsiftError("source_unreadable", what + often, { details });
  }
}

function refuseChanged({ status, headers }: HttpAnswer, label: string, { expect }: ReadOptions): void {
  if (!expect || (status !== 200 && status !== 206)) return;
  const [etag, modified] = [headers.get("etag"), headers.get("last-modified")];
  const { stamp, unmodifiedSince = Number.POSITIVE_INFINITY } = expect;
  const expected = expect.etag ?? (stamp && isEtag(stamp) ? stamp : undefined);
  const other = expected !== undefined && etag !== null && bareEtag(etag) !== bareEtag(expected);
  const rewritten = stamp && !isEtag(stamp) && modified !== null && modified !== stamp;
  if (!other && !rewritten && !(Date.parse(modified ?? "") / 1000 > unmodifiedSince)) return;
  throw new ZarrsiftError("source_changed", `${label} has changed since it was referred to`);
}

const isEtag = (stamp: string) => /^(W\/)?"/.test(stamp);

function bareEtag(etag: string): string {
  return etag.replace(/^W\//, "").replaceAll('"', "");
}

function authorization(url: URL): Record<string, string> {
  if (url.username === "" && url.password === "") return {};
  const text = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { Authorization: `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}` };
}

/** What changes when the value does; nothing where the server does not say. */
function stampOf({ headers }: HttpAnswer): string {
  const etag = headers.get("etag");
  // Pages read whole values compressed and ranges as they are; servers tell the two apart by a suffix.
  const plain = headers.has("content-encoding") ? etag?.replace(/-(gzip|br|deflate|zstd)(?="$)/, "") : etag;
  return plain ?? headers.get("last-modified") ?? "";
}

interface ContentRange {
  /** -1 in an answer that says the size alone. */
  offset: number;
  length: number;
  size: number | undefined;
}

/** RFC 9110, 14.4. `undefined` where it is missing (a browser may hide it) or not understood. */
function contentRange({ headers }: HttpAnswer): ContentRange | undefined {
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(headers.get("content-range")?.trim() ?? "");
  if (!match) return undefined;
  const [, first, last, size] = match;
  const offset = first === undefined ? -1 : Number(first);
  const length = first === undefined ? 0 : Number(last) - offset + 1;
  return { offset, length, size: size === "*" ? undefined : Number(size) };
}

/** Whether an answer holds the last `suffixLength` bytes: only one that says the size can show that. */
function isSuffix(answer: HttpAnswer, suffixLength: number): boolean {
  const sent = contentRange(answer);
  if (sent?.size === undefined) return false;
  const span = spanOf({ suffixLength }, sent.size, "");
  return sent.offset === span.offset && answer.body.length === span.length;
}

function wrongRange(answer: HttpAnswer, asked: string, where: string): ZarrsiftError {
  const said = answer.headers.get("content-range") ?? "no Content-Range";
  return new ZarrsiftError(
    "source_unreadable",
    `${where}: asked for ${asked}, the server sent ${answer.body.length} bytes (${said})`,
  );
}
