/** Where the entries of a tree lie in its pages, and what they are. */
import { PAGE_BYTES } from "./arrays.ts";
import { unusable } from "./pages.ts";
import type { TreeLayout } from "./rtree-layout.ts";

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
  for (const parent of parents) {
    const from = parent * nodeSize;
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

/** Row numbers of items, by their places in the tree. */
export function readIds(
  pages: ReadonlyMap<number, Uint8Array>,
  places: Uint32Array,
  { idsAt, idBytes }: TreeLayout,
  { rows, path }: { rows: number; path: string },
): Uint32Array {
  const ids = new Uint32Array(places.length);
  for (let i = 0; i < places.length; i++) {
    const at = idsAt + places[i]! * idBytes;
    const page = pages.get(Math.floor(at / PAGE_BYTES))!;
    const p = at % PAGE_BYTES;
    const id =
      page[p]! | (page[p + 1]! << 8) | (idBytes === 4 ? (page[p + 2]! << 16) | (page[p + 3]! << 24) : 0);
    if (id < 0 || id >= rows) throw unusable(path, `item ${places[i]} is row ${id} of ${rows}`);
    ids[i] = id;
  }
  return ids;
}

/** Whether bit `i` is set. */
export function bitAt(bits: ReadonlyMap<number, Uint8Array>, i: number): boolean {
  const at = i >> 3;
  return ((bits.get(Math.floor(at / PAGE_BYTES))![at % PAGE_BYTES]! >> (i & 7)) & 1) === 1;
}
