/** Row numbers as text: deltas as zigzag LEB128 varints, in base64. */
import { ZarrsiftError } from "../errors.ts";

/** Row numbers, in any order, as text. */
export function packIdx(idx: Float64Array): string {
  const bytes: number[] = [];
  let before = 0;
  for (const row of idx) {
    const delta = row - before;
    before = row;
    let rest = delta < 0 ? -delta * 2 - 1 : delta * 2;
    while (rest >= 128) {
      bytes.push((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
  }
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.slice(i, i + 8192));
  return btoa(text);
}

/** The `count` row numbers that `packIdx` packed. */
export function unpackIdx(text: string, count: number): Float64Array {
  const bytes = atob(text);
  const idx = new Float64Array(count);
  let at = 0;
  let before = 0;
  for (let i = 0; i < count; i++) {
    let value = 0;
    let factor = 1;
    let byte: number;
    do {
      byte = bytes.charCodeAt(at++);
      value += (byte & 127) * factor;
      factor *= 128;
    } while (byte >= 128);
    before += value % 2 === 1 ? -(value + 1) / 2 : value / 2;
    idx[i] = before;
  }
  return idx;
}

/**
 * Row numbers somebody asked for, in their own order.
 * @throws ZarrsiftError `bad_idx` for anything but distinct whole numbers from 0 to rows - 1
 */
export function checkIdx(values: readonly (number | bigint)[], rows: number): Float64Array {
  const seen = new Set<number>();
  return Float64Array.from(values, (value) => {
    const row = Number(value);
    if (!Number.isSafeInteger(row) || row < 0 || row >= rows) {
      const range = rows === 0 ? "the collection has no rows" : `rows are 0 to ${rows - 1}`;
      throw new ZarrsiftError("bad_idx", `idx ${value} is out of range: ${range}`, { details: { idx: row } });
    }
    if (seen.has(row))
      throw new ZarrsiftError("bad_idx", `idx ${value} is named twice`, { details: { idx: row } });
    seen.add(row);
    return row;
  });
}
