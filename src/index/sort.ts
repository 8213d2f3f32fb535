/** Stable sorts of numbers with what belongs to them, by digits of 11 bits from the lowest up. */

const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;

/** Keys that order as unsigned integers: 32 bits, and 32 higher ones where there are any. */
export interface SortKeys {
  low: Uint32Array;
  high?: Uint32Array | undefined;
}

/** Positions of `keys` in ascending order of the keys; equal ones stay in their order. Takes 24 bytes a key. */
export function sortedOrder(keys: SortKeys): Uint32Array {
  const { length } = keys.low;
  let order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[i] = i;
  let spare = new Uint32Array(length);
  for (const word of [keys.low, keys.high]) {
    if (!word) continue;
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      if (!pass(word, shift, order, spare)) continue;
      [order, spare] = [spare, order];
    }
  }
  return order;
}

/** One pass; false where all digits are the same, so that nothing was moved. */
function pass(word: Uint32Array, shift: number, order: Uint32Array, into: Uint32Array): boolean {
  const { length } = order;
  const starts = new Uint32Array(BUCKETS + 1);
  const mask = BUCKETS - 1;
  for (let i = 0; i < length; i++) starts[((word[i]! >>> shift) & mask) + 1]!++;
  for (let i = 1; i <= BUCKETS; i++) {
    if (starts[i] === length) return false;
    starts[i]! += starts[i - 1]!;
  }
  for (let i = 0; i < length; i++) {
    const at = order[i]!;
    into[starts[(word[at]! >>> shift) & mask]!++] = at;
  }
  return true;
}

/** Row numbers below 2^32 in ascending order, sorted where they stand. */
export function sortRows(rows: Uint32Array): Uint32Array {
  return rows.sort();
}
