/** The keys of a B+tree, leaf by leaf, whatever they are. */
import type { ReadOptions } from "../store/store.ts";
import { orderOf } from "../table/texts.ts";
import type { Key } from "./api.ts";
import { PAGE_BYTES } from "./arrays.ts";
import { TEXTS_PER_LEAF } from "./btree-build.ts";
import { countBelow, type KeyArray, type NumberKeyType } from "./keys.ts";
import type { IndexReads } from "./pages.ts";
import { PagedArray, pagesOf, unusable } from "./pages.ts";
import { checkType, elementBytes, elements, readWhole } from "./whole.ts";

export type AnyKey = Key | Uint8Array;

/** One leaf's keys. */
export interface Leaf {
  /** How many of its keys are below `key`, or not above it. */
  below(key: AnyKey, inclusive: boolean): number;
  key(i: number): AnyKey;
  /** Whether keys `i` and `i - 1` are the same. */
  same(i: number): boolean;
}

/** The leaves of one B+tree. Position p is in leaf floor(p / perLeaf). */
export interface Leaves {
  readonly count: number;
  readonly perLeaf: number;
  /** How many fences are below `key`, or not above it: one more than the leaf that the key's place is in. */
  fencesBelow(key: AnyKey, inclusive: boolean, options: ReadOptions): Promise<number>;
  read(leaves: readonly number[], options: ReadOptions): Promise<Map<number, Leaf>>;
  cost(leaves: readonly number[]): { requests: number; bytes: number };
}

/** Leaves of numbers: a page of the array `keys` each. */
export async function openNumberLeaves(
  reads: IndexReads,
  path: string,
  type: NumberKeyType,
  { keys: count, fenceTops, sums }: { keys: number; fenceTops: number; sums: Record<string, number> },
  options: ReadOptions,
): Promise<Leaves> {
  const perLeaf = PAGE_BYTES / elementBytes(type);
  const length = Math.ceil(count / perLeaf);
  const [keys, fencesBelow] = await Promise.all([
    PagedArray.open(reads, `${path}/keys`, { ...options, length: count, sums: `${path}/keys_crc` }),
    fenceTops > 0
      ? pagedFences(reads, path, type, length, fenceTops, sums.fence_tops, options)
      : wholeFences(reads, path, type, length, sums.fences, options),
  ]);
  checkType(keys, type);
  return {
    count,
    perLeaf,
    fencesBelow,
    cost: (leaves) => keys.cost(leaves),
    async read(leaves, readOptions) {
      const pages = await keys.pages(leaves, readOptions);
      return new Map(leaves.map((leaf) => [leaf, numberLeaf(elements(pages.get(leaf)!, type))]));
    },
  };
}

async function wholeFences(
  reads: IndexReads,
  path: string,
  type: NumberKeyType,
  length: number,
  sum: number | undefined,
  options: ReadOptions,
): Promise<Leaves["fencesBelow"]> {
  const fences = await readWhole(reads, `${path}/fences`, type, length, sum, options);
  return async (key, inclusive) => countBelow(fences, key as Key, inclusive);
}

/** Of long columns the fences have fences: the first of each of their pages. */
async function pagedFences(
  reads: IndexReads,
  path: string,
  type: NumberKeyType,
  length: number,
  topCount: number,
  sum: number | undefined,
  options: ReadOptions,
): Promise<Leaves["fencesBelow"]> {
  const perPage = PAGE_BYTES / elementBytes(type);
  const [fences, tops] = await Promise.all([
    PagedArray.open(reads, `${path}/fences`, { ...options, length, sums: `${path}/fences_crc` }),
    readWhole(reads, `${path}/fence_tops`, type, topCount, sum, options),
  ]);
  checkType(fences, type);
  return async (key, inclusive, reading) => {
    const page = countBelow(tops, key as Key, inclusive) - 1;
    if (page < 0) return 0;
    const bytes = (await fences.pages([page], reading)).get(page)!;
    return page * perPage + countBelow(elements(bytes, type), key as Key, inclusive);
  };
}

