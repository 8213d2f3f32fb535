/** Texts and bytes where they lie, by their bytes: UTF-8 order is code point order. */

/** FNV-1a, 32 bits, of `data[start…end)`. Source: draft-eastlake-fnv. */
export function hash(data: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let i = start; i < end; i++) value = Math.imul(value ^ data[i]!, 0x01000193);
  return value;
}

/** Whether `data[start…end)` is exactly `text`. */
export function isText(text: Uint8Array, data: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text[i] !== data[start + i]) return false;
  return true;
}

/** Negative, 0 or positive, as bytes `a` come before, equal or come after `b`. */
export const orderOf = (a: Uint8Array, b: Uint8Array): number => order(a, 0, a.length, b, 0, b.length);

/** Negative, 0 or positive, as bytes a…aEnd come before, equal or come after b…bEnd. */
export function order(
  a: Uint8Array,
  start: number,
  end: number,
  b: Uint8Array,
  from: number,
  to: number,
): number {
  const size = Math.min(end - start, to - from);
  for (let k = 0; k < size; k++) {
    const difference = a[start + k]! - b[from + k]!;
    if (difference !== 0) return difference;
  }
  return end - start - (to - from);
}
