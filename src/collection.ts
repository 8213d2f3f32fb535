import { type Description, describe, layoutOf } from "./describe.ts";
import { isZarrsiftError, messageOf, ZarrsiftError } from "./errors.ts";
import { joined } from "./joined.ts";
import { checkOpen, checkQuery, checkView } from "./options.ts";
import type { Batch, OutputColumn, QueryOptions } from "./plan/api.ts";
import { type ExplainStep, type PlanOptions, planQuery, type Query } from "./plan/plan.ts";
import { LiveSource, noLonger, Snapshot, type SourceReadOptions, tableOf } from "./source.ts";
import type { ReadOptions, Store } from "./store/store.ts";
import type { MetaTable } from "./table/open.ts";
import type { Layout, ViewDefinition, ViewOptions } from "./view/api.ts";
import { MOST_CONSOLIDATED } from "./view/consolidate.ts";
import { createView } from "./view/create.ts";
import { defineView, unpackParameter } from "./view/definition.ts";
import { fieldsOf } from "./view/field-source.ts";
import { findGranules } from "./view/granules.ts";
import { checkIdx, unpackIdx } from "./view/idx.ts";
import type { Location } from "./view/location.ts";
import type { ViewSource } from "./view/tree-parts.ts";
import type { View, ViewOrigin } from "./view/view.ts";

export interface OpenOptions extends SourceReadOptions {
  /** Name of the collection: what SQL may call the table, and part of a view's id. Default `meta`. */
  name?: string;
  /** Columns that views have as fields where neither the SQL nor `fields` of a view names any; default: all. */
  fields?: readonly string[];
  /** Opens the same source at another version; what a view of an older Icechunk snapshot is restored through. */
  openVersion?: (version: string) => Promise<Store>;
  /** Nodes below a group of a view up to which it has consolidated metadata; default 40,000. */
  consolidatedNodes?: number | undefined;
}

/** The answer of a query. */
export interface QueryResult {
  columns: OutputColumn[];
  /**
   * What the source is pinned to. Of a plain store over HTTP each chunk of `meta` is asked about, at the first time.
   * @throws ZarrsiftError `source_changed` where it has changed since the query was made
   */
  version(): Promise<string>;
  /** Whether its rows are rows of the table, so that `idx` means something. */
  rowQuery: boolean;
  batches(options?: ReadOptions): AsyncIterable<Batch>;
}

export interface Explain {
  plan: ExplainStep[];
  version: string;
}

/** Opens the collection in a store: its `meta` group, and where its granules are. */
export async function openCollection(store: Store, options: OpenOptions = {}): Promise<Collection> {
  checkOpen(store, options);
  return new Collection(store, options, await Snapshot.read(store, options));
}

/** A source with a `meta` group: query its rows, view its granules. */
export class Collection {
  readonly name: string;
  readonly #store: Store;
  readonly #options: OpenOptions;
  readonly #older = new Map<string, Promise<Collection>>();
  readonly #live: LiveSource;

  /** Use `openCollection`. */
  constructor(store: Store, options: OpenOptions, now: Snapshot) {
    this.name = options.name ?? "meta";
    this.#store = store;
    this.#options = options;
    this.#live = new LiveSource(this.name, now);
  }

  /** Where it is, without credentials. */
  get source(): string {
    return this.#store.url;
  }

  get table(): MetaTable {
    return this.#live.last.table;
  }

  get rows(): number {
    return this.#live.last.table.rows;
  }

  /** How the source keeps its granules; `undefined` where nothing says where they are. */
  get layout(): Layout | undefined {
    const { location } = this.#live.last;
    return location && layoutOf(location);
  }

