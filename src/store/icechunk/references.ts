import { messageOf, ZarrsiftError } from "../../errors.ts";
import { Lru } from "../../lru.ts";
import type { ReadOptions, Store } from "../store.ts";
import { unpackFile } from "./file.ts";
import { FlatTable } from "./flatbuffer.ts";

/** Where a virtual chunk's bytes are. */
export interface ChunkReference {
  location: string;
  offset: number;
  length: number;
  /** ETag that the object had. */
  etag: string | undefined;
  /** Time after which the object must not have changed, seconds since 1970. */
  unmodifiedSince: number | undefined;
}

/** Where a chunk that Icechunk stores itself is: a part of a file of the repository. */
export interface NativeChunk {
  /** Key in the repository. */
  file: string;
  offset: number;
  length: number;
}

interface ArrayNode {
  id: Uint8Array;
  /** Ids of its manifests with the chunks each covers: [from, to) along every axis. */
  manifests: { id: string; extents: [number, number][] }[];
}

const CHUNK_KEY = /^(.*)\/c((?:\/\d+)*)$/;
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const MANIFEST_BYTES_KEPT = 64 * 2 ** 20;

/**
 * Where the virtual chunks of a snapshot are, read from its own files: Icechunk's snapshot and manifest formats, 1 and
 * 2 (icechunk.io, specification).
 */
export class IcechunkReferences {
  readonly #files: Store;
  readonly #snapshot: string;
  readonly #manifests = new Lru<FlatTable>(MANIFEST_BYTES_KEPT);
  #nodes: Promise<Map<string, ArrayNode>> | undefined;

  constructor(files: Store, snapshot: string) {
    this.#files = files;
    this.#snapshot = snapshot;
  }

  /** @returns `undefined` where the key is no virtual chunk's */
  async find(key: string, options: ReadOptions = {}): Promise<ChunkReference | undefined> {
    return virtualReference(await this.#entry(key, options));
  }

  /** @returns `"inline"`: the manifest holds the chunk itself; `undefined` where there is no such chunk */
  async whereIs(
    key: string,
    options: ReadOptions = {},
  ): Promise<ChunkReference | NativeChunk | "inline" | undefined> {
    const entry = await this.#entry(key, options);
    const id = entry?.struct(4, 12);
    if (entry && id)
      return { file: `chunks/${objectId(id)}`, offset: entry.number(2, 8), length: entry.number(3, 8) };
    return virtualReference(entry) ?? (entry && "inline");
  }

  async #entry(key: string, options: ReadOptions): Promise<FlatTable | undefined> {
    const match = CHUNK_KEY.exec(key);
    if (!match) return undefined;
    const coords = match[2]!.split("/").slice(1).map(Number);
    const node = (await this.#arrays()).get(`/${match[1]}`);
    const covers = (extents: [number, number][]) =>
      extents.every(([from, to], axis) => coords[axis]! >= from && coords[axis]! < to);
    for (const { id } of node?.manifests.filter((manifest) => covers(manifest.extents)) ?? []) {
      const entry = this.#search(await this.#manifest(id, options), node!.id, coords, id);
      if (entry) return entry;
    }
    return undefined;
  }

  #arrays(): Promise<Map<string, ArrayNode>> {
    this.#nodes ??= this.#readNodes().catch((error) => {
      this.#nodes = undefined;
      throw error;
    });
    return this.#nodes;
  }

  async #readNodes(): Promise<Map<string, ArrayNode>> {
    const file = `snapshots/${this.#snapshot}`;
    const { table } = await this.#read(file, {});
    return this.#parsed(file, () => {
      const nodes = Array.from({ length: table.count(2) }, (_, i) => table.item(2, i));
      const arrays = nodes.filter((node) => node.number(3, 1) === 1);
      return new Map(arrays.map((node) => [node.string(1)!, arrayNode(node)]));
    });
  }

  async #manifest(id: string, options: ReadOptions): Promise<FlatTable> {
    const kept = this.#manifests.get(id);
    if (kept) return kept;
    const { table, size } = await this.#read(`manifests/${id}`, options);
    this.#manifests.set(id, table, size);
    return table;
  }

  /** Both lists are sorted, but a plain walk over the arrays is short: there are few in a manifest. */
  #search(manifest: FlatTable, node: Uint8Array, coords: number[], id: string): FlatTable | undefined {
    return this.#parsed(`manifests/${id}`, () => {
      for (let i = 0; i < manifest.count(1); i++) {
        const array = manifest.item(1, i);
        if (array.struct(0, 8)!.every((byte, at) => byte === node[at])) return searchRefs(array, coords);
      }
      return undefined;
    });
  }

  async #read(file: string, options: ReadOptions): Promise<{ table: FlatTable; size: number }> {
    const bytes = await this.#files.get(file, options);
    if (!bytes) throw new ZarrsiftError("source_unreadable", `${this.#files.url}/${file} is missing`);
    try {
      const plain = await unpackFile(bytes);
      return { table: FlatTable.root(plain), size: plain.length };
    } catch (cause) {
      throw this.#broken(file, cause);
    }
  }

  #parsed<T>(file: string, parse: () => T): T {
    try {
      return parse();
    } catch (cause) {
      throw cause instanceof ZarrsiftError ? cause : this.#broken(file, cause);
    }
  }

  #broken(file: string, cause: unknown): ZarrsiftError {
    const message = `${this.#files.url}/${file} is broken: ${messageOf(cause)}`;
    return new ZarrsiftError("source_unreadable", message, { cause });
  }
}

function arrayNode(node: FlatTable): ArrayNode {
  const data = node.table(4)!;
  const manifests = Array.from({ length: data.count(2) }, (_, i) => {
    const manifest = data.item(2, i);
    const extents = Array.from({ length: manifest.count(1) }, (_, axis): [number, number] => [
      manifest.uint32(1, 2 * axis),
      manifest.uint32(1, 2 * axis + 1),
    ]);
    return { id: objectId(manifest.struct(0, 12)!), extents };
  });
  return { id: node.struct(0, 8)!, manifests };
}

/** Binary search: references are in ascending order of their chunk's coordinates. */
function searchRefs(array: FlatTable, coords: readonly number[]): FlatTable | undefined {
  let low = 0;
  let high = array.count(1) - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const ref = array.item(1, middle);
    const axis = coords.findIndex((coord, i) => ref.uint32(0, i) !== coord);
    if (axis < 0) return ref;
    if (ref.uint32(0, axis) < coords[axis]!) low = middle + 1;
    else high = middle - 1;
  }
  return undefined;
}

function virtualReference(ref: FlatTable | undefined): ChunkReference | undefined {
  if (!ref) return undefined;
  if (ref.has(8)) {
    throw new ZarrsiftError(
      "encoding_unsupported",
      "the locations of this repository's virtual chunks are compressed with a dictionary, which is not supported",
    );
  }
  const location = ref.string(5);
  if (location === undefined) return undefined;
  return {
    location,
    offset: ref.number(2, 8),
    length: ref.number(3, 8),
    etag: ref.string(6),
    unmodifiedSince: ref.number(7, 4) || undefined,
  };
}

/** An object's id as its file is named: Crockford's base 32. */
function objectId(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const groups = bits.match(/.{1,5}/g)!;
  return groups.map((group) => CROCKFORD[Number.parseInt(group.padEnd(5, "0"), 2)]).join("");
}
