/** Searches a Flatbush / geo-index tree a level at a time, reading only the pages that it walks. */
import { abortable } from "../abort.ts";
import type { ReadOptions } from "../store/store.ts";
import type {
  CoveringIndex,
  Estimate,
  IndexState,
  QueryBox,
  SpatialIndex,
  SpatialMatches,
  SpatialOptions,
} from "./api.ts";
import { PAGE_BYTES } from "./arrays.ts";
import { CrossingShapes } from "./crossing.ts";
import type { IndexReads } from "./pages.ts";
import { PagedArray, pagesOf, unusable } from "./pages.ts";
import { bitAt, byRow, childPages, readIds } from "./rtree-items.ts";
import { HEADER_BYTES, parseHeader, type TreeLayout, treeLayout } from "./rtree-layout.ts";
import { itemsTouched, type LevelHits, type Probe, testChildren } from "./rtree-level.ts";
import type { Truth } from "./truth.ts";

/** Nodes of the uppermost levels that are fetched at once, in bytes. */
const TOP_BYTES = 128 * 1024;

/** Of so many nodes, an estimate reads the children too. */
const FEW_NODES = 48;

/** What a tree's record says, and what is found without one. */
export interface TreeRecord {
  column: string;
  /** Path of the array: `indexes/bbox`. */
  path: string;
  /** Rows in the tree. */
  rows: number;
  /** Rows of these that may be believed: fewer where the last chunk grew since. */
  covered: number;
  /** Path of what lies beside the tree; `undefined`: another maker's tree. */
  side: string | undefined;
  isBox: "all" | "none" | "bits";
  crossing: number;
  crossingCrc: readonly number[];
}

export interface TreeOptions extends SpatialOptions {
  /** Of boxes as the tree has them, a crossing shape's from -180 to 180; default: of real ones. */
  asStored?: boolean;
}

interface Opened {
  tree: PagedArray;
  layout: TreeLayout;
  bits: PagedArray | undefined;
  crossing: CrossingShapes | undefined;
}

/** The R-tree of one geometry column. */
export class RTree implements SpatialIndex {
  readonly kind = "rtree";
  readonly column: string;
  readonly path: string;
  readonly covered: number;
  /** Set once all records are read: it needs the truth of other columns. */
  covering: CoveringIndex | undefined;
  readonly #record: TreeRecord;
  readonly #reads: IndexReads;
  readonly #truth: Truth;
  #opened: Promise<Opened> | undefined;

  constructor(record: TreeRecord, reads: IndexReads, truth: Truth) {
    this.column = record.column;
    this.path = `/indexes/${record.column}`;
    this.covered = record.covered;
    this.#record = record;
    this.#reads = reads;
    this.#truth = truth;
  }

  state(options?: ReadOptions): Promise<IndexState> {
    return this.#truth.state(options);
  }

  async find(boxes: readonly QueryBox[], options: TreeOptions = {}): Promise<SpatialMatches> {
    if (this.covered === 0 || boxes.length === 0) return none();
    const opened = await this.#open(options);
    const probe = this.#probe(boxes, options);
    const nodes = await this.#descend(opened, probe, 1, options);
    return this.#leaves(opened, probe, nodes, options, boxes);
  }

  async estimate(boxes: readonly QueryBox[], options: TreeOptions = {}): Promise<Estimate> {
    if (this.covered === 0 || boxes.length === 0) return { rows: 0, requests: 0, bytes: 0 };
    const opened = await this.#open(options);
    const { layout, tree } = opened;
    let lowest = topLevel(layout);
    let hits = await this.#descend(opened, this.#probe(boxes, options), lowest, options);
    // Where it is little to read, what finding needs next is read now: far away, other indexes are asked meanwhile.
    for (; lowest > 1 && hits.found.length <= FEW_NODES; lowest--)
      hits = await this.#descend(opened, this.#probe(boxes, options), lowest - 1, options);
    const perNode = layout.nodeSize ** lowest;
    // Queries without an end may be long and thin, and touch much more than they are wide.
    const touched = (items: number) => (options.asStored ? itemsTouched(hits, boxes, items) : 0);
    const rows = Math.min(this.covered, Math.ceil(touched(perNode) || hits.share * perNode));
    const wanted = new Set<number>();
    for (const node of hits.found) {
      const from = boxAt(node * perNode);
      const to = boxAt(Math.min((node + 1) * perNode, layout.items));
      for (const page of pagesOf(from, to)) wanted.add(page);
    }
    const cached = wanted.size - tree.cost(wanted).bytes / PAGE_BYTES;
    // A page holds 512 boxes, of which neighbours of what is wanted take their share; numbers come on top.
    const needed = touched((32 * perNode) / PAGE_BYTES) || Math.ceil(rows / 140) + 2 * boxes.length;
    const pages = Math.max(0, Math.min(wanted.size, needed) - cached);
    return { rows, requests: Math.ceil(pages * 0.4), bytes: Math.ceil(pages * PAGE_BYTES * 1.25) };
  }