  /** What the source is pinned to now. */
  async version(options: ReadOptions = {}): Promise<string> {
    return (await this.#live.versioned(options)).version();
  }

  /**
   * Takes up a version that was found in an earlier process, so that its views are found again: once chunks of a plain source
   * had changed alone, it is not what the source as it is tells by itself.
   */
  recall(version: string): void {
    this.#live.last.recall(version);
  }

  /** Columns, rows, extents, layout. The extents are found by reading the geometry and time columns, once a version. */
  async describe(options: ReadOptions = {}): Promise<Description> {
    const now = await this.#live.versioned(options);
    const { table, location } = now;
    const [version, indexes] = [await now.version(), await now.indexes(options)];
    return describe({ name: this.name, source: this.source, version, table, location, indexes }, options);
  }

  /**
   * Runs a query.
   * @throws ZarrsiftError for SQL that is wrong or not supported, before anything is read
   */
  async query(sql: string, options: QueryOptions & ReadOptions = {}): Promise<QueryResult> {
    checkQuery(sql, options);
    const now = await this.#live.current(options);
    const query = planQuery(now.table, sql, { ...options, indexes: opener(now) });
    refuseExplain(query);
    return {
      columns: query.columns,
      version: () => now.version(),
      rowQuery: query.rowQuery,
      batches: (readOptions = options) => query.run(readOptions),
    };
  }

  /**
   * How a query is answered; `analyze` runs it too.
   *
   * @param mode default: what EXPLAIN or EXPLAIN ANALYZE in front of the SQL says, else `plan`
   */
  async explain(
    sql: string,
    mode?: "plan" | "analyze",
    options: QueryOptions & ReadOptions = {},
  ): Promise<Explain> {
    checkQuery(sql, options);
    const now = await this.#live.versioned(options);
    const query = planQuery(now.table, sql, { ...options, indexes: opener(now) });
    const runs = (mode ?? query.explains) === "analyze";
    return {
      plan: runs ? await query.analyze(options) : await query.explain(options),
      version: await now.version(),
    };
  }

  /** A view of the rows that a query finds, or of the rows named, in that order. */
  async view(
    what: string | readonly (number | bigint)[],
    options: ViewOptions & ReadOptions = {},
  ): Promise<View> {
    checkView(what, options);
    try {
      return await this.#view(what, options);
    } catch (error) {
      // Metadata that were read for an earlier view, and have changed since, are read anew.
      if (!isZarrsiftError(error, "source_changed") || !this.#live.last.outdated) throw error;
      return this.#view(what, options);
    }
  }

  async #view(
    what: string | readonly (number | bigint)[],
    options: ViewOptions & ReadOptions,
  ): Promise<View> {
    const made = Date.now();
    const now = await this.#live.versioned(options);
    const location = this.#location(now);
    const layout = options.layout ?? "granules";
    if (options.groupBy && layout !== "stacked") throw onlyStacked();
    const clock = BigInt(made) * 1000n;
    const query =
      typeof what === "string"
        ? planQuery(now.table, what, { ...options, indexes: opener(now), rowsOnly: true, now: clock })
        : undefined;
    if (query) refuseExplain(query);
    const wanted =
      typeof what === "string" ? await this.#matches(query!, options) : checkIdx(what, now.table.rows);
    const granules =
      location.kind !== "column"
        ? { idx: wanted, paths: undefined, skipped: 0 }
        : await findGranules(wanted, now.table, location, now.hierarchy, options.missing ?? "error", {
            ...options,
            overlapping: layout !== "granules",
            store: now.store,
          });
    const named = options.fields ?? (query?.selects === "list" ? undefined : this.#options.fields);
    const fields = fieldsOf(now.table, query, named);
    const definition = await defineView({
      collection: this.name,
      version: await now.version(),
      sql: typeof what === "string" ? what : undefined,
      now: clock,
      ...(options.params && { params: options.params }),
      ...(options.bbox && { bbox: options.bbox }),
      ...(options.datetime !== undefined && { datetime: options.datetime }),
      named,
      fields: fields.columns,
      layout,
      groupBy: options.groupBy,
      variables: options.variables,
      idx: granules.idx,
      skipped: granules.skipped,
      made: this.#store.snapshot === undefined ? made : undefined,
    });
    const source = await this.#viewSource(now, location, definition);
    const view = await createView(source, definition, granules.idx, fields, {
      ...options,
      paths: granules.paths,
      check: true,
    });
    await source.guard.ensure(options);
    return view;
  }

  /**
   * The view that a definition describes, perhaps in another process than made it.
   * @throws ZarrsiftError `source_changed` where the source is no longer that version and cannot go back to it
   */
  async restore(definition: ViewDefinition, options: ReadOptions = {}): Promise<View> {
    const now = await this.#live.versioned(options);
    if (tableOf(await now.version()) !== tableOf(definition.version))
      return (await this.#at(definition.version)).restore(definition, options);
    const location = this.#location(now);
    const idx = unpackIdx(definition.idx, definition.count);
    const query =
      definition.sql === undefined ? undefined : planQuery(now.table, definition.sql, optionsOf(definition));
    const fields = fieldsOf(now.table, query, definition.fields);
    return createView(await this.#viewSource(now, location, definition), definition, idx, fields, options);
  }

  async close(): Promise<void> {
    for (const older of this.#older.values()) await (await older).close();
    await this.#store.close?.();
  }

  async #viewSource(
    now: Snapshot,
    location: Location,
    { made, version }: ViewDefinition,
  ): Promise<ViewSource & ViewOrigin> {
    return {
      name: this.name,
      ...(await now.granules(made, version)),
      table: now.table,
      location,
      guard: await now.guard(this.name),
      consolidatedNodes: this.#options.consolidatedNodes ?? MOST_CONSOLIDATED,
      restore: (definition, options) => this.restore(definition, options),
    };
  }

  #at(version: string): Promise<Collection> {
    const { openVersion } = this.#options;
    if (!openVersion || this.#store.snapshot === undefined) throw noLonger(this.name, version);
    let older = this.#older.get(version);
    if (!older) {
      older = openVersion(version).then((store) => openCollection(store, this.#options));
      older.catch(() => this.#older.delete(version));
      this.#older.set(version, older);
    }
    return older;
  }

  async #matches(query: Query, options: ReadOptions): Promise<Float64Array> {
    const parts: Float64Array[] = [];
    for await (const part of query.matches(options)) parts.push(part);
    return joined(parts, new Float64Array(parts.reduce((sum, part) => sum + part.length, 0)));
  }

  #location({ location }: Snapshot): Location {
    if (!location) {
      throw new ZarrsiftError(
        "meta_invalid",
        `Nothing says where the granules of ${this.name} are: it has no array_location or zarr.group_ref column, and no arrays ` +
          "whose first axis is the rows. Queries work; name the location column in the config to make views",
      );
    }
    return location;
  }
}

function onlyStacked(): ZarrsiftError {
  return new ZarrsiftError("bad_request", 'Granules are grouped by encoding only in layout "stacked"');
}

/** Indexes that cannot be opened are none: they only make answers faster. */
function opener(now: Snapshot): PlanOptions["indexes"] {
  return async (options) => {
    try {
      return await now.indexes(options);
    } catch (error) {
      options.signal?.throwIfAborted();
      return { indexes: [], zones: new Map(), warnings: [messageOf(error)] };
    }
  };
}

function refuseExplain({ explains }: Query): void {
  if (!explains) return;
  throw new ZarrsiftError(
    "bad_request",
    "A query with EXPLAIN answers with its plan, not with rows: collection.explain(sql)",
  );
}

/** What a view's SQL was planned with. */
function optionsOf({ params, bbox, datetime, now }: ViewDefinition): PlanOptions {
  return {
    ...(params && { params: params.map(unpackParameter) }),
    ...(bbox && { bbox }),
    ...(datetime !== undefined && { datetime }),
    ...(now !== undefined && { now: BigInt(now) }),
  };
}
