import { ZarrsiftError } from "../errors.ts";
import { CacheStore } from "./cache.ts";
import { CoalesceStore } from "./coalesce.ts";
import { CountingStore } from "./count.ts";
import { HttpStore } from "./http.ts";
import type { Patience } from "./http-request.ts";
import { isIcechunk, openIcechunk } from "./icechunk.ts";
import { LimitStore } from "./limit.ts";
import { type Location, locate } from "./location.ts";
import { type S3Options, S3Store } from "./s3.ts";
import type { ReadOptions, Store, Traffic } from "./store.ts";
import { type AllowedPrefix, VirtualChunks } from "./virtual-chunks.ts";

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
  /** Where virtual chunks of an Icechunk repository may be read, and as whom; default: nowhere. */
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
 * Opens a source: a path (in Node), or a `file:`, `http:`, `https:` or `s3:` URL, of a Zarr hierarchy or an Icechunk
 * repository; `#REF` behind it picks a branch, a tag or a snapshot of the latter.
 *
 * @returns a store with cache, coalescing and a limit of requests at once
 * @throws ZarrsiftError `source_not_found` where there is none of these, `bad_request` for a source that cannot
 *   be understood, and what reading throws
 */
export async function openSource(source: string, options: SourceOptions = {}): Promise<Store> {
  const location = await locate(source);
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
  for (const sign of SIGNS) if (await store.stat(sign, options)) return plain(store, location);
  throw new ZarrsiftError(
    "source_not_found",
    `${base.url} holds no Zarr hierarchy and no Icechunk repository: none of ${SIGNS.join(", ")}, repo, ` +
      "refs/branch.main/ref.json is there",
  );
}

function cached(store: Store, options: SourceOptions): Store {
  return new CacheStore(new CoalesceStore(store), options.cacheBytes ?? 64 * 1024 * 1024);
}

async function baseStore(location: Location, options: SourceOptions): Promise<Store> {
  if (location.kind === "http") {
    return new HttpStore(location.url, { ...options.patience, absent: options.absent });
  }
  if (location.kind === "s3") {
    return new S3Store(location.url, { ...options.patience, ...options.s3, absent: options.absent });
  }
  const { DirectoryStore } = await import("./file.ts");
  return new DirectoryStore(location.path);
}

function plain(store: Store, { ref }: Location): Store {
  if (ref === undefined) return store;
  throw new ZarrsiftError(
    "bad_request",
    `#${ref} names a version, and ${store.url} is a plain Zarr hierarchy, which has none: leave #${ref} out`,
  );
}
