/** The hierarchy of a view in the stacked and concatenated layouts: arrays along the granules, every field a coordinate of them. */
import { ZarrsiftError } from "../errors.ts";
import { type Announcement, announcedFields } from "../table/announcement.ts";
import type { JsonObject, JsonValue } from "../zarr/json.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import { withCoordinates, withoutCoordinates } from "./announced.ts";
import { granuleAt } from "./concat-chunks.ts";
import { type Concatenation, concatenate } from "./concatenate.ts";
import { coordinateArrays } from "./coordinates.ts";
import { emptyGroup } from "./empty-group.ts";
import type { ServedArray } from "./face.ts";
import { flatten, withoutFields } from "./fields.ts";
import { FixedTree } from "./fixed-tree.ts";
import { metaArrays } from "./meta-group.ts";
import { restackSource } from "./restack-source.ts";
import { singleValues } from "./single-values.ts";
import { freeName, namesIn, type Stack } from "./stack.ts";
import { type GranulesInput, stackByEncoding, stackGranules } from "./stack-granules.ts";
import { intArray } from "./synthetic.ts";
import type { ServedNode } from "./tree.ts";
import { earlierFields, pathsOf, rootAttributes, type TreeParts } from "./tree-parts.ts";

/**
 * @throws ZarrsiftError `layout_unsupported` where granules differ, `field_collision` where a field finds no name,
 *   `bad_request` for a variable that is not there
 */
export async function stackedTree(parts: TreeParts): Promise<FixedTree> {
  const { source, idx, fields, loadField, options, definition } = parts;
  const root = (await source.hierarchy.node("", options))?.attributes ?? {};
  const columns = source.table.columns;
  const meta = await metaArrays({ fields, idx, columns, load: loadField, locations: undefined });
  const nodes = new Map<string, ServedNode>();
  nodes.set("meta", { path: "meta", meta: emptyGroup, attributes: {} });
  for (const array of meta.values()) nodes.set(array.path, array);
  const alone = !definition.groupBy && definition.layout === "stacked";
  const facts: Announcement = {
    columns: [...meta.keys()],
    fields: [],
    ...(!alone && { layout: definition.groupBy ? "stacks" : definition.layout }),
  };
  let attributes = withoutCoordinates(root);
  if (definition.groupBy) {
    for (const [i, { stack, idx: own }] of (await stacksOf(parts, root)).entries()) {
      const path = `stack_${i}`;
      const { coordinates } = await addStack(nodes, stack, own, `${path}/`, parts);
      const named = withCoordinates(stack.attributes, coordinates);
      nodes.set(path, { path, meta: emptyGroup, attributes: named });
    }
  } else if (definition.layout === "concatenated") {
    const stack = await endToEnd(parts, root);
    const { coordinates } = await addStack(nodes, stack, idx, "", parts, rowArrays(stack));
    attributes = withCoordinates({ ...stack.attributes, ...attributes }, coordinates);
  } else {
    const stack = await oneStack(parts, root);
    const { coordinates, written } = await addStack(nodes, stack, idx, "", parts);
    attributes = withCoordinates({ ...stack.attributes, ...attributes }, coordinates);
    Object.assign(facts, { fields: written, dimension: stack.dimension, coordinates });
  }
  nodes.set("", { path: "", meta: emptyGroup, attributes: rootAttributes(attributes, parts, facts) });
  return new FixedTree(nodes);
}

