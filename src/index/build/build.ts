/** Builds the indexes of a source, or brings them up to date. */
import { ZarrsiftError } from "../../errors.ts";
import type { Store } from "../../store/store.ts";
import type { Lock, WritableStore } from "../../store/writable.ts";
import type { MetaColumn } from "../../table/column.ts";
import { type MetaTable, openTable } from "../../table/open.ts";
import { Hierarchy } from "../../zarr/hierarchy.ts";
import type { BuildOptions, ColumnReport } from "./api.ts";
import { ColumnWork, type WorkOptions } from "./column-work.ts";
import { coveringCandidates, namedCovering } from "./covering-columns.ts";
import { coveringColumns, renewCovering } from "./covering-renew.ts";
import { IndexTarget, LOCK } from "./target.ts";

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
    const reports = await inRounds(columns, source, indexes, lock, { ...options, coverings });
    const gone = indexes.columns().filter((name) => !table.columns.has(name) && !table.unusable.has(name));
    if (gone.length > 0) await indexes.drop(gone, options);
    await indexes.clean(options);
    if (indexes.written > 0) await target.commit?.(commitMessage(reports));
    return reports;
  } finally {
    await lock?.release();
  }
}

/**
 * Columns that a tree may answer for are taken for such while it is made, so that they need not wait for it. Those that
 * it does not answer for get an index of their own afterwards.
 */
async function inRounds(
  columns: readonly MetaColumn[],
  source: Store,
  indexes: IndexTarget,
  lock: Lock | undefined,
  options: Omit<WorkOptions, "covered">,
): Promise<ColumnReport[]> {
  const geometries = columns.filter(({ type }) => type.kind === "geometry");
  const sides = geometries.flatMap(({ name }) => options.coverings(name).flat());
  const work = { ...options, covered: new Set(sides.map(({ name }) => name)) };
  const reports = await inTurn(columns, columns.length, source, indexes, lock, work);
  for (const geometry of geometries) {
    const report = reports.find(({ column }) => column === geometry.name)!;
    if (report.kind === "rtree" && report.what === "unchanged")
      await renew(report, geometry, source, indexes, lock, work);
  }
  const answered = reports.flatMap(({ what, covering = [] }) => (what === "left" ? [] : covering));
  const without = ({ column, kind, what }: ColumnReport) =>
    kind === undefined && what !== "left" && work.covered.has(column) && !answered.includes(column);
  const names = reports.filter(without).map(({ column }) => column);
  const others = columns.filter(({ name }) => names.includes(name));
  // As if they were asked for.
  const own = { ...work, columns: names };
  const again = await inTurn(others, columns.length, source, indexes, lock, own);
  return [...reports.filter((report) => !without(report)), ...again];
}

/**
 * The last columns of so many. Geometry takes longest and comes first, columns that take least come last. One failure
 * ends all, and is told when the others have ended.
 */
async function inTurn(
  columns: readonly MetaColumn[],
  total: number,
  source: Store,
  indexes: IndexTarget,
  lock: Lock | undefined,
  options: WorkOptions,
): Promise<ColumnReport[]> {
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const turn = ({ name, type }: MetaColumn) =>
    type.kind === "geometry" ? 0 : options.covered.has(name) ? 2 : 1;
  const waiting = [...columns].sort((a, b) => turn(a) - turn(b));
  const reports: ColumnReport[] = [];
  const place = () => [total - columns.length + reports.length, total] as const;
  const worker = async () => {
    for (let column = waiting.shift(); column; column = waiting.shift()) {
      const work = new ColumnWork(column, source, indexes, lock, { ...options, signal }, place);
      const report = await work.run();
      reports.push(report);
      options.onColumn?.(report);
    }
  };
  const stopping = (error: unknown) => {
    if (!stop.signal.aborted) stop.abort(error);
    throw error;
  };
  await Promise.allSettled(Array.from({ length: options.parallel ?? 1 }, () => worker().catch(stopping)));
  signal.throwIfAborted();
  return reports;
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
