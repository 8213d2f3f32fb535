import { abortable } from "../abort.ts";
import { ZarrsiftError } from "../errors.ts";
import { Lru } from "../lru.ts";
import { Latest } from "../store/latest.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import { type Consolidated, consolidatedV2, consolidatedV3 } from "./consolidated.ts";
import { Documents } from "./documents.ts";
import type { NodeMeta } from "./metadata.ts";
import type { NodeDocuments } from "./parse.ts";

export interface HierarchyOptions extends ReadOptions {
  /** Nodes kept in memory. Default 20,000. */
  nodesKept?: number;
}

/** When documents were read, and when the latest of them was written, as `ReadOptions.onModified` tells it. */
export interface ReadTimes {
  at: number;
  modified: number | undefined;
}

/** Lets a node pass that was read from these documents, the one it cannot be without first. */
export type Hold = (documents: readonly string[], times: ReadTimes, options: ReadOptions) => Promise<void>;

interface Read {
  node: NodeMeta | undefined;
  /** Of its own documents; `undefined` of what consolidated metadata tells. */
  times: ReadTimes | undefined;
}

const CONSOLIDATED_KEPT = 1000;
const V2_NAMES = [".zarray", ".zgroup", ".zattrs"] as const;

/**
 * The groups and arrays of a store, v2 or v3. Paths have no leading slash; "" is the root.
 *
 * Consolidated metadata is believed where it says something, and anything it leaves out is looked for in the store.
 * Nodes are read once and kept; a failed read is not.
 */
export class Hierarchy {
  readonly format: 2 | 3;
  /** Nodes kept in memory. */
  readonly nodesKept: number;
  readonly #store: Store;
  #nodes: Lru<Read>;
  readonly #documents = new Documents();
  /** See `ReadOptions`. */
  readonly #keep: boolean | undefined;
  #children: Lru<{ names: string[] | undefined }>;
  /** By path of the group that holds it; made again from the group's document, or read again, where it was dropped. */
  #consolidated = new Lru<{ consolidated: Consolidated | undefined }>(CONSOLIDATED_KEPT);
  #hold: Hold | undefined;

  private constructor(store: Store, format: 2 | 3, { nodesKept = 20_000, keep }: HierarchyOptions) {
    this.#store = store;
    this.format = format;
    this.nodesKept = nodesKept;
    this.#keep = keep;
    this.#nodes = new Lru(nodesKept);
    this.#children = new Lru(nodesKept);
  }

  /** @throws ZarrsiftError `source_not_found` where the store has no Zarr root, `corrupt_metadata` where it is damaged */
  static async open(store: Store, options: HierarchyOptions = {}): Promise<Hierarchy> {
    const v3 = new Hierarchy(store, 3, options);
    if (await v3.node("", options)) return v3;
    const v2 = new Hierarchy(store, 2, options);
    if (await v2.node("", options)) return v2;
    throw new ZarrsiftError(
      "source_not_found",
      `${store.url} holds no Zarr hierarchy: there is no zarr.json, .zgroup or .zarray at its root. Name the directory or URL they are in`,
      { details: { source: store.url } },
    );
  }

  /** The same, sharing what is kept, of which nodes below the root are handed out as `hold` lets them pass. */
  held(hold: Hold): Hierarchy {
    const held = new Hierarchy(this.#store, this.format, { nodesKept: this.nodesKept, keep: this.#keep });
    held.#nodes = this.#nodes;
    held.#children = this.#children;
    held.#consolidated = this.#consolidated;
    held.#hold = hold;
    return held;
  }

  /**
   * The node at `path`; `undefined`: there is none.
   * @throws ZarrsiftError `corrupt_metadata`, `encoding_unsupported`, and what the store throws
   */
  async node(path: string, options: ReadOptions = {}): Promise<NodeMeta | undefined> {
    options.signal?.throwIfAborted();
    const { node, times } = await abortable(
      this.#nodes.load(
        path,
        () => this.#load(path),
        () => 1,
      ),
      options.signal,
    );
    if (node && times && path !== "") await this.#hold?.(documentKeys(path, node), times, options);
    return node;
  }

