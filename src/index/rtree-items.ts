/** Where the entries of a tree lie in its pages, and what they are. */
import type { SpatialMatches } from "./api.ts";
import { PAGE_BYTES } from "./arrays.ts";
import { unusable } from "./pages.ts";
import type { TreeLayout } from "./rtree-layout.ts";
import { sortedTogether } from "./sort.ts";

/** Pages, ascending, that hold entries of `bytes` each from `start` on for the children of ascending `parents`. */
export function childPages(
  parents: Uint32Array,
  nodeSize: number,
  count: number,
  start: number,
  bytes: number,
): number[] {
  const pages: number[] = [];
  let last = -1;
  for (let p = 0; p < parents.length; p++) {
    const from = parents[p]! * nodeSize;
    const to = Math.min(from + nodeSize, count);
    const end = Math.floor((start + to * bytes - 1 / 8) / PAGE_BYTES);
    for (
      let page = Math.max(last + 1, Math.floor((start + from * bytes) / PAGE_BYTES));
      page <= end;
      page++
    ) {
      pages.push(page);
      last = page;
    }
  }
  return pages;
}

/** Row numbers of items, by their ascending places in the tree. */
export function readIds(
  pages: ReadonlyMap<number, Uint8Array>,
  places: Uint32Array,
  { idsAt, idBytes, nodeSize }: TreeLayout,
): Uint32Array {
  const ids = new Uint32Array(places.length);
  const Ids = idBytes === 4 ? Uint32Array : Uint16Array;
  const perPage = PAGE_BYTES / idBytes;
  const first = idsAt / idBytes;
  let [page, view] = [-1, new Ids(0)];
  for (let i = 0; i < places.length; ) {
    const at = first + places[i]!;
    const number = Math.floor(at / perPage);
    if (number !== page) {
      const { buffer, byteOffset, length } = pages.get(number)!;
      [page, view] = [number, new Ids(buffer as ArrayBuffer, byteOffset, length / idBytes)];
    }
    const start = at - page * perPage;
    // Mostly a whole node's items are wanted.
    const end = i + nodeSize - 1;
    if (places[end] === places[i]! + nodeSize - 1 && start + nodeSize <= view.length) {
      ids.set(view.subarray(start, start + nodeSize), i);
      i += nodeSize;
    } else ids[i++] = view[start]!;
  }
  return ids;
}

/** Whether bit `i` is set. */
export function bitAt(bits: ReadonlyMap<number, Uint8Array>, i: number): boolean {
  const at = i >> 3;
  return ((bits.get(Math.floor(at / PAGE_BYTES))![at % PAGE_BYTES]! >> (i & 7)) & 1) === 1;
}

/** Below so many numbers the system's own sort, which needs no warming up, is the faster one. */
const FEW = 2 ** 15;

/** Matches in the order of their rows, of which `wanted` says which are wanted for sure. */
export function byRow(found: Uint32Array, wanted: Uint8Array, total: number, path: string): SpatialMatches {
  const rows = ascending(found);
  if (rows.length > 0 && rows.at(-1)! >= total)
    throw unusable(path, `it names row ${rows.at(-1)} of ${total}`);
  for (let k = 1; k < rows.length; k++)
    if (rows[k - 1] === rows[k]) throw unusable(path, `row ${rows[k]} is in it twice`);
  const matches = new Float64Array(rows);
  if (!wanted.includes(0)) return { rows: matches, sure: matches };
  return { rows: matches, sure: new Float64Array(ascending(found.filter((_, k) => wanted[k] === 1))) };
}

function ascending(rows: Uint32Array): Uint32Array {
  return rows.length < FEW ? rows.slice().sort() : sortedTogether({ low: rows.slice() }).low;
}
