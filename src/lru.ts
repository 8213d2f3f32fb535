import { Flight } from "./flight.ts";

export interface LruOptions {
  /**
   * For values that are mostly read from end to end, again and again: a whole that is larger than the budget would push
   * out each part before its turn comes again. What was used lately then stays, and what does not fit is not kept.
   */
  scanned?: boolean;
}

/** A scanned cache lets go of what was not used while this many times its budget was read. */
const PATIENCE = 4;

/**
 * Values by key, the least recently used evicted when the sum of their sizes passes `budget`.
 * Loads are shared: askers for a key that is being loaded wait for the same promise; a failed load is forgotten.
 */
export class Lru<T> {
  readonly #entries = new Map<string, { value: T; size: number; used: number }>();
  readonly #loading = new Map<string, Flight<T>>();
  readonly #budget: number;
  readonly #patience: number;
  #size = 0;
  /** Bytes that were asked for or set so far. */
  #clock = 0;

  constructor(budget: number, { scanned = false }: LruOptions = {}) {
    this.#budget = budget;
    this.#patience = scanned ? PATIENCE * budget : 0;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#clock += entry.size;
    entry.used = this.#clock;
    return entry.value;
  }

  /** Kept unless it is larger than the whole budget, or others in a scanned cache were used too lately. */
  set(key: string, value: T, size: number): void {
    this.delete(key);
    this.#clock += size;
    if (size > this.#budget) return;
    for (const [oldest, { used }] of this.#entries) {
      if (this.#size + size <= this.#budget) break;
      if (this.#clock - used < this.#patience) return;
      this.delete(oldest);
    }
    this.#entries.set(key, { value, size, used: this.#clock });
    this.#size += size;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#size -= entry.size;
    this.#entries.delete(key);
  }

  /**
   * The value at `key`, loaded by `load` where it is not kept. Its signal aborts when all who asked have gone.
   * @throws the reason of `signal`, at once, when it aborts
   */
  load(
    key: string,
    load: (signal: AbortSignal) => Promise<T>,
    sizeOf: (value: T) => number,
    signal?: AbortSignal | undefined,
  ): Promise<T> {
    const kept = this.get(key);
    if (kept !== undefined) return Promise.resolve(kept);
    const running = this.#loading.get(key);
    if (running && !running.stopped) return running.wait(signal);
    const flight: Flight<T> = new Flight(async (own) => {
      try {
        const value = await load(own);
        this.set(key, value, sizeOf(value));
        return value;
      } finally {
        if (this.#loading.get(key) === flight) this.#loading.delete(key);
      }
    });
    this.#loading.set(key, flight);
    return flight.wait(signal);
  }
}
