import type { ByteRange, KeyStat, Listing, ReadOptions, Store } from "../../src/store/store.ts";

/** A store over another that remembers what it was asked and answers when it is told to. */
export class SlowStore implements Store {
  readonly url = "slow:";
  readonly snapshot?: string;
  /** What was asked: `key`, or `key offset+length`. */
  readonly asked: string[] = [];
  /** What was stopped by its signal. */
  readonly stopped: string[] = [];
  /** Requests on their way at once, at most. */
  most = 0;
  cleared = 0;
  closed = false;
  readonly #store: Store;
  readonly #held: (() => void)[] = [];
  #running = 0;
  #open: boolean;

  constructor(store: Store, { open = true, snapshot }: { open?: boolean; snapshot?: string } = {}) {
    this.#store = store;
    this.#open = open;
    if (snapshot !== undefined) this.snapshot = snapshot;
  }

  /** Lets all that wait, and all that come, pass. */
  release(): void {
    this.#open = true;
    for (const go of this.#held.splice(0)) go();
  }

  get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#pass(key, options, () => this.#store.get(key, options));
  }

  getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const place = "suffixLength" in range ? `-${range.suffixLength}` : `${range.offset}+${range.length}`;
    return this.#pass(`${key} ${place}`, options, () => this.#store.getRange(key, range, options));
  }

  stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined> {
    return this.#pass(`stat ${key}`, options, () => this.#store.stat(key, options));
  }

  list(prefix: string, options?: ReadOptions): Promise<Listing | undefined> {
    return this.#pass(`list ${prefix}`, options, () => this.#store.list(prefix, options));
  }

  clear(): void {
    this.cleared++;
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  async #pass<T>(what: string, options: ReadOptions | undefined, read: () => Promise<T>): Promise<T> {
    this.asked.push(what);
    this.most = Math.max(this.most, ++this.#running);
    options?.signal?.addEventListener("abort", () => this.stopped.push(what), { once: true });
    try {
      await new Promise<void>((resolve) => (this.#open ? setTimeout(resolve, 1) : this.#held.push(resolve)));
      return await read();
    } finally {
      this.#running--;
    }
  }
}
