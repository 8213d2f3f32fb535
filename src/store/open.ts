import { ZarrsiftError } from "../errors.ts";
import { CacheStore } from "./cache.ts";
import { CoalesceStore } from "./coalesce.ts";
import { CountingStore } from "./count.ts";
import { HttpStore } from "./http/http.ts";
import type { Patience } from "./http/request.ts";
import { type S3Options, S3Store } from "./http/s3.ts";
import { isIcechunk, openIcechunk } from "./icechunk/icechunk.ts";
import { JsonReferences } from "./kerchunk/json.ts";
import { isParquetReferences, ParquetReferences } from "./kerchunk/parquet.ts";
import { ReferenceStore } from "./kerchunk/reference-store.ts";
import type { References } from "./kerchunk/references.ts";
import { LimitStore } from "./limit.ts";
import { folderUrl, type Location, locate, splitObject } from "./location.ts";
import type { ReadOptions, Store, Traffic } from "./store.ts";
import { type AllowedPrefix, VirtualChunks } from "./virtual-chunks.ts";
import { ZipStore } from "./zip/zip.ts";

/** How a source is read. */
export interface SourceOptions extends ReadOptions {
  /** HTTP statuses that mean "not there"; default 404. */
  absent?: readonly number[] | undefined;
  /** Values kept in memory, in bytes; default 64 MiB. */
  cacheBytes?: number | undefined;
  /** Requests at once; default 32. */
  concurrency?: number | undefined;
  /** Endpoint, region and credentials for `s3:` sources; default: AWS, anonymously. */
  s3?: S3Options | undefined;
  /** Where virtual chunks, and what reference files name, may be read, and as whom; default: nowhere. */
  virtualChunks?: readonly AllowedPrefix[] | undefined;
  /** Retries and timeouts over HTTP. */
  patience?: Patience | undefined;
  /** What the source's reads cost, from now to its end, is added here. */
  total?: Traffic | undefined;
  /** Gets lines for people. */
  log?: ((line: string) => void) | undefined;
}

/** Keys whose presence shows a Zarr hierarchy, the likeliest first. */
const SIGNS = ["zarr.json", ".zgroup", ".zmetadata", "meta/zarr.json", "meta/.zgroup", ".zarray"];

/**
 * Opens a source: a path (in Node), or a `file:`, `http:`, `https:` or `s3:` URL, of a Zarr hierarchy, an Icechunk
 * repository, a zip archive or kerchunk references; `#REF` behind it picks a branch, a tag or a snapshot of a repository.
 *
 * @returns a store with cache, coalescing and a limit of requests at once
 * @throws ZarrsiftError `source_not_found` where there is none of these, `bad_request` for a source that cannot
 *   be understood, and what reading throws
 */
export async function openSource(source: string, options: SourceOptions = {}): Promise<Store> {
  const location = await locate(source);
  const object = await openObject(location, options);
  if (object) return plain(object, location);
  const base = new CountingStore(await baseStore(location, options), options.total);
  const limited = new LimitStore(base, options.concurrency ?? 32);
  const store = cached(limited, options);
  if (await store.get("zarr.json", options)) return plain(store, location);
  if (await isIcechunk(limited, options)) {
    const { signal, log } = options;
    const virtual = new VirtualChunks(options.virtualChunks ?? [], options.patience);
    const icechunk = await openIcechunk(limited, { ref: location.ref, signal, log, virtual });
    return cached(new CountingStore(icechunk), options);
  }
  const sign = await findSign(store, options);
  if (sign === ".zmetadata" && isParquetReferences((await store.get(sign, options))!)) {
    const references = new ParquetReferences(new CoalesceStore(limited));
    return plain(await openReferences(references, location, options), location);
  }
  if (sign !== undefined) return plain(store, location);
  throw new ZarrsiftError(
    "source_not_found",
    `${base.url} holds no Zarr hierarchy and no Icechunk repository: none of ${SIGNS.join(", ")}, repo, ` +
      "refs/branch.main/ref.json is there",
  );
}

