import type { BoxTest, QueryBox } from "./api.ts";
import { PAGE_BYTES } from "./arrays.ts";
import type { TreeLayout } from "./rtree-layout.ts";

/** What is looked for: boxes that touch one of these. */
export interface Probe {
  boxes: readonly QueryBox[];
  /** Asked of boxes above the items. */
  test?: BoxTest | undefined;
}

/** Boxes of one level that touch, as numbers from the level's first on, ascending. */
export interface LevelHits {
  found: Uint32Array;
  /** For how many of the boxes of `found` the probe asks, about: one that lies within counts 1. */
  share: number;
  /** Shape (found, 4). */
  boxes: Float64Array;
  /** 1 where all that lies within is wanted. */
  sure: Uint8Array;
}

const PER_PAGE = PAGE_BYTES / 8;

/**
 * Tests the boxes of `level` below `parents` (boxes of the level above, ascending; `wanted[i]`: all that is below parent
 * i is wanted). `pages` must hold them.
 */
export function testChildren(
  probe: Probe,
  { levels, nodeSize }: TreeLayout,
  level: number,
  parents: Uint32Array,
  wanted: Uint8Array,
  pages: ReadonlyMap<number, Uint8Array>,
): LevelHits {
  const base = levels[level]!;
  const count = levels[level + 1]! - base;
  const found = new Uint32Array(parents.length * nodeSize);
  const boxes = new Float64Array(4 * found.length);
  const sure = new Uint8Array(found.length);
  const test = level > 0 ? probe.test : undefined;
  const queries = probe.boxes;
  const [westmost, southmost, eastmost, northmost] = around(queries);
  const scratch: Float64Array = new Float64Array(4 * nodeSize);
  const views = new Views(pages);
  let hits = 0;
  let share = 0;
  for (let p = 0; p < parents.length; p++) {
    const from = parents[p]! * nodeSize;
    const to = Math.min(from + nodeSize, count);
    // A number of 8 bytes stands before the first box.
    const first = 1 + 4 * (base + from);
    const page = Math.floor(first / PER_PAGE);
    let at = first - page * PER_PAGE;
    let data: Float64Array = views.of(page);
    const size = 4 * (to - from);
    const beyond = at + size - PER_PAGE;
    if (beyond > 0) {
      scratch.set(data.subarray(at, PER_PAGE));
      scratch.set(views.of(page + 1).subarray(0, beyond), PER_PAGE - at);
      data = scratch;
      at = 0;
    }
    if (wanted[p] === 1) {
      // All of them at once. Empty shapes among them have no box, which is seen when it is looked at.
      boxes.set(data.subarray(at, at + size), 4 * hits);
      sure.fill(1, hits, hits + to - from);
      share += to - from;
      for (let i = from; i < to; i++) found[hits++] = i;
      continue;
    }
    for (let i = from; i < to; i++, at += 4) {
      // Named one by one: taking lists apart is slow before it is compiled.
      const west = data[at]!;
      const east = data[at + 2]!;
      if (west > eastmost || east < westmost) continue;
      const south = data[at + 1]!;
      const north = data[at + 3]!;
      if (south > northmost || north < southmost) continue;
      // How much of an item is asked for is of no interest.
      let part = level === 0 && queries.length === 1 ? 1 : touched(queries, west, south, east, north);
      if (part === 0) continue;
      if (test) {
        const holds = test.within(data.subarray(at, at + 4));
        if (holds === false) continue;
        if (holds) part = sure[hits] = 1;
      }
      share += part;
      found[hits] = i;
      boxes[4 * hits] = west;
      boxes[4 * hits + 1] = south;
      boxes[4 * hits + 2] = east;
      boxes[4 * hits + 3] = north;
      hits++;
    }
  }
  return { found: found.subarray(0, hits), boxes: boxes.subarray(0, 4 * hits), sure, share };
}

/** The box around all. */
function around(boxes: readonly QueryBox[]): QueryBox {
  const side = (i: number, furthest: (...values: number[]) => number) =>
    furthest(...boxes.map((box) => box[i]!));
  return [side(0, Math.min), side(1, Math.min), side(2, Math.max), side(3, Math.max)];
}

/** Pages as numbers of 8 bytes; neighbours mostly ask for the same one. */
class Views {
  readonly #pages: ReadonlyMap<number, Uint8Array>;
  #page = -1;
  #view: Float64Array = new Float64Array(0);

  constructor(pages: ReadonlyMap<number, Uint8Array>) {
    this.#pages = pages;
  }

  of(page: number): Float64Array {
    if (page === this.#page) return this.#view;
    const bytes = this.#pages.get(page)!;
    this.#page = page;
    this.#view = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
    return this.#view;
  }
}

/** How much of a box the queries ask for, about, up to 1; 0: none touches it. */
function touched(
  queries: readonly QueryBox[],
  west: number,
  south: number,
  east: number,
  north: number,
): number {
  let part = 0;
  // Told in numbers: this is asked of thousands of boxes before it is compiled.
  for (let q = 0; q < queries.length; q++) {
    const query = queries[q]!;
    if (west > query[2] || east < query[0] || south > query[3] || north < query[1]) continue;
    const inside = west >= query[0] && east <= query[2] && south >= query[1] && north <= query[3];
    if (inside) return 1;
    part += overlap(west, east, query[0], query[2]) * overlap(south, north, query[1], query[3]);
    part = Math.max(Number.MIN_VALUE, Math.min(1, part));
  }
  return part;
}

/** How many items the queries touch, about, if those in each box that was found are `items` on a square grid. */
export function itemsTouched(
  { found, boxes, sure }: LevelHits,
  queries: readonly QueryBox[],
  items: number,
): number {
  const side = Math.sqrt(Math.max(1, items));
  let sum = 0;
  for (let i = 0; i < found.length; i++) {
    const [west, south, east, north] = boxes.subarray(4 * i, 4 * i + 4) as unknown as QueryBox;
    const touched = queries.reduce((all, [w, s, e, n]) => {
      const [across, along] = [overlap(west, east, w, e), overlap(south, north, s, n)];
      return all + (across * side + 1) * (along * side + 1);
    }, 0);
    sum += sure[i] === 1 ? side * side : Math.min(side * side, touched);
  }
  return sum;
}

/** How much of `from` to `to` lies within `low` to `high`, 0 to 1; all of them but the last may be infinite. */
function overlap(from: number, to: number, low: number, high: number): number {
  const share = (Math.min(to, high) - Math.max(from, low)) / (to - from);
  return share < 1 ? Math.max(0, share) : 1;
}
