/** One value, between the one used before it and the one used after. */
interface Entry<T> {
  key: string;
  value: T;
  size: number;
  older: Entry<T> | undefined;
  newer: Entry<T> | undefined;
}

/**
 * Values by key, the least recently used evicted when the sum of their sizes passes `budget`.
 * Loads are shared: askers for a key that is being loaded wait for the same promise; a failed load is forgotten.
 */
export class Lru<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #loading = new Map<string, Promise<T>>();
  readonly #budget: number;
  #oldest: Entry<T> | undefined;
  #newest: Entry<T> | undefined;
  #size = 0;

  constructor(budget: number) {
    this.#budget = budget;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#append(entry);
    }
    return entry.value;
  }

  /** Kept unless it is larger than the whole budget. */
  set(key: string, value: T, size: number): void {
    this.delete(key);
    if (size > this.#budget) return;
    const entry: Entry<T> = { key, value, size, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
    this.#size += size;
    while (this.#size > this.#budget) this.delete(this.#oldest!.key);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#unlink(entry);
    this.#size -= entry.size;
  }

  /** The value at `key`, loaded by `load` where it is not kept. */
  load(key: string, load: () => Promise<T>, sizeOf: (value: T) => number): Promise<T> {
    const kept = this.get(key);
    if (kept !== undefined) return Promise.resolve(kept);
    const running = this.#loading.get(key);
    if (running) return running;
    const loading = this.#run(key, load, sizeOf);
    this.#loading.set(key, loading);
    return loading;
  }

  async #run(key: string, load: () => Promise<T>, sizeOf: (value: T) => number): Promise<T> {
    try {
      const value = await load();
      this.set(key, value, sizeOf(value));
      return value;
    } finally {
      this.#loading.delete(key);
    }
  }

  #append(entry: Entry<T>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest) this.#newest.newer = entry;
    else this.#oldest = entry;
    this.#newest = entry;
  }

  #unlink({ older, newer }: Entry<T>): void {
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
  }
}
