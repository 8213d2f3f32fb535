/** Builds the indexes of a source, or brings them up to date. */
import { ZarrsiftError } from "../../errors.ts";
import type { ReadOptions, Store } from "../../store/store.ts";
import type { Lock, WritableStore } from "../../store/writable.ts";
import type { MetaColumn } from "../../table/column.ts";
import { type MetaTable, openTable, type TableOptions } from "../../table/open.ts";
import { Hierarchy } from "../../zarr/hierarchy.ts";
import type { BySide } from "../api.ts";
import type { IndexKind } from "./choose.ts";
import { ColumnWork, type WorkOptions } from "./column-work.ts";
import { coveringCandidates, namedCovering } from "./covering-columns.ts";
import { coveringColumns, renewCovering } from "./covering-renew.ts";
import type { ColumnProduct, ProductOptions } from "./product.ts";
import { IndexTarget, LOCK, type WrittenParts } from "./target.ts";

export interface BuildOptions extends ReadOptions {
  /** Names of the columns to index; default: all that gain by it. */
  columns?: readonly string[] | undefined;
  /** Columns that hold the boxes of the geometry column, which are indexed too; default: those that did, and those that are named so. */
  covering?: BySide<string> | undefined;
  onProgress?: ((progress: BuildProgress) => void) | undefined;
  /** Told of each column when it is done. */
  onColumn?: ((report: ColumnReport) => void) | undefined;
  /** How the source's table is opened. */
  table?: TableOptions | undefined;
  /** Columns at work at once, each with up to 80 bytes a row in memory; default 1. */
  parallel?: number | undefined;
  /** Does the work for a column elsewhere, in another thread: `produceColumn` of the same source and target. */
  produceElsewhere?: ((column: string, options: ProductOptions) => Promise<RemoteProduct>) | undefined;
}

/** What was written for a column, and the target's account of it. */
export interface RemoteProduct {
  product: ColumnProduct;
  parts: WrittenParts;
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
  /** Bytes of the arrays written, and milliseconds taken. */
  bytes: number;
  ms: number;
  /** Columns that an R-tree answers for, because they hold its boxes. */
  covering?: BySide<string> | undefined;
}

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
  const named = options.covering && namedCovering(options.covering, table.columns);
  const names = options.columns && [...options.columns, ...(options.covering ?? [])];
  const columns = namedColumns(table, source, names);
  const lock = await target.lock?.(LOCK);
  try {
    const indexes = await IndexTarget.open(target, hierarchy.format, options);
    // Of columns that are not indexed nobody knows whether they changed since.
    const known = new Map(
      [...table.columns].filter(([name, column]) => columns.includes(column) || indexes.records.truth[name]),
    );
    const coverings = (geometry: string) => {
      const recorded = coveringColumns(indexes.records.indexes[geometry]);
      return named ? [named] : coveringCandidates(geometry, known, recorded);
    };
    const work = { ...options, coverings, covered: new Set<string>() };
    const reports = await inRounds(columns, source, indexes, lock, work);
    for (const report of reports.filter(({ kind, what }) => kind === "rtree" && what === "unchanged"))
      await renew(report, table.columns.get(report.column)!, source, indexes, lock, work);
    const gone = indexes.columns().filter((name) => !table.columns.has(name) && !table.unusable.has(name));
    if (gone.length > 0) await indexes.drop(gone, options);
    await indexes.clean(options);
    if (indexes.written > 0) await target.commit?.(commitMessage(reports));
    return reports;
  } finally {
    await lock?.release();
  }
}

/** Columns that a tree may answer for come last: those that it does need no index of their own. */
async function inRounds(
  columns: readonly MetaColumn[],
  source: Store,
  indexes: IndexTarget,
  lock: Lock | undefined,
  options: WorkOptions & { covered: Set<string> },
): Promise<ColumnReport[]> {
  const sides = new Set<MetaColumn>();
  for (const { type, name } of columns)
    if (type.kind === "geometry") for (const side of options.coverings(name).flat()) sides.add(side);
  const reports: ColumnReport[] = [];
  for (const last of [false, true]) {
    const round = columns.filter((column) => sides.has(column) === last);
    const place = () => [reports.length, columns.length] as const;
    const onColumn = (report: ColumnReport) => {
      reports.push(report);
      options.onColumn?.(report);
    };
    await inTurn(round, source, indexes, lock, { ...options, onColumn }, place);
    for (const { what, covering = [] } of reports)
      if (what !== "unchanged") for (const name of covering) options.covered.add(name);
  }
  return reports;
}

/** Geometry takes longest and comes first. One failure ends all, and is told when the others have ended. */
async function inTurn(
  columns: readonly MetaColumn[],
  source: Store,
  indexes: IndexTarget,
  lock: Lock | undefined,
  options: WorkOptions,
  place: () => readonly [number, number],
): Promise<void> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const waiting = [...columns].sort(
    (a, b) => Number(b.type.kind === "geometry") - Number(a.type.kind === "geometry"),
  );
  const worker = async () => {
    for (let column = waiting.shift(); column; column = waiting.shift()) {
      const work = new ColumnWork(column, source, indexes, lock, { ...options, signal }, place);
      options.onColumn?.(await work.run());
    }
  };
  const stopping = (error: unknown) => {
    if (!stop.signal.aborted) stop.abort(error);
    throw error;
  };
  await Promise.allSettled(Array.from({ length: options.parallel ?? 1 }, () => worker().catch(stopping)));
  signal.throwIfAborted();
}

/** A tree is as it was; whether columns hold its boxes is told by what all columns are now. */
async function renew(
  report: ColumnReport,
  geometry: MetaColumn,
  source: Store,
  indexes: IndexTarget,
  lock: Lock | undefined,
  options: WorkOptions,
): Promise<void> {
  const candidates = options.coverings(geometry.name);
  if (!(await renewCovering(geometry, candidates, source, indexes, lock, options))) return;
  report.what = "extended";
  report.covering = coveringColumns(indexes.records.indexes[geometry.name]);
  report.why = report.covering ? "columns hold its boxes" : "columns hold its boxes no more";
  options.onColumn?.(report);
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
