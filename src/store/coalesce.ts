import { Flight } from "../flight.ts";
import type { ByteRange, KeyStat, Listing, ReadOptions, Store } from "./store.ts";

/** What is worth one request instead of two. */
export interface CoalesceOptions {
  /** Bytes between two ranges that are read and thrown away; default 64 KiB. */
  gap?: number;
  /** Bytes that one request may have; default 16 MiB. */
  largest?: number;
}

interface Asked {
  key: string;
  offset: number;
  end: number;
  options: ReadOptions;
  resolve(reading: Promise<Uint8Array | undefined>): void;
}

/** Makes one request of neighbouring ranges of one key that are asked for in the same turn of the event loop. */
export class CoalesceStore implements Store {
  readonly url: string;
  readonly snapshot?: string;
  readonly changedChunks?: NonNullable<Store["changedChunks"]>;
  readonly place?: NonNullable<Store["place"]>;
  readonly getInto?: NonNullable<Store["getInto"]>;
  readonly stats?: NonNullable<Store["stats"]>;
  readonly #store: Store;
  readonly #gap: number;
  readonly #largest: number;
  #asked = new Map<string, Asked[]>();

  constructor(store: Store, { gap = 64 * 1024, largest = 16 * 1024 * 1024 }: CoalesceOptions = {}) {
    this.url = store.url;
    if (store.snapshot !== undefined) this.snapshot = store.snapshot;
    if (store.changedChunks) this.changedChunks = store.changedChunks.bind(store);
    if (store.place) this.place = store.place.bind(store);
    if (store.getInto) this.getInto = store.getInto.bind(store);
    if (store.stats) this.stats = store.stats.bind(store);
    this.#store = store;
    this.#gap = gap;
    this.#largest = largest;
  }

  get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#store.get(key, options);
  }

  async getRange(key: string, range: ByteRange, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    options.signal?.throwIfAborted();
    if ("suffixLength" in range) return this.#store.getRange(key, range, options);
    return new Promise((resolve) => {
      if (this.#asked.size === 0) afterTurn(() => this.#flush());
      const { stamp, etag, unmodifiedSince } = options.expect ?? {};
      const id = [key, stamp, etag, unmodifiedSince].join("\0");
      const asked = this.#asked.get(id) ?? [];
      this.#asked.set(id, asked);
      asked.push({ key, offset: range.offset, end: range.offset + range.length, options, resolve });
    });
  }

  stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined> {
    return this.#store.stat(key, options);
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

  #flush(): void {
    const asked = this.#asked;
    this.#asked = new Map();
    for (const ranges of asked.values()) {
      for (const group of this.#groups(ranges)) this.#read(group[0]!.key, group);
    }
  }

  /** Ranges in order of offset, those near each other together. */
  #groups(ranges: Asked[]): Asked[][] {
    const groups: Asked[][] = [];
    let start = 0;
    let end = 0;
    for (const range of ranges.sort((a, b) => a.offset - b.offset)) {
      const joined = Math.max(end, range.end);
      if (groups.length > 0 && range.offset - end <= this.#gap && joined - start <= this.#largest) {
        groups.at(-1)!.push(range);
        end = joined;
      } else {
        groups.push([range]);
        start = range.offset;
        end = range.end;
      }
    }
    return groups;
  }

  #read(key: string, group: Asked[]): void {
    const offset = group[0]!.offset;
    const length = Math.max(...group.map(({ end }) => end)) - offset;
    const { options } = group[0]!;
    const onModified = (time: number) => {
      for (const asked of group) asked.options.onModified?.(time);
    };
    const read = (signal: AbortSignal | undefined) =>
      this.#store.getRange(key, { offset, length }, { ...options, onModified, signal });
    const flight = new Flight(read, options.signal);
    for (const asked of group) {
      const part = flight.wait(asked.options.signal);
      const cut = (bytes: Uint8Array | undefined) => bytes?.slice(asked.offset - offset, asked.end - offset);
      asked.resolve(group.length === 1 ? part : part.then(cut));
    }
  }
}

/** When all that is ready now has run: a promise's turn would come too early for callers that awaited something. */
function afterTurn(run: () => void): void {
  if (typeof setImmediate === "function") setImmediate(run);
  else setTimeout(run, 0);
}
