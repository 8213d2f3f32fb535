/** Rows of a collection → a view. */
import { ZarrsiftError } from "../errors.ts";
import type { Batch, OutputColumn } from "../plan/api.ts";
import { projectColumns } from "../plan/plan.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import { announce, announcedFields } from "../table/announcement.ts";
import type { MetaTable } from "../table/open.ts";
import type { Vector } from "../table/vector.ts";
import type { Hierarchy } from "../zarr/hierarchy.ts";
import type { JsonObject } from "../zarr/json.ts";
import type { ViewDefinition } from "./api.ts";
import { MOST_CONSOLIDATED } from "./consolidate.ts";
import { Fields } from "./fields.ts";
import { PathGranules } from "./granule-source.ts";
import type { VersionGuard } from "./guard.ts";
import { type ByColumn, granulePath, readLocations, type Stacked } from "./locate.ts";
import { metaArrays, SOURCE_IDX } from "./meta-group.ts";
import { SlicedGranules } from "./slice.ts";
import { GranulesTree, isArray, type TreeInput } from "./tree.ts";
import { View } from "./view.ts";
import { nodesBelow } from "./walk.ts";

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

/** The view a definition describes. What its locations lead to was checked when it was defined. */
export async function createView(
  source: ViewSource,
  definition: ViewDefinition,
  idx: Float64Array,
  fieldSource: FieldSource,
  options: CreateOptions = {},
): Promise<View> {
  const { hierarchy, store, table, location } = source;
  const paths = options.paths ?? (await pathsOf(idx, table, location, options));
  const columns = fieldSource.columns;
  const fields = new Fields(columns, idx, fieldSource.load);
  const loadField = async (field: number, rows: Float64Array): Promise<Vector> =>
    (await fieldSource.load(rows)).vectors[field]!;
  const locations = paths.map((path) => `/${path}`);
  const arrays = await metaArrays({ fields, idx, locations, columns: table.columns, load: loadField });
  const root = (await hierarchy.node("", options))?.attributes ?? {};
  const tree = new GranulesTree({
    hierarchy,
    granules:
      location.kind === "column"
        ? new PathGranules(hierarchy, store)
        : new SlicedGranules(location.arrays, store),
    source: store.url,
    idx,
    paths,
    fields,
    earlier: earlierFields(table, announcedFields(root), idx),
    rootAttributes: rootAttributes(root, source, definition, [...arrays.keys()], fields.names),
    metaArrays: arrays,
    variables: definition.variables && new Set(definition.variables),
  });
  if (options.check) {
    const nodes = await nodesBelow(tree, "", MOST_CONSOLIDATED, options);
    if (nodes && idx.length > 0)
      refuseUnknown(
        definition.variables ?? [],
        nodes.filter(isArray).map(({ path }) => path),
      );
  }
  return new View(definition, fields.names, tree, source.guard);
}

function refuseUnknown(variables: readonly string[], paths: readonly string[]): void {
  const unknown = variables.find((variable) => !paths.some((path) => path.endsWith(`/${variable}`)));
  if (unknown === undefined) return;
  throw new ZarrsiftError(
    "bad_request",
    `No granule of the view has an array "${unknown}"; variables are paths relative to the granule, such as "lat" or "ku/ssha"`,
    { details: { variable: unknown } },
  );
}

/** What an earlier view wrote: its fields, which its `/meta` keeps, and the rows' idx in what it was made of. */
function earlierFields(table: MetaTable, names: readonly string[], idx: Float64Array): TreeInput["earlier"] {
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
async function pathsOf(
  idx: Float64Array,
  table: MetaTable,
  location: ByColumn | Stacked,
  options: ReadOptions,
): Promise<string[]> {
  if (location.kind === "stacked") return Array.from(idx, (row) => `granules/${row}`);
  const values = await readLocations(table, location, idx, options);
  return values.map((value, i) => granulePath(value, location.template, idx[i]!));
}

/** The source root's own attributes, and where the view comes from: the version says which, so the ref is left out. */
function rootAttributes(
  own: JsonObject,
  { name, store }: ViewSource,
  definition: ViewDefinition,
  columns: string[],
  fields: string[],
): JsonObject {
  const sql: JsonObject = definition.sql === undefined ? {} : { sql: definition.sql };
  const source = store.snapshot === undefined ? store.url : store.url.replace(/#[^#]*$/, "");
  const provenance = { ...sql, version: definition.version, source, collection: name };
  return announce(own, { columns, fields, ...provenance });
}
