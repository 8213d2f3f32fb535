/** Looking some rows up in bits and lists of rows, rather than naming all that these hold. */
import { PAGE_BYTES } from "./arrays.ts";

/** Pages that hold the bits of ascending rows, ascending. */
export function pagesAmong({ start }: { start: number }, rows: Float64Array): number[] {
  const pages: number[] = [];
  // Rows below this one are on the last of them.
  let next = 0;
  for (let i = 0; i < rows.length; i++) {
    if (rows[i]! < next) continue;
    const page = Math.floor((start + (rows[i]! >>> 3)) / PAGE_BYTES);
    pages.push(page);
    next = ((page + 1) * PAGE_BYTES - start) * 8;
  }
  return pages;
}

/** Sets `hits[i]` where the bit of `rows[i]` is set, of bits that begin at byte `start`. */
export function markBits(
  pages: ReadonlyMap<number, Uint8Array>,
  start: number,
  rows: Float64Array,
  hits: Uint8Array,
): void {
  let bytes = new Uint8Array(0);
  // Byte of the page that the bits of row 0 would be in, and the first row beyond the page.
  let [base, next] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (row >= next) {
      const page = Math.floor((start + (row >>> 3)) / PAGE_BYTES);
      bytes = pages.get(page)! as Uint8Array<ArrayBuffer>;
      base = start - page * PAGE_BYTES;
      next = -base * 8 + PAGE_BYTES * 8;
    }
    hits[i]! |= (bytes[base + (row >>> 3)]! >> (row & 7)) & 1;
  }
}

/** Sets `hits[i]` where `rows[i]` is one of `found`; both ascend. */
export function markRows(found: Float64Array, rows: Float64Array, hits: Uint8Array): void {
  for (let i = 0, k = 0; i < rows.length && k < found.length; i++) {
    while (k < found.length && found[k]! < rows[i]!) k++;
    if (found[k] === rows[i]) hits[i] = 1;
  }
}

/** Those of `rows` that are hit. */
export function chosen(rows: Float64Array, hits: Uint8Array): Float64Array {
  const out = new Float64Array(rows.length);
  let count = 0;
  for (let i = 0; i < rows.length; i++) if (hits[i] === 1) out[count++] = rows[i]!;
  return out.slice(0, count);
}

/** Those of ascending rows that are below `covered`. */
export function within(rows: Float64Array, covered: number): Float64Array {
  let end = rows.length;
  while (end > 0 && rows[end - 1]! >= covered) end--;
  return rows.subarray(0, end);
}
