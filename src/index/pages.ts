/** Index arrays on their way from the store: by pages, each checked, kept in a cache that all indexes of a source share. */

import { mapLimit } from "../abort.ts";
import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import { joined } from "../joined.ts";
import { Lru } from "../lru.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import { decodeChunk, type FixedChunk } from "../zarr/chunk.ts";
import { crc32c } from "../zarr/codecs/crc32c.ts";
import { itemSize } from "../zarr/dtype.ts";
import type { Hierarchy } from "../zarr/hierarchy.ts";
import { type ArrayMeta, chunkKey } from "../zarr/metadata.ts";
import { bytesOf, PAGE_BYTES } from "./arrays.ts";

/** Where indexes are read: one for all indexes of a source. */
export interface IndexReads {
  store: Store;
  hierarchy: Hierarchy;
  /** Pages and small arrays by name. */
  cache: Lru<Uint8Array>;
}

export const newIndexCache = (bytes: number): Lru<Uint8Array> => new Lru<Uint8Array>(bytes);

/** Pages that lie between two that are wanted, and are fetched with them rather than asking twice. */
const GAP = 3;
/** Most pages of one request. */
const RUN = 256;
const EXTRA = 150;

/**
 * The bytes of a 1-D array, by pages of 16 KiB.
 * @throws ZarrsiftError `index_unusable` for whatever is missing, cut short or does not have its checksum
 */
export class PagedArray {
  readonly meta: ArrayMeta;
  /** Path in the source: `indexes/date/keys`. */
  readonly path: string;
  readonly byteLength: number;
  readonly #reads: IndexReads;
  readonly #sums: PagedArray | undefined;
  readonly #itemBytes: number;
  readonly #plain: boolean;