  /**
   * As `node`, of a group that may have consolidated metadata of its own, which v2 keeps in another document: that is
   * read at the same time, and tells of the nodes below it from then on.
   */
  async consolidatedNode(path: string, options: ReadOptions = {}): Promise<NodeMeta | undefined> {
    if (this.format === 3 || this.isConsolidated(path)) return this.node(path, options);
    const [node] = await Promise.all([this.node(path, options), this.#consolidate(path)]);
    return node;
  }

  /**
   * Names directly below a group, sorted; none below an array. Where the store lists folders, one that holds no node
   * is among them: `node` tells.
   *
   * @returns `undefined` where nothing tells: no consolidated metadata, and a store that cannot list
   */
  async children(path: string, options: ReadOptions = {}): Promise<string[] | undefined> {
    options.signal?.throwIfAborted();
    const load = async () => ({ names: await this.#findChildren(path) });
    return (
      await abortable(
        this.#children.load(path, load, () => 1),
        options.signal,
      )
    ).names;
  }

  /** Whether consolidated metadata, as far as it was read, tells of a node, so that its own documents are not. */
  isConsolidated(path: string): boolean {
    return [...this.#consolidatedAbove(path)].some(([above, inside]) => above.get(inside));
  }

  /** Names that consolidated metadata alone tells, without asking the store; `undefined` where none knows the group. */
  consolidatedChildren(path: string): string[] | undefined {
    const known = this.#knownChildren(path);
    return known && [...known].sort();
  }

  async #findChildren(path: string): Promise<string[] | undefined> {
    // Far away, one is not to wait for the other.
    const early = this.#nodes.get(path) ? undefined : this.#store.list(path);
    const [node, found] = await Promise.all([this.node(path), early]);
    if (node?.nodeType === "array") return [];
    const listing = early ? found : await this.#store.list(path);
    if (node && this.format === 3) await this.#consolidate(path, node);
    let known = this.#knownChildren(path);
    if (node && !listing && !known) {
      await this.#consolidate(path, node);
      known = this.#knownChildren(path);
    }
    if (!listing && !known) return undefined;
    const names = new Set([...(known ?? []), ...(listing?.prefixes ?? [])]);
    return [...names].filter((name) => !name.startsWith(".")).sort();
  }

  /** What all consolidated metadata at and above `path` say together; `undefined` where none knows it. */
  #knownChildren(path: string): Set<string> | undefined {
    let names: Set<string> | undefined;
    for (const [consolidated, inside] of this.#consolidatedAbove(path)) {
      const known = consolidated.children(inside);
      if (known) names = new Set([...(names ?? []), ...known]);
    }
    return names;
  }

  /** Consolidated metadata of the groups above and at `path`, the root's first, and where `path` is within each. */
  *#consolidatedAbove(path: string): Generator<[Consolidated, string]> {
    for (let end = 0; end >= 0; end = end === path.length ? -1 : nextSlash(path, end)) {
      const kept = this.#consolidated.get(path.slice(0, end))?.consolidated;
      if (kept) yield [kept, path.slice(end === 0 ? 0 : end + 1)];
    }
  }

  /** Makes a group's own consolidated metadata known, which v2 keeps in a document of its own. */
  async #consolidate(path: string, group?: NodeMeta): Promise<void> {
    const load = async () => {
      if (this.format === 3) return { consolidated: group && consolidatedV3(group.document) };
      const document = await this.#read(path, ".zmetadata");
      return { consolidated: document && consolidatedV2(document) };
    };
    await this.#consolidated.load(path, load, () => 1);
  }

  async #load(path: string): Promise<Read> {
    for (const [consolidated, inside] of this.#consolidatedAbove(path)) {
      const documents = inside === "" ? undefined : consolidated.get(inside);
      const node = documents && this.#documents.node(documents, path);
      if (node) return { node, times: undefined };
    }
    const [at, modified] = [Date.now(), new Latest()];
    const early = this.format === 2 && path === "" ? this.#consolidate(path) : undefined;
    const [documents] = await Promise.all([
      this.format === 3 ? this.#readV3(path, modified) : this.#readV2(path, modified),
      early,
    ]);
    const node = this.#documents.node(documents, path);
    if (node?.nodeType === "group" && this.format === 3) await this.#consolidate(path, node);
    return { node, times: { at, modified: modified.time } };
  }

  async #readV3(path: string, modified: Latest): Promise<NodeDocuments> {
    return { "zarr.json": await this.#read(path, "zarr.json", modified) };
  }

  async #readV2(path: string, modified: Latest): Promise<NodeDocuments> {
    const documents = await Promise.all(V2_NAMES.map((name) => this.#read(path, name, modified)));
    return Object.fromEntries(V2_NAMES.map((name, i) => [name, documents[i]]));
  }

  async #read(path: string, name: string, modified?: Latest) {
    const key = path === "" ? name : `${path}/${name}`;
    const told = new Latest();
    const bytes = await this.#store.get(key, { onModified: told.note, keep: this.#keep });
    // Of a document that is not there, the time is its folder's.
    if (bytes && told.time !== undefined) modified?.note(told.time);
    return bytes && this.#documents.parse(bytes, `${this.#store.url}/${key}`);
  }
}

/** Keys of the documents of a node, the one it cannot be without first. */
export function documentKeys(
  path: string,
  { format, nodeType }: Pick<NodeMeta, "format" | "nodeType">,
): string[] {
  const names = format === 3 ? ["zarr.json"] : [nodeType === "array" ? ".zarray" : ".zgroup", ".zattrs"];
  return names.map((name) => `${path}/${name}`);
}

/** The end of the next longer path, in segments; that of `path` itself in the end. */
function nextSlash(path: string, after: number): number {
  const slash = path.indexOf("/", after + 1);
  return slash < 0 ? path.length : slash;
}
