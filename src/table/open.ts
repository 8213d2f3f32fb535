import { mapLimit } from "../abort.ts";
import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import type { Hierarchy } from "../zarr/hierarchy.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import { announcedColumns } from "./announcement.ts";
import { decodingOf } from "./cf.ts";
import { MetaColumn, newVectorCache, type VectorCache } from "./column.ts";
import { declaredGeometry, inferRoles, sniffedGeometry } from "./roles.ts";
import type { Roles, Table } from "./table.ts";

export interface TableOptions extends ReadOptions {
  /** What SQL may call the table, beside `meta`. */
  name?: string;
  /** Names of the columns, where the store can neither list nor say. */
  columns?: readonly string[];
  /** Overrides what would be inferred. */
  roles?: Roles;
  /** Decoded chunks kept, in bytes. Default 320 MiB. */
  cacheBytes?: number;
}

/** A table whose columns are arrays of a Zarr group. */
export interface MetaTable extends Table {
  readonly columns: ReadonlyMap<string, MetaColumn>;
  readonly unusable: ReadonlyMap<string, ZarrsiftError>;
}

const DEFAULT_CACHE = 320 * 2 ** 20;

/**
 * The `meta` group of a source as a table.
 * @throws ZarrsiftError `meta_invalid` (no `/meta`, unequal lengths), `not_listable` (column names cannot be found)
 */
export async function openTable(
  hierarchy: Hierarchy,
  store: Store,
  options: TableOptions = {},
): Promise<MetaTable> {
  const all = await metaArrays(hierarchy, store, options);
  const arrays = all.filter(([, { shape }]) => shape.length === 1);
  const rows = commonLength(arrays, store);
  const cache = newVectorCache(options.cacheBytes ?? DEFAULT_CACHE);
  const columns = new Map<string, MetaColumn>();
  const unusable = new Map(all.filter(([, { shape }]) => shape.length !== 1).map(noColumn));
  for (const [name, meta] of arrays) {
    try {
      const decoding = decodingOf(name, meta);
      const type = declaredGeometry(name, decoding.type, meta.attributes) ?? decoding.type;
      columns.set(name, new MetaColumn(name, `meta/${name}`, meta, { ...decoding, type }, store, cache));
    } catch (error) {
      if (!isZarrsiftError(error)) throw error;
      unusable.set(name, error);
    }
  }
  if (![...columns.values()].some((c) => c.type.kind === "geometry"))
    await sniffGeometry(columns, store, cache);
  return {
    name: options.name ?? "meta",
    rows,
    columns,
    unusable,
    roles: { ...inferRoles(columns), ...options.roles },
  };
}

/** A store without a declared geometry column: the first column whose values parse, bytes before text. */
async function sniffGeometry(
  columns: Map<string, MetaColumn>,
  store: Store,
  cache: VectorCache,
): Promise<void> {
  for (const kind of ["bytes", "string"]) {
    for (const column of columns.values()) {
      if (column.type.kind !== kind) continue;
      const type = await sniffedGeometry(column);
      if (!type) continue;
      const { name, path, meta, decoding } = column;
      columns.set(name, new MetaColumn(name, path, meta, { ...decoding, type }, store, cache));
      return;
    }
  }
}

async function metaArrays(
  hierarchy: Hierarchy,
  store: Store,
  options: TableOptions,
): Promise<[string, ArrayMeta][]> {
  const group = await hierarchy.node("meta", options);
  if (group?.nodeType !== "group") {
    throw new ZarrsiftError(
      "meta_invalid",
      `${store.url} has no /meta group; a collection keeps one row per granule in 1-D arrays directly under /meta`,
      { details: { source: store.url } },
    );
  }
  const names = await columnNames(hierarchy, store, options);
  const nodes = await mapLimit(names, 16, (name) => hierarchy.node(`meta/${name}`, options));
  return names.flatMap((name, i) => {
    const node = nodes[i];
    return node?.nodeType === "array" ? [[name, node] as [string, ArrayMeta]] : [];
  });
}

function noColumn([name, { shape }]: [string, ArrayMeta]): [string, ZarrsiftError] {
  const message = `"${name}" of /meta is ${shape.length}-D, and columns are 1-D arrays: a value a row`;
  return [name, new ZarrsiftError("encoding_unsupported", message, { details: { column: name } })];
}

async function columnNames(hierarchy: Hierarchy, store: Store, options: TableOptions): Promise<string[]> {
  if (options.columns) return [...options.columns];
  const known = await hierarchy.children("meta", options);
  if (known) return known;
  const root = await hierarchy.node("", options);
  const announced = root && announcedColumns(root.attributes);
  if (announced) return announced;
  throw new ZarrsiftError(
    "not_listable",
    `The columns of ${store.url}/meta cannot be found: the store cannot list its keys, and neither /meta nor the root has ` +
      "consolidated metadata or a zarrsift announcement. Consolidate the metadata (zarr.consolidate_metadata), serve the " +
      "store with directory listings, or name the columns in the config",
    { details: { source: store.url } },
  );
}

function commonLength(arrays: [string, ArrayMeta][], store: Store): number {
  const first = arrays[0];
  if (!first)
    throw new ZarrsiftError("meta_invalid", `${store.url}/meta holds no 1-D arrays, so it has no columns`);
  const [name, { shape }] = first;
  const other = arrays.find(([, meta]) => meta.shape[0] !== shape[0]);
  if (other) {
    throw new ZarrsiftError(
      "meta_invalid",
      `Columns of ${store.url}/meta differ in length: "${name}" has ${shape[0]} rows, "${other[0]}" has ${other[1].shape[0]}`,
      { details: { column: other[0], rows: other[1].shape[0]!, expected: shape[0]! } },
    );
  }
  return shape[0]!;
}
