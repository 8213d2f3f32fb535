import { ZarrsiftError } from "../../errors.ts";
import { prefixSegments } from "../key.ts";
import type { ByteRange, KeyStat, Listing, Place, ReadOptions, Store } from "../store.ts";
import { HttpStore } from "./http.ts";
import { type HttpAnswer, type Patience, sendRequest } from "./request.ts";
import { addListingPage } from "./s3-listing.ts";

/** Keys of an AWS account, or of another service that speaks S3. */
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

/** Where and as whom S3 is read. Nothing is ever taken from the environment here. */
export interface S3Options {
  /** Base URL of a service other than AWS, such as `http://127.0.0.1:9000`. */
  endpoint?: string | undefined;
  /** Default `us-east-1`. */
  region?: string | undefined;
  /** Bucket in the path instead of the host's name; default: with an endpoint, and for bucket names with dots. */
  pathStyle?: boolean | undefined;
  /** Default: none, requests are not signed. */
  credentials?: S3Credentials | undefined;
}

/** A prefix of a bucket. Statuses mean what they mean over plain HTTP, see `HttpStore`. */
export class S3Store implements Store {
  readonly url: string;
  readonly #http: HttpStore;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #patience: Patience;
  readonly #sign: ReturnType<typeof signer>;
  readonly #presign: ReturnType<typeof presigner>;

  /**
   * @param url `s3://bucket/prefix`, not percent-encoded
   * @throws ZarrsiftError `bad_request`
   */
  constructor(url: string, options: S3Options & Patience & { absent?: readonly number[] | undefined } = {}) {
    const { bucket, key } = s3Place(url);
    this.#prefix = key.replace(/\/+$/, "");
    this.url = this.#prefix === "" ? `s3://${bucket}` : `s3://${bucket}/${this.#prefix}`;
    this.#bucket = bucketUrl(bucket, options);
    this.#patience = options;
    this.#sign = signer(options);
    this.#presign = presigner(options);
    const path = prefixSegments(this.#prefix).map(encodeURIComponent);
    this.#http = new HttpStore([this.#bucket, ...path].join("/"), {
      ...options,
      sign: this.#sign && ((method, url) => this.#sign!(method, url)),
      forbiddenHint: forbiddenHint(options),
    });
  }

  get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#http.get(key, options);
  }

  getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#http.getRange(key, range, options);
  }

  stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined> {
    return this.#http.stat(key, options);
  }

  async place(key: string, options?: ReadOptions): Promise<Place | undefined> {
    const place = await this.#http.place(key, options);
    if (!place) return undefined;
    const { url, ...others } = place;
    const presign = this.#presign;
    const sign = presign && {
      sign: (method: "GET" | "HEAD", seconds: number) => presign(method, url, seconds),
    };
    return { ...others, url: `${this.url}/${key}`, ...sign };
  }

  /** ListObjectsV2, page after page; `undefined` where these credentials may not list. */
  async list(prefix: string, options: ReadOptions = {}): Promise<Listing | undefined> {
    const below = [...prefixSegments(this.#prefix), ...prefixSegments(prefix)]
      .map((part) => `${part}/`)
      .join("");
    const listing: Listing = { keys: [], prefixes: [] };
    let token: string | undefined;
    do {
      const page = await this.#page(below, token, options);
      if (!page) return undefined;
      token = addListingPage(listing, page, below);
    } while (token !== undefined);
    return { ...listing, keys: listing.keys.sort(), prefixes: listing.prefixes.sort() };
  }

  async #page(below: string, token: string | undefined, options: ReadOptions): Promise<string | undefined> {
    const query = new URLSearchParams({
      "list-type": "2",
      delimiter: "/",
      "encoding-type": "url",
      prefix: below,
    });
    if (token !== undefined) query.set("continuation-token", token);
    // The signature is made of %20, as RFC 3986 has it.
    const url = `${this.#bucket}/?${String(query).replaceAll("+", "%20")}`;
    const headers = (await this.#sign?.("GET", url)) ?? {};
    const label = `${this.url}/ (listing)`;
    const answer: HttpAnswer = await sendRequest(
      { method: "GET", url, label, headers },
      this.#patience,
      options,
    );
    if (answer.status === 200) return new TextDecoder().decode(answer.body);
    if (answer.status === 401 || answer.status === 403) return undefined;
    throw new ZarrsiftError("source_unreadable", `${label} answered ${answer.status}`, {
      details: { http_status: answer.status },
    });
  }
}

/**
 * The bucket and the key of an `s3://` URL, as they are written.
 * @throws ZarrsiftError `bad_request`
 */
export function s3Place(url: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9._-]{1,62})(?:\/(.*))?$/is.exec(url);
  if (match) return { bucket: match[1]!, key: match[2] ?? "" };
  throw new ZarrsiftError("bad_request", `${url} names no place in S3: s3://bucket/prefix is expected`);
}

/** Base URL of a bucket. @throws ZarrsiftError `bad_request` for an endpoint that is none */
export function bucketUrl(bucket: string, { endpoint, region = "us-east-1", pathStyle }: S3Options): string {
  const host = endpoint ?? `https://s3.${region}.amazonaws.com`;
  if (!URL.canParse(host) || !/^https?:\/\/[^/?#@]+\/?$/.test(host)) {
    throw new ZarrsiftError("bad_request", "an S3 endpoint is an http or https URL without a path");
  }
  const { protocol, host: name } = new URL(host);
  const inPath = pathStyle ?? (endpoint !== undefined || bucket.includes("."));
  return inPath ? `${protocol}//${name}/${bucket}` : `${protocol}//${bucket}.${name}`;
}

/**
 * Signature version 4 of requests; `sha256` is that of the body, in hex digits, where there is one. The library is loaded
 * with the first of them.
 */
export function signer({ credentials, region = "us-east-1" }: S3Options) {
  if (!credentials) return undefined;
  const cache = new Map<string, ArrayBuffer>();
  return async (method: string, url: string, sha256?: string): Promise<Record<string, string>> => {
    const { AwsV4Signer } = await import("aws4fetch");
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const keys = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    const headers: Record<string, string> = sha256 === undefined ? {} : { "X-Amz-Content-Sha256": sha256 };
    const request = { method, url, headers, service: "s3", region, cache, ...keys };
    return Object.fromEntries((await new AwsV4Signer(request).sign()).headers);
  };
}

/**
 * URLs that carry their signature, for one method. Those made within a third of their time are the same, so that caches
 * know what they lead to.
 */
function presigner({ credentials, region = "us-east-1" }: S3Options) {
  if (!credentials) return undefined;
  const cache = new Map<string, ArrayBuffer>();
  return async (method: "GET" | "HEAD", url: string, seconds: number): Promise<string> => {
    const { AwsV4Signer } = await import("aws4fetch");
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const keys = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
    const step = Math.max(1, Math.floor(seconds / 3)) * 1000;
    const since = new Date(Math.floor(Date.now() / step) * step);
    const datetime = since.toISOString().replace(/[:-]|\.\d{3}/g, "");
    const lasting = new URL(url);
    lasting.searchParams.set("X-Amz-Expires", String(seconds));
    const request = {
      method,
      url: lasting.href,
      service: "s3",
      region,
      cache,
      signQuery: true,
      datetime,
    };
    return (await new AwsV4Signer({ ...request, ...keys }).sign()).url.href;
  };
}

function forbiddenHint({ credentials }: S3Options): string {
  return credentials
    ? "these credentials may not read it"
    : "it was read without credentials: for a source of the command line set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; " +
        "in a config name its own, for none but these are used";
}
