/**
 * Where a row's granule is in its source. First that applies: the config; a `zarr.group_ref` column
 * (icechunk-datacollections); `array_location` (zarr-datafusion-search); arrays stacked along the rows.
 */
import { ZarrsiftError } from "../errors.ts";
import { shownName } from "../plan/bind/names.ts";
import { projectColumns } from "../plan/plan.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import type { MetaTable } from "../table/open.ts";
import { cellAt } from "../table/vector.ts";
import type { Hierarchy } from "../zarr/hierarchy.ts";
import type { JsonObject, JsonValue } from "../zarr/json.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import {
  announcedCoordinates,
  announcedDimension,
  announcedEnds,
  announcedOther,
  announcedStacks,
} from "./announced.ts";
import { locateEndToEnd, locateInStacks } from "./locate-view.ts";
import type { ByColumn, Location, Stacked } from "./location.ts";

export interface LocationOptions {
  /** Overrides what would be inferred: a column and, unless its values are paths, how they become one. */
  location?: { column: string; template?: string };
}

/** @returns `undefined` where nothing says where granules are */
export async function findLocation(
  table: MetaTable,
  hierarchy: Hierarchy,
  store: Store,
  options: LocationOptions & ReadOptions = {},
): Promise<Location | undefined> {
  const configured = options.location && byConfig(table, options.location);
  const named = configured ?? byGroupRef(table) ?? byArrayLocation(table);
  return named ?? (await inArrays(table, hierarchy, store, options));
}

async function inArrays(
  table: MetaTable,
  hierarchy: Hierarchy,
  store: Store,
  options: ReadOptions,
): Promise<Location | undefined> {
  const root = (await hierarchy.node("", options))?.attributes ?? {};
  const stacks = announcedStacks(root);
  if (stacks) return locateInStacks({ store, hierarchy, table }, stacks, options);
  const ends = announcedEnds(root);
  if (ends) return locateEndToEnd({ store, hierarchy, table }, ends, options);
  return announcedOther(root) ? undefined : stacked(table, hierarchy, root, options);
}

function byConfig(table: MetaTable, { column, template }: { column: string; template?: string }): ByColumn {
  const found = table.columns.get(column);
  if (found?.type.kind !== "string") {
    throw new ZarrsiftError("meta_invalid", `The location column "${column}" is not a text column of /meta`);
  }
  return { kind: "column", column: found, template: template ?? "{id}" };
}

function byGroupRef(table: MetaTable): ByColumn | undefined {
  for (const column of table.columns.values()) {
    const { attributes } = column.meta;
    if (attributes["ARROW:extension:name"] !== "zarr.group_ref") continue;
    const template = resolveRule(attributes["ARROW:extension:metadata"]) ?? resolveRule(attributes);
    if (template?.includes("{id}")) return { kind: "column", column, template };
  }
  return undefined;
}

/** `resolve` of an object, or of JSON text, as Arrow wants it. */
function resolveRule(value: JsonValue | undefined): string | undefined {
  if (typeof value === "string") {
    try {
      return resolveRule(JSON.parse(value) as JsonValue);
    } catch {
      return undefined;
    }
  }
  const rule = value && typeof value === "object" ? (value as JsonObject).resolve : undefined;
  return typeof rule === "string" ? rule : undefined;
}

function byArrayLocation(table: MetaTable): ByColumn | undefined {
  const column = table.columns.get("array_location");
  return column?.type.kind === "string" ? { kind: "column", column, template: "{id}" } : undefined;
}

/**
 * Arrays outside `/meta` and `/indexes` with one row each along a first axis of one shared name; of a stacked view, those
 * along the dimension it announces, without the coordinates it has made of its fields.
 */
async function stacked(
  table: MetaTable,
  hierarchy: Hierarchy,
  root: JsonObject,
  options: ReadOptions,
): Promise<Stacked | undefined> {
  const arrays = new Map<string, ArrayMeta>();
  const dimension = announcedDimension(root);
  const added = announcedCoordinates(root);
  const belongs = (meta: ArrayMeta) => dimension === undefined || meta.dimensionNames?.[0] === dimension;
  const walk = async (path: string): Promise<void> => {
    for (const name of (await hierarchy.children(path, options)) ?? []) {
      const child = path ? `${path}/${name}` : name;
      if (child === "meta" || child === "indexes" || added.includes(child)) continue;
      const node = await hierarchy.node(child, options);
      if (node?.nodeType === "group") await walk(child);
      else if (node && isStacked(node, table.rows) && belongs(node)) arrays.set(child, node);
    }
  };
  await walk("");
  const names = new Set([...arrays.values()].map((a) => a.dimensionNames?.[0]).filter((n) => n != null));
  return arrays.size > 0 && names.size <= 1 ? { kind: "stacked", arrays } : undefined;
}

function isStacked(meta: ArrayMeta, rows: number): boolean {
  return meta.shape[0] === rows && (meta.shape.length > 1 || meta.dimensionNames?.[0] != null);
}

/** The location values of the rows `idx`, in that order; `null` where a row has none. */
export async function readLocations(
  table: MetaTable,
  { column }: ByColumn,
  idx: Float64Array,
  options: ReadOptions = {},
): Promise<(string | null)[]> {
  const { vectors } = await projectColumns(table, [shownName(column.name)]).project(idx, options);
  return Array.from(idx, (_, i) => cellAt(vectors[0]!, i) as string | null);
}

/**
 * Zarr clients cut a URL at `#` and `?` and decode `%41`: they would ask for another key, and take its 404 for fill values.
 * @throws ZarrsiftError `meta_invalid`
 */
export function refuseMangled(path: string): void {
  const sign = /[#?%]/.exec(path)?.[0];
  if (sign === undefined) return;
  throw new ZarrsiftError(
    "meta_invalid",
    `/${path} has "${sign}" in its name, which Zarr clients do not send to a server as it is; rename it, or leave it out of the view`,
    { details: { path: `/${path}` } },
  );
}

/**
 * The path, without its leading slash, that a location value leads to.
 * @throws ZarrsiftError `granule_missing` for no value, `meta_invalid` for a path that leaves the source or names its root
 */
export function granulePath(value: string | null, template: string, row: number): string {
  if (value === null || value === "") {
    throw new ZarrsiftError("granule_missing", `Row ${row} names no granule: its location is empty`, {
      details: { idx: row },
    });
  }
  const path = template.replaceAll("{id}", value).replace(/^\/+/, "").replace(/\/+$/, "");
  const segments = path.split("/");
  const reserved = segments[0] === "meta" || segments[0] === "indexes";
  refuseMangled(path);
  if (
    reserved ||
    segments.some((s) => s === "" || s === "." || s === ".." || s.includes("\0") || s.includes("\\"))
  ) {
    throw new ZarrsiftError(
      "meta_invalid",
      `Row ${row} has the location "${value}", which is not an absolute path of a granule inside its source`,
      { details: { idx: row, location: value } },
    );
  }
  return path;
}
