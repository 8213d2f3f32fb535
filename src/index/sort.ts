/** Stable sorts of numbers with what belongs to them, by digits of 11 bits from the lowest up. */

const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;

/** Keys that order as unsigned integers: 32 bits, and 32 higher ones where there are any. */
export interface SortKeys {
  low: Uint32Array;
  high?: Uint32Array | undefined;
}

/**
 * Positions of `keys` in ascending order of the keys; equal ones stay in their order. `keys` are spent: they are moved
 * along, which is far faster than looking them up. Takes 12 bytes more for each key of 32 bits, 16 for 64 bits.
 */
export function sortedOrder(keys: SortKeys): Uint32Array {
  return sortedTogether(keys).order;
}

/** The keys in ascending order, too: in other memory than they came in. */
export function sortedTogether({ low, high }: SortKeys): SortKeys & { order: Uint32Array } {
  const { length } = low;
  const order = new Uint32Array(length);
  for (let i = 0; i < length; i++) order[i] = i;
  let from = { low, high, order };
  let into: typeof from = {
    low: new Uint32Array(length),
    high: high && new Uint32Array(length),
    order: new Uint32Array(length),
  };
  for (const word of high ? (["low", "high"] as const) : (["low"] as const)) {
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      const starts = bucketStarts(from[word]!, shift);
      if (!starts) continue;
      if (high) moveWide(from[word]!, shift, starts, from, into);
      else moveNarrow(shift, starts, from, into);
      [from, into] = [into, from];
    }
  }
  return from;
}

/** Where each digit's keys begin; `undefined` where all digits are the same, so that nothing moves. */
function bucketStarts(word: Uint32Array, shift: number): Uint32Array | undefined {
  const starts = new Uint32Array(BUCKETS + 1);
  for (let i = 0; i < word.length; i++) starts[((word[i]! >>> shift) & (BUCKETS - 1)) + 1]!++;
  for (let i = 1; i <= BUCKETS; i++) {
    if (starts[i] === word.length) return undefined;
    starts[i]! += starts[i - 1]!;
  }
  return starts;
}

interface Narrow {
  low: Uint32Array;
  order: Uint32Array;
}

function moveNarrow(shift: number, starts: Uint32Array, from: Narrow, into: Narrow): void {
  const { low, order } = from;
  const { low: toLow, order: toOrder } = into;
  for (let i = 0; i < low.length; i++) {
    const key = low[i]!;
    const at = starts[(key >>> shift) & (BUCKETS - 1)]!++;
    toLow[at] = key;
    toOrder[at] = order[i]!;
  }
}

interface Wide extends Narrow {
  high: Uint32Array | undefined;
}

function moveWide(word: Uint32Array, shift: number, starts: Uint32Array, from: Wide, into: Wide): void {
  const { low, order } = from;
  const { low: toLow, order: toOrder } = into;
  const [high, toHigh] = [from.high!, into.high!];
  for (let i = 0; i < low.length; i++) {
    const at = starts[(word[i]! >>> shift) & (BUCKETS - 1)]!++;
    toLow[at] = low[i]!;
    toHigh[at] = high[i]!;
    toOrder[at] = order[i]!;
  }
}