  constructor(reads: IndexReads, path: string, meta: ArrayMeta, sums: PagedArray | undefined) {
    this.path = path;
    this.meta = meta;
    this.#reads = reads;
    this.#sums = sums;
    this.#itemBytes = itemSize(meta.dataType) ?? 1;
    this.byteLength = meta.shape[0]! * this.#itemBytes;
    const [codec, ...others] = meta.codecs;
    const { endian } = codec?.configuration ?? {};
    this.#plain = codec?.name === "bytes" && others.length === 0 && endian !== "big";
    if (!this.#plain && meta.codecs.some(({ configuration }) => configuration.endian === "big"))
      throw unusable(path, "it is big-endian, which indexes are not");
  }

  /** @throws ZarrsiftError `index_unusable` where there is no such 1-D array, or one of another length */
  static async open(
    reads: IndexReads,
    path: string,
    options: ReadOptions & { length?: number; sums?: string } = {},
  ): Promise<PagedArray> {
    const meta = await arrayAt(reads, path, options.length, options);
    if (options.sums === undefined) return new PagedArray(reads, path, meta, undefined);
    const pages = Math.ceil((meta.shape[0]! * (itemSize(meta.dataType) ?? 1)) / PAGE_BYTES);
    const sums = await arrayAt(reads, options.sums, pages, options);
    return new PagedArray(reads, path, meta, new PagedArray(reads, options.sums, sums, undefined));
  }

  /** Makes all of the pages that are named be at hand: their bytes by page number. Few requests, at once. */
  async pages(wanted: Iterable<number>, options: ReadOptions = {}): Promise<Map<number, Uint8Array>> {
    options.signal?.throwIfAborted();
    const found = new Map<number, Uint8Array>();
    const missing: number[] = [];
    for (const page of new Set(wanted)) {
      const kept = this.#reads.cache.get(this.#name(page));
      if (kept) found.set(page, kept);
      else missing.push(page);
    }
    if (missing.length === 0) return found;
    const runs = runsOf(missing.sort((a, b) => a - b));
    const sumPages = runs.flatMap(([from, to]) => range(sumPageOf(from), sumPageOf(to - 1) + 1));
    const [sums] = await Promise.all([
      this.#sums?.pages(sumPages, options),
      mapLimit(runs, 64, async ([from, to]) => {
        const bytes = await this.#read(from, to, options);
        // A page that is kept must not keep others, too.
        if (to - from === 1 && bytes.length === bytes.buffer.byteLength) found.set(from, bytes);
        else
          for (let page = from; page < to; page++) {
            const start = (page - from) * PAGE_BYTES;
            found.set(page, bytes.slice(start, start + PAGE_BYTES));
          }
      }),
    ]);
    for (const [from, to] of runs) {
      for (let page = from; page < to; page++) this.#keep(page, found.get(page)!, sums);
    }
    return found;
  }

  /** How many requests `pages` would need now, and bytes of these pages. */
  cost(wanted: Iterable<number>): { requests: number; bytes: number } {
    const missing = [...new Set(wanted)].filter((page) => !this.#reads.cache.get(this.#name(page)));
    const { length } = runsOf(missing.sort((a, b) => a - b));
    return { requests: length, bytes: missing.length * PAGE_BYTES };
  }

  /** Bytes `from` to `to` (exclusive), copied. */
  async bytes(from: number, to: number, options: ReadOptions = {}): Promise<Uint8Array> {
    if (from < 0 || to > this.byteLength || from > to)
      throw unusable(this.path, `bytes ${from} to ${to} of ${this.byteLength} are asked for`);
    const out = new Uint8Array(to - from);
    if (to === from) return out;
    const pages = await this.pages(pagesOf(from, to), options);
    copyOut(pages, from, to, out, 0);
    return out;
  }

  /** Drops its pages from the cache, because they turned out to be damaged. */
  forget(): void {
    for (const page of pagesOf(0, this.byteLength)) this.#reads.cache.delete(this.#name(page));
  }

  #name(page: number): string {
    return `${this.path}:${page}`;
  }

  /** @throws ZarrsiftError `index_unusable` where the checksum is another */
  #keep(page: number, bytes: Uint8Array, sums: ReadonlyMap<number, Uint8Array> | undefined): void {
    if (this.#sums && crc32c(bytes) !== sumAt(sums!.get(sumPageOf(page))!, page)) {
      // The damage may be the checksum's, and may have been repaired when this is read again.
      this.#reads.cache.delete(this.#sums.#name(sumPageOf(page)));
      throw unusable(this.path, `page ${page} does not have its checksum`);
    }
    this.#reads.cache.set(this.#name(page), bytes, bytes.length + EXTRA);
  }

  /** Pages `from` to `to` (exclusive) as they are stored. */
  async #read(from: number, to: number, options: ReadOptions): Promise<Uint8Array> {
    const start = from * PAGE_BYTES;
    const end = Math.min(to * PAGE_BYTES, this.byteLength);
    const chunkBytes = this.meta.chunkShape[0]! * this.#itemBytes;
    const first = Math.floor(start / chunkBytes);
    const last = Math.floor((end - 1) / chunkBytes);
    const parts = await mapLimit(range(first, last + 1), 16, (chunk) => {
      const base = chunk * chunkBytes;
      return this.#readChunk(chunk, Math.max(start - base, 0), Math.min(end - base, chunkBytes), options);
    });
    return parts.length === 1 ? parts[0]! : joined(parts, new Uint8Array(end - start));
  }

  async #readChunk(chunk: number, from: number, to: number, options: ReadOptions): Promise<Uint8Array> {
    const key = `${this.path}/${chunkKey(this.meta.chunkKeys, [chunk])}`;
    try {
      const bytes = this.#plain
        ? await this.#reads.store.getRange(
            key,
            { offset: from, length: to - from },
            { ...options, keep: false },
          )
        : (await this.#decoded(key, options)).subarray(from, to);
      if (bytes?.length === to - from) return bytes;
    } catch (error) {
      // What the store could not deliver is tried again; what it says cannot be is damage.
      if (!isDamage(error)) throw error;
      throw unusable(this.path, (error as Error).message, error);
    }
    throw unusable(this.path, `${key} is missing`);
  }

  /** A chunk that is compressed, as other makers write: kept whole. */
  async #decoded(key: string, options: ReadOptions): Promise<Uint8Array> {
    const kept = this.#reads.cache.get(key);
    if (kept) return kept;
    const bytes = await this.#reads.store.get(key, options);
    if (!bytes) throw unusable(this.path, `${key} is missing`);
    const { data } = (await decodeChunk(this.meta, bytes, key)) as FixedChunk;
    const whole = bytesOf(data);
    this.#reads.cache.set(key, whole, whole.length + EXTRA);
    return whole;
  }
}

