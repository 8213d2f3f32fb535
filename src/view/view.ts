import type { AsyncReadable } from "@zarrita/storage";
import type { ReadOptions, Store } from "../store/store.ts";
import type { Face, Layout, ViewDefinition, ViewFace } from "./api.ts";
import type { VersionGuard } from "./guard.ts";
import { type SpotCheckOptions, spotCheck } from "./spot-check.ts";
import { faceStore, readable } from "./stores.ts";
import type { ViewTree } from "./tree.ts";
import { TreeFace } from "./view-face.ts";

/** What a view is made again from. */
export interface ViewOrigin {
  guard: VersionGuard;
  /** Nodes below a group up to which its metadata is consolidated. */
  consolidatedNodes: number;
  /** The view that a definition describes. */
  restore(definition: ViewDefinition, options?: ReadOptions): Promise<View>;
}

/**
 * A virtual Zarr hierarchy that holds only the granules of some rows, their chunks untouched, the requested metadata
 * flattened into attributes. It never changes: when its source does, reading it fails with `source_changed`.
 */
export class View {
  /** Hash of collection, version, idx, fields, layout and variables. */
  readonly id: string;
  /** Granules in it. */
  readonly count: number;
  /** Rows left out because their granule is not in the source. */
  readonly skipped: number;
  /** Names of its fields, `idx` first. */
  readonly fields: string[];
  readonly layout: Layout;
  readonly version: string;
  /** All that makes it, as plain JSON: `Collection.restore` makes it again. */
  readonly definition: ViewDefinition;
  readonly #tree: ViewTree;
  readonly #origin: ViewOrigin;
  readonly #faces: Record<Face, TreeFace>;

  /** Made by `createView`. */
  constructor(definition: ViewDefinition, fields: string[], tree: ViewTree, origin: ViewOrigin) {
    const { guard, consolidatedNodes: most } = origin;
    this.id = definition.id;
    this.count = definition.count;
    this.skipped = definition.skipped;
    this.fields = fields;
    this.layout = definition.layout;
    this.version = definition.version;
    this.definition = definition;
    this.#tree = tree;
    this.#origin = origin;
    // Made again at another time, the same view may show other bytes.
    const tag = `${definition.id.slice(0, 16)}${definition.made?.toString(36) ?? ""}`;
    this.#faces = {
      2: new TreeFace(tree, 2, tag, guard, most),
      3: new TreeFace(tree, 3, tag, guard, most),
    };
  }

  /**
   * The same view as it would be had it been made at another time: of a plain source, what was written since then is
   * `source_changed`.
   *
   * @param made milliseconds since 1970
   */
  async asOf(made: number, options?: ReadOptions): Promise<View> {
    const { definition } = this;
    if (definition.made === undefined || definition.made === made) return this;
    return this.#origin.restore({ ...definition, made }, options);
  }

  /**
   * Looks at some of its granules, few enough to do so now and then: not all that has changed is found.
   * @throws ZarrsiftError `source_changed`, and as reading does
   */
  async spotCheck(options?: SpotCheckOptions): Promise<void> {
    if (this.definition.made !== undefined) await spotCheck(this.#tree, options);
  }

  /** Keys → documents and chunks, as a server needs them. */
  face(face: Face): ViewFace {
    return this.#faces[face];
  }

  /** The view as a zarrita store: `zarr.open(view.store(3))`, in this process, with no server. */
  store(face: Face = 3): AsyncReadable {
    return readable(this.asStore(face));
  }

  /** The view as a source of its own: it can be opened, queried and viewed again. */
  asStore(face: Face = 3): Store {
    return faceStore(this.#faces[face], this.id);
  }
}
