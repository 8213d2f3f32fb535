import { ZarrsiftError } from "../errors.ts";
import { keySegments, prefixSegments } from "./key.ts";
import { takeRange } from "./range.ts";
import type { ByteRange, KeyStat, Listing, ReadOptions } from "./store.ts";
import type { Lock, WritableStore } from "./writable.ts";

/** A store in memory: for tests, for small things made on the fly, and for data that came by another way. */
export class MemoryStore implements WritableStore {
  readonly url: string;
  readonly snapshot?: string;
  readonly #values = new Map<string, { bytes: Uint8Array; stamp: string }>();
  readonly #locks = new Set<string>();
  #writes = 0;

  /**
   * @param entries bytes, or text to be written as UTF-8, by key
   * @param options.snapshot set where the values will never change
   */
  constructor(
    entries: Iterable<readonly [string, Uint8Array | string]> = [],
    options: { url?: string; snapshot?: string } = {},
  ) {
    this.url = options.url ?? "memory:";
    if (options.snapshot !== undefined) this.snapshot = options.snapshot;
    for (const [key, value] of entries) this.set(key, value);
  }

  /** Writes a value; a later `stat` has another stamp. */
  set(key: string, value: Uint8Array | string): void {
    keySegments(key);
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    this.#values.set(key, { bytes, stamp: String(++this.#writes) });
  }

  delete(key: string): void {
    this.#values.delete(key);
  }

  async lock(key: string): Promise<Lock> {
    if (this.#locks.has(key))
      throw new ZarrsiftError("busy", `${this.url}/${key} is locked: try again later`);
    this.#locks.add(key);
    return {
      ensure: async () => {},
      release: async () => {
        this.#locks.delete(key);
      },
    };
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const stat = await this.stat(key, options);
    if (stat) options?.onStat?.(stat);
    return this.#values.get(key)?.bytes;
  }

  async getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const value = this.#value(key, options);
    return value && takeRange(value.bytes, range, `${this.url}/${key}`);
  }

  async stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined> {
    const value = this.#value(key, options);
    return value && { size: value.bytes.length, stamp: value.stamp };
  }

  async list(prefix: string, options?: ReadOptions): Promise<Listing> {
    options?.signal?.throwIfAborted();
    const depth = prefixSegments(prefix).length;
    const keys = new Set<string>();
    const prefixes = new Set<string>();
    for (const key of this.#values.keys()) {
      if (prefix !== "" && !key.startsWith(`${prefix}/`)) continue;
      const segments = key.split("/");
      (segments.length === depth + 1 ? keys : prefixes).add(segments[depth]!);
    }
    return { keys: [...keys].sort(), prefixes: [...prefixes].sort() };
  }

  #value(key: string, options: ReadOptions | undefined) {
    options?.signal?.throwIfAborted();
    keySegments(key);
    return this.#values.get(key);
  }
}
