import { abortable } from "../../abort.ts";
import { messageOf, ZarrsiftError } from "../../errors.ts";
import { keySegments, prefixSegments } from "../key.ts";
import { isEmptyRange, spanOf, takeRange } from "../range.ts";
import type { ByteRange, KeyStat, Listing, Place, ReadOptions, Store } from "../store.ts";
import { placeAt, VirtualChunks } from "../virtual-chunks.ts";
import { type Icechunk, loadIcechunk, whileBusy } from "./load.ts";
import { openRef, unknownRef } from "./ref.ts";
import { IcechunkReferences } from "./references.ts";
import { Failures, icechunkStorage } from "./storage.ts";

/** How an Icechunk repository is opened. */
export interface IcechunkOptions extends ReadOptions {
  /** A branch, a tag or a snapshot id, looked for in this order; default the branch `main`. */
  ref?: string | undefined;
  /** Gets one line where Icechunk's slower WASM build takes over. */
  log?: ((line: string) => void) | undefined;
  /** Reads virtual chunks; default: none may be read. */
  virtual?: VirtualChunks | undefined;
}

/** First bytes of every Icechunk file. */
const MAGIC = new TextEncoder().encode("ICE🧊CHUNK");
const METADATA_KEY = /(^|\/)(zarr\.json|\.z(array|group|attrs|metadata))$/;
/** What Icechunk says, the snapshot well read, of keys for which it has no plain null. */
export const NO_SUCH_KEY =
  /^(invalid zarr key format|v2 key not found at|node not found at|there is not an array at)/;
/** What Icechunk's shorter messages mean. */
const MEANINGS: Record<string, string> = {
  "object not found": "a file of the repository is missing",
  "I/O error": "a file of the repository is broken",
  "unknown error": "it gives no reason",
};
/** Sizes remembered at once. */
const SIZES = 50_000;

/** Whether a store holds an Icechunk repository: format 2 has a file `repo`, format 1 a ref for its branch main. */
export async function isIcechunk(store: Store, options: ReadOptions = {}): Promise<boolean> {
  const ref = await store.get("refs/branch.main/ref.json", options);
  if (ref && /"snapshot"\s*:/.test(new TextDecoder().decode(ref))) return true;
  const repo = await store.get("repo", options);
  return repo !== undefined && MAGIC.every((byte, i) => repo[i] === byte);
}

/**
 * Opens an Icechunk repository, format 1 or 2, in any store, for reading.
 *
 * @param files the repository's own files; asked for them as long as the result is in use, so no cache of
 *   mutable things may lie in between
 * @throws ZarrsiftError `icechunk_unavailable`, `source_not_found` for an unknown ref, or what `files` throws
 */
export async function openIcechunk(files: Store, options: IcechunkOptions = {}): Promise<Store> {
  const { ref = "main", signal, log } = options;
  signal?.throwIfAborted();
  const icechunk = await loadIcechunk(log);
  const failures = new Failures();
  const opening = openSession(icechunk, files, ref, failures).catch((error) => {
    throw ourError(error, files.url, failures);
  });
  const { session, repository } = await abortable(opening, signal);
  const virtual = options.virtual ?? new VirtualChunks([]);
  const store = new IcechunkStore(files, ref, session, failures, { repository, virtual });
  // The snapshot itself is read with the first key: a broken one should fail here.
  await store.get("zarr.json", { signal });
  return store;
}

type Session = InstanceType<Icechunk["Session"]>;
type Repository = InstanceType<Icechunk["Repository"]>;

/** What differs between two snapshots: chunks by their array's path, and arrays and groups that are others. */
interface Changes {
  chunks: ReadonlyMap<string, readonly number[][]>;
  others: readonly string[];
}

async function openSession(
  icechunk: Icechunk,
  files: Store,
  ref: string,
  failures: Failures,
): Promise<{ session: Session; repository: Repository }> {
  const storage = icechunkStorage(icechunk, files, failures);
  // Manifests are read when they are needed, not ahead.
  const config = { manifest: { preload: { max_total_refs: 0 } } };
  const repository = await whileBusy(icechunk.Repository.open(storage, config));
  const session = await openRef(repository, ref);
  if (!session) throw await unknownRef(repository, ref, files.url);
  return { session, repository };
}

