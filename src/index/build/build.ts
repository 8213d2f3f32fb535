/** Builds the indexes of a source, or brings them up to date. */
import { isZarrsiftError, messageOf, ZarrsiftError } from "../../errors.ts";
import type { ReadOptions, Store } from "../../store/store.ts";
import type { Lock, WritableStore } from "../../store/writable.ts";
import type { MetaColumn } from "../../table/column.ts";
import { type MetaTable, openTable, type TableOptions } from "../../table/open.ts";
import { Hierarchy } from "../../zarr/hierarchy.ts";
import type { JsonObject } from "../../zarr/json.ts";
import { keyTypeOf } from "../keys.ts";
import { newIndexCache } from "../pages.ts";
import { changeOf } from "./changes.ts";
import { chooseKind, type IndexKind } from "./choose.ts";
import { encodeColumn } from "./encode.ts";
import { buildId } from "./nodes.ts";
import { IndexTarget, LOCK } from "./target.ts";

export interface BuildOptions extends ReadOptions {
  /** Names of the columns to index; default: all that gain by it. */
  columns?: readonly string[] | undefined;
  onProgress?: ((progress: BuildProgress) => void) | undefined;
  /** Told of each column when it is done. */
  onColumn?: ((report: ColumnReport) => void) | undefined;
  /** How the source's table is opened. */
  table?: TableOptions | undefined;
}

export interface BuildProgress {
  column: string;
  /** What is done now: rows are read, then sorted and written. */
  step: "compare" | "read" | "write";
  /** Of this column. */
  rows: number;
  rowsTotal: number;
  /** Columns that are done, of so many. */
  columns: number;
  columnsTotal: number;
}

/** What became of a column's indexes. */
export interface ColumnReport {
  column: string;
  /** `undefined`: it has a zone map alone. */
  kind: IndexKind | undefined;
  /** `left`: it cannot be indexed. */
  what: "built" | "extended" | "rebuilt" | "unchanged" | "left";
  /** Why it is not simply built. */
  why: string | undefined;
  rows: number;
  /** Bytes written, and milliseconds taken. */
  bytes: number;
  ms: number;
}

const MOST_ROWS = 2 ** 32 - 1;

/**
 * Gives each column of a source an index that suits it, and a zone map; those that did not change since they were
 * indexed are left as they are. Readers see each column's indexes when they are complete, and the old ones until then.
 *
 * @param target the source's own store, or one beside it
 * @throws ZarrsiftError `busy` where another process does the same, `unknown_column`, `source_forbidden` …
 */
export async function buildIndexes(
  source: Store,
  target: WritableStore,
  options: BuildOptions = {},
): Promise<ColumnReport[]> {
  const hierarchy = await Hierarchy.open(source, options);
  const table = await openTable(hierarchy, source, { ...options.table, signal: options.signal });
  const columns = namedColumns(table, source, options.columns);
  const lock = await target.lock?.(LOCK);
  try {
    const indexes = await IndexTarget.open(target, hierarchy.format, options);
    const reports: ColumnReport[] = [];
    for (const [i, column] of columns.entries()) {
      const work = new ColumnWork(column, source, indexes, lock, options, [i, columns.length]);
      const report = await work.run();
      reports.push(report);
      options.onColumn?.(report);
    }
    const gone = indexes.columns().filter((name) => !table.columns.has(name) && !table.unusable.has(name));
    if (gone.length > 0) await indexes.drop(gone, options);
    await indexes.clean(options);
    if (indexes.written > 0) await target.commit?.(commitMessage(reports));
    return reports;
  } finally {
    await lock?.release();
  }
}

/** The columns that are meant. @throws ZarrsiftError `unknown_column`, or why an array is no column */
export function namedColumns(
  table: MetaTable,
  source: Store,
  names: readonly string[] | undefined,
): MetaColumn[] {
  if (names === undefined) return [...table.columns.values()];
  return [...new Set(names)].map((name) => {
    const column = table.columns.get(name);
    if (column) return column;
    throw (
      table.unusable.get(name) ??
      new ZarrsiftError(
        "unknown_column",
        `${source.url} has no column ${name}; meta has: ${[...table.columns.keys()].join(", ")}`,
      )
    );
  });
}

function commitMessage(reports: readonly ColumnReport[]): string {
  const done = reports.filter(({ what }) => what !== "unchanged" && what !== "left");
  return `zarrsift index: ${done.map(({ column, what }) => `${column} ${what}`).join(", ")}`;
}

class ColumnWork {
  readonly #column: MetaColumn;
  readonly #source: Store;
  readonly #target: IndexTarget;
  readonly #lock: Lock | undefined;
  readonly #options: BuildOptions;
  readonly #place: readonly [number, number];
  readonly #wanted: boolean;