async function findSign(store: Store, options: ReadOptions): Promise<string | undefined> {
  for (const sign of SIGNS) if (await store.stat(sign, options)) return sign;
  return undefined;
}

/** What URLs of objects end with. A file is one, whatever its name. */
const OBJECT_NAME = /\.(zip|json)$/i;
/** More of a file's beginning than any space before its first character. */
const START_BYTES = 64;

/** A source in one object; `undefined` where there is no such object. */
async function openObject(location: Location, options: SourceOptions): Promise<Store | undefined> {
  const place = await splitObject(location);
  if (!place || (location.kind !== "file" && !OBJECT_NAME.test(place.key))) return undefined;
  const base = new CountingStore(await baseStore(place.folder, options), options.total);
  const files = new CoalesceStore(new LimitStore(base, options.concurrency ?? 32));
  const start = await firstBytes(files, place.key, options);
  if (start?.startsWith("PK")) return openZip(new ZipStore(files, place.key), options);
  if (start?.trimStart().startsWith("{"))
    return openReferences(new JsonReferences(files, place.key), location, options);
  if (location.kind !== "file") return undefined;
  const message = `${location.path} is a file, but no zip archive and no kerchunk reference file (JSON)`;
  throw new ZarrsiftError("source_not_found", message);
}

async function openZip(zip: ZipStore, options: SourceOptions): Promise<Store> {
  if (await findSign(zip, options)) return new CacheStore(zip, cacheBytes(options));
  const { keys, prefixes } = await zip.list("", options);
  const inside =
    keys.length === 0 && prefixes.length === 1
      ? `; all of it is below ${prefixes[0]}/: zip what is in there`
      : "";
  const message = `${zip.url} holds no Zarr hierarchy: none of ${SIGNS.join(", ")} is a member${inside}`;
  throw new ZarrsiftError("source_not_found", message);
}

async function openReferences(
  references: References,
  location: Location,
  options: SourceOptions,
): Promise<Store> {
  const virtual = new VirtualChunks(options.virtualChunks ?? [], options.patience);
  const store = new ReferenceStore(references, virtual, await folderUrl(location));
  if (await findSign(store, options)) return new CacheStore(new CountingStore(store), cacheBytes(options));
  const message =
    `${references.url} is a file that refers to no Zarr hierarchy: it names none of ${SIGNS.join(", ")}; ` +
    "to open a hierarchy itself name its directory";
  throw new ZarrsiftError("source_not_found", message);
}

async function firstBytes(files: Store, key: string, options: ReadOptions): Promise<string | undefined> {
  const stat = await files.stat(key, options);
  if (!stat) return undefined;
  const bytes = await files.getRange(key, { offset: 0, length: Math.min(START_BYTES, stat.size) }, options);
  return bytes && new TextDecoder("latin1").decode(bytes);
}

function cacheBytes({ cacheBytes = 64 * 1024 * 1024 }: SourceOptions): number {
  return cacheBytes;
}

function cached(store: Store, options: SourceOptions): Store {
  return new CacheStore(new CoalesceStore(store), cacheBytes(options));
}

async function baseStore(location: Location, options: SourceOptions): Promise<Store> {
  if (location.kind === "http") {
    return new HttpStore(location.url, { ...options.patience, absent: options.absent });
  }
  if (location.kind === "s3") {
    return new S3Store(location.url, { ...options.patience, ...options.s3, absent: options.absent });
  }
  const { DirectoryStore, isLocal } = await import("./file.ts");
  return new DirectoryStore(location.path, await isLocal(location.path));
}

function plain(store: Store, { ref }: Location): Store {
  if (ref === undefined) return store;
  throw new ZarrsiftError(
    "bad_request",
    `#${ref} names a version, and ${store.url} is a plain Zarr hierarchy, which has none: leave #${ref} out`,
  );
}
