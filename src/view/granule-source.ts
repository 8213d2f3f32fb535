/** What a granule holds: a group or array of the source, or a part of arrays that hold many. */
import type { ReadOptions, Store } from "../store/store.ts";
import { documentKeys, type Hierarchy } from "../zarr/hierarchy.ts";
import { type ArrayMeta, chunkKey, type GroupMeta } from "../zarr/metadata.ts";
import { type ChunkSource, chunksAt, StoredChunks } from "./chunks.ts";

export type GranuleNode =
  | { meta: GroupMeta }
  | { meta: ArrayMeta; chunks: ChunkSource; stored?: StoredChunks };

export interface GranuleSource {
  /** The node at `inside` ("" is the granule itself) of row `idx`, whose granule is at `path` in the view. */
  node(idx: number, path: string, inside: string, options?: ReadOptions): Promise<GranuleNode | undefined>;
  /** Names below it; `undefined` where the source cannot tell. */
  children(idx: number, path: string, inside: string, options?: ReadOptions): Promise<string[] | undefined>;
  /** The names below it that are known without a request each: of thousands of granules these are what is looked at. */
  knownChildren?(path: string, inside: string): string[] | undefined;
  /** Chunks of the array at `inside`, which `meta` describes; nothing is read yet. */
  chunks(idx: number, path: string, inside: string, meta: ArrayMeta): ChunkSource;
  /**
   * Chunks of one array of many granules, the granule's position in the lists being the first coordinate; `meta`
   * describes that of each.
   */
  stacked(idx: Float64Array, paths: readonly string[], inside: string, meta: ArrayMeta): ChunkSource;
}

/** Granules at their own paths in the source. */
export class PathGranules implements GranuleSource {
  readonly #hierarchy: Hierarchy;
  readonly #store: Store;

  constructor(hierarchy: Hierarchy, store: Store) {
    this.#hierarchy = hierarchy;
    this.#store = store;
  }

  async node(
    _idx: number,
    granule: string,
    inside: string,
    options?: ReadOptions,
  ): Promise<GranuleNode | undefined> {
    const path = join(granule, inside);
    const meta = await this.#hierarchy.node(path, options);
    if (meta?.nodeType !== "array") return meta && { meta };
    const chunks = chunksAt(this.#store, path, meta);
    return { meta, chunks, stored: chunks };
  }

  async children(
    _idx: number,
    granule: string,
    inside: string,
    options?: ReadOptions,
  ): Promise<string[] | undefined> {
    return this.#hierarchy.children(join(granule, inside), options);
  }

  knownChildren(granule: string, inside: string): string[] | undefined {
    return this.#hierarchy.consolidatedChildren(join(granule, inside));
  }

  chunks(_idx: number, granule: string, inside: string, meta: ArrayMeta): StoredChunks {
    return chunksAt(this.#store, join(granule, inside), meta);
  }

  stacked(_idx: Float64Array, paths: readonly string[], inside: string, meta: ArrayMeta): StoredChunks {
    const { chunkKeys } = meta;
    const pathOf = (row: number) => join(paths[row]!, inside);
    return new StoredChunks(
      this.#store,
      ([row, ...rest]) => `${pathOf(row!)}/${chunkKey(chunkKeys, rest)}`,
      ([row]) => documentKeys(pathOf(row!), meta),
    );
  }
}

function join(granule: string, inside: string): string {
  return inside === "" ? granule : `${granule}/${inside}`;
}

/** Names below the groups that a fixed set of arrays is in. */
export class ArrayNames {
  readonly #groups = new Map<string, Set<string>>([["", new Set()]]);

  constructor(paths: Iterable<string>) {
    for (const path of paths) this.#add(path);
  }

  isGroup(path: string): boolean {
    return this.#groups.has(path);
  }

  below(path: string): string[] {
    return [...(this.#groups.get(path) ?? [])].sort();
  }

  #add(path: string): void {
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : path.slice(0, slash);
    const siblings = this.#groups.get(parent);
    if (siblings) {
      siblings.add(path.slice(slash + 1));
      return;
    }
    this.#groups.set(parent, new Set([path.slice(slash + 1)]));
    this.#add(parent);
  }
}