/** One snapshot of a repository. Its url is the repository's with `#ref`. */
export class IcechunkStore implements Store {
  readonly url: string;
  readonly snapshot: string;
  readonly #files: Store;
  readonly #store: Session["store"];
  readonly #failures: Failures;
  readonly #sizes = new Map<string, number>();
  readonly #virtual: VirtualChunks;
  readonly #references: IcechunkReferences;
  /** Arrays that have shown to hold virtual chunks: those are looked for first. */
  readonly #virtualArrays = new Set<string>();
  readonly #repository: Repository | undefined;
  readonly #changes = new Map<string, Promise<Changes | undefined>>();

  constructor(
    files: Store,
    ref: string,
    session: Session,
    failures: Failures,
    { repository, virtual }: { repository: Repository | undefined; virtual: VirtualChunks },
  ) {
    this.#repository = repository;
    this.url = `${files.url}#${ref}`;
    this.snapshot = session.snapshotId;
    this.#files = files;
    this.#store = session.store;
    this.#failures = failures;
    this.#virtual = virtual;
    this.#references = new IcechunkReferences(files, this.snapshot);
  }

  async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    keySegments(key);
    const whole = { suffixLength: Number.POSITIVE_INFINITY };
    return this.#orVirtual(key, whole, () => this.#ask(key, (store) => store.get(key), options), options);
  }

  /**
   * Icechunk reads no virtual chunk here: it has no credentials for any, and is not to find some by itself. Where it
   * fails the reference is looked up and followed.
   */
  async #orVirtual(
    key: string,
    range: ByteRange,
    read: () => Promise<Uint8Array | undefined>,
    options: ReadOptions = {},
  ): Promise<Uint8Array | undefined> {
    const array = key.replace(/\/c(\/\d+)*$/, "");
    if (array === key) return read();
    const follow = async () => {
      const reference = await this.#references.find(key, options);
      if (!reference) return undefined;
      this.#virtualArrays.add(array);
      return this.#virtual.read(reference, range, options);
    };
    if (this.#virtualArrays.has(array)) return (await follow()) ?? read();
    return read().catch(async (error) => {
      options.signal?.throwIfAborted();
      const bytes = await follow();
      if (bytes) return bytes;
      throw error;
    });
  }

  /** Ranges are fitted here: one that reaches beyond the end makes Icechunk's WASM build crash the process. */
  async getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const where = `${this.url}/${key}`;
    const size = METADATA_KEY.test(key) ? 0 : await this.#size(key, options);
    if (size === undefined) return undefined;
    if (size === 0) {
      const whole = await this.get(key, options);
      return whole && takeRange(whole, range, where);
    }
    const span = spanOf(range, size, where);
    if (isEmptyRange(span)) return new Uint8Array(0);
    const read = () => this.#ask(key, (store) => store.getRange(key, span), options);
    const bytes = await this.#orVirtual(key, span, read, options);
    if (bytes?.length === span.length) return bytes;
    throw new ZarrsiftError(
      "source_unreadable",
      `${where}: ${bytes?.length ?? 0} of ${span.length} bytes came`,
    );
  }

  async stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined> {
    const size = await this.#size(key, options);
    return size === undefined ? undefined : { size, stamp: this.snapshot };
  }

  /** Documents and chunks that manifests hold themselves are here alone. */
  async place(key: string, options?: ReadOptions): Promise<Place | "here" | undefined> {
    if (METADATA_KEY.test(key)) return (await this.#exists(key, options)) ? "here" : undefined;
    const found = await this.#references.whereIs(key, options);
    if (found === undefined || found === "inline") return found && "here";
    const { offset, length } = found;
    if ("location" in found) {
      const { location } = found;
      return { ...placeAt(location), range: { offset, length } };
    }
    const place = (await this.#files.place?.(found.file, options)) ?? "here";
    if (place === "here" || (offset === 0 && place.size === length)) return place;
    return { ...place, range: { offset, length } };
  }

  async list(prefix: string, options?: ReadOptions): Promise<Listing> {
    const below = prefixSegments(prefix).length === 0 ? "" : `${prefix}/`;
    const names = (await this.#ask(prefix, (store) => store.listDir(prefix), options)) ?? [];
    // An empty answer hides a snapshot that could not be read; reading a key shows it.
    if (names.length === 0) await this.get("zarr.json", options);
    // Chunks of one array all lie at one depth, so that one of them speaks for the others.
    const chunk = names.find((name) => /^(c|\d+)$/.test(name));
    const chunksAreKeys = chunk !== undefined && (await this.#exists(below + chunk, options));
    const isKey = (name: string) => METADATA_KEY.test(name) || (chunksAreKeys && /^(c|\d+)$/.test(name));
    return { keys: names.filter(isKey).sort(), prefixes: names.filter((name) => !isKey(name)).sort() };
  }

  /** By Icechunk's own account of what its commits changed. */
  async changedChunks(snapshot: string, path: string): Promise<readonly number[][] | undefined> {
    if (snapshot === this.snapshot) return [];
    let changes = this.#changes.get(snapshot);
    if (!changes) {
      changes = this.#changedSince(snapshot);
      this.#changes.set(snapshot, changes);
    }
    const changed = await changes;
    if (!changed || changed.others.some((other) => `/${path}/`.startsWith(`${other}/`))) return undefined;
    return changed.chunks.get(`/${path}`) ?? [];
  }

  /** `undefined` where it cannot be known: the snapshot has expired, or is of another line. */
  async #changedSince(snapshot: string): Promise<Changes | undefined> {
    if (!this.#repository) return undefined;
    const options = { fromSnapshotId: snapshot, toSnapshotId: this.snapshot };
    const diff = await whileBusy(this.#repository.diff(options)).catch(() => undefined);
    if (!diff) return undefined;
    const moved = diff.movedNodes.flatMap(({ from, to }) => [from, to]);
    return {
      chunks: new Map(Object.entries((diff.updatedChunks ?? {}) as Record<string, number[][]>)),
      others: [...diff.newArrays, ...diff.deletedArrays, ...moved],
    };
  }

  async close(): Promise<void> {
    await this.#files.close?.();
  }

  /** Icechunk says 0 of keys that are not there. Snapshots never change, so sizes are remembered. */
  async #size(key: string, options: ReadOptions | undefined): Promise<number | undefined> {
    keySegments(key);
    const known = this.#sizes.get(key);
    if (known !== undefined) return known;
    const size = await this.#ask(key, (store) => store.getsize(key), options);
    if (size === undefined || (size === 0 && !(await this.#exists(key, options)))) return undefined;
    if (this.#sizes.size >= SIZES) this.#sizes.clear();
    this.#sizes.set(key, size);
    return size;
  }

  async #exists(key: string, options: ReadOptions | undefined): Promise<boolean> {
    return (await this.#ask(key, (store) => store.exists(key), options)) ?? false;
  }

  /** @returns `undefined` where Icechunk answers null, or says that `key` is none that Zarr has */
  async #ask<T>(
    key: string,
    read: (store: Session["store"]) => Promise<T | null>,
    options: ReadOptions | undefined,
  ): Promise<T | undefined> {
    options?.signal?.throwIfAborted();
    const reading = whileBusy(read(this.#store)).catch((error) => {
      if (NO_SUCH_KEY.test(messageOf(error))) return null;
      throw ourError(error, `${this.url}/${key}`, this.#failures);
    });
    return (await abortable(reading, options?.signal)) ?? undefined;
  }
}

/** What Icechunk threw as one of ours: the source's own failure where that was behind it. */
export function ourError(error: unknown, where: string, failures: Failures): unknown {
  if (error instanceof ZarrsiftError) return error;
  const behind = failures.recall(error);
  if (behind !== undefined) return behind;
  const text = messageOf(error).replace(/\s*context:\s*$/, "");
  const why = MEANINGS[text] ?? text;
  return new ZarrsiftError("source_unreadable", `${where}: Icechunk cannot read it: ${why}`, {
    cause: error,
  });
}