  constructor(
    column: MetaColumn,
    source: Store,
    target: IndexTarget,
    lock: Lock | undefined,
    options: BuildOptions,
    place: readonly [number, number],
  ) {
    this.#column = column;
    this.#source = source;
    this.#target = target;
    this.#lock = lock;
    this.#options = options;
    this.#place = place;
    this.#wanted = options.columns !== undefined;
  }

  async run(): Promise<ColumnReport> {
    const started = performance.now();
    const before = this.#target.written;
    const finish = (kind: IndexKind | undefined, what: ColumnReport["what"], why?: string): ColumnReport => {
      const ms = Math.round(performance.now() - started);
      const bytes = this.#target.written - before;
      return { column: this.#column.name, kind, what, why, rows: this.#column.rows, bytes, ms };
    };
    const refusal = await this.#refusal();
    if (refusal !== undefined) {
      if (this.#wanted) throw new ZarrsiftError("bad_request", refusal);
      return finish(undefined, "left", refusal);
    }
    this.#progress("compare", 0);
    const change = await this.#change();
    if (change?.what === "same") return finish(this.#kindNow, "unchanged", change.why);
    try {
      const kind = await this.#build();
      if (!change) return finish(kind, "built");
      return finish(kind, change.what === "grown" ? "extended" : "rebuilt", change.why);
    } catch (error) {
      if (this.#wanted || !isZarrsiftError(error, "bad_geometry")) throw error;
      return finish(undefined, "left", messageOf(error));
    }
  }

  /** Why the column cannot be indexed, if it cannot. */
  async #refusal(): Promise<string | undefined> {
    const { name, type, rows } = this.#column;
    if (name.startsWith("_zarrsift")) return `Column ${name} cannot be indexed: its name is reserved`;
    if (type.kind !== "geometry" && keyTypeOf(type) === undefined)
      return `Column ${name} cannot be indexed: its type is ${type.kind}`;
    if (rows > MOST_ROWS) return `Column ${name} cannot be indexed: it has more than ${MOST_ROWS} rows`;
    const there = await this.#target.hierarchy?.node(`indexes/${name}`, this.#options).catch(() => undefined);
    if (there?.nodeType !== "array" || type.kind === "geometry" || this.#records.indexes[name])
      return undefined;
    return `Column ${name} cannot be indexed: /indexes/${name} is an array of another program`;
  }

  get #records() {
    return this.#target.records;
  }

  get #kindNow(): IndexKind | undefined {
    return this.#records.indexes[this.#column.name]?.kind as IndexKind | undefined;
  }

  /** What became of the column since it was indexed; `undefined`: it was not, or not as is wanted now. */
  async #change() {
    const { name } = this.#column;
    const truth = this.#records.truth[name];
    if (!truth || !this.#records.zones[name] || !this.#target.hierarchy) return undefined;
    if (this.#wanted && !this.#records.indexes[name]) return undefined;
    const { store, hierarchy } = this.#target;
    const reads = { store, hierarchy, cache: newIndexCache(2 ** 20) };
    return changeOf(this.#column, truth, reads, this.#source, this.#options);
  }

  async #build(): Promise<IndexKind | undefined> {
    const kind = await chooseKind(this.#column, this.#source, this.#wanted, this.#options);
    const encoded = await this.#encode(kind);
    if (kind === "category" && !encoded.index) return this.#buildAs("btree");
    return this.#publish(kind, encoded);
  }

  async #buildAs(kind: IndexKind): Promise<IndexKind> {
    await this.#publish(kind, await this.#encode(kind));
    return kind;
  }

  async #encode(kind: IndexKind | undefined) {
    let read = 0;
    return encodeColumn(this.#column, this.#source, {
      signal: this.#options.signal,
      kind,
      rows: this.#column.rows,
      build: buildId(),
      onRows: (rows) => {
        read += rows;
        this.#progress("read", read);
      },
    });
  }

  async #publish(
    kind: IndexKind | undefined,
    { index, zones, truth }: Awaited<ReturnType<typeof encodeColumn>>,
  ) {
    const { name, rows } = this.#column;
    this.#progress("write", rows);
    if (kind === "rtree") await this.#target.retire(name, this.#options);
    for (const part of [index, zones, truth]) if (part) await this.#target.write(part, this.#options);
    const { records } = this.#target;
    records.truth[name] = truth.record;
    records.zones[name] = zones.record;
    if (index) records.indexes[name] = index.record as JsonObject;
    else delete records.indexes[name];
    await this.#lock?.ensure();
    await this.#target.publish(this.#options);
    return kind;
  }

  #progress(step: BuildProgress["step"], rows: number): void {
    const [columns, columnsTotal] = this.#place;
    const { name, rows: rowsTotal } = this.#column;
    this.#options.onProgress?.({ column: name, step, rows, rowsTotal, columns, columnsTotal });
  }
}
