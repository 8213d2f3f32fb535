import { isZarrsiftError, ZarrsiftError } from "../../errors.ts";
import { keySegments, prefixSegments } from "../key.ts";
import { Latest } from "../latest.ts";
import { isEmptyRange, spanOf, takeRange } from "../range.ts";
import type { ByteRange, KeyStat, Listing, Place, ReadOptions, Store } from "../store.ts";
import { missingTarget, placeAt, type VirtualChunks } from "../virtual-chunks.ts";
import { type Reference, type References, resolveLocation } from "./references.ts";

/** An object as it is. */
interface Target extends KeyStat {
  /** As `onModified` tells it. */
  modified: number | undefined;
}

/** A reference to a part of an object. */
type Elsewhere = Exclude<Reference, { bytes: Uint8Array }>;

/**
 * Keys that stand for parts of objects elsewhere, read where they are. References say nothing of what those objects
 * were when they were made: each is held to what it was when it was read here first.
 */
export class ReferenceStore implements Store {
  readonly url: string;
  readonly #references: References;
  readonly #targets: VirtualChunks;
  readonly #base: string;
  /** Objects as they were first seen. */
  #seen = new Map<string, Promise<Target>>();
  readonly #looking = new Map<string, Promise<Target>>();

  /** @param base URL of the folder that relative paths start at, a slash at its end */
  constructor(references: References, targets: VirtualChunks, base: string) {
    this.url = references.url;
    this.#references = references;
    this.#targets = targets;
    this.#base = base;
  }

  async get(key: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    const reference = await this.#find(key, options);
    if (!reference || "bytes" in reference) return reference?.bytes;
    const { length } = await this.#span(reference, options);
    return this.#read(reference, { offset: 0, length }, options);
  }

  async getRange(key: string, range: ByteRange, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    const reference = await this.#find(key, options);
    const where = `${this.url}/${key}`;
    if (!reference) return undefined;
    if ("bytes" in reference) return takeRange(reference.bytes, range, where);
    const { length } = await this.#span(reference, options);
    return this.#read(reference, spanOf(range, length, where), options);
  }

  async stat(key: string, options: ReadOptions = {}): Promise<KeyStat | undefined> {
    const reference = await this.#find(key, options);
    if (!reference) return undefined;
    const own = await this.#references.stamp(key, options);
    if ("bytes" in reference) return { size: reference.bytes.length, stamp: own };
    const { location, length } = reference;
    const now = await this.#look(location, options);
    if (now.modified !== undefined) options.onModified?.(now.modified);
    return { size: length ?? now.size, stamp: `${own} ${now.size} ${now.stamp}` };
  }

  /** As the reference says, whether or not it may be read here; a whole object is looked up where it may. */
  async place(key: string, options: ReadOptions = {}): Promise<Place | "here" | undefined> {
    const reference = await this.#find(key, options);
    if (!reference || "bytes" in reference) return reference && "here";
    const { location, offset, length } = reference;
    if (length !== undefined) return { ...placeAt(location), range: { offset, length } };
    const target = await this.#targets.place(location).catch((error) => {
      if (isZarrsiftError(error, "source_forbidden")) return undefined;
      throw error;
    });
    if (!target?.store.place) return placeAt(location);
    const place = await target.store.place(target.key, options);
    if (place) return place;
    throw missingTarget(location);
  }

  async list(prefix: string, options?: ReadOptions): Promise<Listing> {
    options?.signal?.throwIfAborted();
    prefixSegments(prefix);
    return this.#references.list(prefix, options);
  }

  clear(): void {
    this.#seen = new Map();
    this.#references.clear();
  }

  async #find(key: string, options: ReadOptions): Promise<Reference | undefined> {
    options.signal?.throwIfAborted();
    keySegments(key);
    const reference = await this.#references.find(key, options);
    if (!reference || "bytes" in reference) return reference;
    return { ...reference, location: resolveLocation(reference.location, this.#base) };
  }

  /** The object as it was first seen, and how long the part is that is meant. */
  async #span(
    { location, length }: Elsewhere,
    options: ReadOptions,
  ): Promise<{ length: number; stamp: string }> {
    let seen = this.#seen.get(location);
    if (!seen) {
      seen = this.#look(location, { traffic: options.traffic });
      this.#seen.set(location, seen);
      seen.catch(() => this.#seen.delete(location));
    }
    const { size, stamp } = await seen;
    return { length: length ?? size, stamp };
  }

  async #read(
    reference: Elsewhere,
    span: { offset: number; length: number },
    options: ReadOptions,
  ): Promise<Uint8Array> {
    if (isEmptyRange(span)) return new Uint8Array(0);
    const { location, offset } = reference;
    const { stamp } = await this.#span(reference, options);
    const { store, key } = await this.#targets.place(location);
    const range = { offset: offset + span.offset, length: span.length };
    const bytes = await store.getRange(key, range, { ...options, expect: { stamp } });
    if (bytes) return bytes;
    throw missingTarget(location);
  }

  /** What an object is now. Many keys lie in one, so that those who ask the same at the same time share the answer. */
  #look(location: string, { traffic, asOf }: ReadOptions): Promise<Target> {
    const id = `${location}\0${asOf ?? ""}`;
    let looking = this.#looking.get(id);
    if (!looking) {
      looking = this.#stat(location, { traffic, asOf }).finally(() => this.#looking.delete(id));
      this.#looking.set(id, looking);
    }
    return looking;
  }

  async #stat(location: string, options: ReadOptions): Promise<Target> {
    const { store, key } = await this.#targets.place(location);
    const modified = new Latest();
    const stat = await store.stat(key, { ...options, onModified: modified.note });
    if (stat) return { ...stat, modified: modified.time };
    throw missingTarget(location);
  }
}

/** The error for a reference file that says what no reference can. */
export function badReferences(url: string, why: string): ZarrsiftError {
  return new ZarrsiftError("source_unreadable", `The reference file ${url} cannot be used: ${why}`);
}
