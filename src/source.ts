import { abortable } from "./abort.ts";
import { Checks, type LastCheck } from "./checks.ts";
import { isZarrsiftError, ZarrsiftError } from "./errors.ts";
import type { IndexSet } from "./index/api.ts";
import { openIndexes } from "./index/open.ts";
import { AsOfStore } from "./store/as-of.ts";
import { isRemote } from "./store/remote.ts";
import type { ReadOptions, Store } from "./store/store.ts";
import { WatchedStore } from "./store/watched.ts";
import { type MetaTable, openTable, type TableOptions } from "./table/open.ts";
import { tableVersion } from "./table/version.ts";
import { VersionGuard } from "./view/guard.ts";
import { findLocation, type LocationOptions } from "./view/locate.ts";
import type { Location } from "./view/location.ts";
import { Hierarchy } from "./zarr/hierarchy.ts";

export interface SourceReadOptions extends TableOptions, LocationOptions {
  /** Groups and arrays of the source that are kept in memory; default 20,000. */
  nodesKept?: number;
  /** A store that holds the indexes, where they are kept beside the source. */
  indexStore?: Store | undefined;
  /** Compare every indexed chunk with its checksum before an index is used; default: as they are read. */
  verifyIndexes?: boolean | undefined;
  /** Pages of indexes kept in memory, in bytes; default 64 MiB. */
  indexCacheBytes?: number | undefined;
}

/** A source that is not at hand is believed for this long at least, in milliseconds, before it is looked at again. */
const REMOTE_REST_MS = 1000;

/** A source that keeps changing is read anew so often. */
const TRIES = 3;

const isDocument = (key: string) => /(^|\/)(zarr\.json|\.z[a-z]+)$/.test(key);
const isOfTable = (key: string) => key.startsWith("meta/") || !key.includes("/");
const isOfIndexes = (key: string) => key.startsWith("indexes/") && isDocument(key);

/** That granules were found changed, by `Date.now()`, while the table was of this version. */
interface GranulesChanged {
  table: string;
  at: number;
}

/** Where indexes are, as it was found at one time. */
interface IndexPlace {
  watched: WatchedStore;
  hierarchy: () => Promise<Hierarchy>;
  checks: Checks;
  opened?: Promise<IndexSet> | undefined;
}

/** What a snapshot is of: `watched` is what granules are read through, and the table where it was read at the same time. */
interface SnapshotParts {
  watched: WatchedStore;
  hierarchy: Hierarchy;
  table: MetaTable;
  location: Location | undefined;
  checks: Checks;
  indexes: IndexPlace;
}

/** What was read of a source at one time, its indexes as they are now. */
export class Snapshot {
  readonly store: Store;
  readonly hierarchy: Hierarchy;
  readonly table: MetaTable;
  /** `undefined`: nothing says where granules are. */
  readonly location: Location | undefined;
  /** Of what was read so far of the table. */
  readonly checks: Checks;
  readonly #watched: WatchedStore;
  readonly #options: SourceReadOptions;
  #changed: GranulesChanged | undefined;
  #version: Promise<{ version: string; found: LastCheck }> | undefined;
  #guard: VersionGuard | undefined;
  #indexes: IndexPlace;

  private constructor(
    store: Store,
    options: SourceReadOptions,
    { watched, hierarchy, table, location, checks, indexes }: SnapshotParts,
    changed: GranulesChanged | undefined,
  ) {
    this.#options = options;
    this.#changed = changed;
    this.#watched = watched;
    this.store = store;
    this.hierarchy = hierarchy;
    this.table = table;
    this.location = location;
    this.checks = checks;
    this.#indexes = indexes;
  }

  /** @throws ZarrsiftError `source_not_found`, `meta_invalid`, `not_listable` … */
  static async read(store: Store, options: SourceReadOptions, changed?: GranulesChanged): Promise<Snapshot> {
    const began = performance.now();
    const { watched, hierarchy } = await openHierarchy(store, options);
    const table = await openTable(hierarchy, watched, options);
    const location = await findLocation(table, hierarchy, store, options);
    const differs = store.snapshot === undefined ? () => watched.changed(isOfTable) : undefined;
    const checks = new Checks(differs, readSince(began, store));
    const indexes = options.indexStore
      ? placeBeside(options.indexStore)
      : placeWithin(watched, async () => hierarchy);
    return new Snapshot(store, options, { watched, hierarchy, table, location, checks, indexes }, changed);
  }

