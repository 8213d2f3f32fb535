import { isZarrsiftError, messageOf, ZarrsiftError } from "../../errors.ts";
import type { Store } from "../store.ts";
import type { WritableStore } from "../writable.ts";
import { repoWithoutConfig } from "./file.ts";
import type { Icechunk } from "./load.ts";

/** What Icechunk takes to mean "no such object". */
const NOT_FOUND = "ObjectNotFound";
/** Failures remembered at once. */
const REMEMBERED = 256;

/**
 * Errors on their way through Icechunk, which passes on their text alone: each gets a number in that text, by which
 * the error itself is found again.
 */
export class Failures {
  readonly #errors = new Map<string, unknown>();
  #count = 0;

  remember(error: unknown): Error {
    const mark = `source-failure-${++this.#count};`;
    this.#errors.set(mark, error);
    if (this.#errors.size > REMEMBERED) this.#errors.delete(this.#errors.keys().next().value!);
    return new Error(`${mark} ${messageOf(error)}`);
  }

  recall(error: unknown): unknown {
    const mark = /source-failure-\d+;/.exec(messageOf(error))?.[0];
    return mark === undefined ? undefined : this.#errors.get(mark);
  }
}

/** An Icechunk storage over any of our stores; it can be written where the store can. */
export function icechunkStorage(icechunk: Icechunk, store: Store | WritableStore, failures: Failures) {
  const writable = "set" in store ? store : undefined;
  const read = writable ? readObject : readUnconfigured;
  const guarded =
    <A, R>(work: (argument: A) => Promise<R>) =>
    async (_error: null, argument: A): Promise<R> => {
      try {
        return await work(argument);
      } catch (error) {
        throw isZarrsiftError(error, "not_found")
          ? new Error(`${NOT_FOUND}: ${messageOf(error)}`)
          : failures.remember(error);
      }
    };
  const refuse = guarded(async () => {
    throw new ZarrsiftError("internal", "this is not done in Icechunk repositories here");
  });
  const backend = {
    canWrite: async () => writable !== undefined,
    getObjectRange: guarded(async ({ path, rangeStart, rangeEnd }: ObjectRange) => {
      const version = writable ? await versionOf(writable, path) : {};
      return { data: await read(store, path, rangeStart, rangeEnd), version };
    }),
    getObjectConditional: guarded(async ({ path }: { path: string }) => {
      const newVersion = writable ? await versionOf(writable, path) : {};
      return { kind: "modified", data: await read(store, path), newVersion };
    }),
    listObjects: guarded(async (prefix: string) => {
      const ids = await keysBelow(store, prefix.replace(/\/$/, ""));
      // Sizes and times are asked for by garbage collection only.
      return ids.map((id) => ({ id, createdAt: new Date(0), sizeBytes: 0 }));
    }),
    // Asked for what has just been written, to see that the storage's clock is right: it is this machine's.
    getObjectLastModified: writable ? guarded(async () => new Date()) : refuse,
    putObject: writable ? guarded((put: ObjectPut) => putObject(writable, put)) : refuse,
    copyObject: writable
      ? guarded(async ({ from, to }: { from: string; to: string }) =>
          putObject(writable, { path: to, data: await readObject(writable, from) }),
        )
      : refuse,
    deleteBatch: refuse,
  };
  // Its types leave the first argument of every callback out, which is always null.
  return icechunk.Storage.newCustom(backend as unknown as Parameters<Icechunk["Storage"]["newCustom"]>[0]);
}

interface ObjectPut {
  path: string;
  data: Uint8Array;
  /** What it must be now: nothing, where no etag is in it. Left out: whatever it is. */
  previousVersion?: { etag?: string };
}

/**
 * Writes an object if it still is what it was. In a directory nobody can do that at one go: whoever writes through us
 * has a lock, and Icechunk's own writers take the same risk there.
 */
async function putObject(store: WritableStore, { path, data, previousVersion }: ObjectPut) {
  if (previousVersion) {
    const { etag } = await versionOf(store, path);
    if (etag !== previousVersion.etag) return { kind: "not_on_latest_version" };
  }
  await store.set(path, ownBytes(data));
  return { kind: "updated", newVersion: await versionOf(store, path) };
}

/** The WASM build's memory is shared by its threads: what lies there cannot be hashed or sent, nor kept. */
function ownBytes(data: Uint8Array): Uint8Array {
  return data.buffer instanceof ArrayBuffer ? data : new Uint8Array(data);
}

async function versionOf(store: Store, path: string): Promise<{ etag?: string }> {
  const stat = await store.stat(path);
  return stat ? { etag: stat.stamp } : {};
}

interface ObjectRange {
  path: string;
  rangeStart?: number;
  rangeEnd?: number;
}

async function readObject(store: Store, path: string, start?: number, end?: number): Promise<Uint8Array> {
  const to = end ?? (start ? (await store.stat(path))?.size : undefined);
  const bytes =
    to === undefined
      ? await store.get(path)
      : await store.getRange(path, { offset: start ?? 0, length: to - (start ?? 0) });
  if (bytes) return bytes;
  throw new ZarrsiftError("not_found", path);
}

/**
 * As readers see it: a repository without a configuration of its own. They need none, and follow virtual chunks by their
 * own rules.
 */
async function readUnconfigured(
  store: Store,
  path: string,
  start?: number,
  end?: number,
): Promise<Uint8Array> {
  if (path === "config.yaml") throw new ZarrsiftError("not_found", path);
  if (path !== "repo") return readObject(store, path, start, end);
  return (await repoWithoutConfig(await readObject(store, path))).subarray(start, end);
}

/** All keys below `prefix`, relative to it. */
async function keysBelow(store: Store, prefix: string): Promise<string[]> {
  const listing = await store.list(prefix);
  if (!listing) throw new ZarrsiftError("not_listable", `${store.url} cannot list its keys below ${prefix}/`);
  const below = prefix && `${prefix}/`;
  const deeper = await Promise.all(
    listing.prefixes.map(async (name) =>
      (await keysBelow(store, below + name)).map((key) => `${name}/${key}`),
    ),
  );
  return [...listing.keys, ...deeper.flat()];
}
