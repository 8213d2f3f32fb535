import type { ReadOptions } from "../store/store.ts";
import type { RowWindow } from "./api.ts";
import type { AnyKey, Leaves } from "./leaves.ts";

/** Leaves that are read at once where many rows were taken already. */
const MOST_LEAVES = 16;

/** Positions that come next: all from `from` to `to`, or `order` says which, as distances from `from`. */
export interface Run extends RowWindow {
  order?: Uint32Array;
}

/**
 * Positions within `window` in pieces, first ascending by key or descending; equal keys stay in ascending order of
 * their rows, which is how they stand.
 *
 * @param place how many keys are below this one
 */
export async function* keysInOrder(
  leaves: Leaves,
  window: RowWindow,
  descending: boolean,
  place: (key: AnyKey) => Promise<number>,
  options: ReadOptions,
): AsyncGenerator<Run> {
  if (!descending) return yield* ascending(leaves, window);
  const { perLeaf } = leaves;
  for (let to = window.to; to > window.from; ) {
    options.signal?.throwIfAborted();
    const number = Math.floor((to - 1) / perLeaf);
    const base = number * perLeaf;
    const leaf = (await leaves.read([number], options)).get(number)!;
    const start = Math.max(base, window.from);
    const runs = [to];
    for (let at = to - 1; at > start; at--) if (!leaf.same(at - base)) runs.push(at);
    const end = runs.at(-1)!;
    if (end < to) yield { from: end, to, order: reversed(runs, end) };
    // The first run of the leaf may have begun in one before.
    const from = start === window.from ? start : Math.max(window.from, await place(leaf.key(start - base)));
    yield { from, to: end };
    to = from;
  }
}

/** Runs, given by their ends from the last to the first, from the last to the first, each as it stands. */
function reversed(ends: readonly number[], from: number): Uint32Array {
  const order = new Uint32Array(ends[0]! - from);
  let out = 0;
  for (let i = 1; i < ends.length; i++)
    for (let at = ends[i]!; at < ends[i - 1]!; at++) order[out++] = at - from;
  return order;
}

function* ascending({ perLeaf }: Leaves, { from, to }: RowWindow): Generator<RowWindow> {
  let count = 1;
  for (let at = from; at < to; ) {
    const end = Math.min(to, (Math.floor(at / perLeaf) + count) * perLeaf);
    yield { from: at, to: end };
    at = end;
    count = Math.min(MOST_LEAVES, count * 2);
  }
}
