/** One face of a view: keys → documents and chunks. */
import { abortable } from "../abort.ts";
import type { CheckOptions } from "../checks.ts";
import { ZarrsiftError } from "../errors.ts";
import { hashHex } from "../hash.ts";
import { Lru } from "../lru.ts";
import type { ReadOptions } from "../store/store.ts";
import { decodable, encodeChunk, fillChunk } from "../zarr/chunk.ts";
import { type JsonObject, writeJson } from "../zarr/json.ts";
import { chunkKey, gridShape, parseChunkKey } from "../zarr/metadata.ts";
import { isSharded } from "../zarr/shard.ts";
import type { Face, FaceNode, Resource, ViewFace } from "./api.ts";
import { documentsOf } from "./consolidate.ts";
import { type FacedArray, faceArray, faceGroup, type ServedArray } from "./face.ts";
import type { VersionGuard } from "./guard.ts";
import { isArray, type ServedNode, type ViewTree } from "./tree.ts";
import { everyNode } from "./walk.ts";

const DOCUMENT_NAMES: Record<Face, readonly string[]> = {
  3: ["zarr.json"],
  2: [".zgroup", ".zarray", ".zattrs", ".zmetadata"],
};
const DOCUMENT_BYTES_KEPT = 32 * 2 ** 20;
const ARRAYS_KEPT = 40_000;

const encoder = new TextEncoder();

/** A face of the hierarchy of a view; documents are made on demand and kept. */
export class TreeFace implements ViewFace {
  readonly #tree: ViewTree;
  readonly #face: Face;
  readonly #tag: string;
  readonly #guard: VersionGuard;
  readonly #most: number;
  readonly #documents = new Lru<Record<string, Uint8Array>>(DOCUMENT_BYTES_KEPT);
  readonly #arrays = new Lru<FacedArray>(ARRAYS_KEPT);

  /**
   * @param tag of all it shows, for entity tags
   * @param most Nodes below a group up to which its metadata is consolidated
   */
  constructor(tree: ViewTree, face: Face, tag: string, guard: VersionGuard, most: number) {
    this.#tree = tree;
    this.#face = face;
    this.#tag = tag;
    this.#guard = guard;
    this.#most = most;
  }

  current(): boolean {
    return this.#guard.current();
  }

