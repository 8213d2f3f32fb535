import { isArray, type ServedNode, type ViewTree } from "./tree.ts";

/** The hierarchy of a view whose nodes are known when it is made: as many as its variables, however many granules it has. */
export class FixedTree implements ViewTree {
  readonly #nodes: ReadonlyMap<string, ServedNode>;
  readonly #children = new Map<string, string[]>();

  /** `nodes` by path, "" the root's; every group above a node is among them. */
  constructor(nodes: ReadonlyMap<string, ServedNode>) {
    this.#nodes = nodes;
    for (const [path, node] of nodes) {
      if (!isArray(node) && !this.#children.has(path)) this.#children.set(path, []);
      if (path === "") continue;
      const slash = path.lastIndexOf("/");
      const parent = slash < 0 ? "" : path.slice(0, slash);
      const siblings = this.#children.get(parent) ?? [];
      this.#children.set(parent, siblings);
      siblings.push(path.slice(slash + 1));
    }
  }

  granulesBelow(): readonly string[] {
    return [];
  }

  async node(path: string): Promise<ServedNode | undefined> {
    return this.#nodes.get(path);
  }

  async children(path: string): Promise<string[] | undefined> {
    return this.#children.get(path)?.toSorted();
  }
}
