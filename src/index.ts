/**
 * zarrsift: find granules with SQL, open just those as Zarr.
 *
 * ```ts
 * import { open } from "zarrsift";
 * import * as zarr from "zarrita";
 *
 * const collection = await open("https://example.com/granules.zarr");
 * const view = await collection.view("SELECT idx FROM meta WHERE cloud_cover < 10");
 * const root = await zarr.open(view.store(3), { kind: "group" });
 * ```
 *
 * @module
 */
import { type Collection, type OpenOptions, openCollection } from "./collection.ts";
import { cacheShares, checkOpen } from "./options.ts";
import { locate } from "./store/location.ts";
import { openSource, type SourceOptions } from "./store/open.ts";
import type { Store } from "./store/store.ts";

export interface OpenSourceOptions extends OpenOptions, SourceOptions {
  /** Where `zarrsift index --to` has put the indexes of a source that cannot be written: a path, a URL or a store. */
  indexes?: string | Store | undefined;
  /**
   * Kept in memory of this source, in bytes: decoded columns most of it, pages of indexes a quarter, an eighth as it is
   * stored. Default 512 MiB.
   */
  cacheBytes?: number;
}

/**
 * Opens a collection: a path (in Node), a file, http(s) or s3 URL, as text or as a `URL`, either with `#ref` for an
 * Icechunk branch, tag or snapshot, or a store of your own.
 * @throws ZarrsiftError `source_not_found`, `meta_invalid`, `not_listable` …, and `bad_parameter` for an option that
 *   there is not
 */
export async function open(
  named: string | URL | Store,
  options: OpenSourceOptions = {},
): Promise<Collection> {
  const source = named instanceof URL ? named.href : named;
  checkOpen(source, options);
  const { indexes, cacheBytes, ...given } = options;
  const { ofStore, ofTable } = cacheShares(cacheBytes);
  const reading = { ...given, cacheBytes: ofStore };
  const indexStore = typeof indexes === "string" ? await openSource(indexes, reading) : indexes;
  const opening = { ...given, ...ofTable, ...(indexStore && { indexStore }) };
  if (typeof source !== "string") return openCollection(source, opening);
  const store = await openSource(source, reading);
  const openVersion = async (version: string) => {
    const location = await locate(source);
    return openSource(`${"path" in location ? location.path : location.url}#${version}`, reading);
  };
  try {
    return await openCollection(store, { ...opening, openVersion });
  } catch (error) {
    await store.close?.();
    throw error;
  }
}

export {
  Collection,
  type Explain,
  type OpenOptions,
  openCollection,
  type QueryResult,
} from "./collection.ts";
export type { Description } from "./describe.ts";
export { ERROR_STATUS, type ErrorCode, isZarrsiftError, type Position, ZarrsiftError } from "./errors.ts";
export { COPY_TEMPORARY, type Copied, type CopyOptions, type CopyProgress, copyZarr } from "./export/copy.ts";
export { copyIcechunk, type IcechunkCopyOptions } from "./export/copy-icechunk.ts";
export { kerchunkJson } from "./export/kerchunk-json.ts";
export { writeKerchunkParquet } from "./export/kerchunk-parquet.ts";
export type { Reference, ReferenceOptions, ReferenceProgress } from "./export/references.ts";
export { textCell } from "./format/cell.ts";
export type { BuildOptions, BuildProgress, ColumnReport } from "./index/build/api.ts";
export { buildIndexes } from "./index/build/build.ts";
export { type CheckOptions, type ColumnCheck, checkIndexes } from "./index/build/check.ts";
export { type DropOptions, dropIndexes } from "./index/build/drop.ts";
export type { Batch, OutputColumn, Parameter, QueryOptions } from "./plan/api.ts";
export type { S3Credentials, S3Options } from "./store/http/s3.ts";
export { MemoryStore } from "./store/memory.ts";
export { openSource, type SourceOptions } from "./store/open.ts";
export { openWritable } from "./store/open-writable.ts";
export type { ByteRange, KeyStat, Listing, Place, ReadOptions, Store } from "./store/store.ts";
export type { AllowedPrefix } from "./store/virtual-chunks.ts";
export type { Lock, WritableStore } from "./store/writable.ts";
export { type SqlType, type TimeUnit, typeName } from "./table/types.ts";
export { type CellValue, cellAt, type Vector } from "./table/vector.ts";
export type { Face, FaceNode, Layout, Resource, ViewDefinition, ViewFace, ViewOptions } from "./view/api.ts";
export { View } from "./view/view.ts";