  /**
   * The granules as they were at a time, milliseconds since 1970, and at a version; of a pinned store they never change.
   * That they have changed since is `source_changed`.
   */
  async granules(asOf: number | undefined, version: string): Promise<{ store: Store; hierarchy: Hierarchy }> {
    const { hierarchy, store } = this;
    if (store.snapshot !== undefined || asOf === undefined) return { store: this.#watched, hierarchy };
    const isCurrent = version === (await this.version());
    const held = new AsOfStore(this.#watched, asOf, () => {
      if (isCurrent) this.#watched.noteOutdated();
    });
    return { store: held, hierarchy: hierarchy.held((...read) => held.confirmRead(...read)) };
  }

  /** Takes up a version that was found earlier: that granules had changed by then, if the table is still as it was. */
  recall(version: string): void {
    const table = tableOf(version);
    if (table !== version) this.#changed ??= { table, at: Number(version.slice(table.length + 1)) };
  }

  /** Whether granules were found changed while this was the source's version. */
  get outdated(): boolean {
    return this.#watched.outdated;
  }

  /** The source as it is now. */
  async renewed(): Promise<Snapshot> {
    const { store } = this;
    store.clear?.();
    const table = this.outdated && this.#version ? tableOf(await this.version()) : undefined;
    const changed = table === undefined ? this.#changed : { table, at: Date.now() };
    if (table !== undefined && !(await this.checks.changed({ sure: true }))) return this.#anew(changed);
    this.#options.indexStore?.clear?.();
    return Snapshot.read(store, this.#options, changed);
  }

  /** The same table, the granules as they are now: views of each may stay open, and there may be many. */
  async #anew(changed: GranulesChanged | undefined): Promise<Snapshot> {
    const { store, table, checks } = this;
    const { watched, hierarchy } = await openHierarchy(store, this.#options);
    const location = await findLocation(table, hierarchy, store, this.#options);
    const parts = { watched, hierarchy, table, location, checks, indexes: this.#indexes };
    return new Snapshot(store, this.#options, parts, changed);
  }

  /** Its indexes, opened when they are asked for first: the source's own, or those kept beside it. */
  indexes(options: ReadOptions = {}): Promise<IndexSet> {
    const place = this.#indexes;
    place.opened ??= this.#open(place).catch((error) => {
      place.opened = undefined;
      throw error;
    });
    return abortable(place.opened, options.signal);
  }

  /** Whether indexes were made, brought up to date or dropped since they were opened. */
  indexesChanged(options: ReadOptions = {}): Promise<boolean> {
    return this.#indexes.checks.changed(options);
  }

  /** Opens the indexes anew when they are asked for next. Queries that have the old ones go on with these. */
  reopenIndexes(): void {
    const { indexStore } = this.#options;
    (indexStore ?? this.store).clear?.();
    this.#indexes = indexStore ? placeBeside(indexStore) : placeAnew(this.store);
  }

  async #open({ watched, hierarchy }: IndexPlace): Promise<IndexSet> {
    const { verifyIndexes: verify = false, indexCacheBytes: cacheBytes } = this.#options;
    return openIndexes(watched, await hierarchy(), this.table, { verify, source: this.#watched, cacheBytes });
  }

  /**
   * What the source is pinned to. Found when it is asked for first: of a plain store, each chunk's size and stamp is. Once
   * granules were found changed while the table was as it is, their time is part of it.
   * @throws ZarrsiftError `source_changed` where what was read so far is of an older version
   */
  async version(): Promise<string> {
    return (await this.#pinned()).version;
  }

  /** Notices when the source is no longer this. */
  async guard(name: string): Promise<VersionGuard> {
    const { version, found } = await this.#pinned();
    const current = this.store.snapshot === undefined ? () => this.#find() : undefined;
    this.#guard ??= new VersionGuard(name, version, current, found);
    return this.#guard;
  }

  #pinned() {
    this.#version ??= this.#pin().catch((error) => {
      this.#version = undefined;
      throw error;
    });
    return this.#version;
  }

  async #pin(): Promise<{ version: string; found: LastCheck }> {
    const began = performance.now();
    const version = await this.#find();
    const found = { began, took: performance.now() - began };
    if (!(await this.checks.changed({ sure: true }))) return { version, found };
    throw changing(this.store);
  }

  async #find(): Promise<string> {
    const version = await tableVersion(this.store, this.table);
    return this.#changed?.table === version ? `${version}.${this.#changed.at}` : version;
  }
}

