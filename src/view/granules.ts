/** The granules of a view: rows → paths, each existing, none twice, none inside another. */
import { mapLimit } from "../abort.ts";
import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import { isRemote } from "../store/remote.ts";
import { statsOf } from "../store/stats.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import type { MetaTable } from "../table/open.ts";
import { documentKeys, type Hierarchy } from "../zarr/hierarchy.ts";
import type { NodeMeta } from "../zarr/metadata.ts";
import { granulePath, readLocations } from "./locate.ts";
import type { ByColumn } from "./location.ts";

export interface Granules {
  /** idx of each granule, in view order. */
  idx: Float64Array;
  /** Its path, no leading slash. */
  paths: string[];
  /** Rows left out because their granule is not there. */
  skipped: number;
}

export interface FindOptions extends ReadOptions {
  /** Whether two rows may name one granule, or one inside another; default false. */
  overlapping?: boolean;
  /** Where granules' documents are: where that costs little, consolidated metadata is not believed that they are there. */
  store?: Store;
}

/**
 * @throws ZarrsiftError `granule_missing` naming the first row whose granule is not in the source (unless `missing`
 *   is "skip"), `granule_conflict` where two rows name one group, or one inside another
 */
export async function findGranules(
  idx: Float64Array,
  table: MetaTable,
  location: ByColumn,
  hierarchy: Hierarchy,
  missing: "error" | "skip",
  options: FindOptions = {},
): Promise<Granules> {
  const values = await readLocations(table, location, idx, options);
  const paths = values.map((value, i) => pathOf(value, location, idx[i]!, missing));
  const present = await findPresent(paths, hierarchy, options);
  const kept: number[] = [];
  for (let i = 0; i < idx.length; i++) {
    if (paths[i] !== undefined && present[i]) kept.push(i);
    else if (missing === "error") throw notThere(idx[i]!, paths[i]!);
  }
  const granules = {
    idx: Float64Array.from(kept, (i) => idx[i]!),
    paths: kept.map((i) => paths[i]!),
    skipped: idx.length - kept.length,
  };
  if (!options.overlapping) refuseOverlaps(granules);
  return granules;
}

function pathOf(
  value: string | null,
  location: ByColumn,
  row: number,
  missing: "error" | "skip",
): string | undefined {
  try {
    return granulePath(value, location.template, row);
  } catch (error) {
    if (missing === "skip" && isZarrsiftError(error, "granule_missing")) return undefined;
    throw error;
  }
}

/** `granule_missing` for a row whose granule is not in the source. */
export function notThere(row: number, path: string): ZarrsiftError {
  return new ZarrsiftError(
    "granule_missing",
    `Row ${row} names the granule /${path}, which is not in the source; ask for missing: "skip" to leave such rows out`,
    { details: { idx: row, location: `/${path}` } },
  );
}

/** With more granules than this, a folder of the right name is believed to be one: each is looked at when it is read. */
const MOST_READ = 10_000;

async function findPresent(
  paths: (string | undefined)[],
  hierarchy: Hierarchy,
  options: FindOptions,
): Promise<boolean[]> {
  const nodes = await findNodes(paths, hierarchy, options);
  const present = nodes.map((node) => node !== false);
  const { store } = options;
  if (!store || store.snapshot !== undefined || isRemote(store)) return present;
  const told = nodes.flatMap((node, i) =>
    typeof node === "object" && hierarchy.isConsolidated(paths[i]!)
      ? [{ i, key: documentKeys(paths[i]!, node)[0]! }]
      : [],
  );
  const keys = told.map(({ key }) => key);
  const stats = await statsOf(store, keys, { signal: options.signal });
  for (const [k, { i }] of told.entries()) present[i] = stats[k] !== undefined;
  return present;
}

/**
 * One listing a parent where the store can list, and one metadata read a granule.
 * @returns `false`: no such granule; `true`: its folder is there
 */
async function findNodes(
  paths: (string | undefined)[],
  hierarchy: Hierarchy,
  options: ReadOptions,
): Promise<(NodeMeta | boolean)[]> {
  const parents = new Map<string, Promise<Set<string> | undefined>>();
  const siblings = (parent: string) => {
    let names = parents.get(parent);
    if (!names) {
      names = hierarchy.children(parent, options).then((children) => children && new Set(children));
      parents.set(parent, names);
    }
    return names;
  };
  return mapLimit(paths, 32, async (path) => {
    if (path === undefined) return false;
    const slash = path.lastIndexOf("/");
    const known = await siblings(slash < 0 ? "" : path.slice(0, slash));
    if (known && !known.has(path.slice(slash + 1))) return false;
    if (known && paths.length > MOST_READ) return true;
    return (await hierarchy.node(path, options)) ?? false;
  });
}

function refuseOverlaps({ idx, paths }: Granules): void {
  const rowOf = new Map<string, number>();
  paths.forEach((path, i) => {
    const other = rowOf.get(path);
    if (other !== undefined) throw conflict(`Rows ${other} and ${idx[i]} both name the granule /${path}`);
    rowOf.set(path, idx[i]!);
  });
  paths.forEach((path, i) => {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const outer = path.slice(0, slash);
      if (rowOf.has(outer)) {
        throw conflict(
          `The granule /${path} of row ${idx[i]} lies inside /${outer} of row ${rowOf.get(outer)}`,
        );
      }
    }
  });
}

function conflict(message: string): ZarrsiftError {
  return new ZarrsiftError(
    "granule_conflict",
    `${message}; a view in the granules layout keeps paths, so it can hold only one of them`,
  );
}
