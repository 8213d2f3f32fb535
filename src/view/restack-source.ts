/** A stacked source's stack for some of its rows: its arrays along the rows regrouped, all others passed along. */
import { ZarrsiftError } from "../errors.ts";
import type { ReadOptions, Store } from "../store/store.ts";

import type { Hierarchy } from "../zarr/hierarchy.ts";
import type { JsonObject } from "../zarr/json.ts";
import type { ArrayMeta, GroupMeta } from "../zarr/metadata.ts";
import { withoutCoordinates } from "./announced.ts";
import { chunksAt } from "./chunks.ts";
import { DecodedChunks } from "./decoded-chunks.ts";
import { refuseMangled } from "./locate.ts";
import { restack } from "./restack.ts";
import { namesIn, newDimension, type Stack, withNames, withoutDimensions } from "./stack.ts";

/** Where a stack is. */
export interface StackLocation {
  /** Its group, with a slash behind it; "" is the root. */
  prefix: string;
  /** Arrays along the granules, by path below the prefix. */
  arrays: ReadonlyMap<string, ArrayMeta>;
  /** Names of its arrays that an earlier view made of its fields. */
  made: readonly string[];
}

export interface RestackInput {
  store: Store;
  hierarchy: Hierarchy;
  location: StackLocation;
  /** Positions along the stack. */
  idx: Float64Array;
  /** Paths of the arrays to show; all where absent. */
  variables: ReadonlySet<string> | undefined;
  /** An array's attributes without what an earlier view wrote there. */
  own(attributes: JsonObject): JsonObject;
}

/**
 * @throws ZarrsiftError `layout_unsupported` for an array that has the granules along another axis than its first,
 *   `encoding_unsupported` for one that would have to be decoded and cannot be
 */
export async function restackSource(input: RestackInput, options: ReadOptions = {}): Promise<Stack> {
  const { store, hierarchy, location, idx, variables } = input;
  const { prefix } = location;
  const { arrays: found, groups } = await everything(hierarchy, location, variables, options);
  const dimension = firstName(location) ?? newDimension(namesIn(found));
  const decoded = new DecodedChunks();
  const arrays: Stack["arrays"] = new Map();
  for (const [path, meta] of found) {
    const attributes = withoutDimensions(input.own(meta.attributes));
    if (!location.arrays.has(path)) {
      if (meta.dimensionNames?.includes(dimension)) throw otherAxis(path, dimension);
      const chunks = chunksAt(store, prefix + path, meta);
      arrays.set(path, { meta: withNames(path, meta), attributes, chunks, stored: chunks });
      continue;
    }
    const named = withNames(path, meta);
    const dimensionNames = [dimension, ...named.dimensionNames!.slice(1)];
    const restacked = restack(store, prefix + path, { ...named, dimensionNames }, idx, decoded);
    arrays.set(path, { ...restacked, attributes });
  }
  const own = prefix === "" ? undefined : await hierarchy.node(prefix.slice(0, -1), options);
  const attributes = withoutCoordinates(own?.attributes ?? {}, location.made);
  return { dimension, arrays, groups, attributes };
}

function firstName({ arrays }: StackLocation): string | undefined {
  for (const { dimensionNames } of arrays.values()) {
    const first = dimensionNames?.[0];
    if (first != null) return first;
  }
  return undefined;
}

/** Arrays and groups of the stack, but for `/meta`, `/indexes` and the coordinates that an earlier view added. */
async function everything(
  hierarchy: Hierarchy,
  { prefix, made }: StackLocation,
  variables: ReadonlySet<string> | undefined,
  options: ReadOptions,
) {
  const arrays = new Map<string, ArrayMeta>();
  const groups = new Map<string, { meta: GroupMeta; attributes: JsonObject }>();
  const leftOut = new Set(prefix === "" ? ["meta", "indexes", ...made] : made);
  const walk = async (path: string): Promise<void> => {
    const whole = (prefix + path).replace(/\/$/, "");
    for (const name of (await hierarchy.children(whole, options)) ?? []) {
      const child = path ? `${path}/${name}` : name;
      if (leftOut.has(child)) continue;
      const node = await hierarchy.node(prefix + child, options);
      if (node?.nodeType === "group") {
        if (variables && ![...variables].some((variable) => variable.startsWith(`${child}/`))) continue;
        refuseMangled(child);
        groups.set(child, { meta: node, attributes: node.attributes });
        await walk(child);
      } else if (node && (!variables || variables.has(child))) {
        refuseMangled(child);
        arrays.set(child, node);
      }
    }
  };
  await walk("");
  return { arrays, groups };
}

function otherAxis(path: string, dimension: string): ZarrsiftError {
  return new ZarrsiftError(
    "layout_unsupported",
    `/${path} has the granules' dimension "${dimension}", but not as its first axis of one position a row, so it cannot be ` +
      "cut to the rows of a view; name the arrays to show with variables",
    { details: { path: `/${path}` } },
  );
}
