import { abortable } from "../abort.ts";
import { Flight } from "../flight.ts";
import { Lru } from "../lru.ts";
import { Latest } from "./latest.ts";
import { takeRange } from "./range.ts";
import type { ByteRange, KeyStat, Listing, ReadOptions, Store } from "./store.ts";

type Value = Uint8Array | undefined;

/** A value, and what the store said of it when it was read. Times are milliseconds since 1970. */
interface Read {
  value: Value;
  stat: KeyStat | undefined;
  modified: number | undefined;
  /** When it was what the store has, as far as is known. */
  at: number;
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
  readonly stats?: NonNullable<Store["stats"]>;
  readonly getInto?: NonNullable<Store["getInto"]>;
  readonly #store: Store;
  readonly #largest: number;
  readonly #budget: number;
  #values: Lru<Read>;
  #flights = new Map<string, { flight: Flight<Read>; began: number }>();

  /** @param budget bytes; a value of more than a quarter of it is not kept */
  constructor(store: Store, budget: number) {
    this.url = store.url;
    if (store.snapshot !== undefined) this.snapshot = store.snapshot;
    if (store.changedChunks) this.changedChunks = store.changedChunks.bind(store);
    if (store.place) this.place = store.place.bind(store);
    if (store.stats) this.stats = store.stats.bind(store);
    if (store.getInto) {
      this.getInto = async (key, range, memory, options) => {
        options?.signal?.throwIfAborted();
        return abortable(store.getInto!(key, range, memory, options), options?.signal);
      };
    }
    this.#store = store;
    this.#budget = budget;
    this.#largest = budget / 4;
    this.#values = new Lru(budget);
  }

  async get(key: string, options: ReadOptions = {}): Promise<Value> {
    return this.#load(key, key, (flight) => this.#store.get(key, flight), options);
  }

  async getRange(key: string, range: ByteRange, options: ReadOptions = {}): Promise<Value> {
    const whole = await this.#kept(key, key, options);
    if (whole) {
      options.signal?.throwIfAborted();
      tell(whole, options);
      return whole.value && takeRange(whole.value, range, `${this.url}/${key}`);
    }
    const place = "suffixLength" in range ? `-${range.suffixLength}` : `${range.offset}+${range.length}`;
    const read = (flight: ReadOptions) => this.#store.getRange(key, range, flight);
    return this.#load(`${key}\0${place}`, key, read, options);
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
    key: string,
    read: (options: ReadOptions) => Promise<Value>,
    options: ReadOptions,
  ): Promise<Value> {
    options.signal?.throwIfAborted();
    const kept = await this.#kept(id, key, options);
    const found = kept ?? (await this.#flight(id, read, options).wait(options.signal));
    tell(found, options);
    return found.value;
  }

  /** What is kept, as it was at the time that is asked for, or still is what it was. */
  async #kept(id: string, key: string, options: ReadOptions): Promise<Read | undefined> {
    const kept = this.#values.get(id);
    if (!kept || options.asOf === undefined || kept.at > options.asOf) return kept;
    const { signal, traffic } = options;
    const [at, modified] = [Date.now(), new Latest()];
    const stat = await this.#store.stat(key, { signal, traffic, onModified: modified.note });
    const same = kept.stat
      ? stat?.stamp === kept.stat.stamp && stat.size === kept.stat.size
      : stat && modified.time !== undefined && modified.time === kept.modified;
    if (!same) return undefined;
    kept.at = at;
    return kept;
  }

  /** A read on its way that began late enough, or one that begins now. */
  #flight(id: string, read: (options: ReadOptions) => Promise<Value>, options: ReadOptions): Flight<Read> {
    const running = this.#flights.get(id);
    if (running && !running.flight.stopped && running.began > (options.asOf ?? 0)) return running.flight;
    const [values, flights, began] = [this.#values, this.#flights, Date.now()];
    const flight = new Flight(async (signal) => {
      try {
        const modified = new Latest();
        let stat: KeyStat | undefined;
        const onStat = (told: KeyStat) => {
          stat = told;
        };
        const value = await read({ ...options, signal, onStat, onModified: modified.note });
        const found = { value, stat, modified: modified.time, at: began };
        if (options.keep !== false) this.#keep(values, id, found);
        return found;
      } finally {
        if (flights.get(id)?.flight === flight) flights.delete(id);
      }
    }, options.signal);
    flights.set(id, { flight, began });
    return flight;
  }

  #keep(values: Lru<Read>, id: string, found: Read): void {
    const { value } = found;
    if (value === undefined && this.snapshot === undefined) return;
    const size = value?.length ?? 0;
    if (size > this.#largest) return;
    // A view of a larger buffer would keep all of that in memory.
    const whole = value === undefined || value.buffer.byteLength <= size + ENTRY_BYTES;
    values.set(id, { ...found, value: whole ? value : value?.slice() }, size + ENTRY_BYTES + 2 * id.length);
  }
}

function tell({ stat, modified }: Read, options: ReadOptions): void {
  if (stat) options.onStat?.(stat);
  if (modified !== undefined) options.onModified?.(modified);
}
