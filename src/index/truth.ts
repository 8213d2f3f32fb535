/** Whether a column is still what was indexed. Design: docs/indexes.md, Truth. */
import { abortable, mapLimit } from "../abort.ts";
import { isRemote } from "../store/remote.ts";
import { statsOf } from "../store/stats.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import type { MetaColumn } from "../table/column.ts";
import { crc32c } from "../zarr/codecs/crc32c.ts";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonEquals,
  parseJson,
  writeJson,
} from "../zarr/json.ts";
import type { IndexState } from "./api.ts";
import { type IndexArray, wholeSum } from "./arrays.ts";
import type { IndexReads } from "./pages.ts";
import { readWhole } from "./whole.ts";

/** One chunk of a column as it was when it was indexed. */
export interface StoredChunk {
  /** Bytes as they are stored; -1: the chunk is not there, and reads as the fill value. */
  size: number;
  /** Of the stored bytes; 0 where there are none. */
  crc: number;
  /** crc32c of the stamp that `Store.stat` gave, in UTF-8; 0: none. */
  stamp: number;
}

/** What a column was when it was indexed. */
export interface ColumnTruth {
  rows: number;
  chunkRows: number;
  /** `zarr.json`, or `.zarray` with `.zattrs`, as JSON text without `shape`. */
  document: string;
  /** The Icechunk snapshot it was read from. */
  snapshot: string | undefined;
  /** Path of the arrays below: `indexes/_zarrsift/truth/date`. */
  path: string;
  /** crc32c of the arrays `sizes`, `crcs` and `stamps`. */
  sums: readonly number[];
}

/** How the state of an index is found. */
export interface TruthOptions {
  /** The column's store, where indexes are kept beside their source; default: the indexes' own. */
  source?: Store;
  /** Compare every covered chunk with its checksum, wherever it is; default false. */
  verify?: boolean;
}

/** A chunk's entry in the truth. */
export function storedChunk(bytes: Uint8Array | undefined, stamp: string | undefined): StoredChunk {
  const stampSum = stamp === undefined ? 0 : stampOf(stamp);
  return bytes ? { size: bytes.length, crc: crc32c(bytes), stamp: stampSum } : { size: -1, crc: 0, stamp: 0 };
}

/** crc32c of a stamp's text. */
export const stampOf = (stamp: string): number => crc32c(new TextEncoder().encode(stamp));

/** What decides how a column's chunks are read, whatever its length: kept and compared as text. */
export function columnDocument({ meta }: Pick<MetaColumn, "meta">): string {
  const { shape: _, attributes: __, ...document } = meta.document;
  return writeJson({ document, attributes: meta.attributes });
}

/** The arrays and the record of a column's truth, for `zarrsift.truth.<column>` in the attributes of `/indexes`. */
export function encodeTruth(
  column: MetaColumn,
  chunks: readonly StoredChunk[],
  snapshot: string | undefined,
): { arrays: IndexArray[]; record: JsonObject } {
  const path = `_zarrsift/truth/${column.name}`;
  const sizes = BigInt64Array.from(chunks, ({ size }) => BigInt(size));
  const crcs = Uint32Array.from(chunks, ({ crc }) => crc);
  const stamps = Uint32Array.from(chunks, ({ stamp }) => stamp);
  return {
    arrays: [
      { path: `${path}/sizes`, data: sizes },
      { path: `${path}/crcs`, data: crcs },
      { path: `${path}/stamps`, data: stamps },
    ],
    record: {
      path: `indexes/${path}`,
      rows: column.rows,
      chunkRows: column.chunkRows,
      document: columnDocument(column),
      ...(snapshot !== undefined && { snapshot }),
      sums: [wholeSum(sizes), wholeSum(crcs), wholeSum(stamps)],
    },
  };
}

/** Checksums of what decides a column's values: of its chunks' sizes, of their checksums, and of its document. */
export function contentSums({ document, sums }: Pick<ColumnTruth, "document" | "sums">): number[] {
  const text = writeJson(sorted(parseJson(document, "the document of a column")));
  return [sums[0] ?? Number.NaN, sums[1] ?? Number.NaN, crc32c(new TextEncoder().encode(text))];
}

