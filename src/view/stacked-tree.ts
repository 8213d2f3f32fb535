/** The hierarchy of a view in the stacked and concatenated layouts: arrays along the granules, every field a coordinate of them. */
import { mapLimit } from "../abort.ts";
import { type JsonObject, type JsonValue, parseJson, writeJson } from "../zarr/json.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import { announcedCoordinates, withCoordinates, withoutCoordinates } from "./announced.ts";
import { granuleAt } from "./concat-chunks.ts";
import { type Concatenation, concatenate } from "./concatenate.ts";
import { coordinateArrays } from "./coordinates.ts";
import { emptyGroup } from "./empty-group.ts";
import type { ServedArray } from "./face.ts";
import { flatten, withoutFields } from "./fields.ts";
import { FixedTree } from "./fixed-tree.ts";
import type { Stacks } from "./location.ts";
import { metaArrays } from "./meta-group.ts";
import { restackSource, type StackLocation } from "./restack-source.ts";
import { singleValues } from "./single-values.ts";
import { freeName, namesIn, refuseUnknown, type Stack } from "./stack.ts";
import { type GranulesInput, stackByEncoding, stackGranules } from "./stack-granules.ts";
import { intArray } from "./synthetic.ts";
import type { ServedNode } from "./tree.ts";
import { earlierFields, granulesOf, pathsOf, rootAttributes, type TreeParts } from "./tree-parts.ts";

/**
 * @throws ZarrsiftError `layout_unsupported` where granules differ, `field_collision` where a field finds no name,
 *   `bad_request` for a variable that is not there
 */
export async function stackedTree(parts: TreeParts): Promise<{ tree: FixedTree; agreed?: string }> {
  const { source, idx, fields, loadField, definition } = parts;
  const root = (await source.hierarchy.node("", parts.options))?.attributes ?? {};
  const columns = source.table.columns;
  const meta = await metaArrays({ fields, idx, columns, load: loadField, locations: undefined });
  const nodes = new Map<string, ServedNode>();
  nodes.set("meta", { path: "meta", meta: emptyGroup, attributes: {} });
  for (const array of meta.values()) nodes.set(array.path, array);
  const make = definition.groupBy ? addStacks : definition.layout === "concatenated" ? addEnds : addOne;
  const { attributes, facts, agreed } = await make(nodes, parts, root);
  const announced = { columns: [...meta.keys()], fields: [], ...facts };
  nodes.set("", { path: "", meta: emptyGroup, attributes: rootAttributes(attributes, parts, announced) });
  const tree = new FixedTree(nodes);
  return agreed ? { tree, agreed: writeJson(Object.fromEntries(agreed)) } : { tree };
}

/** Attributes of the view's root, and what it says of itself: see announced.ts. */
interface AboutRoot {
  attributes: JsonObject;
  facts: JsonObject;
  agreed?: Stack["agreed"];
}

async function addOne(
  nodes: Map<string, ServedNode>,
  parts: TreeParts,
  root: JsonObject,
): Promise<AboutRoot> {
  const stack = await oneStack(parts, root);
  const { coordinates, written } = await addStack(nodes, stack, parts.idx, "", parts);
  const attributes = { ...stack.attributes, ...withoutCoordinates(root) };
  const facts = { fields: written, dimension: stack.dimension, coordinates };
  return { attributes: withCoordinates(attributes, coordinates), facts, agreed: stack.agreed };
}

async function addStacks(
  nodes: Map<string, ServedNode>,
  parts: TreeParts,
  root: JsonObject,
): Promise<AboutRoot> {
  const stacks: JsonObject[] = [];
  for (const { stack, idx } of await stacksOf(parts, root)) {
    const path = `stack_${stacks.length}`;
    const { coordinates, written } = await addStack(nodes, stack, idx, `${path}/`, parts);
    const attributes = withCoordinates(stack.attributes, coordinates);
    nodes.set(path, { path, meta: emptyGroup, attributes });
    stacks.push({ dimension: stack.dimension, coordinates, fields: written });
  }
  return { attributes: withoutCoordinates(root), facts: { layout: "stacks", stacks } };
}

