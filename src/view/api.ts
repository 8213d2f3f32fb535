/**
 * What views offer to the server and the library.
 */
import type { OutputColumn, QueryOptions } from "../plan/api.ts";
import type { ByteRange, Memory, Place, ReadOptions } from "../store/store.ts";

/** Zarr format of a view's face. */
export type Face = 2 | 3;

export type Layout = "granules" | "stacked" | "concatenated";

export interface ViewOptions extends QueryOptions {
  /** Columns to flatten into attributes; default: what the SQL selects (all columns for `idx` alone or `*`). */
  fields?: readonly string[];
  /** Default: granules. */
  layout?: Layout;
  /** In the stacked layout: one stack, `stack_0`, `stack_1` …, for each encoding that granules have. Default: one of all. */
  groupBy?: "encoding";
  /** Only these arrays of each granule, paths relative to it; default all. */
  variables?: readonly string[];
  /** What to do with a row whose group is not in the source; default "error". */
  missing?: "error" | "skip";
}

/** A field of a view: the same data in attributes and in the view's own `/meta`. */
export interface Field extends OutputColumn {}

/**
 * All that makes a view, as plain JSON: kept by the server, enough to make it again.
 * `id` is a hash of collection, version, idx, fields, layout, grouping and variables.
 */
export interface ViewDefinition {
  id: string;
  collection: string;
  version: string;
  /** The query it came from, for provenance and to compute expression fields again; absent for an idx list. */
  sql?: string;
  params?: (null | boolean | number | string | { bigint: string } | { base64: string })[];
  bbox?: [number, number, number, number];
  datetime?: string;
  /** What `now()` was, in microseconds since 1970, so that it stays what it was. */
  now?: string;
  fields?: string[];
  layout: Layout;
  groupBy?: "encoding";
  variables?: string[];
  /** Rows in view order: deltas as zigzag LEB128 varints, base64. */
  idx: string;
  count: number;
  /** Rows left out by `missing: "skip"`. */
  skipped: number;
  /**
   * When it was made, milliseconds since 1970, no part of `id`: granules that were written later are not shown. Absent
   * where the version alone says what they are.
   */
  made?: number;
  /**
   * Of granules that were found to make one stack: the attributes they share, JSON by path in a granule. The view is made
   * again without reading each of them.
   */
  agreed?: string;
}

/** Something a key of a view's face leads to. */
export interface Resource {
  kind: "metadata" | "chunk";
  /** Strong ETag, quotes included. */
  etag: string;
  /** `application/json` or `application/octet-stream`. */
  contentType: string;
  /** Size in bytes, found without reading the body where the store can; `undefined`: the source has no such chunk. */
  size(options?: ReadOptions): Promise<number | undefined>;
  /** The bytes; `undefined` where the source turns out not to have the chunk. */
  read(options?: ReadOptions): Promise<Uint8Array | undefined>;
  /** As `Store.getInto`; absent where the bytes are not those of a store that has it. */
  readInto?(
    range: ByteRange | undefined,
    memory: Memory,
    options?: ReadOptions,
  ): Promise<Uint8Array | undefined>;
  readRange(offset: number, length: number, options?: ReadOptions): Promise<Uint8Array | undefined>;
  /** Where the very bytes lie in the source; `"here"`: made by the view, or nobody else can read them; `undefined`: nowhere. */
  place(options?: ReadOptions): Promise<Place | "here" | undefined>;
}

/** A group or an array of a face, with all that belongs to it. */
export interface FaceNode {
  path: string;
  /** Its documents by file name, nothing consolidated in them. */
  documents: Record<string, Uint8Array>;
  /** Chunks along each axis; absent for groups. */
  grid?: number[];
  /** Whether the view makes its chunks from its rows alone: its `/meta`, and coordinates. */
  own: boolean;
  /** A chunk of an array. */
  chunk(coords: readonly number[]): { key: string; resource: Resource };
  /** What to store for a chunk that is not there; `undefined` where the codecs are unknown here. */
  fill(): Promise<Uint8Array | undefined>;
  /** The share of the whole view that ends with this node, up to 1. */
  part: number;
}

export interface ViewFace {
  /**
   * Whether the source is still believed to be the view's version; false once it was found changed. Starts a check in
   * the background when the last one is old.
   */
  current(): boolean;
  /** The resource at `key` (no leading slash), or `undefined`: truly absent. Errors are thrown, never `undefined`. */
  resource(key: string, options?: ReadOptions): Promise<Resource | undefined>;
  /** Names below a group or array ("" is the root), folders with a trailing slash; `undefined`: no such node. */
  children(path: string, options?: ReadOptions): Promise<string[] | undefined>;
  /**
   * Every group and array, parents first, granules in the view's order, a few of them in memory at a time.
   * @throws ZarrsiftError `encoding_unsupported` at an array that this face cannot express, `not_listable`
   */
  nodes(options?: ReadOptions): AsyncIterable<FaceNode>;
  /**
   * Whether all that was read belongs together, where looking at the source for every read would take too long.
   * @throws ZarrsiftError `source_changed`
   */
  verify(options?: ReadOptions): Promise<void>;
}
