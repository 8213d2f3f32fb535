/** What a granule holds: a group or array of the source, or one position along stacked arrays. */
import type { ReadOptions, Store } from "../store/store.ts";
import type { Hierarchy } from "../zarr/hierarchy.ts";
import type { ArrayMeta, GroupMeta } from "../zarr/metadata.ts";
import { type ChunkSource, chunksAt, type StoredChunks } from "./chunks.ts";

export type GranuleNode =
  | { meta: GroupMeta }
  | { meta: ArrayMeta; chunks: ChunkSource; stored?: StoredChunks };

export interface GranuleSource {
  /** The node at `inside` ("" is the granule itself) of row `idx`, whose granule is at `path` in the view. */
  node(idx: number, path: string, inside: string, options?: ReadOptions): Promise<GranuleNode | undefined>;
  /** Names below it; `undefined` where the source cannot tell. */
  children(idx: number, path: string, inside: string, options?: ReadOptions): Promise<string[] | undefined>;
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

  children(
    _idx: number,
    granule: string,
    inside: string,
    options?: ReadOptions,
  ): Promise<string[] | undefined> {
    return this.#hierarchy.children(join(granule, inside), options);
  }
}

function join(granule: string, inside: string): string {
  return inside === "" ? granule : `${granule}/${inside}`;
}
