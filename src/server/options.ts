import type { FastifyServerOptions } from "fastify";
import type { ReadOptions } from "../store/store.ts";
import { MOST_CONSOLIDATED } from "../view/consolidate.ts";
import type { Collection } from "./contract.ts";

/** What a server refuses to go beyond. Past a limit is an error, or a cut stream; never a shorter answer. */
export interface Limits {
  /** Rows of one answer. */
  rows: number;
  /** Milliseconds a query may take, waiting for its turn not counted. */
  queryMs: number;
  /** Milliseconds one read below a view may take. */
  readMs: number;
  /** Milliseconds that making a view's kerchunk.json may take. */
  referencesMs: number;
  /** Queries running at once; further ones wait. */
  queries: number;
  /** Queries waiting; further ones are answered 429. */
  waiting: number;
  /** UTF-8 bytes of SQL in a body or a query string. */
  sqlBytes: number;
  /** UTF-8 bytes of SQL in a path. */
  urlSqlBytes: number;
  /** Bytes of a request body. */
  bodyBytes: number;
  /** Bytes of an answer that are held back so that a late error still has a status of its own. */
  bufferBytes: number;
  /** Bytes of chunks and metadata kept in memory, ready to send. */
  cacheBytes: number;
  /** Rows of all opened views that are kept open; each view counts for `VIEW_WEIGHT` more. */
  openRows: number;
  /** The same for queries in the path, whose answers are kept while they are in use. */
  pinnedRows: number;
  /** Milliseconds without a request after which a query in the path is forgotten. */
  pinIdleMs: number;
  /** Nodes below a group of a view up to which it has consolidated metadata; larger ones clients list. */
  consolidatedNodes: number;
  /** Milliseconds that running requests get to end when the server closes. */
  graceMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  rows: 1_000_000,
  queryMs: 60_000,
  readMs: 60_000,
  referencesMs: 600_000,
  queries: 4,
  waiting: 64,
  sqlBytes: 64 * 1024,
  urlSqlBytes: 8 * 1024,
  bodyBytes: 16 * 1024 * 1024,
  bufferBytes: 16 * 1024 * 1024,
  cacheBytes: 256 * 1024 * 1024,
  openRows: 50_000_000,
  pinnedRows: 50_000_000,
  pinIdleMs: 10 * 60_000,
  consolidatedNodes: MOST_CONSOLIDATED,
  graceMs: 10_000,
};

/** What an opened view weighs beside its rows: its hierarchy and attributes. */
export const VIEW_WEIGHT = 50_000;

/** Reads of one source since it was opened. */
export interface SourceCount {
  collection: string;
  requests: number;
  bytes: number;
}

export interface AppOptions {
  /** Served under their own names, which are unique and hold no `/` and no `@`. They stay the caller's to close. */
  collections: readonly Collection[];
  /** SQLite file that keeps the views; default ":memory:", which forgets them. */
  views?: string;
  /** Base of the URLs in answers, a path included; default: the request's Host header. */
  publicUrl?: string;
  /** Believe X-Forwarded-* headers: true, or the proxies' addresses. */
  trustProxy?: FastifyServerOptions["trustProxy"];
  limits?: Partial<Limits>;
  /**
   * Chunks that are whole objects of an HTTP or S3 source are answered with 307 to the object; where the source is read
   * with keys, to a signed URL that lasts so many seconds. Default: all chunks are served.
   */
  redirectSeconds?: number;
  /** Opens a collection at a branch, tag or snapshot, for `/collections/{c}@{ref}/…`. */
  openRef?(collection: string, ref: string, options?: ReadOptions): Promise<Collection>;
  /** For /metrics, where the sources are counted. */
  sourceCounts?(): Iterable<SourceCount>;
  /** Default: warnings and errors to stderr, as JSON lines. */
  logger?: FastifyServerOptions["logger"];
}
