/** Looks whether granules are what they were, at some of what a view shows: few reads, spread over all of it. */
import { mapLimit } from "../abort.ts";
import type { ReadOptions } from "../store/store.ts";
import { gridShape } from "../zarr/metadata.ts";
import { ComputedChunks } from "./chunks.ts";
import type { ServedArray } from "./face.ts";
import { isArray, type ViewTree } from "./tree.ts";
import { below, granuleNodes } from "./walk.ts";

export interface SpotCheckOptions extends ReadOptions {
  /** Chunks that are looked at, at most; default 500. */
  most?: number;
  /** Milliseconds after which nothing more is asked for; default 100. */
  forMs?: number;
}

const AT_ONCE = 16;

/** @throws ZarrsiftError `source_changed` where what it looks at has changed, and as reading does */
export async function spotCheck(tree: ViewTree, options: SpotCheckOptions = {}): Promise<void> {
  const { most = 500, forMs = 100, ...reading } = options;
  const until = performance.now() + forMs;
  const look = <T, R>(items: readonly T[], at: (item: T) => Promise<R>) =>
    mapLimit(items, AT_ONCE, async (item) => (performance.now() < until ? at(item) : undefined));
  const all = tree.granulesBelow("");
  const granules = spread(all, most, (i) => all[i]!);
  const nodes =
    granules.length > 0
      ? (await look(granules, (path) => granuleNodes(tree, path, reading))).flatMap((some) => some ?? [])
      : await below(tree, "", reading);
  const stored = nodes.filter(isArray).filter(({ chunks }) => !(chunks instanceof ComputedChunks));
  const arrays = spread(stored, most, (i) => stored[i]!);
  const each = Math.floor(most / Math.max(1, arrays.length));
  const chunks = arrays.flatMap((array) => someChunks(array, each).map((coords) => ({ array, coords })));
  await look(chunks, ({ array, coords }) => array.chunks.size(coords, reading));
}

function someChunks({ meta }: ServedArray, most: number): number[][] {
  const grid = gridShape(meta);
  const count = grid.reduce((a, b) => a * b, 1);
  return spread({ length: count }, most, (chunk) => coordinatesAt(chunk, grid));
}

/** Of a chunk's place in the grid, the last axis running fastest. */
function coordinatesAt(chunk: number, grid: readonly number[]): number[] {
  let left = chunk;
  const coords = grid.toReversed().map((length) => {
    const at = left % length;
    left = Math.floor(left / length);
    return at;
  });
  return coords.reverse();
}

/** Of at most so many places in something, the first among them, as far apart as can be. */
function spread<T>({ length }: { length: number }, most: number, at: (place: number) => T): T[] {
  const step = Math.max(1, length / most);
  return Array.from({ length: Math.min(length, most) }, (_, i) => at(Math.floor(i * step)));
}
