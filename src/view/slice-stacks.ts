/** Granules of a view that has several stacks: a position along the first axis of one of them. */
import type { ReadOptions, Store } from "../store/store.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import type { ChunkSource } from "./chunks.ts";
import type { GranuleNode, GranuleSource } from "./granule-source.ts";
import type { Stacks } from "./location.ts";
import { oneEach, SlicedGranules } from "./slice.ts";

/** `/granules/<idx>/<variable>` of a view with a stack for each encoding. */
export class StacksGranules implements GranuleSource {
  readonly #location: Stacks;
  readonly #stacks: SlicedGranules[];

  constructor(location: Stacks, store: Store) {
    this.#location = location;
    this.#stacks = location.stacks.map(({ path, arrays }) => new SlicedGranules(arrays, store, `${path}/`));
  }

  node(idx: number, path: string, inside: string): Promise<GranuleNode | undefined> {
    return this.#stackOf(idx).node(this.#location.position[idx]!, path, inside);
  }

  children(idx: number, path: string, inside: string, _options?: ReadOptions): Promise<string[] | undefined> {
    return this.#stackOf(idx).children(this.#location.position[idx]!, path, inside);
  }

  chunks(idx: number, path: string, inside: string): ChunkSource {
    return this.#stackOf(idx).chunks(this.#location.position[idx]!, path, inside);
  }

  stacked(idx: Float64Array, paths: readonly string[], inside: string, _meta: ArrayMeta): ChunkSource {
    return oneEach((row) => this.chunks(idx[row]!, paths[row]!, inside));
  }

  #stackOf(idx: number): SlicedGranules {
    return this.#stacks[this.#location.stackOf[idx]!]!;
  }
}
