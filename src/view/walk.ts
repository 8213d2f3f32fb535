import { mapAhead, mapLimit } from "../abort.ts";
import { isZarrsiftError } from "../errors.ts";
import type { ReadOptions } from "../store/store.ts";
import { gridShape } from "../zarr/metadata.ts";
import { isArray, type ServedNode, type ViewTree } from "./tree.ts";

/**
 * Every node below `top`, parents before what they hold.
 *
 * @returns `undefined` where there are more than `most`, as the first granule's size tells before the others are read, or
 *   where the source cannot list what a granule holds
 */
export async function nodesBelow(
  tree: ViewTree,
  top: string,
  most: number,
  options?: ReadOptions,
): Promise<ServedNode[] | undefined> {
  try {
    const granules = tree.granulesBelow(top);
    const first = granules[0];
    if (first !== undefined && granules.length * (1 + (await below(tree, first, options)).length) > most)
      return undefined;
    const nodes = await below(tree, top, options);
    return nodes.length > most ? undefined : nodes;
  } catch (error) {
    if (isZarrsiftError(error, "not_listable")) return undefined;
    throw error;
  }
}

/** Every node below a path, parents before what they hold. */
export async function below(tree: ViewTree, path: string, options?: ReadOptions): Promise<ServedNode[]> {
  const names = (await tree.children(path, options)) ?? [];
  const parts = await mapLimit(names, 16, async (name) => {
    const node = await tree.node(path ? `${path}/${name}` : name, options);
    if (!node) return [];
    return isArray(node) ? [node] : [node, ...(await below(tree, node.path, options))];
  });
  return parts.flat();
}

/** Granules whose nodes are read before they are needed. */
const GRANULES_AHEAD = 16;

/**
 * Every node of a view, parents before what they hold and granules in the view's order, with the share of the view that
 * ends there: by granules where the layout keeps them apart, else by chunks.
 */
export async function* everyNode(
  tree: ViewTree,
  options?: ReadOptions,
): AsyncGenerator<{ node: ServedNode; part: number }> {
  const granules = tree.granulesBelow("");
  const root = (await tree.node("", options))!;
  yield { node: root, part: 0 };
  if (granules.length === 0) return yield* byChunks(await below(tree, "", options));
  const meta = (await tree.node("meta", options))!;
  for (const node of [meta, ...(await below(tree, "meta", options))]) yield { node, part: 0 };
  const seen = new Set([""]);
  let done = 0;
  for await (const nodes of mapAhead(granules, GRANULES_AHEAD, (path) => granuleNodes(tree, path, options))) {
    const path = nodes[0]!.path;
    for (const above of ancestors(path)) {
      if (seen.has(above)) continue;
      seen.add(above);
      yield { node: (await tree.node(above, options))!, part: done / granules.length };
    }
    done++;
    for (const node of nodes) yield { node, part: done / granules.length };
  }
}

/** A granule and every node below it. */
export async function granuleNodes(
  tree: ViewTree,
  path: string,
  options?: ReadOptions,
): Promise<ServedNode[]> {
  const node = (await tree.node(path, options))!;
  return isArray(node) ? [node] : [node, ...(await below(tree, path, options))];
}

/** `a`, `a/b` of `a/b/c`. */
function ancestors(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
}

function* byChunks(nodes: readonly ServedNode[]): Generator<{ node: ServedNode; part: number }> {
  const sizes = nodes.map((node) => (isArray(node) ? gridShape(node.meta).reduce((a, b) => a * b, 1) : 0));
  const total = Math.max(
    1,
    sizes.reduce((a, b) => a + b, 0),
  );
  let done = 0;
  for (const [i, node] of nodes.entries()) {
    done += sizes[i]!;
    yield { node, part: done / total };
  }
}
