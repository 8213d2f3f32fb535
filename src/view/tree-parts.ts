/** What the trees of a view in any layout are made of. */
import type { Batch, OutputColumn } from "../plan/api.ts";
import { projectColumns } from "../plan/plan.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import { type Announcement, announce } from "../table/announcement.ts";
import type { MetaTable } from "../table/open.ts";
import type { Vector } from "../table/vector.ts";
import type { Hierarchy } from "../zarr/hierarchy.ts";
import type { JsonObject } from "../zarr/json.ts";
import type { ViewDefinition } from "./api.ts";
import { Fields } from "./fields.ts";
import type { VersionGuard } from "./guard.ts";
import { type ByColumn, granulePath, readLocations, type Stacked } from "./locate.ts";
import { SOURCE_IDX } from "./meta-group.ts";
import type { TreeInput } from "./tree.ts";

/** The source a view is made from, at one version. */
export interface ViewSource {
  name: string;
  store: Store;
  hierarchy: Hierarchy;
  table: MetaTable;
  location: ByColumn | Stacked;
  guard: VersionGuard;
}

/** Fields and how to compute them for given rows. */
export interface FieldSource {
  columns: OutputColumn[];
  load(idx: Float64Array): Promise<Batch>;
}

export interface CreateOptions extends ReadOptions {
  /** Read every node once, so that names that collide are found now; not past the consolidated limit. Default false. */
  check?: boolean;
  /** Paths of the granules, where they are known already; default: their locations are read. */
  paths?: string[] | undefined;
}

/** What a view's tree is made of. */
export interface TreeParts {
  source: ViewSource;
  definition: ViewDefinition;
  idx: Float64Array;
  fields: Fields;
  /** Values of field `field` (position in `fields.columns`) for the rows `idx`. */
  loadField(field: number, idx: Float64Array): Promise<Vector>;
  options: CreateOptions;
}

/** What an earlier view wrote: its fields, which its `/meta` keeps, and the rows' idx in what it was made of. */
export function earlierFields(
  table: MetaTable,
  names: readonly string[],
  idx: Float64Array,
): TreeInput["earlier"] {
  if (names.length === 0 || !table.columns.has(SOURCE_IDX)) return undefined;
  const kept = names.filter((name) => name !== "idx" && table.columns.has(name));
  const { columns, project } = projectColumns(table, [...kept, SOURCE_IDX]);
  const fields = new Fields(columns, idx, project);
  return async (row) => {
    const values = await fields.values(row);
    values.set("idx", values.get(SOURCE_IDX)!);
    values.delete(SOURCE_IDX);
    return values;
  };
}

/** Paths in the view: a granule's own, or `granules/<idx>` where the source stacks them. */
export async function pathsOf(
  idx: Float64Array,
  table: MetaTable,
  location: ByColumn | Stacked,
  options: ReadOptions,
): Promise<string[]> {
  if (location.kind === "stacked") return Array.from(idx, (row) => `granules/${row}`);
  const values = await readLocations(table, location, idx, options);
  return values.map((value, i) => granulePath(value, location.template, idx[i]!));
}

/**
 * The source root's own attributes, and where the view comes from: the version says which, so the ref is left out.
 * @param facts What the view says of itself besides, `columns` among it
 */
export function rootAttributes(
  own: JsonObject,
  { source: { name, store }, definition }: TreeParts,
  facts: Announcement,
): JsonObject {
  const sql: JsonObject = definition.sql === undefined ? {} : { sql: definition.sql };
  const source = store.snapshot === undefined ? store.url : store.url.replace(/#[^#]*$/, "");
  const provenance = { ...sql, version: definition.version, source, collection: name };
  return announce(own, { ...facts, ...provenance });
}
