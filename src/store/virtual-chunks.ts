import { ZarrsiftError } from "../errors.ts";
import { CoalesceStore } from "./coalesce.ts";
import { HttpStore } from "./http/http.ts";
import type { Patience } from "./http/request.ts";
import { type S3Options, S3Store } from "./http/s3.ts";
import type { ChunkReference } from "./icechunk/references.ts";
import { LimitStore } from "./limit.ts";
import type { ByteRange, Place, ReadOptions, Store } from "./store.ts";

/** A place that references of a source may point into, and as whom it is read. */
export interface AllowedPrefix extends S3Options {
  /** `s3://bucket/prefix/`, `https://host/path/` or `file:///folder/`; whatever lies below it. */
  prefix: string;
}

/** Requests at once below each prefix. */
const CONCURRENCY = 32;

/** Reads what references point to: only below the prefixes that were allowed, each with its own credentials. */
export class VirtualChunks {
  readonly #allowed: readonly (AllowedPrefix & { open: () => Promise<Store> })[];

  /** @throws ZarrsiftError `bad_request` for a prefix of another scheme */
  constructor(allowed: readonly AllowedPrefix[], patience: Patience = {}) {
    this.#allowed = allowed
      .map((one) => ({ ...one, prefix: `${one.prefix.replace(/\/+$/, "")}/` }))
      .sort((a, b) => b.prefix.length - a.prefix.length)
      .map((one) => ({ ...one, open: once(() => openPrefix(one, patience)) }));
  }

  /**
   * The store that an object is in, and its key there.
   * @throws ZarrsiftError `source_forbidden` where no allowed prefix covers it
   */
  async place(location: string): Promise<{ store: Store; key: string }> {
    const place = this.#allowed.find(({ prefix }) => location.startsWith(prefix));
    if (!place) throw notAllowed(location);
    const rest = location.slice(place.prefix.length);
    const key = /^https?:/.test(place.prefix) ? decoded(rest) : rest;
    if (key.split("/").includes("..")) throw notAllowed(location);
    return { store: await place.open(), key };
  }

  /**
   * A range of what `reference` names.
   * @throws ZarrsiftError `source_forbidden`, `source_changed`, and as stores do; an object that is not there is
   *   `source_unreadable`, for the chunk itself is not missing
   */
  async read(reference: ChunkReference, range: ByteRange, options: ReadOptions): Promise<Uint8Array> {
    const { location, offset, length, etag, unmodifiedSince } = reference;
    const { store, key } = await this.place(location);
    const skip = "suffixLength" in range ? Math.max(0, length - range.suffixLength) : range.offset;
    const span = { offset: offset + skip, length: "suffixLength" in range ? length - skip : range.length };
    const bytes = await store.getRange(key, span, { ...options, expect: { etag, unmodifiedSince } });
    if (bytes) return bytes;
    throw missingTarget(location);
  }
}

/** The error for an object that is referred to and is not there. */
export function missingTarget(location: string): ZarrsiftError {
  return new ZarrsiftError("source_unreadable", `${location}, which a virtual chunk lies in, is not there`);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

async function openPrefix(allowed: AllowedPrefix, patience: Patience): Promise<Store> {
  return new CoalesceStore(new LimitStore(await prefixStore(allowed, patience), CONCURRENCY));
}

async function prefixStore(allowed: AllowedPrefix, patience: Patience): Promise<Store> {
  const { prefix } = allowed;
  if (prefix.startsWith("s3://")) return new S3Store(prefix, { ...patience, ...allowed });
  if (/^https?:\/\//.test(prefix)) return new HttpStore(prefix, patience);
  if (!prefix.startsWith("file:///")) {
    throw new ZarrsiftError(
      "bad_request",
      `virtual chunks at ${prefix} cannot be read: s3, https or file only`,
    );
  }
  const { DirectoryStore } = await import("./file.ts");
  return new DirectoryStore(prefix.slice("file://".length));
}

function notAllowed(location: string): ZarrsiftError {
  return new ZarrsiftError(
    "source_forbidden",
    `A virtual chunk lies in ${location}, which nobody has allowed to be read: --allow names a folder or URL that may be, ` +
      "virtual_chunks in a configuration also its endpoint and credentials",
    { details: { location } },
  );
}

/** The object at a location, as it is written; public where it is an http(s) URL with nothing in it that might be secret. */
export function placeAt(location: string): Place {
  if (!/^https?:/.test(location) || !URL.canParse(location)) return { url: location };
  const { username, password, search } = new URL(location);
  return username + password + search === "" ? { url: location, publicUrl: location } : { url: location };
}
