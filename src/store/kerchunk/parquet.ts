import { messageOf, ZarrsiftError } from "../../errors.ts";
import { Lru } from "../../lru.ts";
import { KeyList } from "../key-list.ts";
import { SharedStats } from "../shared-stats.ts";
import type { Listing, ReadOptions, Store } from "../store.ts";
import { memberTexts } from "./json-members.ts";
import { type Records, readRecords } from "./records.ts";
import { badReferences } from "./reference-store.ts";
import { inlineBytes, type Reference, type References } from "./references.ts";

interface Parsed {
  /** Metadata documents by key, as they are written; `.zmetadata` too. */
  documents: Map<string, string>;
  keys: KeyList;
  /** References in each Parquet file. */
  recordSize: number;
  /** Chunks along each axis, by path of the array. */
  grids: Map<string, number[]>;
}

const ZMETADATA = ".zmetadata";
/** References kept in memory. */
const KEPT = 1_000_000;

/** Whether a `.zmetadata` is that of references in Parquet files. */
export function isParquetReferences(zmetadata: Uint8Array): boolean {
  const text = new TextDecoder().decode(zmetadata);
  return /"record_size"\s*:/.test(text) && "record_size" in (JSON.parse(text) as object);
}

/**
 * References in Parquet files, as fsspec's LazyReferenceMapper lays them out: `.zmetadata` holds the metadata of all
 * nodes, `<array>/refs.<n>.parq` the references of the array's chunks in C order, `record_size` in each.
 */
export class ParquetReferences implements References {
  readonly url: string;
  readonly #files: Store;
  readonly #now: SharedStats;
  #parsed: Promise<Parsed> | undefined;
  #records = new Lru<{ records: Records | undefined }>(KEPT);
  /** Stamps that files had when they were read first. */
  #pins = new Map<string, string>();

  /** @param files the folder that holds `.zmetadata` */
  constructor(files: Store) {
    this.url = files.url;
    this.#files = files;
    this.#now = new SharedStats(files);
  }

  async find(key: string, options: ReadOptions = {}): Promise<Reference | undefined> {
    const parsed = await this.#open(options);
    const document = parsed.documents.get(key);
    if (document !== undefined) return { bytes: new TextEncoder().encode(document) };
    const place = placeOf(key, parsed);
    const records = place && (await this.#file(place.file, parsed.recordSize, options));
    return records && referenceAt(records, place.row);
  }

  async list(prefix: string, options: ReadOptions = {}): Promise<Listing> {
    const { keys, grids } = await this.#open(options);
    const { keys: documents, prefixes } = keys.list(prefix);
    const chunks: string[] = [];
    for (const name of chunkNames(grids.get(prefix)))
      if (await this.find(`${prefix}/${name}`, options)) chunks.push(name);
    return { keys: [...documents, ...chunks].sort(), prefixes };
  }

  /** Of the metadata, and of the file that holds the key's reference. */
  async stamp(key: string, options: ReadOptions = {}): Promise<string> {
    const { size, stamp } = await this.#now.ask(ZMETADATA, options);
    const place = placeOf(key, await this.#open(options));
    const file = place && (await this.#now.ask(place.file, options));
    return `${size} ${stamp}${file ? ` ${file.size} ${file.stamp}` : ""}`;
  }

  clear(): void {
    this.#parsed = undefined;
    this.#records = new Lru(KEPT);
    this.#pins = new Map();
  }

  #open({ traffic }: ReadOptions): Promise<Parsed> {
    this.#parsed ??= this.#load({ traffic }).catch((error) => {
      this.#parsed = undefined;
      throw error;
    });
    return this.#parsed;
  }

