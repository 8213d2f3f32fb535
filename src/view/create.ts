/** Rows of a collection → a view. */
import { withoutCoordinates } from "./announced.ts";
import type { ViewDefinition } from "./api.ts";
import { Fields } from "./fields.ts";
import { metaArrays } from "./meta-group.ts";
import { unknownVariable } from "./stack.ts";
import { stackedTree } from "./stacked-tree.ts";
import { GranulesTree, isArray } from "./tree.ts";
import {
  type CreateOptions,
  earlierFields,
  type FieldSource,
  granulesOf,
  pathsOf,
  rootAttributes,
  type TreeParts,
  type ViewSource,
} from "./tree-parts.ts";
import { withArrayNames } from "./unknown-variable.ts";
import { View, type ViewOrigin } from "./view.ts";
import { nodesBelow } from "./walk.ts";

/** The view a definition describes. What its locations lead to was checked when it was defined. */
export async function createView(
  source: ViewSource & ViewOrigin,
  definition: ViewDefinition,
  idx: Float64Array,
  fieldSource: FieldSource,
  options: CreateOptions = {},
): Promise<View> {
  const fields = new Fields(fieldSource.columns, idx, fieldSource.load);
  const parts = { source, definition, idx, fields, loadField: fieldLoader(fieldSource), options };
  const make = async () =>
    definition.layout === "granules" ? { tree: await granulesTree(parts) } : stackedTree(parts);
  const { tree, ...found } = await make().catch(async (error) => {
    throw await withArrayNames(error, parts);
  });
  return new View({ ...definition, ...found }, fields.names, tree, source);
}

function fieldLoader({ load }: FieldSource): TreeParts["loadField"] {
  return async (field, rows) => (await load(rows)).vectors[field]!;
}

async function granulesTree(parts: TreeParts): Promise<GranulesTree> {
  const { source, definition, idx, fields, loadField, options } = parts;
  const { hierarchy, store, table, location } = source;
  const paths = options.paths ?? (await pathsOf(idx, table, location, options));
  const locations = paths.map((path) => `/${path}`);
  const arrays = await metaArrays({ fields, idx, locations, columns: table.columns, load: loadField });
  const root = (await hierarchy.node("", options))?.attributes ?? {};
  const tree = new GranulesTree({
    hierarchy,
    granules: granulesOf(source),
    source: store.url,
    idx,
    paths,
    fields,
    earlier: earlierFields(source, root, idx),
    rootAttributes: rootAttributes(withoutCoordinates(root), parts, {
      columns: [...arrays.keys()],
      fields: fields.names,
    }),
    metaArrays: arrays,
    variables: definition.variables && new Set(definition.variables),
  });
  if (options.check) {
    const nodes = await nodesBelow(tree, "", source.consolidatedNodes, options);
    if (nodes && idx.length > 0)
      refuseUnknown(
        definition.variables ?? [],
        nodes.filter(isArray).map(({ path }) => path),
      );
  }
  return tree;
}

function refuseUnknown(variables: readonly string[], paths: readonly string[]): void {
  const unknown = variables.find((variable) => !paths.some((path) => path.endsWith(`/${variable}`)));
  if (unknown !== undefined) throw unknownVariable(unknown);
}
