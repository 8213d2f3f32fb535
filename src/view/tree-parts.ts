/** What the trees of a view in any layout are made of. */
import type { Batch, OutputColumn } from "../plan/api.ts";
import { projectColumns } from "../plan/plan.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import { type Announcement, announce, announcedFields } from "../table/announcement.ts";
import type { MetaTable } from "../table/open.ts";
import type { Vector } from "../table/vector.ts";
import type { Hierarchy } from "../zarr/hierarchy.ts";
import type { JsonObject, JsonValue } from "../zarr/json.ts";
import type { ViewDefinition } from "./api.ts";
import { Fields } from "./fields.ts";
import { type GranuleSource, PathGranules } from "./granule-source.ts";
import type { VersionGuard } from "./guard.ts";
import { granulePath, readLocations } from "./locate.ts";
import type { Location } from "./location.ts";
import { SOURCE_IDX } from "./meta-group.ts";
import { PieceGranules } from "./pieces.ts";
import { SlicedGranules } from "./slice.ts";
import { StacksGranules } from "./slice-stacks.ts";
import type { TreeInput } from "./tree.ts";

/** The source a view is made from, at one version. */
export interface ViewSource {
  name: string;
  store: Store;
  hierarchy: Hierarchy;
  table: MetaTable;
  location: Location;
  guard: VersionGuard;
  /** Nodes below a group of a view up to which its metadata is consolidated. */
  consolidatedNodes: number;
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

/** What each granule of a source holds. */
export function granulesOf({ location, hierarchy, store }: ViewSource): GranuleSource {
  if (location.kind === "column") return new PathGranules(hierarchy, store);
  if (location.kind === "stacks") return new StacksGranules(location, store);
  if (location.kind === "concatenated") return new PieceGranules(location, store);
  return new SlicedGranules(location.arrays, store);
}

/**
 * What an earlier view, which the source is, wrote into each granule: its fields, which its `/meta` keeps, and the rows'
 * idx in what it was made of.
 */
export function earlierFields(
  { table, location }: ViewSource,
  root: JsonObject,
  idx: Float64Array,
): TreeInput["earlier"] {
  if (location.kind !== "stacks") return writtenFields(table, announcedFields(root), idx);
  const ofStack = location.stacks.map(({ fields }) => writtenFields(table, fields, idx));
  return async (row) => (await ofStack[location.stackOf[idx[row]!]!]?.(row)) ?? new Map<string, JsonValue>();
}

function writtenFields(table: MetaTable, names: readonly string[], idx: Float64Array): TreeInput["earlier"] {
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

/** Paths in the view: a granule's own, or `granules/<idx>` where arrays of the source hold many. */
export async function pathsOf(
  idx: Float64Array,
  table: MetaTable,
  location: Location,
  options: ReadOptions,
): Promise<string[]> {
  if (location.kind !== "column") return Array.from(idx, (row) => `granules/${row}`);
  const values = await readLocations(table, location, idx, options);
  return values.map((value, i) => granulePath(value, location.template, idx[i]!));
}

/**
 * The source root's own attributes, where the view comes from and its id: the version says which, so the ref is left out.
 * @param facts What the view says of itself besides, `columns` among it
 */
export function rootAttributes(
  own: JsonObject,
  { source: { name, store }, definition }: TreeParts,
  facts: Announcement,
): JsonObject {
  const sql: JsonObject = definition.sql === undefined ? {} : { sql: definition.sql };
  const source = store.snapshot === undefined ? store.url : store.url.replace(/#[^#]*$/, "");
  const provenance = {
    ...sql,
    version: definition.version,
    source,
    collection: name,
    view: definition.id,
  };
  return announce(own, { ...facts, ...provenance });
}
