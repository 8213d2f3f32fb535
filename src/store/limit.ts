import type { ByteRange, KeyStat, Listing, ReadOptions, Store } from "./store.ts";

/** At most so many requests at once; the others wait in order. One that is aborted leaves the queue. */
export class LimitStore implements Store {
  readonly url: string;
  readonly snapshot?: string;
  readonly place?: NonNullable<Store["place"]>;
  readonly stats?: NonNullable<Store["stats"]>;
  readonly getInto?: NonNullable<Store["getInto"]>;
  readonly #store: Store;
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(store: Store, limit: number) {
    this.url = store.url;
    if (store.snapshot !== undefined) this.snapshot = store.snapshot;
    if (store.place) this.place = (key, options) => this.#run(() => store.place!(key, options), options);
    if (store.stats) this.stats = (keys, options) => this.#run(() => store.stats!(keys, options), options);
    if (store.getInto)
      this.getInto = (key, range, memory, options) =>
        this.#run(() => store.getInto!(key, range, memory, options), options);
    this.#store = store;
    this.#free = limit;
  }

  get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#run(() => this.#store.get(key, options), options);
  }

  getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#run(() => this.#store.getRange(key, range, options), options);
  }

  stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined> {
    return this.#run(() => this.#store.stat(key, options), options);
  }

  list(prefix: string, options?: ReadOptions): Promise<Listing | undefined> {
    return this.#run(() => this.#store.list(prefix, options), options);
  }

  clear(): void {
    this.#store.clear?.();
  }

  async close(): Promise<void> {
    await this.#store.close?.();
  }

  async #run<T>(read: () => Promise<T>, options: ReadOptions | undefined): Promise<T> {
    options?.signal?.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#turn(options?.signal);
    try {
      return await read();
    } finally {
      this.#next();
    }
  }

  /** Whoever is called takes over the place of the one that has ended. */
  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter);
        reject(signal?.reason);
      };
      const enter = () => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      this.#waiting.add(enter);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  #next(): void {
    const [enter] = this.#waiting;
    if (!enter) {
      this.#free++;
      return;
    }
    this.#waiting.delete(enter);
    enter();
  }
}