/** JSON with the keys of its objects in order, whoever wrote it. */
function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sorted(value[key]!)]));
}

/** The state of one column's indexes and zone map. */
export class Truth {
  /** Rows that may be believed: without the last chunk where that grew since. */
  readonly covered: number;
  readonly #column: MetaColumn;
  readonly #truth: ColumnTruth | undefined;
  readonly #reads: IndexReads;
  readonly #options: TruthOptions;
  #stale: IndexState | undefined;
  /** Whether the column's metadata were compared. */
  #looked = false;
  #state: Promise<IndexState> | undefined;
  #chunks: Promise<StoredChunk[]> | undefined;
  /** Comparisons of chunks that were read, under way. */
  readonly #comparing = new Set<Promise<void>>();

  /** @param truth `undefined`: an index of another maker, of whose column nothing was recorded */
  constructor(
    column: MetaColumn,
    truth: ColumnTruth | undefined,
    reads: IndexReads,
    options: TruthOptions = {},
  ) {
    this.#column = column;
    this.#truth = truth;
    this.#reads = reads;
    this.#options = options;
    const { rows, chunkRows } = truth ?? column;
    const grown = column.rows > rows;
    this.covered = grown ? Math.floor(rows / chunkRows) * chunkRows : rows;
  }

  /** Chunks of the column that are wholly covered. */
  get chunks(): number {
    return Math.ceil(this.covered / this.#column.chunkRows);
  }

  /** Whether the column was indexed as what these are the `contentSums` of. */
  isOf(sums: readonly number[]): boolean {
    const own = this.#truth && contentSums(this.#truth);
    return own?.every((sum, i) => sum === sums[i]) === true;
  }

  async state({ signal, traffic }: ReadOptions = {}): Promise<IndexState> {
    if (this.#isStale()) return this.#stale!;
    this.#state ??= this.#find({ traffic }).catch((error) => {
      this.#state = undefined;
      throw error;
    });
    const state = await abortable(this.#state, signal);
    if (this.#comparing.size > 0) await abortable(Promise.all(this.#comparing), signal);
    return this.#stale ?? state;
  }

  /**
   * A chunk was read, these are its stored bytes: the index is stale from now on where they are not what was indexed.
   * Whoever asks for the state from now on waits for that.
   */
  observe(chunk: number, bytes: Uint8Array | undefined): Promise<void> {
    const comparing = this.#compareChunk(chunk, bytes);
    // That the record cannot be read says nothing about the column.
    const settled = comparing.catch(() => {}).finally(() => this.#comparing.delete(settled));
    this.#comparing.add(settled);
    return comparing;
  }

  async #compareChunk(chunk: number, bytes: Uint8Array | undefined): Promise<void> {
    if (this.#isStale() || !this.#truth || chunk >= this.chunks) return;
    if (this.#state && (await this.#state.catch(() => undefined))?.state === "verified") return;
    const stored = (await this.#load({}))[chunk]!;
    if (!sameBytes(stored, bytes)) this.#spoil(chunk);
  }

  async #find(options: ReadOptions): Promise<IndexState> {
    const truth = this.#truth;
    if (!truth) return { state: "unverified", why: "made by another program, for as many rows as there are" };
    const store = this.#store;
    if (this.#options.verify) return this.#compare(true, options);
    if (store.snapshot !== undefined) return this.#ofSnapshot(truth, store.snapshot, options);
    if (isRemote(store)) {
      return { state: "unverified", why: "metadata agree; each chunk is compared when it is read" };
    }
    return this.#compare(false, options);
  }

  /** Chunks that Icechunk does not call changed are as they were; where it does not know, all are compared. */
  async #ofSnapshot({ snapshot }: ColumnTruth, now: string, options: ReadOptions): Promise<IndexState> {
    if (snapshot === now) return { state: "verified", why: "made from this snapshot" };
    const changed =
      snapshot === undefined ? undefined : await this.#store.changedChunks?.(snapshot, this.#column.path);
    if (!changed) return this.#compare(true, options);
    const chunks = new Set(changed.map(([chunk]) => chunk!).filter((chunk) => chunk < this.chunks));
    if (chunks.size > 0) return this.#compare(true, options, chunks);
    return { state: "verified", why: `its chunks are unchanged since snapshot ${snapshot}` };
  }

  /** Sizes and stamps of all covered chunks, or of `some`; where a stamp differs, or for `all`, the bytes. */
  async #compare(all: boolean, options: ReadOptions, some?: ReadonlySet<number>): Promise<IndexState> {
    const store = this.#store;
    const recorded = (await this.#load(options)).slice(0, this.chunks);
    const keys = recorded.map((_, chunk) => this.#column.keyOf(chunk));
    const stats = all ? [] : await statsOf(store, keys, options);
    let read = 0;
    await mapLimit(recorded, 8, async (stored, chunk) => {
      if (this.#stale || (some && !some.has(chunk))) return;
      const [key, stat] = [keys[chunk]!, stats[chunk]];
      if (stat && stat.size === stored.size && stampOf(stat.stamp) === stored.stamp) return;
      if (!all && !stat && stored.size === -1) return;
      read++;
      const bytes = stat?.size === stored.size || all ? await store.get(key, options) : null;
      if (bytes === null || !sameBytes(stored, bytes)) this.#spoil(chunk);
    });
    if (this.#stale) return this.#stale;
    const what = read > 0 ? `checksums of ${read} chunks` : "sizes and times of all chunks";
    return { state: "verified", why: `${what} are as they were` };
  }

  get #store(): Store {
    return this.#options.source ?? this.#reads.store;
  }

  /** Whether it is known to be: the metadata are compared when that is asked first, which most columns are not. */
  #isStale(): boolean {
    if (!this.#looked && this.#truth) this.#stale = obvious(this.#column, this.#truth);
    this.#looked = true;
    return this.#stale !== undefined;
  }

  #spoil(chunk: number): void {
    this.#stale = {
      state: "stale",
      why: `chunk ${chunk} of ${this.#column.name} changed since the index was built`,
    };
  }

  #load(options: ReadOptions): Promise<StoredChunk[]> {
    this.#chunks ??= readTruth(this.#truth!, this.#reads, options).catch((error) => {
      this.#chunks = undefined;
      throw error;
    });
    return this.#chunks;
  }
}

function obvious(column: MetaColumn, truth: ColumnTruth): IndexState | undefined {
  const stale = (why: string): IndexState => ({ state: "stale", why });
  if (column.chunkRows !== truth.chunkRows) return stale(`the chunks of ${column.name} have another length`);
  if (column.rows < truth.rows)
    return stale(`${truth.rows} rows were indexed, and ${column.name} has ${column.rows}`);
  const now = columnDocument(column);
  if (
    now !== truth.document &&
    !jsonEquals(parseJson(now, column.path), parseJson(truth.document, truth.path))
  )
    return stale(`the metadata of ${column.name} changed since the index was built`);
  return undefined;
}

function sameBytes(stored: StoredChunk, bytes: Uint8Array | undefined): boolean {
  if (!bytes) return stored.size === -1;
  return bytes.length === stored.size && crc32c(bytes) === stored.crc;
}

/** The entries of all chunks that were indexed. @throws ZarrsiftError `index_unusable` */
export async function readTruth(
  { path, rows, chunkRows, sums }: ColumnTruth,
  reads: IndexReads,
  options: ReadOptions,
): Promise<StoredChunk[]> {
  const count = Math.ceil(rows / chunkRows);
  const [sizes, crcs, stamps] = await Promise.all([
    readWhole(reads, `${path}/sizes`, "int64", count, sums[0], options),
    readWhole(reads, `${path}/crcs`, "uint32", count, sums[1], options),
    readWhole(reads, `${path}/stamps`, "uint32", count, sums[2], options),
  ]);
  return Array.from(sizes, (size, i) => ({ size: Number(size), crc: crcs[i]!, stamp: stamps[i]! }));
}
