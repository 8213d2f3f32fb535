/** Where indexes are written: the source's own store, or one beside it. */
import { mapLimit } from "../../abort.ts";
import { isZarrsiftError, ZarrsiftError } from "../../errors.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { WritableStore } from "../../store/writable.ts";
import { Hierarchy } from "../../zarr/hierarchy.ts";
import { type JsonObject, writeJson } from "../../zarr/json.ts";
import { type ArrayMeta, chunkKey, gridShape } from "../../zarr/metadata.ts";
import type { NodeDocuments } from "../../zarr/parse.ts";
import { arrayChunks, arrayDocuments, arrayMeta, type EncodedIndex, groupsOf } from "../arrays.ts";
import { type IndexRecords, indexAttributes, indexRecords } from "../records.ts";
import { groupDocuments, rootDocuments } from "./documents.ts";
import { documentsAt, isLeftover, keysBelow, livePaths, type Nodes, nodesBelow, OWN } from "./nodes.ts";

/** Where a builder keeps others out. */
export const LOCK = `${OWN}/lock`;

/** Chunks written at once. */
const AT_ONCE = 4;

const ROOT_DOCUMENTS = { 2: [".zgroup", ".zattrs", ".zmetadata"], 3: ["zarr.json"] } as const;

/** What one has written, for another one to publish. */
export interface WrittenParts {
  documents: [path: string, documents: NodeDocuments][];
  trees: [path: string, documents: NodeDocuments][];
  bytes: number;
}

/**
 * The indexes of a store, to be changed. What is written is seen once it is published, and nothing that was published
 * goes before what replaces it has been.
 */
export class IndexTarget {
  readonly store: WritableStore;
  readonly format: 2 | 3;
  /** As they were published last. */
  readonly records: IndexRecords;
  /** What is there by the store's own account; `undefined`: no Zarr hierarchy as yet. */
  readonly hierarchy: Hierarchy | undefined;
  /** Bytes written so far. */
  written = 0;
  readonly #attributes: JsonObject;
  #hasRecords: boolean;
  readonly #documents: Nodes = new Map();
  /** Documents of new trees, of which no record is true as yet. */
  readonly #trees: Nodes = new Map();
  /** Trees whose documents are written after the records that are true of them. */
  readonly #deferred = new Set<string>();
  #publishing: Promise<void> = Promise.resolve();
  /** Paths of what was dropped. */
  readonly #gone = new Set<string>();

  private constructor(
    store: WritableStore,
    format: 2 | 3,
    hierarchy: Hierarchy | undefined,
    attributes: JsonObject,
    records: IndexRecords | undefined,
  ) {
    this.store = store;
    this.format = format;
    this.hierarchy = hierarchy;
    this.records = records ?? { truth: {}, indexes: {}, zones: {} };
    this.#hasRecords = records !== undefined;
    this.#attributes = attributes;
  }

  /**
   * @param format of the source: that of a store that has none
   * @throws ZarrsiftError `encoding_unsupported` where a newer version of this library wrote what is there
   */
  static async open(store: WritableStore, format: 2 | 3, options: ReadOptions = {}): Promise<IndexTarget> {
    const hierarchy = await Hierarchy.open(store, options).catch((error) => {
      if (isZarrsiftError(error, "source_not_found")) return undefined;
      throw error;
    });
    const group = await hierarchy?.node("indexes", options);
    const records = group && indexRecords(group.attributes);
    if (typeof records === "string")
      throw new ZarrsiftError("encoding_unsupported", `${store.url}/indexes cannot be changed: ${records}`);
    return new IndexTarget(store, hierarchy?.format ?? format, hierarchy, group?.attributes ?? {}, records);
  }

  /** Writes arrays, and the groups they are in; no record names them yet. */
  async write({ arrays }: EncodedIndex, options: ReadOptions = {}): Promise<void> {
    for (const path of groupsOf(arrays))
      await this.#document(`indexes/${path}`, groupDocuments(this.format, {}));
    for (const array of arrays) {
      const path = `indexes/${array.path}`;
      const isTree = !array.path.includes("/");
      const written = isTree ? await this.#separated(path, array) : array;
      const { chunkKeys } = arrayMeta(written, this.format);
      const documents = arrayDocuments(written, this.format);
      // Where all is seen at once, at the commit, an array must be there before its chunks.
      if (this.store.commit) await this.#document(path, documents);
      const chunks = [...arrayChunks(written)];
      await mapLimit(chunks, AT_ONCE, async (bytes, chunk) => {
        options.signal?.throwIfAborted();
        await this.#set(`${path}/${chunkKey(chunkKeys, [chunk])}`, bytes);
      });
      if (isTree && this.format === 3) {
        this.#trees.set(path, documents);
      } else await this.#document(path, documents);
    }
  }

