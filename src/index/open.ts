/** Opens the indexes of a source. */
import { isZarrsiftError, messageOf } from "../errors.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import type { MetaColumn } from "../table/column.ts";
import type { MetaTable } from "../table/open.ts";
import type { Hierarchy } from "../zarr/hierarchy.ts";
import type { JsonObject, JsonValue } from "../zarr/json.ts";
import type { BySide, Index, IndexSet, ZoneMap } from "./api.ts";
import { BTree } from "./btree.ts";
import { Categories } from "./category.ts";
import { Covering, coveringRecord } from "./covering.ts";
import { keyTypeOf } from "./keys.ts";
import { type IndexReads, newIndexCache } from "./pages.ts";
import { type IndexRecords, indexRecords, RecordReader, truthRecord } from "./records.ts";
import { RTree } from "./rtree.ts";
import { Truth, type TruthOptions } from "./truth.ts";
import { StoredZones } from "./zones.ts";

export interface IndexOptions extends ReadOptions, TruthOptions {
  /** Pages of indexes kept in memory, in bytes; default 64 MiB. */
  cacheBytes?: number | undefined;
}

const DEFAULT_CACHE = 64 * 2 ** 20;

/**
 * All indexes of a table. Only the metadata of `/indexes` is read; whatever is wrong with an index is a warning.
 * The columns of `table` tell their indexes from then on which chunks they read.
 *
 * @param hierarchy that `/indexes` is in, and `store` its store: the source's own, or one kept beside it
 * @throws what the store throws
 */
export async function openIndexes(
  store: Store,
  hierarchy: Hierarchy,
  table: MetaTable,
  options: IndexOptions = {},
): Promise<IndexSet> {
  const reads: IndexReads = { store, hierarchy, cache: newIndexCache(options.cacheBytes ?? DEFAULT_CACHE) };
  const group = await hierarchy.consolidatedNode("indexes", options).catch((error) => {
    if (isZarrsiftError(error, "corrupt_metadata")) return messageOf(error);
    throw error;
  });
  if (typeof group === "string") return failed(group);
  const records = group?.nodeType === "group" ? indexRecords(group.attributes) : undefined;
  if (typeof records === "string") return failed(records);
  if (!records) return foreignIndexes(reads, table, options);
  return ownIndexes(records, reads, table, options);
}

const failed = (why: string): IndexSet => ({
  indexes: [],
  zones: new Map(),
  warnings: [`No index is used: ${why}`],
});

function ownIndexes(
  records: IndexRecords,
  reads: IndexReads,
  table: MetaTable,
  options: IndexOptions,
): IndexSet {
  const indexes: Index[] = [];
  const zones = new Map<string, ZoneMap>();
  const warnings: string[] = [];
  const truths = new Map<string, Truth>();
  const columnOf = (name: string): MetaColumn => {
    const column = table.columns.get(name);
    if (!column) throw new Error(`there is no column ${name}`);
    return column;
  };
  const truthOf = (name: string): Truth => {
    const known = truths.get(name);
    if (known) return known;
    const column = columnOf(name);
    const record = records.truth[name];
    if (!record) throw new Error(`nothing says what ${name} was when it was indexed`);
    const truth = new Truth(column, truthRecord(record), reads, options);
    truths.set(name, truth);
    return truth;
  };
  const attempt = (what: string, make: () => void) => {
    try {
      make();
    } catch (error) {
      warnings.push(`The ${what} is not used: ${messageOf(error)}`);
    }
  };
  for (const [name, record] of Object.entries(records.indexes))
    attempt(`index of ${name}`, () => {
      const index = ownIndex(columnOf(name), record, reads, truthOf(name));
      indexes.push(index);
      if (index instanceof RTree && record.covering !== undefined)
        attempt(`covering of ${name}`, () => {
          index.covering = covering(record.covering, index, reads, truthOf);
        });
    });
  for (const [name, record] of Object.entries(records.zones))
    attempt(`index of ${name}`, () =>
      zones.set(name, ownZones(columnOf(name), record, reads, truthOf(name))),
    );
  for (const [name, truth] of truths) watch(table.columns.get(name)!, truth);
  return { indexes, zones, warnings };
}

/** The index that a record describes. @throws Error naming what is wrong with the record */
export function ownIndex(column: MetaColumn, record: JsonObject, reads: IndexReads, truth: Truth): Index {
  const reader = new RecordReader(record);
  const rows = reader.count("covered");
  const common = {
    column: column.name,
    path: reader.path("path"),
    rows,
    covered: Math.min(rows, truth.covered),
  };
  const kind = reader.text("kind");
  if (kind === "rtree") return spatial(reader, common, column, reads, truth);
  if (kind === "btree") return ordered(reader, common, column, reads, truth);
  if (kind === "category") return categories(reader, common, column, reads, truth);
  throw new Error(`its kind is ${kind}, which this program does not know`);
}