/** Adds a stack's nodes below `prefix`; says which coordinates it has, and which fields its arrays have as attributes. */
async function addStack(
  nodes: Map<string, ServedNode>,
  stack: Stack,
  idx: Float64Array,
  prefix: string,
  { source, fields, loadField }: TreeParts,
  own: ReadonlyMap<string, Omit<ServedArray, "path">> = new Map(),
): Promise<{ coordinates: string[]; written: string[] }> {
  const names = namesIn([...stack.arrays].map(([path, { meta }]): [string, ArrayMeta] => [path, meta]));
  const coordinates = await coordinateArrays({
    fields: fields.columns,
    idx,
    dimension: stack.dimension,
    taken: new Set([...names, ...own.keys()]),
    columns: source.table.columns,
    load: loadField,
  });
  const single = await singleValues(fields.columns, idx, loadField);
  const written = fields.namesOn("array").filter((name) => single.has(name));
  const add = (inside: string, node: ServedNode) =>
    nodes.set(prefix + inside, { ...node, path: prefix + inside });
  for (const [inside, group] of stack.groups) add(inside, { path: inside, ...group });
  for (const [inside, array] of stack.arrays) {
    add(inside, {
      path: inside,
      ...array,
      attributes: flatten(array.attributes, single, written, prefix + inside),
    });
  }
  for (const [name, array] of coordinates) add(name, array);
  for (const [name, array] of own) add(name, { path: name, ...array });
  return { coordinates: [...coordinates.keys(), ...own.keys()], written };
}

async function oneStack(parts: TreeParts, root: JsonObject): Promise<Stack> {
  const { source, definition, idx, options } = parts;
  const { hierarchy, store, location } = source;
  if (location.kind === "column") return stackGranules(await granulesInput(parts, root), options);
  const variables = definition.variables && new Set(definition.variables);
  const written = idx.length > 0 ? await earlierValues(parts, root)(0) : new Map<string, JsonValue>();
  const own = (attributes: JsonObject) => withoutFields(attributes, written);
  return restackSource({ store, hierarchy, location, idx, variables, own }, options);
}

async function endToEnd(parts: TreeParts, root: JsonObject): Promise<Concatenation> {
  if (parts.source.location.kind === "stacked") {
    throw new ZarrsiftError(
      "layout_unsupported",
      'The granules of this collection are stacked and of one length already: ask for layout "stacked"',
    );
  }
  return concatenate(await granulesInput(parts, root), parts.options);
}

/** Which granule each row along the axis is of, and how many rows each has: CF's indexed and contiguous ragged arrays. */
function rowArrays({ along, starts, dimension, arrays }: Concatenation) {
  const taken = namesIn([...arrays].map(([path, { meta }]): [string, ArrayMeta] => [path, meta]));
  const total = starts.at(-1)!;
  const granule = intArray((row) => granuleAt(starts, row), total, along, { instance_dimension: dimension });
  const rowsOf = (i: number) => starts[i + 1]! - starts[i]!;
  const counts = intArray(rowsOf, starts.length - 1, dimension, { sample_dimension: along });
  return new Map([
    [freeName("granule", taken), granule],
    [freeName("row_count", taken), counts],
  ]);
}

/** One for each encoding; arrays that are stacked already have one. */
async function stacksOf(parts: TreeParts, root: JsonObject): Promise<{ stack: Stack; idx: Float64Array }[]> {
  const { source, idx, options } = parts;
  if (source.location.kind === "stacked") return [{ stack: await oneStack(parts, root), idx }];
  const stacks = await stackByEncoding(await granulesInput(parts, root), options);
  return stacks.map(({ stack, positions }) => ({
    stack,
    idx: Float64Array.from(positions, (position) => idx[position]!),
  }));
}

async function granulesInput(parts: TreeParts, root: JsonObject): Promise<GranulesInput> {
  const { source, definition, idx, options } = parts;
  const { hierarchy, store, table, location } = source;
  const before = earlierValues(parts, root);
  return {
    store,
    hierarchy,
    idx,
    paths: options.paths ?? (await pathsOf(idx, table, location, options)),
    variables: definition.variables && new Set(definition.variables),
    own: async (attributes, position) => withoutFields(attributes, await before(position)),
  };
}

/** What the source, where it is a view itself, has written into the granule at a position. */
function earlierValues({ source, idx }: TreeParts, root: JsonObject) {
  const earlier = earlierFields(source.table, announcedFields(root), idx);
  return async (position: number): Promise<Map<string, JsonValue>> =>
    (await earlier?.(position)) ?? new Map<string, JsonValue>();
}