  /**
   * Trees are always at the same place. In v3 the chunks of a new one have other keys than those of the old one, so
   * that both are there until one document is replaced.
   */
  async #separated<T extends { path: string }>(
    path: string,
    array: T,
  ): Promise<T & { separator: "/" | "." }> {
    if (this.store.commit) return { ...array, separator: "/" };
    const old = await this.hierarchy?.node(path).catch(() => undefined);
    const taken =
      old?.nodeType === "array" && old.chunkKeys.name === "default" ? old.chunkKeys.separator : ".";
    return { ...array, separator: taken === "/" ? "." : "/" };
  }

  /**
   * v2 has no second place for a tree: the old one goes before a new one is written, its documents first.
   * @param column whose tree it is
   */
  async retire(column: string, options: ReadOptions = {}): Promise<void> {
    const path = `indexes/${column}`;
    const there = await documentsAt(this.store, path, this.format, options);
    if (this.format === 3 || (!there[".zarray"] && this.#hasRecords)) return;
    for (const name of [".zarray", ".zattrs"]) await this.store.delete(`${path}/${name}`);
    delete this.records.indexes[column];
    await this.publish(options);
  }

  /** Names of the columns that records speak of. */
  columns(): string[] {
    const { truth, indexes, zones } = this.records;
    return [...new Set([truth, indexes, zones].flatMap((of) => Object.keys(of)))].sort();
  }

  /** Takes away all that belongs to these columns. */
  async drop(columns: readonly string[], options: ReadOptions = {}): Promise<void> {
    const places: string[] = [];
    for (const name of columns) {
      const { kind } = this.records.indexes[name] ?? {};
      if (kind === undefined) continue;
      places.push(`indexes/${name}`);
      // Or it would be taken for a tree of another maker, once no record names it.
      if (kind === "rtree")
        for (const document of ["zarr.json", ".zarray"])
          await this.store.delete(`indexes/${name}/${document}`);
    }
    for (const name of columns)
      for (const of of [this.records.truth, this.records.indexes, this.records.zones]) delete of[name];
    for (const place of places) this.#gone.add(place);
    if (columns.length > 0) await this.publish(options);
    for (const place of places)
      for await (const key of keysBelow(this.store, place, options)) await this.store.delete(key);
    await this.clean(options);
    if (this.columns().length === 0) await this.#removeGroup(options);
  }

  /** Once there are no indexes, `/indexes` goes too, where nobody else has anything in it. */
  async #removeGroup(options: ReadOptions): Promise<void> {
    if ((await this.#liveNodes(options)).size > 0) return;
    await this.#putRoot(new Map(), options);
    for (const name of [".zattrs", ".zmetadata", ".zgroup", "zarr.json"])
      await this.store.delete(`indexes/${name}`);
  }

  /** What `write` has written so far. */
  parts(): WrittenParts {
    return { documents: [...this.#documents], trees: [...this.#trees], bytes: this.written };
  }

  /** Takes over what another one has written in the same store. */
  adopt({ documents, trees, bytes }: WrittenParts): void {
    for (const [path, of] of documents) this.#documents.set(path, of);
    for (const [path, of] of trees) this.#trees.set(path, of);
    this.written += bytes;
  }

  /**
   * Makes `records` be what readers find, one after the other.
   * @param change made to the records when it is its turn, about `column`
   */
  async publish(options: ReadOptions = {}, column?: string, change: () => void = () => {}): Promise<void> {
    const publishing = this.#publishing.then(() => {
      change();
      const path = `indexes/${column}`;
      const tree = this.#trees.get(path);
      if (tree) {
        this.#trees.delete(path);
        this.#documents.set(path, tree);
        this.#deferred.add(path);
      }
      return this.#publishNow(options);
    });
    this.#publishing = publishing.catch(() => {});
    await publishing;
  }

  async #publishNow(options: ReadOptions): Promise<void> {
    options.signal?.throwIfAborted();
    const nodes = await this.#liveNodes(options);
    const below: Nodes = new Map(
      [...nodes].map(([path, documents]) => [path.slice("indexes/".length), documents]),
    );
    const attributes = { ...this.#attributes, ...indexAttributes(this.records) };
    await this.#ensureRoot(options);
    const group = groupDocuments(this.format, attributes, below);
    await this.#put("indexes", group);
    this.#hasRecords = true;
    await this.#putRoot(new Map<string, NodeDocuments>([["indexes", group], ...nodes]), options);
    for (const path of this.#deferred) await this.#put(path, nodes.get(path) ?? {});
    this.#deferred.clear();
  }

  /** What is there and is named by a record, or was made by others. */
  async #liveNodes(options: ReadOptions): Promise<Nodes> {
    const live = livePaths(this.records);
    const nodes = await nodesBelow(this.store, "indexes", this.format, options);
    for (const [path, documents] of this.#documents) nodes.set(path, documents);
    for (const { kind, path } of Object.values(this.records.indexes)) {
      if (this.format !== 3 || kind !== "rtree" || typeof path !== "string" || this.#documents.has(path))
        continue;
      // Where a build ended before a tree's own document was written, what the groups say of it counts.
      const node = await this.hierarchy?.node(path, options);
      if (node) nodes.set(path, { "zarr.json": node.document });
      this.#deferred.add(path);
    }
    for (const path of nodes.keys())
      if (path === "indexes" || this.#gone.has(path) || isLeftover(path, live)) nodes.delete(path);
    return new Map([...nodes].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async #ensureRoot(options: ReadOptions): Promise<void> {
    if (this.hierarchy) return;
    const there = await documentsAt(this.store, "", this.format, options);
    if (Object.keys(there).length === 0) await this.#put("", groupDocuments(this.format, {}));
  }

  async #putRoot(nodes: Nodes, options: ReadOptions): Promise<void> {
    const root = await documentsAt(this.store, "", this.format, options, ROOT_DOCUMENTS[this.format]);
    const names = Object.keys(this.records.indexes).sort();
    await this.#put("", rootDocuments(this.format, root, nodes, names));
  }

  /** Takes away what no record names: of builds that were replaced, or that ended too early. */
  async clean(options: ReadOptions = {}): Promise<void> {
    const live = livePaths(this.records);
    const trees = await this.#treeKeys(options);
    for await (const key of keysBelow(this.store, "indexes", options)) {
      if (key.startsWith(`${LOCK}/`)) continue;
      const folder = key.slice(0, key.lastIndexOf("/"));
      const tree = [...trees.keys()].find((path) => key.startsWith(`${path}/`));
      const replaced = tree !== undefined && !trees.get(tree)!.has(key);
      if (replaced || isLeftover(folder, live)) await this.store.delete(key);
    }
  }

  /** The keys that trees consist of, by their paths. */
  async #treeKeys(options: ReadOptions): Promise<Map<string, Set<string>>> {
    const trees = new Map<string, Set<string>>();
    for (const { kind, path } of Object.values(this.records.indexes)) {
      if (kind !== "rtree" || typeof path !== "string") continue;
      const hierarchy = await Hierarchy.open(this.store, options);
      const meta = (await hierarchy.node(path, options)) as ArrayMeta;
      const chunks = Array.from({ length: gridShape(meta)[0]! }, (_, i) => chunkKey(meta.chunkKeys, [i]));
      const names = this.format === 3 ? ["zarr.json"] : [".zarray", ".zattrs"];
      trees.set(path, new Set([...names, ...chunks].map((name) => `${path}/${name}`)));
    }
    return trees;
  }

  async #document(path: string, documents: Record<string, JsonObject>): Promise<void> {
    if (this.#documents.has(path)) return;
    if (documents[".zarray"]) await this.store.delete(`${path}/.zgroup`);
    this.#documents.set(path, documents);
    await this.#put(path, documents);
  }

  async #put(path: string, documents: NodeDocuments): Promise<void> {
    for (const [name, document] of Object.entries(documents)) {
      const key = path === "" ? name : `${path}/${name}`;
      await this.#set(key, writeJson(document, 2));
    }
  }

  async #set(key: string, value: Uint8Array | string): Promise<void> {
    await this.store.set(key, value);
    this.written += value.length;
  }
}