function numberLeaf(keys: KeyArray): Leaf {
  return {
    below: (key, inclusive) => countBelow(keys, key as Key, inclusive),
    key: (i) => keys[i]!,
    same: (i) => keys[i] === keys[i - 1],
  };
}

/** Leaves of texts: 1024 keys each, their bytes in `keys`, where they end in `key_ends`. */
export async function openTextLeaves(
  reads: IndexReads,
  path: string,
  count: number,
  fenceBytes: number,
  sums: Record<string, number>,
  options: ReadOptions,
): Promise<Leaves> {
  const leafCount = Math.ceil(count / TEXTS_PER_LEAF);
  const whole = { ...options };
  const [keys, ends, starts, fenceData, fenceEnds] = await Promise.all([
    PagedArray.open(reads, `${path}/keys`, { ...whole, sums: `${path}/keys_crc` }),
    PagedArray.open(reads, `${path}/key_ends`, { ...whole, length: count, sums: `${path}/key_ends_crc` }),
    readWhole(reads, `${path}/leaf_starts`, "float64", leafCount + 1, sums.leaf_starts, whole),
    readWhole(reads, `${path}/fences`, "uint8", fenceBytes, sums.fences, whole),
    readWhole(reads, `${path}/fence_ends`, "uint32", leafCount, sums.fence_ends, whole),
  ]);
  checkType(keys, "uint8");
  checkType(ends, "uint32");
  if (starts[leafCount] !== keys.byteLength) throw unusable(path, "its leaves and its keys do not fit");
  const places = (leaf: number) => ({
    keys: pagesOf(starts[leaf]!, starts[leaf + 1]!),
    ends: pagesOf(leaf * TEXTS_PER_LEAF * 4, Math.min((leaf + 1) * TEXTS_PER_LEAF, count) * 4),
  });
  return {
    count,
    perLeaf: TEXTS_PER_LEAF,
    async fencesBelow(key, inclusive) {
      return search(leafCount, inclusive, (i) =>
        orderOf(fenceData.subarray(i === 0 ? 0 : fenceEnds[i - 1]!, fenceEnds[i]!), key as Uint8Array),
      );
    },
    cost(leaves) {
      const all = leaves.map(places);
      const [a, b] = [keys.cost(all.flatMap((p) => p.keys)), ends.cost(all.flatMap((p) => p.ends))];
      return { requests: a.requests + b.requests, bytes: a.bytes + b.bytes };
    },
    async read(leaves, readOptions) {
      const all = leaves.map(places);
      await Promise.all([
        keys.pages(
          all.flatMap((p) => p.keys),
          readOptions,
        ),
        ends.pages(
          all.flatMap((p) => p.ends),
          readOptions,
        ),
      ]);
      const read = leaves.map(async (leaf) => {
        const to = Math.min((leaf + 1) * TEXTS_PER_LEAF, count);
        const [data, bounds] = await Promise.all([
          keys.bytes(starts[leaf]!, starts[leaf + 1]!, readOptions),
          ends.bytes(leaf * TEXTS_PER_LEAF * 4, to * 4, readOptions),
        ]);
        return [leaf, textLeaf(data, elements(bounds, "uint32"))] as const;
      });
      return new Map(await Promise.all(read));
    },
  };
}

function textLeaf(data: Uint8Array, ends: Uint32Array): Leaf {
  const key = (i: number) => data.subarray(i === 0 ? 0 : ends[i - 1]!, ends[i]!);
  return {
    key,
    below: (wanted, inclusive) =>
      search(ends.length, inclusive, (i) => orderOf(key(i), wanted as Uint8Array)),
    same: (i) => orderOf(key(i), key(i - 1)) === 0,
  };
}

/** How many of the first items compare below 0, or not above it. */
function search(count: number, inclusive: boolean, compare: (i: number) => number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compare(middle);
    if (inclusive ? order <= 0 : order < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
