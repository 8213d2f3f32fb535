import { Flight } from "../flight.ts";
import { Lru } from "../lru.ts";
import { takeRange } from "./range.ts";
import type { ByteRange, KeyStat, Listing, ReadOptions, Store } from "./store.ts";

type Value = Uint8Array | undefined;

/** A value, and what the store said of it when it was read. */
interface Read {
  value: Value;
  stat: KeyStat | undefined;
}

/** What an entry costs beside its bytes: key, map, list. */
const ENTRY_BYTES = 200;

/**
 * Keeps values and ranges in memory, the least recently used leaving first, and shares requests on their way.
 * Values are not copied: nobody may write to what a store returns. Failures are not kept; that a key is absent is
 * kept only of a pinned snapshot, for elsewhere it may come. Sizes and listings are always asked for anew.
 */
export class CacheStore implements Store {
  readonly url: string;
  readonly snapshot?: string;
  readonly changedChunks?: NonNullable<Store["changedChunks"]>;
  readonly place?: NonNullable<Store["place"]>;
  readonly #store: Store;
  readonly #largest: number;
  readonly #budget: number;
  #values: Lru<Read>;
  #flights = new Map<string, Flight<Read>>();

  /** @param budget bytes; a value of more than a quarter of it is not kept */
  constructor(store: Store, budget: number) {
    this.url = store.url;
    if (store.snapshot !== undefined) this.snapshot = store.snapshot;
    if (store.changedChunks) this.changedChunks = store.changedChunks.bind(store);
    if (store.place) this.place = store.place.bind(store);
    this.#store = store;
    this.#budget = budget;
    this.#largest = budget / 4;
    this.#values = new Lru(budget);
  }

  async get(key: string, options: ReadOptions = {}): Promise<Value> {
    return this.#load(key, (flight) => this.#store.get(key, flight), options);
  }

  async getRange(key: string, range: ByteRange, options: ReadOptions = {}): Promise<Value> {
    const whole = this.#values.get(key);
    if (whole) {
      options.signal?.throwIfAborted();
      return whole.value && takeRange(whole.value, range, `${this.url}/${key}`);
    }
    const place = "suffixLength" in range ? `-${range.suffixLength}` : `${range.offset}+${range.length}`;
    return this.#load(`${key}\0${place}`, (flight) => this.#store.getRange(key, range, flight), options);
  }

  stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined> {
    return this.#store.stat(key, options);
  }

  list(prefix: string, options?: ReadOptions): Promise<Listing | undefined> {
    return this.#store.list(prefix, options);
  }

  /** What is on its way still arrives for those who wait, and is not kept. */
  clear(): void {
    this.#values = new Lru(this.#budget);
    this.#flights = new Map();
    this.#store.clear?.();
  }

  async close(): Promise<void> {
    this.clear();
    await this.#store.close?.();
  }

  async #load(
    id: string,
    read: (options: ReadOptions) => Promise<Value>,
    options: ReadOptions,
  ): Promise<Value> {
    options.signal?.throwIfAborted();
    const running = this.#flights.get(id);
    const flight = () => (running && !running.stopped ? running : this.#start(id, read, options));
    const { value, stat } = this.#values.get(id) ?? (await flight().wait(options.signal));
    if (stat) options.onStat?.(stat);
    return value;
  }

  #start(id: string, read: (options: ReadOptions) => Promise<Value>, options: ReadOptions): Flight<Read> {
    const values = this.#values;
    const flights = this.#flights;
    const flight = new Flight(async (signal) => {
      try {
        let stat: KeyStat | undefined;
        const onStat = (told: KeyStat) => {
          stat = told;
        };
        const value = await read({ ...options, signal, onStat });
        if (options.keep !== false) this.#keep(values, id, { value, stat });
        return { value, stat };
      } finally {
        if (flights.get(id) === flight) flights.delete(id);
      }
    }, options.signal);
    flights.set(id, flight);
    return flight;
  }

  #keep(values: Lru<Read>, id: string, { value, stat }: Read): void {
    if (value === undefined && this.snapshot === undefined) return;
    const size = value?.length ?? 0;
    if (size > this.#largest) return;
    // A view of a larger buffer would keep all of that in memory.
    const whole = value === undefined || value.buffer.byteLength <= size + ENTRY_BYTES;
    values.set(id, { value: whole ? value : value?.slice(), stat }, size + ENTRY_BYTES + 2 * id.length);
  }
}
