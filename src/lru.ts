/**
 * Values by key, the least recently used evicted when the sum of their sizes passes `budget`.
 * Loads are shared: askers for a key that is being loaded wait for the same promise; a failed load is forgotten.
 */
export class Lru<T> {
  readonly #entries = new Map<string, { value: T; size: number }>();
  readonly #loading = new Map<string, Promise<T>>();
  readonly #budget: number;
  #size = 0;

  constructor(budget: number) {
    this.#budget = budget;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Kept unless it is larger than the whole budget. */
  set(key: string, value: T, size: number): void {
    this.delete(key);
    if (size > this.#budget) return;
    this.#entries.set(key, { value, size });
    this.#size += size;
    for (const oldest of this.#entries.keys()) {
      if (this.#size <= this.#budget) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#size -= entry.size;
    this.#entries.delete(key);
  }

  /** The value at `key`, loaded by `load` where it is not kept. */
  load(key: string, load: () => Promise<T>, sizeOf: (value: T) => number): Promise<T> {
    const kept = this.get(key);
    if (kept !== undefined) return Promise.resolve(kept);
    const running = this.#loading.get(key);
    if (running) return running;
    const loading = load()
      .then((value) => {
        this.set(key, value, sizeOf(value));
        return value;
      })
      .finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }
}