  #probe(boxes: readonly QueryBox[], { test, asStored }: TreeOptions): Probe {
    // Where touching is all that is asked of an item, it is so of the boxes above.
    const asked = test?.touching && this.#areBoxes(asStored) ? undefined : test;
    if (this.#record.side !== undefined) return { boxes, test: asked };
    // Another maker's boxes are as drawn: perhaps from 0 to 360, which says nothing before they are brought home.
    return {
      boxes: boxes.flatMap(([w, s, e, n]) => [0, 360, -360].map((by) => [w + by, s, e + by, n] as QueryBox)),
    };
  }

  /** Whether each item is the rectangle that the tree has of it, or is to be taken for it. */
  #areBoxes(asStored = false): boolean {
    return asStored || this.#record.isBox === "all";
  }

  #open(options: ReadOptions): Promise<Opened> {
    this.#opened ??= this.#openNow({ traffic: options.traffic }).catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    return abortable(this.#opened, options.signal);
  }

  async #openNow(options: ReadOptions): Promise<Opened> {
    const { path, side, rows, isBox, crossing, crossingCrc } = this.#record;
    const tree = await PagedArray.open(
      this.#reads,
      path,
      side === undefined ? options : { ...options, sums: `${side}/crc` },
    );
    const layout =
      side === undefined
        ? parseHeader(await tree.bytes(0, HEADER_BYTES, options), tree.byteLength, path)
        : treeLayout(rows, 16);
    if (layout.items !== rows || layout.byteLength !== tree.byteLength)
      throw unusable(path, `it is a tree of ${layout.items} items, and there are ${rows} rows`);
    const bits =
      isBox === "bits"
        ? await PagedArray.open(this.#reads, `${side}/is_box`, {
            ...options,
            length: Math.ceil(rows / 8),
            sums: `${side}/is_box_crc`,
          })
        : undefined;
    return {
      tree,
      layout,
      bits,
      crossing:
        crossing > 0
          ? await CrossingShapes.read(this.#reads, side!, crossing, crossingCrc, options)
          : undefined,
    };
  }

  /** Walks from the root down to the boxes of `lowest`. */
  async #descend(
    { tree, layout }: Opened,
    probe: Probe,
    lowest: number,
    options: ReadOptions,
  ): Promise<LevelHits> {
    const root = layout.levels.length - 2;
    const top = topLevel(layout);
    const upper = await tree.pages(pagesOf(boxAt(layout.levels[top]!), layout.idsAt), options);
    // The root has no parent; it is the only box of its level, as if one had all.
    let hits = testChildren(probe, layout, root, Uint32Array.of(0), Uint8Array.of(0), upper);
    for (let level = root - 1; level >= lowest && hits.found.length > 0; level--) {
      const { found: parents, sure } = hits;
      const [first, end] = [layout.levels[level]!, layout.levels[level + 1]!];
      const pages =
        level >= top
          ? upper
          : await tree.pages(childPages(parents, layout.nodeSize, end - first, boxAt(first), 32), options);
      hits = testChildren(probe, layout, level, parents, sure, pages);
    }
    return hits;
  }

  /** The items of the lowest nodes: their boxes, numbers and bits are asked for at once. */
  async #leaves(
    { tree, layout, ...opened }: Opened,
    probe: Probe,
    { found: parents, sure }: LevelHits,
    options: TreeOptions,
    boxes: readonly QueryBox[],
  ): Promise<SpatialMatches> {
    if (parents.length === 0) return none();
    const { bits, crossing } = options.asStored ? NOTHING_BESIDE : opened;
    const { nodeSize, items, idsAt, idBytes } = layout;
    const wanted = [
      ...childPages(parents, nodeSize, items, HEADER_BYTES, 32),
      ...childPages(parents, nodeSize, items, idsAt, idBytes),
    ];
    const [pages, bitsFound] = await Promise.all([
      tree.pages(wanted, options),
      bits?.pages(childPages(parents, nodeSize, items, 0, 1 / 8), options),
    ]);
    const found = testChildren(probe, layout, 0, parents, sure, pages);
    const touching = { ...found, ids: readIds(pages, found.found, layout) };
    return this.#matches(touching, bitsFound, crossing, boxes, options);
  }

  /** The items that touch, by row, without those that are not believed, do not touch in truth or are not wanted. */
  #matches(
    hits: LevelHits & { ids: Uint32Array },
    bits: ReadonlyMap<number, Uint8Array> | undefined,
    crossing: CrossingShapes | undefined,
    queries: readonly QueryBox[],
    { test, asStored }: TreeOptions,
  ): SpatialMatches {
    const { boxes, sure, ids } = hits;
    const { rows, side, path } = this.#record;
    // Whether every item is believed, has a box and lies where that is.
    const plain =
      this.covered === rows &&
      side !== undefined &&
      !boxes.includes(Number.POSITIVE_INFINITY) &&
      !(crossing && boxes.includes(-180));
    if (plain && test?.touching && this.#areBoxes(asStored)) return byRow(ids, sure.fill(1), rows, path);
    const isBox = (i: number) => (bits ? bitAt(bits, hits.found[i]!) : this.#areBoxes(asStored));
    let count = 0;
    for (let i = 0; i < ids.length; i++) {
      const known = plain || this.#knownBox(hits, i, crossing, queries);
      if (known === undefined) continue;
      if (test && sure[i] === 0) {
        const holds = test.shape(boxes.subarray(4 * i, 4 * i + 4), known && isBox(i), ids[i]!);
        if (holds === false) continue;
        if (holds) sure[i] = 1;
      }
      ids[count] = ids[i]!;
      sure[count++] = sure[i]!;
    }
    return byRow(ids.subarray(0, count), sure.subarray(0, count), rows, path);
  }

  /** Whether the box of item `i` is real; where it is not it becomes NaN. undefined: the item is of no use. */
  #knownBox(
    { found, boxes, ids }: LevelHits & { ids: Uint32Array },
    i: number,
    crossing: CrossingShapes | undefined,
    queries: readonly QueryBox[],
  ): boolean | undefined {
    const { rows, side, path } = this.#record;
    const row = ids[i]!;
    const at = 4 * i;
    if (row >= rows) throw unusable(path, `item ${found[i]} is row ${row} of ${rows}`);
    // NULL and empty shapes, which only a query without an end touches.
    if (row >= this.covered || boxes[at] === Number.POSITIVE_INFINITY) return undefined;
    const wide = crossing && boxes[at] === -180 && boxes[at + 2] === 180 ? crossing.find(row) : undefined;
    if (wide !== undefined && !crossing!.touches(wide, queries)) return undefined;
    const beyond = side === undefined && (boxes[at]! < -180 || boxes[at + 2]! > 180);
    if (wide === undefined && !beyond) return true;
    boxes.fill(Number.NaN, at, at + 4);
    return false;
  }
}

const NOTHING_BESIDE = { bits: undefined, crossing: undefined };

const none = (): SpatialMatches => ({
  rows: new Float64Array(0),
  sure: new Float64Array(0),
});

const boxAt = (box: number) => HEADER_BYTES + box * 32;

/** The lowest level that is still fetched with all above it. */
function topLevel({ levels }: TreeLayout): number {
  const end = levels.at(-1)!;
  for (let level = 1; level < levels.length - 1; level++)
    if ((end - levels[level]!) * 32 <= TOP_BYTES) return level;
  return levels.length - 2;
}
