import { mapLimit } from "../abort.ts";
import { isZarrsiftError } from "../errors.ts";
import type { ReadOptions } from "../store/store.ts";
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

async function below(tree: ViewTree, path: string, options?: ReadOptions): Promise<ServedNode[]> {
  const names = (await tree.children(path, options)) ?? [];
  const parts = await mapLimit(names, 16, async (name) => {
    const node = await tree.node(path ? `${path}/${name}` : name, options);
    if (!node) return [];
    return isArray(node) ? [node] : [node, ...(await below(tree, node.path, options))];
  });
  return parts.flat();
}
