import type { QueryBox } from "./api.ts";
import { PAGE_BYTES } from "./arrays.ts";
import type { TreeLayout } from "./rtree-layout.ts";

/** What is looked for: boxes that touch one of these. */
export interface Probe {
  boxes: readonly QueryBox[];
}

/** Boxes of one level that touch, as numbers from the level's first on, ascending. */
export interface LevelHits {
  found: number[];
  /** For how much of the boxes of `found` the probe asks, about: 1 for one that lies within. */
  share: number;
  /** Shape (found, 4), where asked for. */
  boxes?: Float64Array;
}

const PER_PAGE = PAGE_BYTES / 8;

/**
 * Tests the boxes of `level` below `parents` (boxes of the level above; `undefined`: all of the level).
 * `pages` must hold them.
 */
export function testChildren(
  probe: Probe,
  { levels, nodeSize }: TreeLayout,
  level: number,
  parents: readonly number[] | undefined,
  pages: ReadonlyMap<number, Uint8Array>,
  keep = false,
): LevelHits {
  const views = new Map<number, Float64Array>();
  const base = levels[level]!;
  const count = levels[level + 1]! - base;
  const found: number[] = [];
  const boxes: number[] = [];
  const scratch = new Float64Array(4 * nodeSize);
  let share = 0;
  const node = (from: number, to: number) => {
    // A number of 8 bytes stands before the first box.
    const first = 1 + 4 * (base + from);
    const length = 4 * (to - from);
    let page = Math.floor(first / PER_PAGE);
    let at = first - page * PER_PAGE;
    let data = viewOf(pages, views, page);
    if (at + length > PER_PAGE) {
      const head = PER_PAGE - at;
      scratch.set(data.subarray(at, PER_PAGE));
      scratch.set(viewOf(pages, views, ++page).subarray(0, length - head), head);
      [data, at] = [scratch, 0];
    }
    for (let i = from; i < to; i++, at += 4) {
      const [west, south, east, north] = [data[at]!, data[at + 1]!, data[at + 2]!, data[at + 3]!];
      let touched = 0;
      for (const box of probe.boxes) {
        if (west <= box[2] && east >= box[0] && south <= box[3] && north >= box[1]) {
          touched = keep
            ? 1
            : Math.min(
                1,
                touched + overlap(west, east, box[0], box[2]) * overlap(south, north, box[1], box[3]),
              );
          touched ||= Number.MIN_VALUE;
          if (keep) break;
        }
      }
      if (touched === 0) continue;
      found.push(i);
      share += touched;
      if (keep) boxes.push(west, south, east, north);
    }
  };
  if (!parents) for (let i = 0; i < count; i += nodeSize) node(i, Math.min(i + nodeSize, count));
  else for (const parent of parents) node(parent * nodeSize, Math.min((parent + 1) * nodeSize, count));
  return { found, share, ...(keep && { boxes: Float64Array.from(boxes) }) };
}

/** How much of `from` to `to` lies within `low` to `high`, 0 to 1. */
function overlap(from: number, to: number, low: number, high: number): number {
  const length = to - from;
  return length > 0 ? Math.min(1, (Math.min(to, high) - Math.max(from, low)) / length) : 1;
}

function viewOf(
  pages: ReadonlyMap<number, Uint8Array>,
  views: Map<number, Float64Array>,
  page: number,
): Float64Array {
  let view = views.get(page);
  if (!view) {
    const bytes = pages.get(page)!;
    view = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length >> 3);
    views.set(page, view);
  }
  return view;
}
