import { ZarrsiftError } from "../errors.ts";
import { Latest } from "./latest.ts";
import type { ByteRange, KeyStat, Listing, ReadOptions, Store } from "./store.ts";

/**
 * A plain store as it was at one time: what has been written since, or has come or gone in its folder, is
 * `source_changed`, as far as the store tells when that was.
 */
export class AsOfStore implements Store {
  readonly url: string;
  readonly place?: NonNullable<Store["place"]>;
  readonly getInto?: NonNullable<Store["getInto"]>;
  readonly #store: Store;
  readonly #asOf: number;
  readonly #onChange: () => void;

  /**
   * @param asOf milliseconds since 1970
   * @param onChange is told of each change that is found
   */
  constructor(store: Store, asOf: number, onChange: () => void) {
    this.url = store.url;
    if (store.place) this.place = (key, options) => this.#held(key, options, (o) => store.place!(key, o));
    if (store.getInto) {
      this.getInto = (key, range, memory, options) =>
        this.#read(key, options, (o) => store.getInto!(key, range, memory, o));
    }
    this.#store = store;
    this.#asOf = asOf;
    this.#onChange = onChange;
  }

  get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#read(key, options, (o) => this.#store.get(key, o));
  }

  getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#read(key, options, (o) => this.#store.getRange(key, range, o));
  }

  stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined> {
    return this.#held(key, options, (o) => this.#store.stat(key, o));
  }

  /** Names alone: what listings tell of keys is not of this time. */
  async list(prefix: string, options?: ReadOptions): Promise<Listing | undefined> {
    const listing = await this.#store.list(prefix, options);
    return listing && { keys: listing.keys, prefixes: listing.prefixes };
  }

  async confirm(documents: readonly string[], found: boolean, options?: ReadOptions): Promise<void> {
    await this.#held(documents[0]!, options, async (o) => this.#store.confirm?.(documents, found, o));
  }

  /** Lets documents pass that were read `at` a time, and last written `modified`: if that was long ago, as they still are. */
  async confirmRead(
    documents: readonly string[],
    { at, modified }: { at: number; modified: number | undefined },
    options?: ReadOptions,
  ): Promise<void> {
    if (this.#isLater(modified)) for (const key of documents) await this.#lookAt(key, options);
    if (at <= this.#asOf) await this.confirm(documents, true, options);
  }

  clear(): void {
    this.#store.clear?.();
  }

  async close(): Promise<void> {
    await this.#store.close?.();
  }

  async #read<T>(
    key: string,
    options: ReadOptions | undefined,
    read: (options: ReadOptions) => Promise<T>,
  ): Promise<T> {
    const modified = new Latest();
    const value = await read({ ...options, asOf: this.#asOf, onModified: modified.note });
    if (this.#isLater(modified.time))
      await this.stat(key, { signal: options?.signal, traffic: options?.traffic });
    return value;
  }

  /** For what tells the time as `stat` does. */
  async #held<T>(
    key: string,
    options: ReadOptions | undefined,
    look: (options: ReadOptions) => Promise<T>,
  ): Promise<T> {
    const modified = new Latest();
    const value = await look({ ...options, asOf: this.#asOf, onModified: modified.note });
    if (this.#isLater(modified.time)) this.#refuse(key);
    return value;
  }

  /** Of a document that is not there the time would be its folder's, where others come and go. */
  async #lookAt(key: string, options: ReadOptions | undefined): Promise<void> {
    const modified = new Latest();
    const found = await this.#store.stat(key, { ...options, asOf: this.#asOf, onModified: modified.note });
    if (found && this.#isLater(modified.time)) this.#refuse(key);
  }

  /** Times of files are finer than those of this machine's clock. */
  #isLater(modified: number | undefined): boolean {
    return modified !== undefined && Math.floor(modified) > this.#asOf;
  }

  #refuse(key: string): never {
    this.#onChange();
    throw new ZarrsiftError(
      "source_changed",
      `${this.url}/${key} has changed since this view was made; make the view again`,
      { details: { key } },
    );
  }
}
