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

/** One value, between the one used before it and the one used after. */
interface Entry<T> {
  key: string;
  value: T;
  size: number;
  /** What the clock showed when it was used last. */
  used: number;
  older: Entry<T> | undefined;
  newer: Entry<T> | undefined;
}

/**
 * Values by key, the least recently used evicted when the sum of their sizes passes `budget`.
 * Loads are shared: askers for a key that is being loaded wait for the same promise; a failed load is forgotten.
 */
export class Lru<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #loading = new Map<string, Flight<T>>();
  readonly #budget: number;
  readonly #patience: number;
  #oldest: Entry<T> | undefined;
  #newest: Entry<T> | undefined;
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
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#append(entry);
    }
    this.#clock += entry.size;
    entry.used = this.#clock;
    return entry.value;
  }

  /** Kept unless it is larger than the whole budget, or others in a scanned cache were used too lately. */
  set(key: string, value: T, size: number): void {
    this.delete(key);
    this.#clock += size;
    if (size > this.#budget) return;
    while (this.#size + size > this.#budget) {
      const { key: oldest, used } = this.#oldest!;
      if (this.#clock - used < this.#patience) return;
      this.delete(oldest);
    }
    const entry: Entry<T> = { key, value, size, used: this.#clock, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#append(entry);
    this.#size += size;
  }

  /**
   * Whether there is room for a value, or what would leave for it was not used lately. Asked for values that can be had
   * again without it: one that there is no room for counts as read.
   */
  hasRoom(size: number): boolean {
    if (this.#size + size <= this.#budget) return true;
    if (size <= this.#budget && this.#clock - this.#oldest!.used >= PATIENCE * this.#budget) return true;
    this.#clock += size;
    return false;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#unlink(entry);
    this.#size -= entry.size;
  }

  /**
   * The value at `key`, loaded by `load` where it is not kept. Its signal aborts when all who asked have gone.
   * @throws the reason of `signal`, at once, when it aborts
   */
  load(
    key: string,
    load: (signal: AbortSignal | undefined) => Promise<T>,
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
    }, signal);
    this.#loading.set(key, flight);
    return flight.wait(signal);
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
