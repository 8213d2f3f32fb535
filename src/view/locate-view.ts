/** Where the rows' granules are in a view that has them in several stacks, or end to end. */
import { ZarrsiftError } from "../errors.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import type { MetaTable } from "../table/open.ts";
import type { Hierarchy } from "../zarr/hierarchy.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import { readNumbers } from "../zarr/read.ts";
import { type AnnouncedEnds, type AnnouncedStack, announcedCoordinates } from "./announced.ts";
import type { EndToEnd, Stacks } from "./location.ts";
import { SOURCE_IDX } from "./meta-group.ts";

/** What a view's arrays are read through. */
interface ViewInput {
  store: Store;
  hierarchy: Hierarchy;
  table: MetaTable;
}

/** @throws ZarrsiftError `meta_invalid` where a row is in no stack */
export async function locateInStacks(
  { store, hierarchy, table }: ViewInput,
  announced: readonly AnnouncedStack[],
  options: ReadOptions,
): Promise<Stacks> {
  const location: Stacks = {
    kind: "stacks",
    stacks: [],
    stackOf: new Int32Array(table.rows).fill(-1),
    position: new Float64Array(table.rows),
  };
  const rowOf = new Map<number, number>();
  const numbers = (path: string) => numbersAt(store, hierarchy, path, options);
  for (const [row, idx] of (await numbers(`meta/${SOURCE_IDX}`)).entries()) rowOf.set(idx, row);
  for (const [i, { dimension, coordinates, fields }] of announced.entries()) {
    const path = `stack_${i}`;
    const all = await arraysBelow(hierarchy, path, coordinates, options);
    const arrays = new Map([...all].filter(([, meta]) => meta.dimensionNames?.[0] === dimension));
    location.stacks.push({ path, dimension, coordinates, fields, arrays });
    for (const [position, idx] of (await numbers(`${path}/${coordinates[0]}`)).entries()) {
      const row = rowOf.get(idx);
      if (row === undefined) continue;
      location.stackOf[row] = i;
      location.position[row] = position;
    }
  }
  const lost = location.stackOf.indexOf(-1);
  if (lost >= 0) throw broken(store, `row ${lost} of /meta is in none of its stacks`);
  return location;
}

/** @throws ZarrsiftError `meta_invalid` where row counts are not of the rows */
export async function locateEndToEnd(
  { store, hierarchy, table }: ViewInput,
  { along, dimension, rowCount }: AnnouncedEnds,
  options: ReadOptions,
): Promise<EndToEnd> {
  const root = (await hierarchy.node("", options))!.attributes;
  const counts = await numbersAt(store, hierarchy, rowCount, options);
  if (counts.length !== table.rows)
    throw broken(store, `/${rowCount} has ${counts.length} values, /meta ${table.rows}`);
  const starts = new Float64Array(counts.length + 1);
  for (const [i, count] of counts.entries()) starts[i + 1] = starts[i]! + count;
  const arrays = new Map<string, ArrayMeta>();
  const perGranule = new Map<string, ArrayMeta>();
  for (const [path, meta] of await arraysBelow(hierarchy, "", announcedCoordinates(root), options)) {
    const [first] = meta.dimensionNames ?? [];
    if (first === along && meta.shape[0] === starts.at(-1)) arrays.set(path, meta);
    else if (first === dimension && meta.shape[0] === table.rows) perGranule.set(path, meta);
  }
  return { kind: "concatenated", along, starts, arrays, perGranule };
}

/** Arrays of the view's granules, by path below `top`. */
async function arraysBelow(
  hierarchy: Hierarchy,
  top: string,
  made: readonly string[],
  options: ReadOptions,
): Promise<Map<string, ArrayMeta>> {
  const arrays = new Map<string, ArrayMeta>();
  const leftOut = new Set(top === "" ? ["meta", "indexes", ...made] : made);
  const walk = async (inside: string): Promise<void> => {
    const path = [top, inside].filter((part) => part !== "").join("/");
    for (const name of (await hierarchy.children(path, options)) ?? []) {
      const child = inside ? `${inside}/${name}` : name;
      if (leftOut.has(child)) continue;
      const node = await hierarchy.node(path ? `${path}/${name}` : name, options);
      if (node?.nodeType === "array") arrays.set(child, node);
      else if (node) await walk(child);
    }
  };
  await walk("");
  return arrays;
}

async function numbersAt(store: Store, hierarchy: Hierarchy, path: string, options: ReadOptions) {
  const meta = await hierarchy.node(path, options);
  if (meta?.nodeType === "array") return readNumbers(store, path, meta, options);
  throw broken(store, `it has no array /${path}`);
}

function broken(store: Store, why: string): ZarrsiftError {
  return new ZarrsiftError("meta_invalid", `${store.url} says that it is a view, but ${why}`);
}
