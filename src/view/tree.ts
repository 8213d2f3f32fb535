/**
 * The hierarchy a view in the granules layout shows: the source's own paths, with only the matching granules, their
 * ancestors, and the view's own `/meta`.
 */
import { abortable } from "../abort.ts";
import { ZarrsiftError } from "../errors.ts";
import { Lru } from "../lru.ts";
import type { ReadOptions } from "../store/store.ts";
import type { Hierarchy } from "../zarr/hierarchy.ts";
import type { JsonObject, JsonValue } from "../zarr/json.ts";
import type { GroupMeta } from "../zarr/metadata.ts";
import { emptyGroup } from "./empty-group.ts";
import type { ServedArray } from "./face.ts";
import { type Fields, flatten, withoutFields } from "./fields.ts";
import type { GranuleSource } from "./granule-source.ts";
import { notThere } from "./granules.ts";
import { refuseMangled } from "./locate.ts";

/** A group of a view, before it is known which face asks. */
export interface ServedGroup {
  path: string;
  meta: GroupMeta;
  attributes: JsonObject;
}

export type ServedNode = ServedGroup | ServedArray;

/** The hierarchy a view shows: paths → groups and arrays. */
export interface ViewTree {
  /** Paths of the granules below a group, where the layout keeps granules apart. */
  granulesBelow(path: string): readonly string[];
  /** @returns `undefined` where the view shows nothing at this path */
  node(path: string, options?: ReadOptions): Promise<ServedNode | undefined>;
  /**
   * Names directly below a group, sorted.
   * @returns `undefined` where `path` is no group of the view
   * @throws ZarrsiftError `not_listable` where the source cannot tell what a granule holds
   */
  children(path: string, options?: ReadOptions): Promise<string[] | undefined>;
}

export const isArray = (node: ServedNode): node is ServedArray => "chunks" in node;

export interface TreeInput {
  /** The source's groups above its granules. */
  hierarchy: Hierarchy;
  granules: GranuleSource;
  /** Where granules come from, for messages. */
  source: string;
  idx: Float64Array;
  /** Path of each row's granule, no leading slash. */
  paths: string[];
  fields: Fields;
  /** Values of the fields that the source, where it is a view itself, has written into row `row`'s granule. */
  earlier: ((row: number) => Promise<Map<string, JsonValue>>) | undefined;
  /** Attributes of the view's root, provenance included. */
  rootAttributes: JsonObject;
  metaArrays: Map<string, ServedArray>;
  /** Paths of arrays relative to their granule; all of them where absent. */
  variables: ReadonlySet<string> | undefined;
}

/** A path in or at a granule. */
interface Place {
  /** Position in the view. */
  row: number;
  idx: number;
  granule: string;
  /** What is below the granule's own path. */
  inside: string;
}

/** Nodes kept for each that the source's hierarchy keeps: views that are read once keep few of either. */
const NODES_KEPT = 2;

/** Paths of a view → groups and arrays, made as they are asked for and kept. */
export class GranulesTree implements ViewTree {
  readonly #input: TreeInput;
  readonly #rowOf: Map<string, number>;
  /** Children of the root and of the groups above granules. */
  readonly #ancestors = new Map<string, Set<string>>([["", new Set(["meta"])]]);
  readonly #nodes: Lru<{ node: ServedNode | undefined }>;

  constructor(input: TreeInput) {
    this.#input = input;
    this.#nodes = new Lru(NODES_KEPT * input.hierarchy.nodesKept);
    this.#rowOf = new Map(input.paths.map((path, row) => [path, row]));
    for (const path of input.paths) this.#addAncestors(path);
  }

  /** None below or at a granule. */
  granulesBelow(path: string): readonly string[] {
    if (path === "") return this.#input.paths;
    return this.#ancestors.has(path)
      ? this.#input.paths.filter((granule) => granule.startsWith(`${path}/`))
      : [];
  }

  async node(path: string, options?: ReadOptions): Promise<ServedNode | undefined> {
    const load = async () => ({ node: await this.#load(path) });
    return (
      await abortable(
        this.#nodes.load(path, load, () => 1),
        options?.signal,
      )
    ).node;
  }

  async children(path: string, options?: ReadOptions): Promise<string[] | undefined> {
    const node = await this.node(path, options);
    if (!node || isArray(node)) return undefined;
    if (path === "meta") return [...this.#input.metaArrays.keys()].sort();
    const above = this.#ancestors.get(path);
    if (above) return [...above].sort();
    const { variables } = this.#input;
    const place = this.granuleAt(path)!;
    const names = await this.#input.granules.children(place.idx, place.granule, place.inside, options);
    if (!names) throw cannotList(path, this.#input.source);
    for (const name of names) if (!variables || variables.has(name)) refuseMangled(`${path}/${name}`);
    if (!variables) return names;
    const shown = await Promise.all(names.map((name) => this.node(`${path}/${name}`, options)));
    return names.filter((_, i) => shown[i] !== undefined);
  }

  /** Whether `path` is a granule, or inside one. */
  granuleAt(path: string): Place | undefined {
    for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) {
      const granule = path.slice(0, end);
      const row = this.#rowOf.get(granule);
      if (row !== undefined) return { row, idx: this.#input.idx[row]!, granule, inside: path.slice(end + 1) };
    }
    return undefined;
  }

  #addAncestors(path: string): void {
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : path.slice(0, slash);
    const siblings = this.#ancestors.get(parent);
    if (siblings) {
      siblings.add(path.slice(slash + 1));
      return;
    }
    this.#ancestors.set(parent, new Set([path.slice(slash + 1)]));
    this.#addAncestors(parent);
  }

  async #load(path: string): Promise<ServedNode | undefined> {
    const { hierarchy, metaArrays, rootAttributes } = this.#input;
    if (path === "meta") return { path, meta: emptyGroup, attributes: {} };
    if (path.startsWith("meta/")) return metaArrays.get(path.slice(5));
    if (this.#ancestors.has(path)) {
      const source = await hierarchy.node(path);
      const meta = source?.nodeType === "group" ? source : emptyGroup;
      return { path, meta, attributes: path === "" ? rootAttributes : meta.attributes };
    }
    const place = this.granuleAt(path);
    return place && this.#inGranule(path, place);
  }

  async #inGranule(path: string, { row, idx, granule, inside }: Place): Promise<ServedNode | undefined> {
    const { granules, fields, variables } = this.#input;
    const node = await granules.node(idx, granule, inside);
    if (!node && inside === "") throw notThere(idx, path);
    if (!node || ("chunks" in node && inside !== "" && variables?.has(inside) === false)) return undefined;
    if (!("chunks" in node) && inside !== "")
      return { path, meta: node.meta, attributes: node.meta.attributes };
    const written = await this.#input.earlier?.(row);
    const own = written ? withoutFields(node.meta.attributes, written) : node.meta.attributes;
    const names = fields.namesOn(node.meta.nodeType);
    return { path, ...node, attributes: flatten(own, await fields.values(row), names, path) };
  }
}

function cannotList(path: string, source: string): ZarrsiftError {
  return new ZarrsiftError(
    "not_listable",
    `What /${path} holds cannot be found: ${source} cannot list its keys and has no consolidated metadata; arrays named ` +
      "directly can still be read",
    { details: { path: `/${path}` } },
  );
}
