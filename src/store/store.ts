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

  /**
   * As `get`, or `getRange` where a range is given, past all caches, by stores that find values again as fast as they
   * could be kept: directories.
   *
   * @returns what `memory` gave, with the value in it. Where it fails that may still be written to.
   */
  getInto?(
    key: string,
    range: ByteRange | undefined,
    memory: Memory,
    options?: ReadOptions,
  ): Promise<Uint8Array | undefined>;

  /**
   * Size and a stamp that changes when the bytes do (mtime, ETag), as of now; `undefined`: no such key. Where one file
   * holds or names all values, its own stamp is part of theirs.
   */
  stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined>;

  /** As `stat`, of many keys at once, in stores where that is cheaper than one by one. */
  stats?(keys: readonly string[], options?: ReadOptions): Promise<(KeyStat | undefined)[]>;

  /**
   * Names directly below `prefix` ("" is the root; no trailing slash), sorted.
   * @returns `undefined` where this store cannot list.
   */
  list(prefix: string, options?: ReadOptions): Promise<Listing | undefined>;

  /**
   * Where the bytes of `key` lie, for others to read them there; `undefined`: no such key. Stores that others cannot
   * read from have no such method.
   */
  place?(key: string, options?: ReadOptions): Promise<Place | "here" | undefined>;

  /**
   * Coordinates of the chunks of the array at `path` that may differ from what they were in another snapshot of a pinned
   * store.
   * @returns `undefined` where nobody knows, or it is another array
   */
  changedChunks?(snapshot: string, path: string): Promise<readonly (readonly number[])[] | undefined>;

  /**
   * Holds back what was read below documents until these are known to be what they were when they were read themselves,
   * or first asked about. Stores far away are believed as long as `found`, for asking takes a request.
   *
   * @param documents the first has to be there
   * @param found whether there was anything to read
   * @throws ZarrsiftError `source_changed`
   */
  confirm?(documents: readonly string[], found: boolean, options?: ReadOptions): Promise<void>;

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
  /**
   * Told since when a value has been what it is, milliseconds since 1970 by this machine's clock, before it is returned; of
   * a key that is not there, when its folder last changed. Only by stores that know: directories, HTTP and S3. Where a read
   * cannot tell whether it was written then or only touched, `stat` with `asOf` does.
   */
  onModified?: ((time: number) => void) | undefined;
  /**
   * Milliseconds since 1970: caches ask anew about what they have read before then, and `stat` tells `onModified` a later
   * time only of what was written or put there since.
   */
  asOf?: number | undefined;
  /** `false`: caches need not keep the value, because whoever asks does; default true. */
  keep?: boolean | undefined;
  /**
   * What the object must still be, else `source_changed`: of this ETag, of this or an earlier time (seconds since
   * 1970), of the stamp that `stat` gave. HTTP and S3 look at all of them as far as the server tells, directories at
   * times and stamps.
   */
  expect?: Expectation | undefined;
}

/** Gives room for a value of so many bytes; whatever is in it is written over. */
export type Memory = (length: number) => Uint8Array;

/** See `ReadOptions`. */
export interface Expectation {
  etag?: string | undefined;
  unmodifiedSince?: number | undefined;
  stamp?: string | undefined;
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
  /** What `stat` says of keys, by name, where listings tell. */
  stats?: Map<string, KeyStat>;
}

/** Where a value's bytes lie outside this process; `"here"` is said of values that nobody else can read. */
export interface Place {
  /**
   * `file:`, `s3:`, `http:` or `https:` URL of the object, without credentials; the first two are not percent-encoded, as
   * fsspec and Icechunk write them.
   */
  url: string;
  /** Bytes in the object, where that is known. */
  size?: number;
  /** The part of the object that the value is; absent: all of it. */
  range?: { offset: number; length: number };
  /** http(s) URL at which anyone can read the object. */
  publicUrl?: string;
  /**
   * An http(s) URL at which anyone can read the object, by this method, for two thirds of `seconds` at least; absent where
   * the store has no keys for it.
   */
  sign?(method: "GET" | "HEAD", seconds: number): Promise<string>;
}
