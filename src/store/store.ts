/**
 * Bytes by key: the one interface everything above meets at.
 *
 * Keys have no leading slash (`meta/date/c/0`). `undefined` means "no such key" and nothing else: whatever
 * else goes wrong is thrown as a `ZarrsiftError` (`source_unreadable`, `source_forbidden`, `timeout` …),
 * because a failed read shown as absent becomes fill values.
 */
export interface Store {
  /** What a person would call it, for messages: a path or URL, no credentials in it. */
  readonly url: string;
  /** Set where the whole store is pinned to an immutable version (an Icechunk snapshot id). */
  readonly snapshot?: string;

  get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined>;

  /**
   * @throws ZarrsiftError `source_unreadable` when the store answers with other bytes than were asked for, also
   *   where `offset + length` is beyond the end: whoever asked was wrong about the value.
   */
  getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined>;

  /** Size and a stamp that changes when the bytes do (mtime, ETag); `undefined`: no such key. */
  stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined>;

  /**
   * Names directly below `prefix` ("" is the root; no trailing slash), sorted.
   * @returns `undefined` where this store cannot list.
   */
  list(prefix: string, options?: ReadOptions): Promise<Listing | undefined>;

  /**
   * Whether nothing at or below `path` differs from what it was in another snapshot of a pinned store.
   * @returns `undefined` where nobody knows
   */
  unchangedSince?(snapshot: string, path: string): Promise<boolean | undefined>;

  /** Forget whatever is cached, because the source changed. Wrappers pass it on. */
  clear?(): void;

  close?(): Promise<void>;
}

export interface ReadOptions {
  signal?: AbortSignal | undefined;
  /** What this read costs below all caches is added here. */
  traffic?: Traffic | undefined;
  /**
   * Told what `stat` would have said of a value that `get` returns, as it was when it was read. Stores that learn it
   * along the way tell it, caches what it was then.
   */
  onStat?: ((stat: KeyStat) => void) | undefined;
  /** `false`: caches need not keep the value, because whoever asks does; default true. */
  keep?: boolean | undefined;
  /**
   * What the object must still be, else `source_changed`. HTTP and S3 look at both as far as the server tells them,
   * directories at the time.
   */
  expect?: { etag?: string | undefined; unmodifiedSince?: number | undefined } | undefined;
}

/** What was asked of a source: requests sent and bytes of values received. */
export interface Traffic {
  requests: number;
  bytes: number;
}

/** `offset` from the start, or the last `suffixLength` bytes (all of them where there are fewer). */
export type ByteRange = { offset: number; length: number } | { suffixLength: number };

export interface KeyStat {
  size: number;
  stamp: string;
}

export interface Listing {
  /** Names of keys directly below. */
  keys: string[];
  /** Names of prefixes ("folders") directly below, no trailing slash. */
  prefixes: string[];
}