  async resource(key: string, options?: ReadOptions): Promise<Resource | undefined> {
    checkKey(key);
    if (!this.#guard.current()) await this.#guard.ensure(options);
    const found = await this.#find(key, options);
    if (!found) await this.#guard.ensure(options);
    return found;
  }

  async #find(key: string, options?: ReadOptions): Promise<Resource | undefined> {
    const slash = key.lastIndexOf("/");
    const name = key.slice(slash + 1);
    if (DOCUMENT_NAMES[this.#face].includes(name))
      return this.#document(slash < 0 ? "" : key.slice(0, slash), name, options);
    return this.#chunk(key, options);
  }

  async children(path: string, options?: ReadOptions): Promise<string[] | undefined> {
    checkKey(path);
    const node = await this.#tree.node(path, options);
    await this.#guard.ensure(options);
    if (!node) return undefined;
    const documents = Object.keys((await this.#documentsAt(path, options)) ?? {});
    if (isArray(node)) return documents;
    const names = (await this.#tree.children(path, options)) ?? [];
    return [...documents, ...names.map((name) => `${name}/`)];
  }

  async *nodes(options?: ReadOptions): AsyncGenerator<FaceNode> {
    for await (const { node, part } of everyNode(this.#tree, options)) yield this.#whole(node, part);
  }

  verify(options?: ReadOptions): Promise<void> {
    return this.#guard.ensure({ ...options, sure: true });
  }

  #whole(node: ServedNode, part: number): FaceNode {
    const { path } = node;
    if (!isArray(node)) {
      const documents = encoded(faceGroup(node.meta, node.attributes, this.#face));
      const chunk = () => {
        throw new ZarrsiftError("bad_request", `/${path} is a group and has no chunks`);
      };
      return { path, documents, own: true, chunk, fill: async () => undefined, part };
    }
    const faced = faceArray(node, this.#face);
    return {
      path,
      documents: encoded(faced.documents),
      grid: gridShape(faced.meta),
      own: faced.own,
      chunk: (coords) => {
        const key = `${path}/${chunkKey(faced.meta.chunkKeys, coords)}`;
        return { key, resource: this.#chunkResource(key, faced, coords) };
      },
      fill: async () => {
        const meta = { ...faced.meta, format: 3 as const };
        return decodable(meta) && !isSharded(meta) ? encodeChunk(meta, fillChunk(faced.meta)) : undefined;
      },
      part,
    };
  }

  async #document(path: string, name: string, options?: ReadOptions): Promise<Resource | undefined> {
    const bytes = (await this.#checked(this.#documentsAt(path, options), options))?.[name];
    if (!bytes) return undefined;
    const etag = `"${(await hashHex(bytes)).slice(0, 32)}"`;
    return {
      kind: "metadata",
      etag,
      contentType: "application/json",
      size: async () => bytes.length,
      read: async () => bytes,
      readRange: async (offset, length) => bytes.subarray(offset, offset + length),
      place: async () => "here",
    };
  }

  #documentsAt(path: string, options?: ReadOptions): Promise<Record<string, Uint8Array> | undefined> {
    const shown = {
      tree: this.#tree,
      face: this.#face,
      faced: (array: ServedArray) => this.#faced(array),
      most: this.#most,
    };
    const load = async () => {
      const documents = await documentsOf(shown, path);
      return encoded(documents ?? {});
    };
    const size = (docs: Record<string, Uint8Array>) =>
      Object.values(docs).reduce((sum, d) => sum + d.length, 100);
    return abortable(this.#documents.load(path, load, size), options?.signal);
  }

  #faced(array: ServedArray): FacedArray {
    const kept = this.#arrays.get(array.path);
    if (kept) return kept;
    const faced = faceArray(array, this.#face);
    this.#arrays.set(array.path, faced, 1);
    return faced;
  }

  async #chunk(key: string, options?: ReadOptions): Promise<Resource | undefined> {
    const found = await this.#arrayOf(key, options);
    if (!found) return undefined;
    const { array, rest } = found;
    const { meta } = array;
    const coords = parseChunkKey(meta.chunkKeys, rest, meta.shape.length);
    const grid = gridShape(meta);
    if (!coords?.every((c, axis) => c < grid[axis]!)) return undefined;
    return this.#chunkResource(key, array, coords);
  }

  #chunkResource(key: string, { chunks, own }: FacedArray, coords: readonly number[]): Resource {
    // A source's chunks are held to the time of the view one by one.
    const checked = <T>(reading: Promise<T>, options?: ReadOptions) =>
      this.#checked(reading, { ...options, relaxed: !own });
    return {
      kind: "chunk",
      etag: `"${this.#tag}/${this.#face}/${encodeURIComponent(key)}"`,
      contentType: "application/octet-stream",
      size: (o) => checked(chunks.size(coords, o), o),
      read: (o) => checked(chunks.read(coords, o), o),
      ...(chunks.readInto && {
        readInto: (range, memory, o) => checked(chunks.readInto!(coords, range, memory, o), o),
      }),
      readRange: (offset, length, o) => checked(chunks.readRange(coords, { offset, length }, o), o),
      place: (o) => checked(chunks.place?.(coords, o) ?? Promise.resolve("here" as const), o),
    };
  }

  /** What was read, once it is known to be of the view's version. */
  async #checked<T>(reading: Promise<T>, options?: CheckOptions): Promise<T> {
    const value = await reading;
    await this.#guard.ensure(options);
    return value;
  }

  /** The array a chunk key belongs to, and the key's part below it. */
  async #arrayOf(
    key: string,
    options?: ReadOptions,
  ): Promise<{ array: FacedArray; rest: string } | undefined> {
    const segments = key.split("/");
    for (let depth = segments.length - 1; depth > 0; depth--) {
      const array = this.#arrays.get(segments.slice(0, depth).join("/"));
      if (array) return { array, rest: segments.slice(depth).join("/") };
    }
    for (let depth = 1; depth < segments.length; depth++) {
      const node = await this.#tree.node(segments.slice(0, depth).join("/"), options);
      if (!node) return undefined;
      if (isArray(node)) return { array: this.#faced(node), rest: segments.slice(depth).join("/") };
    }
    return undefined;
  }
}

function encoded(documents: Record<string, JsonObject>): Record<string, Uint8Array> {
  return Object.fromEntries(
    Object.entries(documents).map(([name, document]) => [name, encoder.encode(writeJson(document))]),
  );
}

/** Keys with empty, `.` or `..` segments never reach a source. */
function checkKey(key: string): void {
  if (key === "" || key.split("/").every((s) => s !== "" && s !== "." && s !== ".." && !s.includes("\0")))
    return;
  throw new ZarrsiftError("bad_request", `"${key}" is not a key: it has empty, "." or ".." segments`);
}
