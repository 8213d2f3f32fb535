/** ORDER BY: keys of all rows of the answer are kept, or of the first `keep`; ties are in order of arrival. */

import { ZarrsiftError } from "../../errors.ts";
import type { Pace } from "../../format/pace.ts";
import { joined } from "../../joined.ts";
import { order as byteOrder } from "../../table/texts.ts";
import { type BytesVector, gather, type Vector } from "../../table/vector.ts";
import type { SortKey } from "../bind/select.ts";
import { compact, concat } from "../eval/vectors.ts";

/** Rows that are sorted at once before runs are merged. */
const RUN = 4096;

/** Fewest rows that are gathered before all but the first `keep` are thrown away. */
const ENOUGH = 65_536;

/** Most memory that the keys and numbers of the rows of one query take, in bytes. */
export const SORT_BYTES = 2 ** 30;

/** Takes rows with their keys, gives back their numbers in order. */
export class Sorter {
  readonly #keys: readonly SortKey[];
  readonly #keep: number;
  #idx: Float64Array[] = [];
  #vectors: Vector[][];
  #count = 0;
  #bytes = 0;
  readonly #most: number;

  /** @param keep how many of the first rows are wanted; undefined: all */
  constructor(keys: readonly SortKey[], keep: number | undefined, most: number = SORT_BYTES) {
    this.#keys = keys;
    this.#keep = keep ?? Number.POSITIVE_INFINITY;
    this.#most = most;
    this.#vectors = keys.map(() => []);
  }

  /**
   * Adds rows, later than all before them. `vectors` holds a vector for each key.
   * @throws ZarrsiftError `too_large`
   */
  async add(idx: Float64Array, vectors: readonly Vector[], pace: Pace): Promise<void> {
    this.#idx.push(idx);
    this.#bytes += idx.byteLength;
    for (const [i, vector] of vectors.entries()) {
      const key = vector.kind === "bytes" ? compact(vector) : vector;
      this.#vectors[i]!.push(key);
      this.#bytes += key.kind === "bytes" ? key.data.byteLength + 8 * key.length : key.values.byteLength;
    }
    this.#count += idx.length;
    if (this.#count > Math.max(2 * this.#keep, ENOUGH)) await this.#cut(pace);
    if (this.#bytes > this.#most)
      throw new ZarrsiftError(
        "too_large",
        `ORDER BY holds at most ${this.#most / 2 ** 20} MiB of what it sorts by, and this query has more; ` +
          "add a LIMIT, or fewer rows with WHERE",
      );
  }

  /** The rows in order. */
  async sorted(pace: Pace): Promise<Float64Array> {
    await this.#cut(pace);
    return this.#idx[0]!;
  }

  /** Sorts what is here and keeps the first rows. */
  async #cut(pace: Pace): Promise<void> {
    const vectors = this.#vectors.map((parts, i) => concat(this.#keys[i]!.expr.type, parts));
    const compare = comparator(this.#keys, vectors);
    const few = this.#keep * 4 < this.#count;
    const chosen = few ? await smallest(this.#count, this.#keep, compare, pace) : ascending(this.#count);
    const order = (await sortRows(chosen, compare, pace)).slice(0, this.#keep);
    const all = joined(this.#idx, new Float64Array(this.#count));
    this.#idx = [Float64Array.from(order, (row) => all[row]!)];
    this.#vectors = vectors.map((vector) => [gather(vector, order)]);
    this.#bytes *= order.length / Math.max(1, this.#count);
    this.#count = order.length;
  }
}

type Compare = (a: number, b: number) => number;

function comparator(keys: readonly SortKey[], vectors: readonly Vector[]): Compare {
  const compares = keys.map(({ descending, nullsFirst }, i) =>
    byKey(vectors[i]!, descending ? -1 : 1, nullsFirst ? -1 : 1),
  );
  if (compares.length === 1) return (a, b) => compares[0]!(a, b) || a - b;
  return (a, b) => {
    for (const compare of compares) {
      const sign = compare(a, b);
      if (sign !== 0) return sign;
    }
    return a - b;
  };
}

function byKey(vector: Vector, direction: number, nullSide: number): Compare {
  const values = byValue(vector);
  const { nulls } = vector;
  if (!nulls) return (a, b) => direction * values(a, b);
  return (a, b) => (nulls[a] || nulls[b] ? nullSide * (nulls[a]! - nulls[b]!) : direction * values(a, b));
}

function byValue(vector: Vector): Compare {
  if (vector.kind === "bytes") {
    const { data, starts, ends } = vector;
    const heads = headsOf(vector);
    return (a, b) =>
      heads[a]! - heads[b]! || byteOrder(data, starts[a]!, ends[a]!, data, starts[b]!, ends[b]!);
  }
  const { values } = vector;
  return (a, b) => (values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0);
}

const ascending = (length: number): Uint32Array<ArrayBuffer> => Uint32Array.from({ length }, (_, i) => i);

/** The `keep` first of 0…length-1, in no order: a heap with the last of them on top. */
async function smallest(
  length: number,
  keep: number,
  compare: Compare,
  pace: Pace,
): Promise<Uint32Array<ArrayBuffer>> {
  const heap = ascending(keep);
  for (let at = (keep >> 1) - 1; at >= 0; at--) sink(heap, at, compare);
  for (let row = keep; row < length && keep > 0; row++) {
    if ((row & 4095) === 0) await pace.rest();
    if (compare(row, heap[0]!) > 0) continue;
    heap[0] = row;
    sink(heap, 0, compare);
  }
  return heap;
}

/** Moves the row at `at` down below those that come after it. */
function sink(heap: Uint32Array, at: number, compare: Compare): void {
  const row = heap[at]!;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && compare(heap[child + 1]!, heap[child]!) > 0) child++;
    if (compare(row, heap[child]!) >= 0) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = row;
}

/** The first six bytes of each value as a number, zeros behind a shorter one: most comparisons need no more. */
function headsOf({ data, starts, ends, length }: BytesVector): Float64Array {
  const heads = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const start = starts[i]!;
    for (let k = 0; k < 6; k++) heads[i] = heads[i]! * 256 + (start + k < ends[i]! ? data[start + k]! : 0);
  }
  return heads;
}

/** Merge sort, in pieces. */
async function sortRows(
  unsorted: Uint32Array<ArrayBuffer>,
  compare: Compare,
  pace: Pace,
): Promise<Uint32Array> {
  const { length } = unsorted;
  let rows = unsorted;
  for (let from = 0; from < length; from += RUN) {
    rows.subarray(from, from + RUN).sort(compare);
    await pace.rest();
  }
  let other = new Uint32Array(length);
  for (let width = RUN; width < length; width *= 2) {
    for (let from = 0; from < length; from += 2 * width) {
      await merge(
        rows,
        other,
        from,
        Math.min(length, from + width),
        Math.min(length, from + 2 * width),
        compare,
        pace,
      );
    }
    [rows, other] = [other, rows];
  }
  return rows;
}

/** Merges the sorted `from…middle` and `middle…end` of `rows` into `out`. */
async function merge(
  rows: Uint32Array,
  out: Uint32Array,
  from: number,
  middle: number,
  end: number,
  compare: Compare,
  pace: Pace,
): Promise<void> {
  let [left, right] = [from, middle];
  for (let at = from; at < end; at++) {
    const takeLeft = right >= end || (left < middle && compare(rows[left]!, rows[right]!) <= 0);
    out[at] = takeLeft ? rows[left++]! : rows[right++]!;
    if ((at & 4095) === 0) await pace.rest();
  }
}
