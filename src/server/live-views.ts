import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import { Lru } from "../lru.ts";
import type { Collection, View } from "./contract.ts";
import { VIEW_WEIGHT } from "./options.ts";
import { SharedWork } from "./shared.ts";
import type { NewView, ViewsStore } from "./views-store.ts";

/** Between two notes that a view was used. */
const TOUCH_MS = 60_000;

/** A view that is open, ready to be read. */
export interface LiveView {
  readonly view: View;
  /** Prefix of its keys in the byte cache. Opened twice, a view has two: its root attributes may name other SQL. */
  readonly cacheId: string;
  /** Milliseconds since 1970; `null`: never. */
  expires: number | null;
  /** When its use was last noted. */
  touched: number;
  /** The source was found changed under it. Made again, as when that was taken back, it is opened anew. */
  failed: boolean;
}

let opened = 0;

/** A view that has just been opened. */
export function liveView(view: View, expires: number | null): LiveView {
  return { view, cacheId: String(++opened), expires, touched: 0, failed: false };
}

/** Stored views, opened when they are read, and made again from their definitions after a restart. */
export class LiveViews {
  readonly #store: ViewsStore;
  readonly #collections: ReadonlyMap<string, Collection>;
  readonly #open: Lru<LiveView>;
  readonly #opening = new SharedWork<LiveView | undefined>();

  /** @param budget rows of all views kept open */
  constructor(store: ViewsStore, collections: ReadonlyMap<string, Collection>, budget: number) {
    this.#store = store;
    this.#collections = collections;
    this.#open = new Lru(budget);
  }

  /** Keeps a view for others to find; see `ViewsStore.put`. */
  add(view: View, ttl: number | undefined): boolean {
    const isNew = this.#store.put(summary(view), view.definition, ttl);
    const kept = this.#store.get(view.id)!;
    const live = this.#open.get(view.id);
    if (live?.failed) this.#open.delete(view.id);
    else if (live) live.expires = kept.expires;
    else if (isNew) this.#keep(liveView(view, kept.expires));
    return isNew;
  }

  /** A view that is open already. */
  peek(id: string): LiveView | undefined {
    const live = this.#open.get(id);
    if (!live) return undefined;
    if ((live.expires === null || live.expires > Date.now()) && this.#touch(live)) return live;
    this.#open.delete(id);
    return undefined;
  }

  /** `undefined`: never made, deleted or expired. */
  async get(id: string, signal: AbortSignal): Promise<LiveView | undefined> {
    return this.peek(id) ?? this.#opening.run(id, (shared) => this.#restore(id, shared), signal);
  }

  /**
   * A view that was just made as it was made first, if it ever was: whoever has read it, or has it in a cache, is to find the
   * same bytes. `undefined`: its source has changed since, as far as a few reads tell.
   */
  async asFirstMade(view: View, signal: AbortSignal): Promise<View | undefined> {
    const { id } = view;
    if (this.#open.get(id)?.failed) this.#open.delete(id);
    let first: View | undefined;
    try {
      first = (await this.get(id, signal))?.view ?? (await this.#past(view, signal));
      await first?.spotCheck({ signal });
    } catch (error) {
      signal.throwIfAborted();
      this.noteFailure(id, error);
      if (isZarrsiftError(error, "source_changed")) return undefined;
    }
    return first ?? view;
  }

  async #past(view: View, signal: AbortSignal): Promise<View | undefined> {
    const made = this.#store.pastMade(view.id);
    return made === undefined ? undefined : view.asOf(made, { signal });
  }

  /** To be told of errors of reads below a view. */
  noteFailure(id: string, error: unknown): void {
    const live = this.#open.get(id);
    if (live && isZarrsiftError(error, "source_changed")) live.failed = true;
  }

  delete(id: string): boolean {
    this.#open.delete(id);
    return this.#store.delete(id);
  }

  async #restore(id: string, signal: AbortSignal): Promise<LiveView | undefined> {
    const definition = this.#store.definition(id);
    if (!definition) return undefined;
    const collection = this.#collections.get(definition.collection);
    if (!collection) throw unserved(definition.collection);
    const view = await collection.restore(definition, { signal });
    const kept = this.#store.get(id);
    if (!kept) return undefined;
    const live = liveView(view, kept.expires);
    this.#keep(live);
    this.#touch(live);
    return live;
  }

  #keep(live: LiveView): void {
    this.#open.set(live.view.id, live, live.view.count + VIEW_WEIGHT);
  }

  /**
   * Notes now and then that a view is used. That this fails, as on a full disk, is no reason not to answer.
   * @returns whether it is still kept, as far as that was asked
   */
  #touch(live: LiveView): boolean {
    const now = Date.now();
    if (now - live.touched < TOUCH_MS) return true;
    live.touched = now;
    try {
      return this.#store.touch(live.view.id);
    } catch {
      return true;
    }
  }
}

/** What is kept of a view beside its definition, so that describing it needs no source. */
export function summary(view: View): NewView {
  const { id, version, layout, count, skipped, fields, definition } = view;
  return {
    id,
    collection: definition.collection,
    sql: definition.sql ?? null,
    version,
    layout,
    ...(definition.groupBy && { groupBy: definition.groupBy }),
    count,
    skipped,
    fields,
  };
}

/** Not 410: the view exists, and works again when its collection is served again. */
function unserved(name: string): ZarrsiftError {
  return new ZarrsiftError(
    "source_not_found",
    `This view is of the collection ${name}, which this server does not serve now.`,
  );
}
