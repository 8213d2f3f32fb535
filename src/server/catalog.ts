import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import type { Collection } from "./contract.ts";
import type { AppOptions } from "./options.ts";
import { SharedWork } from "./shared.ts";

/** Refs opened at once; the one longest unused is let go. */
const REFS_KEPT = 64;
const MAX_REF = 256;

interface OpenedRef {
  collection: Collection;
  at: number;
}

/** What the operator named: collections, each also at its branches, tags and snapshots. */
export class Catalog {
  readonly collections: ReadonlyMap<string, Collection>;
  readonly #openRef: AppOptions["openRef"];
  readonly #maxAgeMs: number;
  readonly #refs = new Map<string, OpenedRef>();
  readonly #opening = new SharedWork<Collection>();

  /**
   * @param maxAgeMs for how long a ref stays where it pointed when it was opened; a branch moves
   * @throws ZarrsiftError `bad_parameter` for two collections of one name, or a name with `/` or `@` in it
   */
  constructor(options: Pick<AppOptions, "collections" | "openRef">, maxAgeMs: number) {
    const collections = new Map<string, Collection>();
    for (const collection of options.collections) {
      checkName(collection.name, collections);
      collections.set(collection.name, collection);
    }
    this.collections = collections;
    this.#openRef = options.openRef;
    this.#maxAgeMs = maxAgeMs;
  }

  /**
   * @param segment `name` or `name@ref`, decoded
   * @throws ZarrsiftError `not_found` for a collection that is not served
   */
  async find(segment: string, signal: AbortSignal): Promise<Collection> {
    const at = segment.indexOf("@");
    const name = at < 0 ? segment : segment.slice(0, at);
    const collection = this.get(name);
    if (!collection) throw this.unknown(name);
    return at < 0 ? collection : this.at(name, segment.slice(at + 1), signal);
  }

  get(name: string): Collection | undefined {
    return this.collections.get(name);
  }

  /** A served collection at a ref of its source. */
  async at(name: string, ref: string, signal: AbortSignal): Promise<Collection> {
    const openRef = this.#openRef;
    if (ref === "" || ref.length > MAX_REF) throw badRef(`A ref has 1 to ${MAX_REF} characters.`);
    if (!openRef)
      throw badRef(`This server does not open refs: ask for /collections/${name} without @${ref}.`);
    const key = `${name}@${ref}`;
    const kept = this.#refs.get(key);
    if (kept && Date.now() - kept.at < this.#maxAgeMs) return kept.collection;
    const open = async (shared: AbortSignal) => {
      const collection = await openRef(name, ref, { signal: shared }).catch((error) => {
        throw isUnknownRef(error) ? new ZarrsiftError("not_found", error.message, { cause: error }) : error;
      });
      this.#keep(key, { collection, at: Date.now() });
      return collection;
    };
    return this.#opening.run(key, open, signal);
  }

  unknown(name: string): ZarrsiftError {
    const names = [...this.collections.keys()].slice(0, 20).join(", ");
    return new ZarrsiftError(
      "not_found",
      `There is no collection ${JSON.stringify(name)}; there are: ${names}`,
    );
  }

  #keep(key: string, opened: OpenedRef): void {
    this.#refs.delete(key);
    this.#refs.set(key, opened);
    const [oldest] = this.#refs.keys();
    if (this.#refs.size > REFS_KEPT) this.#refs.delete(oldest!);
  }
}

function checkName(name: string, taken: ReadonlyMap<string, unknown>): void {
  if (name === "" || /[/@\0]/.test(name) || name === "." || name === "..") {
    throw new ZarrsiftError(
      "bad_parameter",
      `${JSON.stringify(name)} cannot name a collection: no / and no @ in it.`,
    );
  }
  if (taken.has(name))
    throw new ZarrsiftError("bad_parameter", `Two collections are named ${JSON.stringify(name)}.`);
}

/** The source is there, as it was opened, but has no such ref: the client's mistake, not the source's failure. */
function isUnknownRef(error: unknown): error is ZarrsiftError {
  return isZarrsiftError(error, "source_not_found") && error.details.ref !== undefined;
}

function badRef(message: string): ZarrsiftError {
  return new ZarrsiftError("bad_parameter", message);
}
