/** What a stacked view holds besides its fields: arrays along the granules' dimension, and the groups they are in. */
import { ZarrsiftError } from "../errors.ts";
import type { JsonObject } from "../zarr/json.ts";
import type { ArrayMeta, GroupMeta } from "../zarr/metadata.ts";
import type { ChunkSource, StoredChunks } from "./chunks.ts";

export interface StackedArray {
  meta: ArrayMeta;
  /** Its own attributes, without dimension names. */
  attributes: JsonObject;
  chunks: ChunkSource;
  stored?: StoredChunks;
}

export interface Stack {
  /** Name of the granules' dimension. */
  dimension: string;
  /** By path in the view. */
  arrays: Map<string, StackedArray>;
  /** The groups above them, the root's left out. */
  groups: Map<string, { meta: GroupMeta; attributes: JsonObject }>;
  /** Attributes that the root has beside the source root's. */
  attributes: JsonObject;
  /** Attributes by path that all granules share, where each of them was read to make the stack. */
  agreed?: ReadonlyMap<string, JsonObject>;
}

const DIMENSION = "granule";

/** A name for the new axis that no dimension has, and nothing at the root. */
export function newDimension(taken: ReadonlySet<string>): string {
  return freeName(DIMENSION, taken);
}

/** `name`, or `name_2`, `name_3` …, whichever is the first that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  let free = name;
  for (let n = 2; taken.has(free); n++) free = `${name}_${n}`;
  return free;
}

/** Names of all dimensions of arrays, and of what is at the root. */
export function namesIn(arrays: Iterable<[string, ArrayMeta]>): Set<string> {
  const names = new Set<string>(["meta"]);
  for (const [path, { dimensionNames }] of arrays) {
    names.add(path.split("/")[0]!);
    for (const name of dimensionNames ?? []) if (name !== null) names.add(name);
  }
  return names;
}

/** The array with a name for each dimension, since xarray opens no data set that has one without. */
export function withNames(path: string, meta: ArrayMeta): ArrayMeta {
  const { dimensionNames, shape } = meta;
  const variable = path.slice(path.lastIndexOf("/") + 1);
  return {
    ...meta,
    dimensionNames: shape.map((_, axis) => dimensionNames?.[axis] ?? `${variable}_dim_${axis}`),
  };
}

/** Attributes without the dimension names that v2 keeps there: a stacked array has its own. */
export function withoutDimensions({ _ARRAY_DIMENSIONS: _, ...attributes }: JsonObject): JsonObject {
  return attributes;
}

/** `/meta` is the view's own. @throws ZarrsiftError `granule_conflict` */
export function refuseMeta(path: string): void {
  if (path !== "meta" && !path.startsWith("meta/")) return;
  throw new ZarrsiftError(
    "granule_conflict",
    `The granules hold "${path}", but /meta is the view's own; leave it out with variables, or use the granules layout`,
  );
}

/** @throws ZarrsiftError `bad_request` for a variable that none of `paths` is */
export function refuseUnknown(variables: Iterable<string>, paths: Iterable<string>): void {
  const known = new Set(paths);
  for (const variable of variables) {
    if (!known.has(variable)) throw unknownVariable(variable);
  }
}

/** `bad_request` for a variable that is nowhere; `withArrayNames` adds what there is. */
export function unknownVariable(variable: string): ZarrsiftError {
  return new ZarrsiftError(
    "bad_request",
    `No granule of the view has an array "${variable}"; variables are paths relative to the granule, such as "lat" or "ku/ssha"`,
    { details: { variable } },
  );
}
