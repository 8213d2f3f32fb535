import { ZarrsiftError } from "../errors.ts";
import { Lru } from "../lru.ts";
import { Latest } from "./latest.ts";
import { isRemote } from "./remote.ts";
import { statsOf } from "./stats.ts";
import type { ByteRange, KeyStat, Listing, ReadOptions, Store } from "./store.ts";

/** What is said of a key that is not there. */
const ABSENT = "-";
/** Documents that are remembered beside what is watched. */
const DOCUMENTS_KEPT = 40_000;
/** A document of a store far away is believed so long, in milliseconds. */
const REST_MS = 1000;

/**
 * Remembers of which size and stamp the values were that it has handed out, and finds out whether they still are: what
 * was never read cannot be out of date. Values alone are remembered, not ranges of them. Keys that are not watched but
 * are documents are remembered too, the latest of them, to be confirmed one by one.
 */
export class WatchedStore implements Store {
  readonly url: string;
  readonly snapshot?: string;
  readonly changedChunks?: NonNullable<Store["changedChunks"]>;
  readonly place?: NonNullable<Store["place"]>;
  readonly getInto?: NonNullable<Store["getInto"]>;
  readonly #store: Store;
  readonly #watches: (key: string) => boolean;
  readonly #isDocument: (key: string) => boolean;
  readonly #seen = new Map<string, string>();
  readonly #documents = new Lru<string>(DOCUMENTS_KEPT);
  /** When documents of a store far away were last as they had been. */
  readonly #confirmed = new Lru<number>(DOCUMENTS_KEPT);
  readonly #isFar: boolean;
  /** Whether values come without what `stat` says of them. */
  #silent = false;
  #outdated = false;

  /** @param watches which keys are remembered; the others are passed through */
  constructor(
    store: Store,
    watches: (key: string) => boolean,
    isDocument: (key: string) => boolean = () => false,
  ) {
    this.url = store.url;
    this.#isDocument = isDocument;
    this.#isFar = isRemote(store);
    if (store.snapshot !== undefined) this.snapshot = store.snapshot;
    if (store.changedChunks) this.changedChunks = store.changedChunks.bind(store);
    if (store.place) this.place = store.place.bind(store);
    if (store.getInto) {
      this.getInto = (key, range, memory, options) =>
        !range && this.#remembers(key) ? this.get(key, options) : store.getInto!(key, range, memory, options);
    }
    this.#store = store;
    this.#watches = watches;
  }

  async get(key: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    if (this.snapshot !== undefined || !this.#remembers(key)) return this.#store.get(key, options);
    if (!this.#silent) {
      let told: KeyStat | undefined;
      const onStat = (stat: KeyStat) => {
        told = stat;
        options.onStat?.(stat);
      };
      const value = await this.#store.get(key, { ...options, onStat });
      if (!value || told) this.#note(key, told);
      if (!value || told || !this.#watches(key)) return value;
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

  async stats(keys: readonly string[], options?: ReadOptions): Promise<(KeyStat | undefined)[]> {
    const stats = await statsOf(this.#store, keys, options);
    if (this.snapshot !== undefined) return stats;
    for (const [i, key] of keys.entries()) if (this.#watches(key)) this.#note(key, stats[i]);
    return stats;
  }

  list(prefix: string, options?: ReadOptions): Promise<Listing | undefined> {
    return this.#store.list(prefix, options);
  }

  /** Whether a document that was to be confirmed had changed, or somebody found something else that had. */
  get outdated(): boolean {
    return this.#outdated;
  }

  noteOutdated(): void {
    this.#outdated = true;
  }

  async confirm(documents: readonly string[], found: boolean, options?: ReadOptions): Promise<void> {
    if (this.snapshot !== undefined || (this.#isFar && found)) return;
    await Promise.all(documents.map((key, i) => this.#confirm(key, i === 0, options)));
  }

  async #confirm(key: string, needed: boolean, options?: ReadOptions): Promise<void> {
    const began = performance.now();
    if (this.#isFar && began < (this.#confirmed.get(key) ?? Number.NEGATIVE_INFINITY) + REST_MS) return;
    const modified = new Latest();
    const stat = await this.#store.stat(key, { ...options, onModified: modified.note });
    // Of a document that is not there, the time is its folder's, where others come and go.
    if (stat && modified.time !== undefined) options?.onModified?.(modified.time);
    const before = this.#seen.get(key) ?? this.#documents.get(key);
    if ((stat || !needed) && (before ?? shown(stat)) === shown(stat)) {
      this.#note(key, stat);
      if (this.#isFar) this.#confirmed.set(key, began, 1);
      return;
    }
    this.#outdated = true;
    const since =
      stat || before !== undefined
        ? "since this view was made; make the view again"
        : "since this view was made, or since metadata were consolidated: make the view again, or consolidate them again";
    throw new ZarrsiftError(
      "source_changed",
      `${this.url}/${key} ${stat ? "has changed" : "has gone"} ${since}`,
      { details: { key } },
    );
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
    const keys = wanted.map(([key]) => key);
    const stats = await statsOf(this.#store, keys);
    return wanted.some(([, before], i) => shown(stats[i]) !== before);
  }

  /** The first time counts: whatever is read later and is different shows a change. */
  #note(key: string, stat: KeyStat | undefined): void {
    if (!this.#watches(key)) {
      if (this.#documents.get(key) === undefined) this.#documents.set(key, shown(stat), 1);
    } else if (!this.#seen.has(key)) this.#seen.set(key, shown(stat));
  }

  #remembers(key: string): boolean {
    return this.#watches(key) || (!this.#silent && this.#isDocument(key));
  }
}

const shown = (stat: KeyStat | undefined): string => (stat ? `${stat.size}:${stat.stamp}` : ABSENT);