async function addEnds(
  nodes: Map<string, ServedNode>,
  parts: TreeParts,
  root: JsonObject,
): Promise<AboutRoot> {
  const stack = await concatenate(await granulesInput(parts, root), parts.options);
  const { arrays, rowCount } = rowArrays(stack);
  const { coordinates, written } = await addStack(nodes, stack, parts.idx, "", parts, arrays);
  const attributes = { ...stack.attributes, ...withoutCoordinates(root) };
  const { along, dimension } = stack;
  const layout = { layout: "concatenated", along, dimension, row_count: rowCount };
  return {
    attributes: withCoordinates(attributes, coordinates),
    facts: { ...layout, fields: written, coordinates },
  };
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

/** Arrays that are stacked already are regrouped; everything else is stacked, one granule a chunk. */
async function oneStack(parts: TreeParts, root: JsonObject): Promise<Stack> {
  const { location } = parts.source;
  const { idx } = parts;
  if (location.kind === "stacked") {
    const made = announcedCoordinates(root);
    const stack = await restacked(parts, root, { prefix: "", arrays: location.arrays, made }, idx, 0);
    refuseUnknown(parts.definition.variables ?? [], stack.arrays.keys());
    return stack;
  }
  if (location.kind === "stacks") {
    const first = location.stackOf[idx[0] ?? 0];
    const same = idx.every((row) => location.stackOf[row] === first);
    if (same && idx.length > 0) return (await restackedEach(parts, root, location))[0]!.stack;
  }
  const { agreed } = parts.definition;
  const known = agreed === undefined ? undefined : new Map(Object.entries(parseAgreed(agreed)));
  return stackGranules({ ...(await granulesInput(parts, root)), agreed: known }, parts.options);
}

const parseAgreed = (text: string) => parseJson(text, "the view's definition") as Record<string, JsonObject>;

/** @param position The first of the view's rows in it */
async function restacked(
  parts: TreeParts,
  root: JsonObject,
  location: StackLocation,
  idx: Float64Array,
  position: number,
): Promise<Stack> {
  const { source, definition, options } = parts;
  const { hierarchy, store } = source;
  const variables = definition.variables && new Set(definition.variables);
  const written = idx.length > 0 ? await earlierValues(parts, root)(position) : new Map<string, JsonValue>();
  const own = (attributes: JsonObject) => withoutFields(attributes, written);
  return restackSource({ store, hierarchy, location, idx, variables, own }, options);
}

/** Which granule each row along the axis is of, and how many rows each has: CF's indexed and contiguous ragged arrays. */
function rowArrays({ along, starts, dimension, arrays }: Concatenation) {
  const taken = namesIn([...arrays].map(([path, { meta }]): [string, ArrayMeta] => [path, meta]));
  const total = starts.at(-1)!;
  const granule = intArray((row) => granuleAt(starts, row), total, along, { instance_dimension: dimension });
  const rowsOf = (i: number) => starts[i + 1]! - starts[i]!;
  const counts = intArray(rowsOf, starts.length - 1, dimension, { sample_dimension: along });
  const rowCount = freeName("row_count", taken);
  const own = new Map([
    [freeName("granule", taken), granule],
    [rowCount, counts],
  ]);
  return { arrays: own, rowCount };
}

/** One for each encoding; arrays that are stacked already have one, or one each. */
async function stacksOf(parts: TreeParts, root: JsonObject): Promise<{ stack: Stack; idx: Float64Array }[]> {
  const { source, idx, options } = parts;
  const { location } = source;
  if (location.kind === "stacked") return [{ stack: await oneStack(parts, root), idx }];
  if (location.kind === "stacks") return restackedEach(parts, root, location);
  const stacks = await stackByEncoding(await granulesInput(parts, root), options);
  return stacks.map(({ stack, positions }) => ({
    stack,
    idx: Float64Array.from(positions, (position) => idx[position]!),
  }));
}

/** The stacks that the view's rows are in, in the order of their first rows. */
async function restackedEach(parts: TreeParts, root: JsonObject, location: Stacks) {
  const { idx } = parts;
  const positions = new Map<number, number[]>();
  for (const [i, row] of idx.entries()) {
    const stack = location.stackOf[row]!;
    const own = positions.get(stack);
    if (own) own.push(i);
    else positions.set(stack, [i]);
  }
  const stacks = await mapLimit([...positions], 1, async ([i, own]) => {
    const { path, arrays, coordinates } = location.stacks[i]!;
    const place = { prefix: `${path}/`, arrays, made: coordinates };
    const rows = Float64Array.from(own, (position) => idx[position]!);
    const along = rows.map((row) => location.position[row]!);
    return { stack: await restacked(parts, root, place, along, own[0]!), idx: rows };
  });
  const shown = stacks.flatMap(({ stack }) => [...stack.arrays.keys()]);
  if (idx.length > 0) refuseUnknown(parts.definition.variables ?? [], shown);
  return stacks;
}

async function granulesInput(parts: TreeParts, root: JsonObject): Promise<GranulesInput> {
  const { source, definition, idx, options } = parts;
  const { table, location } = source;
  const before = earlierValues(parts, root);
  return {
    granules: granulesOf(source),
    idx,
    paths: options.paths ?? (await pathsOf(idx, table, location, options)),
    variables: definition.variables && new Set(definition.variables),
    own: async (attributes, position) => withoutFields(attributes, await before(position)),
  };
}

/** What the source, where it is a view itself, has written into the granule at a position. */
function earlierValues({ source, idx }: TreeParts, root: JsonObject) {
  const earlier = earlierFields(source, root, idx);
  return async (position: number): Promise<Map<string, JsonValue>> =>
    (await earlier?.(position)) ?? new Map<string, JsonValue>();
}