  async #load(options: ReadOptions): Promise<Parsed> {
    const bytes = await this.#files.get(ZMETADATA, options);
    const where = `${this.url}/${ZMETADATA}`;
    if (!bytes) throw new ZarrsiftError("source_unreadable", `${where} is not there any more`);
    try {
      return parseMetadata(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (error) {
      throw badReferences(where, messageOf(error));
    }
  }

  /** `undefined` where nothing was ever written there: no chunk of its is there. */
  async #file(path: string, recordSize: number, options: ReadOptions): Promise<Records | undefined> {
    const [pins, kept] = [this.#pins, this.#records];
    const load = async () => {
      const stat = await this.#files.stat(path, { traffic: options.traffic });
      if (!stat) return { records: undefined };
      const stamp = pins.get(path) ?? stat.stamp;
      pins.set(path, stamp);
      const bytes = await this.#files.get(path, { traffic: options.traffic, expect: { stamp } });
      return { records: bytes && (await this.#parse(path, bytes)) };
    };
    return (await kept.load(path, load, () => recordSize)).records;
  }

  async #parse(path: string, bytes: Uint8Array): Promise<Records> {
    try {
      return await readRecords(bytes);
    } catch (error) {
      throw badReferences(`${this.url}/${path}`, messageOf(error));
    }
  }
}

/** @throws Error saying what is wrong */
function parseMetadata(text: string): Parsed {
  const { record_size: recordSize, metadata } = JSON.parse(text) as Record<string, unknown>;
  if (!Number.isSafeInteger(recordSize) || (recordSize as number) < 1)
    throw new Error("record_size is no count");
  if (typeof metadata !== "object" || metadata === null) throw new Error('"metadata" is no object');
  const documents = memberTexts(memberTexts(text).get("metadata")!);
  const grids = new Map<string, number[]>();
  for (const [key, document] of Object.entries(metadata)) {
    const array = /^(.+)\/\.zarray$/s.exec(key)?.[1];
    if (array !== undefined) grids.set(array, gridOf(document, key));
  }
  documents.set(ZMETADATA, text);
  return { documents, keys: new KeyList(documents.keys()), recordSize: recordSize as number, grids };
}

function gridOf(document: unknown, key: string): number[] {
  const { shape, chunks } = (document ?? {}) as { shape?: number[]; chunks?: number[] };
  if (!Array.isArray(shape) || !Array.isArray(chunks) || shape.length !== chunks.length)
    throw new Error(`${key} has no shape and chunks`);
  return shape.map((length, axis) => Math.ceil(length / chunks[axis]!));
}

/** The file that holds a chunk's reference, and its row there; `undefined` for what is no chunk. */
function placeOf(key: string, { grids, recordSize }: Parsed): { file: string; row: number } | undefined {
  const slash = key.lastIndexOf("/");
  const array = key.slice(0, Math.max(0, slash));
  const grid = grids.get(array);
  const chunk = grid && chunkNumber(key.slice(slash + 1), grid);
  if (chunk === undefined) return undefined;
  return { file: `${array}/refs.${Math.floor(chunk / recordSize)}.parq`, row: chunk % recordSize };
}

/** Where a chunk stands among its array's, in C order; `undefined` for what is no chunk of it. */
function chunkNumber(name: string, grid: readonly number[]): number | undefined {
  if (!/^\d+(\.\d+)*$/.test(name)) return undefined;
  const coords = name.split(".").map(Number);
  const shape = grid.length === 0 ? [1] : grid;
  if (coords.length !== shape.length || coords.some((c, axis) => c >= shape[axis]!)) return undefined;
  return coords.reduce((at, c, axis) => at * shape[axis]! + c, 0);
}

function* chunkNames(grid: readonly number[] | undefined): Generator<string> {
  if (!grid) return;
  const shape = grid.length === 0 ? [1] : grid;
  for (let chunk = 0; chunk < product(shape); chunk++) {
    let rest = chunk;
    const coords = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      coords[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    yield coords.join(".");
  }
}

function product(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a * b, 1);
}

function referenceAt({ path, offset, size, raw }: Records, row: number): Reference | undefined {
  const bytes = raw[row];
  if (bytes) return { bytes: startsBase64(bytes) ? inlineBytes(new TextDecoder().decode(bytes)) : bytes };
  const location = path[row];
  if (location === undefined) return undefined;
  const whole = offset[row] === 0 && size[row] === 0;
  return { location, offset: offset[row]!, length: whole ? undefined : size[row]! };
}

function startsBase64(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(0, 7)) === "base64:";
}