type Common = { column: string; path: string; rows: number; covered: number };

function spatial(
  reader: RecordReader,
  common: Common,
  column: MetaColumn,
  reads: IndexReads,
  truth: Truth,
): Index {
  if (column.type.kind !== "geometry") throw new Error(`${column.name} is no geometry column`);
  const isBox = reader.text("isBox");
  if (isBox !== "all" && isBox !== "none" && isBox !== "bits") throw new Error("its record has no isBox");
  const record = {
    ...common,
    side: reader.path("side"),
    isBox: isBox as "all" | "none" | "bits",
    crossing: reader.count("crossing"),
    crossingCrc: reader.numbers("crossingCrc"),
  };
  return new RTree(record, reads, truth);
}

function covering(
  stored: JsonValue | undefined,
  tree: RTree,
  reads: IndexReads,
  truthOf: (column: string) => Truth,
): Covering {
  const record = coveringRecord(stored);
  return new Covering(record, tree, record.columns.map(truthOf) as unknown as BySide<Truth>, reads);
}

function ordered(
  reader: RecordReader,
  common: Common,
  column: MetaColumn,
  reads: IndexReads,
  truth: Truth,
): Index {
  const type = keyTypeOf(column.type);
  if (type === undefined) throw new Error(`columns of type ${column.type.kind} have no B+tree`);
  const record = {
    ...common,
    type,
    keys: reader.count("keys"),
    nulls: reader.count("nulls"),
    nullsInLastChunk: reader.count("nullsInLastChunk"),
    sorted: reader.flag("sorted"),
    base: reader.count("base", 0),
    fenceBytes: reader.count("fenceBytes", 0),
    fenceTops: reader.count("fenceTops", 0),
    sums: reader.sums("sums"),
  };
  if (record.keys + record.nulls !== record.rows)
    throw new Error("its keys and NULLs are not as many as its rows");
  return new BTree(record, reads, truth);
}

function categories(
  reader: RecordReader,
  common: Common,
  column: MetaColumn,
  reads: IndexReads,
  truth: Truth,
): Index {
  const type = keyTypeOf(column.type);
  if (type === undefined) throw new Error(`columns of type ${column.type.kind} have no category index`);
  const record = {
    ...common,
    type,
    values: reader.count("values"),
    nulls: reader.count("nulls"),
    nullsInLastChunk: reader.count("nullsInLastChunk"),
    valueBytes: reader.count("valueBytes", 0),
    sums: reader.sums("sums"),
  };
  return new Categories(record, reads, truth);
}

/** The zone map that a record of ours speaks of. @throws Error where that is none of the column's */
export function ownZones(column: MetaColumn, record: JsonObject, reads: IndexReads, truth: Truth): ZoneMap {
  const reader = new RecordReader(record);
  const type = column.type.kind === "geometry" ? "geometry" : keyTypeOf(column.type);
  if (type === undefined) throw new Error(`columns of type ${column.type.kind} have no zones`);
  const chunkRows = reader.count("chunkRows");
  if (chunkRows !== column.chunkRows) throw new Error("its chunks are not those of the column");
  const all = reader.count("chunks");
  return new StoredZones(
    {
      column: column.name,
      path: reader.path("path"),
      type,
      chunkRows,
      all,
      chunks: Math.min(all, truth.chunks),
      sums: reader.sums("sums"),
    },
    reads,
    truth,
  );
}

/** Chunks that are read anyway are compared with what they were. */
function watch(column: MetaColumn, truth: Truth): void {
  column.observe((chunk, bytes) => {
    // That the record cannot be read says nothing about the column.
    truth.observe(chunk, bytes).catch(() => {});
  });
}

/** R-trees as zarr-datafusion-search keeps them: an array of bytes named like the geometry column. */
async function foreignIndexes(reads: IndexReads, table: MetaTable, options: IndexOptions): Promise<IndexSet> {
  const indexes: Index[] = [];
  for (const column of table.columns.values()) {
    if (column.type.kind !== "geometry" || column.name.startsWith("_")) continue;
    const path = `indexes/${column.name}`;
    const node = await reads.hierarchy.node(path, options).catch((error) => {
      if (isZarrsiftError(error, "corrupt_metadata") || isZarrsiftError(error, "encoding_unsupported"))
        return undefined;
      throw error;
    });
    if (
      node?.nodeType !== "array" ||
      node.shape.length !== 1 ||
      node.dataType.kind !== "int" ||
      node.dataType.bits !== 8
    )
      continue;
    const record = { column: column.name, path, rows: table.rows, covered: table.rows, side: undefined };
    const truth = new Truth(column, undefined, reads, options);
    indexes.push(new RTree({ ...record, isBox: "none", crossing: 0, crossingCrc: [] }, reads, truth));
  }
  return { indexes, zones: new Map(), warnings: [] };
}
