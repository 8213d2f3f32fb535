import { ZarrsiftError } from "../../errors.ts";
import { hashHex } from "../../hash.ts";
import { prefixSegments } from "../key.ts";
import type { WritableStore } from "../writable.ts";
import { type HttpAnswer, type Patience, sendRequest } from "./request.ts";
import { bucketUrl, type S3Options, S3Store, s3Place, signer } from "./s3.ts";

/** A body of more bytes is slow to send: the server is given more time for it. */
const PATIENT_BYTES = 8 * 2 ** 20;
const SLOWEST_BYTES_PER_SECOND = 256 * 1024;

/** A prefix of a bucket that is written, too. An object is there whole, or not at all. */
export class WritableS3 extends S3Store implements WritableStore {
  readonly #base: string;
  readonly #patience: Patience;
  readonly #sign: ReturnType<typeof signer>;
  readonly #signed: boolean;

  constructor(url: string, options: S3Options & Patience = {}) {
    super(url, options);
    const { bucket, key } = s3Place(url);
    const path = prefixSegments(key.replace(/\/+$/, "")).map(encodeURIComponent);
    this.#base = [bucketUrl(bucket, options), ...path].join("/");
    this.#patience = options;
    this.#sign = signer(options);
    this.#signed = options.credentials !== undefined;
  }

  /** The server compares what came with its hash. */
  async set(key: string, value: Uint8Array | string): Promise<void> {
    const body = typeof value === "string" ? new TextEncoder().encode(value) : value;
    const answer = await this.#send("PUT", key, body);
    if (answer.status !== 200) throw this.#refused(answer, key);
  }

  async delete(key: string): Promise<void> {
    const answer = await this.#send("DELETE", key);
    if (![200, 204, 404].includes(answer.status)) throw this.#refused(answer, key);
  }

  async #send(method: "PUT" | "DELETE", key: string, body?: Uint8Array): Promise<HttpAnswer> {
    const url = [this.#base, ...prefixSegments(key).map(encodeURIComponent)].join("/");
    const headers = (await this.#sign?.(method, url, body && (await hashHex(body)))) ?? {};
    const { timeoutMs = 30_000 } = this.#patience;
    const size = body?.length ?? 0;
    const longer = size > PATIENT_BYTES ? (size / SLOWEST_BYTES_PER_SECOND) * 1000 : 0;
    const patience = { ...this.#patience, timeoutMs: timeoutMs + longer };
    return sendRequest(
      { method, url, label: `${this.url}/${key}`, headers, ...(body && { body }) },
      patience,
      {},
    );
  }

  #refused({ status }: HttpAnswer, key: string): ZarrsiftError {
    const forbidden = status === 401 || status === 403;
    const hint = this.#signed
      ? "these credentials may not write there"
      : "it was written without credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    return new ZarrsiftError(
      forbidden ? "source_forbidden" : "source_unreadable",
      `${this.url}/${key} cannot be written: the server answered ${status}${forbidden ? `: ${hint}` : ""}`,
      { details: { key, http_status: status } },
    );
  }
}
