/** The hierarchy of a view in the stacked layout: arrays along the granules, and every field as a coordinate of them. */
import { announcedFields } from "../table/announcement.ts";
import type { JsonObject, JsonValue } from "../zarr/json.ts";
import { withCoordinates, withoutCoordinates } from "./announced.ts";
import { coordinateArrays } from "./coordinates.ts";
import { emptyGroup } from "./empty-group.ts";
import { flatten, withoutFields } from "./fields.ts";
import { FixedTree } from "./fixed-tree.ts";
import { metaArrays } from "./meta-group.ts";
import { restackSource } from "./restack-source.ts";
import { singleValues } from "./single-values.ts";
import { namesIn, type Stack } from "./stack.ts";
import { stackGranules } from "./stack-granules.ts";
import type { ServedNode } from "./tree.ts";
import { earlierFields, pathsOf, rootAttributes, type TreeParts } from "./tree-parts.ts";

/**
 * @throws ZarrsiftError `layout_unsupported` where granules differ, `field_collision` where a field finds no name,
 *   `bad_request` for a variable that is not there
 */
export async function stackedTree(parts: TreeParts): Promise<FixedTree> {
  const { source, idx, fields, loadField, options } = parts;
  const root = (await source.hierarchy.node("", options))?.attributes ?? {};
  const stack = await stackOf(parts, root);
  const common = { idx, columns: source.table.columns, load: loadField };
  const coordinates = await coordinateArrays({
    ...common,
    fields: fields.columns,
    dimension: stack.dimension,
    taken: namesIn([...stack.arrays].map(([path, { meta }]) => [path, meta])),
  });
  const meta = await metaArrays({ ...common, fields, locations: undefined });
  const single = await singleValues(fields.columns, idx, loadField);
  const written = fields.namesOn("array").filter((name) => single.has(name));
  const nodes = new Map<string, ServedNode>();
  const facts = {
    columns: [...meta.keys()],
    fields: written,
    dimension: stack.dimension,
    coordinates: [...coordinates.keys()],
  };
  const attributes = withCoordinates({ ...stack.attributes, ...withoutCoordinates(root) }, facts.coordinates);
  nodes.set("", { path: "", meta: emptyGroup, attributes: rootAttributes(attributes, parts, facts) });
  nodes.set("meta", { path: "meta", meta: emptyGroup, attributes: {} });
  for (const array of meta.values()) nodes.set(array.path, array);
  for (const [path, group] of stack.groups) nodes.set(path, { path, ...group });
  for (const [path, array] of stack.arrays) {
    nodes.set(path, { path, ...array, attributes: flatten(array.attributes, single, written, path) });
  }
  for (const [path, array] of coordinates) nodes.set(path, array);
  return new FixedTree(nodes);
}

async function stackOf({ source, definition, idx, options }: TreeParts, root: JsonObject): Promise<Stack> {
  const { hierarchy, store, table, location } = source;
  const variables = definition.variables && new Set(definition.variables);
  const earlier = earlierFields(table, announcedFields(root), idx);
  const before = async (position: number): Promise<Map<string, JsonValue>> =>
    (await earlier?.(position)) ?? new Map();
  if (location.kind === "column") {
    const paths = options.paths ?? (await pathsOf(idx, table, location, options));
    const own = async (attributes: JsonObject, position: number) =>
      withoutFields(attributes, await before(position));
    return stackGranules({ store, hierarchy, idx, paths, variables, own }, options);
  }
  const written = idx.length > 0 ? await before(0) : new Map<string, JsonValue>();
  const own = (attributes: JsonObject) => withoutFields(attributes, written);
  return restackSource({ store, hierarchy, location, idx, variables, own }, options);
}