async function openHierarchy(
  store: Store,
  options: SourceReadOptions,
): Promise<{ watched: WatchedStore; hierarchy: Hierarchy }> {
  const isWatched = (key: string) => isOfTable(key) || isOfIndexes(key);
  const watched = new WatchedStore(store, isWatched, isDocument);
  // At hand, documents are read again in less time than it takes to keep those that are nodes already.
  const keep = isRemote(store) || store.snapshot !== undefined;
  const hierarchy = await Hierarchy.open(watched, { ...options, keep });
  void readAhead(hierarchy, options);
  return { watched, hierarchy };
}

/** The part of a version that tells of the table alone. */
export function tableOf(version: string): string {
  return version.replace(/\.\d+$/, "");
}

function changing({ url }: Store): ZarrsiftError {
  return new ZarrsiftError("source_changed", `${url} has changed while it was read; ask again`);
}

/** That the whole of something was read just now. */
function readSince(began: number, store: Store): LastCheck {
  const took = performance.now() - began;
  return { began, took: isRemote(store) ? Math.max(took, REMOTE_REST_MS / 20) : took };
}

function placeWithin(watched: WatchedStore, hierarchy: IndexPlace["hierarchy"]): IndexPlace {
  const differs = watched.snapshot === undefined ? () => watched.changed(isOfIndexes) : undefined;
  return { watched, hierarchy, checks: new Checks(differs, readSince(performance.now(), watched)) };
}

function placeAnew(store: Store): IndexPlace {
  const watched = new WatchedStore(store, isDocument);
  return placeWithin(watched, () => Hierarchy.open(watched));
}

function placeBeside(store: Store): IndexPlace {
  const watched = new WatchedStore(store, isDocument);
  const differs = () => watched.changed(isDocument);
  const checks = new Checks(differs, readSince(performance.now(), watched));
  return { watched, hierarchy: () => Hierarchy.open(watched), checks };
}

/** Starts reading what is needed later: far away, nothing is to wait for what it does not need. */
async function readAhead(hierarchy: Hierarchy, options: SourceReadOptions): Promise<void> {
  try {
    if (!options.indexStore) hierarchy.consolidatedNode("indexes").catch(() => {});
    const names = await hierarchy.children("meta");
    // The root may have very many children, which nobody needs where rows say where their granules are.
    if (names && !names.includes("array_location") && !options.location) await hierarchy.children("");
  } catch {
    // Whoever needs it asks again, and is told.
  }
}

/** A source as it is: read again when it has changed. */
export class LiveSource {
  readonly #name: string;
  #now: Snapshot;
  #refreshing: Promise<Snapshot> | undefined;

  constructor(name: string, now: Snapshot) {
    this.#name = name;
    this.#now = now;
  }

  /** What was read last. */
  get last(): Snapshot {
    return this.#now;
  }

  /** The source and its indexes, as far as they were read, still as they are. */
  async current(options: ReadOptions = {}): Promise<Snapshot> {
    const now = this.#now;
    if (now.outdated) return this.#refreshed(now, options);
    const [table, indexes] = await Promise.all([now.checks.changed(options), now.indexesChanged(options)]);
    // Indexes may be newer than a table that is merely believed to be as it was.
    if (table || (indexes && (await now.checks.changed({ ...options, sure: true }))))
      return this.#refreshed(now, options);
    if (indexes && (await now.indexesChanged(options))) now.reopenIndexes();
    return now;
  }

  /**
   * As `current`, and of the version that the source has now.
   * @throws ZarrsiftError `source_changed` where it changes faster than it can be read
   */
  async versioned(options: ReadOptions = {}): Promise<Snapshot> {
    for (let left = TRIES; left > 0; left--) {
      const since = performance.now();
      const now = await this.current(options);
      const guard = await abortable(now.guard(this.#name), options.signal).catch((error) => {
        if (!isZarrsiftError(error, "source_changed")) throw error;
      });
      if (guard && !(await guard.changed({ ...options, since }))) return now;
      await this.#refreshed(now, options);
    }
    throw changing(this.#now.store);
  }

  #refreshed(old: Snapshot, options: ReadOptions): Promise<Snapshot> {
    if (this.#now !== old) return Promise.resolve(this.#now);
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return abortable(this.#refreshing, options.signal);
  }

  async #refresh(): Promise<Snapshot> {
    this.#now = await this.#now.renewed();
    return this.#now;
  }
}

/** `source_changed`: a version that the source can no longer show. */
export function noLonger(name: string, version: string): ZarrsiftError {
  return new ZarrsiftError(
    "source_changed",
    `The source of ${name} is no longer at version ${version}, which this view is pinned to; make the view again`,
    { details: { version } },
  );
}
