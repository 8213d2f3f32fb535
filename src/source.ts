import { abortable } from "./abort.ts";
import { ZarrsiftError } from "./errors.ts";
import type { IndexSet } from "./index/api.ts";
import { openIndexes } from "./index/open.ts";
import type { ReadOptions, Store } from "./store/store.ts";
import { type MetaTable, openTable, type TableOptions } from "./table/open.ts";
import { tableVersion } from "./table/version.ts";
import { VersionGuard } from "./view/guard.ts";
import { type ByColumn, findLocation, type LocationOptions, type Stacked } from "./view/locate.ts";
import { Hierarchy } from "./zarr/hierarchy.ts";

export interface SourceReadOptions extends TableOptions, LocationOptions {
  /** Groups and arrays of the source that are kept in memory; default 20,000. */
  nodesKept?: number;
  /** A store that holds the indexes, where they are kept beside the source. */
  indexStore?: Store | undefined;
  /** Compare every indexed chunk with its checksum before an index is used; default: as they are read. */
  verifyIndexes?: boolean | undefined;
}

/** What was read of a source at one version. */
export class Snapshot {
  readonly store: Store;
  readonly hierarchy: Hierarchy;
  readonly table: MetaTable;
  /** `undefined`: nothing says where granules are. */
  readonly location: ByColumn | Stacked | undefined;
  #version: Promise<string> | undefined;
  readonly #options: SourceReadOptions;
  #guard: VersionGuard | undefined;
  #indexes: Promise<IndexSet> | undefined;

  private constructor(
    store: Store,
    hierarchy: Hierarchy,
    table: MetaTable,
    location: ByColumn | Stacked | undefined,
    options: SourceReadOptions,
  ) {
    this.#options = options;
    this.store = store;
    this.hierarchy = hierarchy;
    this.table = table;
    this.location = location;
    // Found at once, so that it is the version of what was just read; where that fails, again when it is asked for.
    this.version().catch(() => {});
  }

  /** @throws ZarrsiftError `source_not_found`, `meta_invalid`, `not_listable` … */
  static async read(store: Store, options: SourceReadOptions): Promise<Snapshot> {
    const hierarchy = await Hierarchy.open(store, options);
    const table = await openTable(hierarchy, store, options);
    return new Snapshot(store, hierarchy, table, await findLocation(table, hierarchy, options), options);
  }

  /** Its indexes, opened when they are asked for first: the source's own, or those kept beside it. */
  indexes(options: ReadOptions = {}): Promise<IndexSet> {
    this.#indexes ??= this.#openIndexes().catch((error) => {
      this.#indexes = undefined;
      throw error;
    });
    return abortable(this.#indexes, options.signal);
  }

  async #openIndexes(): Promise<IndexSet> {
    const { indexStore, verifyIndexes: verify = false } = this.#options;
    if (!indexStore) return openIndexes(this.store, this.hierarchy, this.table, { verify });
    const beside = await Hierarchy.open(indexStore);
    return openIndexes(indexStore, beside, this.table, { verify, source: this.store });
  }

  version(): Promise<string> {
    this.#version ??= tableVersion(this.store, this.table).catch((error) => {
      this.#version = undefined;
      throw error;
    });
    return this.#version;
  }

  /** Notices when the source is no longer this. */
  async guard(name: string): Promise<VersionGuard> {
    const current =
      this.store.snapshot === undefined ? () => tableVersion(this.store, this.table) : undefined;
    this.#guard ??= new VersionGuard(name, await this.version(), current);
    return this.#guard;
  }
}

/** A source as it is: read again when it has changed. */
export class LiveSource {
  readonly #name: string;
  readonly #options: SourceReadOptions;
  #now: Snapshot;
  #refreshing: Promise<Snapshot> | undefined;

  constructor(name: string, options: SourceReadOptions, now: Snapshot) {
    this.#name = name;
    this.#options = options;
    this.#now = now;
  }

  /** What was read last. */
  get last(): Snapshot {
    return this.#now;
  }

  async current(options?: ReadOptions): Promise<Snapshot> {
    if (this.#now.store.snapshot !== undefined) return this.#now;
    const guard = await abortable(this.#now.guard(this.#name), options?.signal);
    if (!(await guard.changed(options))) return this.#now;
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return abortable(this.#refreshing, options?.signal);
  }

  async #refresh(): Promise<Snapshot> {
    const { store } = this.#now;
    store.clear?.();
    this.#now = await Snapshot.read(store, this.#options);
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
