/** Compares every row of a source with its indexes. */
import { isZarrsiftError, messageOf } from "../../errors.ts";
import type { ReadOptions, Store } from "../../store/store.ts";
import type { MetaColumn } from "../../table/column.ts";
import { openTable, type TableOptions } from "../../table/open.ts";
import { Hierarchy } from "../../zarr/hierarchy.ts";
import { asNumber, type JsonObject, jsonEquals } from "../../zarr/json.ts";
import { chunkKey } from "../../zarr/metadata.ts";
import { arrayChunks, arrayMeta, type EncodedIndex, type IndexArray, typeString } from "../arrays.ts";
import { newIndexCache } from "../pages.ts";
import { type IndexRecords, indexRecords } from "../records.ts";
import { namedColumns } from "./build.ts";
import { changeOf } from "./changes.ts";
import type { IndexKind } from "./choose.ts";
import { encodeColumn } from "./encode.ts";

export interface CheckOptions extends ReadOptions {
  /** Names of the columns to check; default: all that were indexed. */
  columns?: readonly string[] | undefined;
  onRows?: ((column: string, rows: number, rowsTotal: number) => void) | undefined;
  onColumn?: ((report: ColumnCheck) => void) | undefined;
  table?: TableOptions | undefined;
}

/** What was found of one column's index and zone map. */
export interface ColumnCheck {
  column: string;
  /** `undefined`: it has a zone map alone. */
  kind: IndexKind | undefined;
  /** Rows that were indexed and have been compared. */
  rows: number;
  /** Rows that were added since; they are scanned. */
  added: number;
  /** What is wrong; `undefined`: nothing. */
  problem: string | undefined;
}

/**
 * Makes each index anew, in memory, from the rows it was made from, and compares it byte by byte with what is stored.
 *
 * @param store that the indexes are in
 * @returns a report for each column with an index or a zone map of ours; an index of another maker has none
 */
export async function checkIndexes(
  source: Store,
  store: Store,
  options: CheckOptions = {},
): Promise<ColumnCheck[]> {
  const table = await openTable(await Hierarchy.open(source, options), source, {
    ...options.table,
    signal: options.signal,
  });
  const wanted = namedColumns(table, source, options.columns);
  const hierarchy = await Hierarchy.open(store, options);
  const records = await recordsOf(hierarchy, options);
  const reports: ColumnCheck[] = [];
  for (const column of wanted) {
    if (!records.truth[column.name]) continue;
    const report = await new ColumnComparison(column, source, store, hierarchy, records, options).report();
    reports.push(report);
    options.onColumn?.(report);
  }
  return reports;
}

async function recordsOf(hierarchy: Hierarchy, options: ReadOptions): Promise<IndexRecords> {
  const group = await hierarchy.node("indexes", options);
  const records = group && indexRecords(group.attributes);
  if (typeof records === "string") throw new Error(records);
  return records ?? { truth: {}, indexes: {}, zones: {} };
}

class ColumnComparison {
  readonly #column: MetaColumn;
  readonly #source: Store;
  readonly #store: Store;
  readonly #hierarchy: Hierarchy;
  readonly #records: IndexRecords;
  readonly #options: CheckOptions;

  constructor(
    column: MetaColumn,
    source: Store,
    store: Store,
    hierarchy: Hierarchy,
    records: IndexRecords,
    options: CheckOptions,
  ) {
    this.#column = column;
    this.#source = source;
    this.#store = store;
    this.#hierarchy = hierarchy;
    this.#records = records;
    this.#options = options;
  }

  async report(): Promise<ColumnCheck> {
    const { name } = this.#column;
    const kind = this.#records.indexes[name]?.kind as IndexKind | undefined;
    const rows = asNumber(this.#records.truth[name]!.rows) ?? 0;
    const added = Math.max(0, this.#column.rows - rows);
    const report = { column: name, kind, rows, added };
    try {
      return { ...report, problem: await this.#problem(kind, rows) };
    } catch (error) {
      if (!isZarrsiftError(error, "index_unusable") && !isZarrsiftError(error, "corrupt_metadata"))
        throw error;
      return { ...report, problem: messageOf(error) };
    }
  }

  async #problem(kind: IndexKind | undefined, rows: number): Promise<string | undefined> {
    const { name } = this.#column;
    const truth = this.#records.truth[name]!;
    const reads = { store: this.#store, hierarchy: this.#hierarchy, cache: newIndexCache(2 ** 20) };
    const change = await changeOf(this.#column, truth, reads, this.#source, this.#options);
    if (change.what === "changed") return change.why;
    let read = 0;
    const encoded = await encodeColumn(this.#column, this.#source, {
      signal: this.#options.signal,
      kind,
      rows,
      // The truth of a copy was renewed since the others were built.
      build: String(this.#records.zones[name]?.path).split("/").at(-1)!,
      onRows: (more) => {
        read += more;
        this.#options.onRows?.(name, read, rows);
      },
    });
    if (kind && !encoded.index) return "it has more different values than its index";
    return (
      (encoded.index && (await this.#difference(encoded.index, this.#records.indexes[name]))) ??
      (await this.#difference(encoded.zones, this.#records.zones[name]))
    );
  }

  async #difference(
    { arrays, record }: EncodedIndex,
    stored: JsonObject | undefined,
  ): Promise<string | undefined> {
    if (!stored) return "a record is missing";
    for (const key of Object.keys(record))
      if (!jsonEquals(record[key], stored[key])) return `its record says another ${key} than its rows`;
    for (const array of arrays) {
      const difference = await this.#arrayDifference(array);
      if (difference !== undefined) return `/indexes/${array.path} ${difference}`;
    }
    return undefined;
  }

  async #arrayDifference(array: IndexArray): Promise<string | undefined> {
    const path = `indexes/${array.path}`;
    const node = await this.#hierarchy.node(path, this.#options);
    if (node?.nodeType !== "array") return "is not there";
    const meta = arrayMeta(array, this.#hierarchy.format);
    if (node.shape[0] !== meta.shape[0]) return `has ${node.shape[0]} elements, not ${meta.shape[0]}`;
    if (node.chunkShape[0] !== meta.chunkShape[0] || typeString(node.dataType) !== typeString(meta.dataType))
      return "has another type or other chunks";
    let chunk = 0;
    for (const expected of arrayChunks(array)) {
      const bytes = await this.#store.get(`${path}/${chunkKey(node.chunkKeys, [chunk])}`, this.#options);
      if (!bytes) return `has no chunk ${chunk}`;
      const at = firstDifference(bytes, expected);
      if (at !== undefined) return `differs from its column in byte ${at} of chunk ${chunk}`;
      chunk++;
    }
    return undefined;
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? undefined : length;
}
