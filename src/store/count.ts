import type { ByteRange, KeyStat, Listing, ReadOptions, Store, Traffic } from "./store.ts";

/**
 * Counts what is asked of a store: into `total`, and into the `traffic` that a read brings along. It stands below
 * all caches, so that what a cache answers costs nothing.
 */
export class CountingStore implements Store {
  readonly url: string;
  readonly snapshot?: string;
  readonly changedChunks?: NonNullable<Store["changedChunks"]>;
  readonly place?: NonNullable<Store["place"]>;
  readonly stats?: NonNullable<Store["stats"]>;
  readonly getInto?: NonNullable<Store["getInto"]>;
  readonly total: Traffic;
  readonly #store: Store;

  constructor(store: Store, total: Traffic = { requests: 0, bytes: 0 }) {
    this.url = store.url;
    if (store.snapshot !== undefined) this.snapshot = store.snapshot;
    if (store.changedChunks) this.changedChunks = store.changedChunks.bind(store);
    if (store.place) this.place = (key, options) => this.#counted(store.place!(key, options), options);
    if (store.stats) {
      this.stats = (keys, options) => this.#counted(store.stats!(keys, options), options, keys.length);
    }
    if (store.getInto)
      this.getInto = (key, range, memory, options) =>
        this.#counted(store.getInto!(key, range, memory, options), options);
    this.total = total;
    this.#store = store;
  }

  async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#counted(this.#store.get(key, options), options);
  }

  async getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#counted(this.#store.getRange(key, range, options), options);
  }

  async stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined> {
    return this.#counted(this.#store.stat(key, options), options);
  }

  async list(prefix: string, options?: ReadOptions): Promise<Listing | undefined> {
    return this.#counted(this.#store.list(prefix, options), options);
  }

  clear(): void {
    this.#store.clear?.();
  }

  async close(): Promise<void> {
    await this.#store.close?.();
  }

  async #counted<T>(reading: Promise<T>, options: ReadOptions | undefined, requests = 1): Promise<T> {
    add(this.total, requests, 0);
    if (options?.traffic) add(options.traffic, requests, 0);
    const value = await reading;
    if (value instanceof Uint8Array) {
      add(this.total, 0, value.length);
      if (options?.traffic) add(options.traffic, 0, value.length);
    }
    return value;
  }
}

function add(traffic: Traffic, requests: number, bytes: number): void {
  traffic.requests += requests;
  traffic.bytes += bytes;
}
