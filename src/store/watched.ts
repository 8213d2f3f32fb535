import { mapLimit } from "../abort.ts";
import type { ByteRange, KeyStat, Listing, ReadOptions, Store } from "./store.ts";

/** What is said of a key that is not there. */
const ABSENT = "-";

/**
 * Remembers of which size and stamp the values were that it has handed out, and finds out whether they still are: what
 * was never read cannot be out of date. Values alone are remembered, not ranges of them.
 */
export class WatchedStore implements Store {
  readonly url: string;
  readonly snapshot?: string;
  readonly changedChunks?: NonNullable<Store["changedChunks"]>;
  readonly #store: Store;
  readonly #watches: (key: string) => boolean;
  readonly #seen = new Map<string, string>();
  /** Whether values come without what `stat` says of them. */
  #silent = false;

  /** @param watches which keys are remembered; the others are passed through */
  constructor(store: Store, watches: (key: string) => boolean) {
    this.url = store.url;
    if (store.snapshot !== undefined) this.snapshot = store.snapshot;
    if (store.changedChunks) this.changedChunks = store.changedChunks.bind(store);
    this.#store = store;
    this.#watches = watches;
  }

  async get(key: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    if (this.snapshot !== undefined || !this.#watches(key)) return this.#store.get(key, options);
    if (!this.#silent) {
      let told: KeyStat | undefined;
      const onStat = (stat: KeyStat) => {
        told = stat;
        options.onStat?.(stat);
      };
      const value = await this.#store.get(key, { ...options, onStat });
      if (!value || told) {
        this.#note(key, told);
        return value;
      }
      this.#silent = true;
    }
    // Before the value: where it changes in between, the next look finds that it has.
    await this.stat(key, options);
    return this.#store.get(key, options);
  }

  getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#store.getRange(key, range, options);
  }

  async stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined> {
    const stat = await this.#store.stat(key, options);
    if (this.snapshot === undefined && this.#watches(key)) this.#note(key, stat);
    return stat;
  }

  list(prefix: string, options?: ReadOptions): Promise<Listing | undefined> {
    return this.#store.list(prefix, options);
  }

  clear(): void {
    this.#store.clear?.();
  }

  async close(): Promise<void> {
    await this.#store.close?.();
  }

  /** Whether any value of `which` has another size or stamp by now, is gone, or is there where there was none. */
  async changed(which: (key: string) => boolean): Promise<boolean> {
    const wanted = [...this.#seen].filter(([key]) => which(key));
    let found = false;
    await mapLimit(wanted, 32, async ([key, before]) => {
      if (!found && shown(await this.#store.stat(key)) !== before) found = true;
    });
    return found;
  }

  /** The first time counts: whatever is read later and is different shows a change. */
  #note(key: string, stat: KeyStat | undefined): void {
    if (!this.#seen.has(key)) this.#seen.set(key, shown(stat));
  }
}

const shown = (stat: KeyStat | undefined): string => (stat ? `${stat.size}:${stat.stamp}` : ABSENT);