async function arrayAt(
  { hierarchy }: IndexReads,
  path: string,
  length: number | undefined,
  options: ReadOptions,
): Promise<ArrayMeta> {
  const node = await hierarchy.node(path, options).catch((error) => {
    if (isZarrsiftError(error, "corrupt_metadata") || isZarrsiftError(error, "encoding_unsupported"))
      throw unusable(path, error.message, error);
    throw error;
  });
  if (node?.nodeType !== "array" || node.shape.length !== 1) throw unusable(path, "there is no such array");
  if (length !== undefined && node.shape[0] !== length)
    throw unusable(path, `it has ${node.shape[0]} elements instead of ${length}`);
  if (itemSize(node.dataType) === undefined) throw unusable(path, "it is of a type that indexes do not have");
  return node;
}

/** `index_unusable`: the index at `path` cannot answer, `why`. */
export function unusable(path: string, why: string, cause?: unknown): ZarrsiftError {
  return new ZarrsiftError(
    "index_unusable",
    `The index array /${path} cannot be used: ${why}. The query can be answered without it; build it again`,
    { details: { path }, ...(cause !== undefined && { cause }) },
  );
}

function isDamage(error: unknown): boolean {
  return (
    isZarrsiftError(error, "corrupt_chunk") ||
    isZarrsiftError(error, "encoding_unsupported") ||
    (isZarrsiftError(error, "source_unreadable") && error.details.offset !== undefined)
  );
}

const SUMS_PER_PAGE = PAGE_BYTES / 4;
const sumPageOf = (page: number) => Math.floor(page / SUMS_PER_PAGE);

function sumAt(sums: Uint8Array, page: number): number {
  const at = (page % SUMS_PER_PAGE) * 4;
  return (sums[at]! | (sums[at + 1]! << 8) | (sums[at + 2]! << 16) | (sums[at + 3]! << 24)) >>> 0;
}

/** Numbers of the pages that hold bytes `from` to `to` (exclusive). */
export function pagesOf(from: number, to: number): number[] {
  return range(Math.floor(from / PAGE_BYTES), Math.ceil(to / PAGE_BYTES));
}

/** Copies bytes `from` to `to` (exclusive) of the array that `pages` are of into `out` at `at`. */
export function copyOut(
  pages: ReadonlyMap<number, Uint8Array>,
  from: number,
  to: number,
  out: Uint8Array,
  at: number,
): void {
  for (let start = from; start < to; ) {
    const page = Math.floor(start / PAGE_BYTES);
    const base = page * PAGE_BYTES;
    const end = Math.min(to, base + PAGE_BYTES);
    out.set(pages.get(page)!.subarray(start - base, end - base), at + start - from);
    start = end;
  }
}

/** Sorted page numbers as runs [from, to) to fetch at once. */
function runsOf(pages: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const page of pages) {
    const last = runs.at(-1);
    if (last && page - last[1] <= GAP && page - last[0] < RUN) last[1] = page + 1;
    else runs.push([page, page + 1]);
  }
  return runs;
}

const range = (from: number, to: number) =>
  Array.from({ length: Math.max(to - from, 0) }, (_, i) => from + i);
