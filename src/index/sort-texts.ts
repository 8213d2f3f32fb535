import { orderOf } from "../table/texts.ts";
import type { TextKeys } from "./key-columns.ts";
import { sortedOrder } from "./sort.ts";

/** Bytes of a text that one round of sorting looks at. */
const BITE = 7;
/** So few are compared with each other. */
const FEW = 48;

/** Places of the keys in ascending order of their bytes; equal ones stay in their order. */
export function sortedTexts(keys: TextKeys): Uint32Array {
  const order = new Uint32Array(keys.list.count);
  for (let i = 0; i < order.length; i++) order[i] = i;
  const pending: [from: number, to: number, depth: number][] = [[0, order.length, 0]];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [from, to, depth] = next;
    const part = order.subarray(from, to);
    if (to - from <= FEW) sortFew(part, keys);
    else for (const [a, b] of sortRound(part, keys, depth)) pending.push([from + a, from + b, depth + BITE]);
  }
  return order;
}

function sortFew(part: Uint32Array, keys: TextKeys): void {
  const sorted = Array.from(part).sort((a, b) => orderOf(keys.key(a), keys.key(b)));
  part.set(sorted);
}

/** Sorts by the bytes from `depth` on; the runs that are equal so far and go on. */
function sortRound(part: Uint32Array, keys: TextKeys, depth: number): [number, number][] {
  const { data, ends } = keys;
  const [low, high] = [new Uint32Array(part.length), new Uint32Array(part.length)];
  for (let i = 0; i < part.length; i++) {
    const key = part[i]!;
    const at = (key === 0 ? 0 : ends[key - 1]!) + depth;
    const left = Math.max(0, Math.min(BITE, ends[key]! - at));
    let a = 0;
    let b = 0;
    for (let k = 0; k < left; k++) {
      if (k < 4) a |= data[at + k]! << (24 - 8 * k);
      else b |= data[at + k]! << (24 - 8 * (k - 4));
    }
    high[i] = a;
    // How many bytes there are tells a text that ends from one that goes on with zeros.
    low[i] = b | left;
  }
  const order = sortedOrder({ low: low.slice(), high: high.slice() });
  const before = part.slice();
  for (let i = 0; i < part.length; i++) part[i] = before[order[i]!]!;
  const runs: [number, number][] = [];
  for (let from = 0; from < part.length; ) {
    let to = from + 1;
    const first = order[from]!;
    while (to < part.length && low[order[to]!] === low[first] && high[order[to]!] === high[first]) to++;
    if (to - from > 1 && (low[first]! & 255) === BITE) runs.push([from, to]);
    from = to;
  }
  return runs;
}
