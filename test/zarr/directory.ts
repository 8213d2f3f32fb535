import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ByteRange, KeyStat, Listing, Store } from "../../src/store/store.ts";

/** A directory as a store, with a count of what was read; `lists: false` acts as plain HTTP does. */
export class DirectoryStore implements Store {
  readonly url: string;
  readonly reads: string[] = [];
  readonly #lists: boolean;

  constructor(path: string, { lists = true } = {}) {
    this.url = path;
    this.#lists = lists;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    this.reads.push(key);
    return ifThere(() => new Uint8Array(readFileSync(join(this.url, key))));
  }

  async getRange(key: string, range: ByteRange): Promise<Uint8Array | undefined> {
    this.reads.push(`${key} ${"offset" in range ? range.length : `-${range.suffixLength}`}`);
    const whole = ifThere(() => new Uint8Array(readFileSync(join(this.url, key))));
    if (!whole) return undefined;
    const start = "offset" in range ? range.offset : Math.max(0, whole.length - range.suffixLength);
    return whole.slice(start, "offset" in range ? start + range.length : undefined);
  }

  async stat(key: string): Promise<KeyStat | undefined> {
    return ifThere(() => ({ size: statSync(join(this.url, key)).size, stamp: "" }));
  }

  async list(prefix: string): Promise<Listing | undefined> {
    if (!this.#lists) return undefined;
    const entries = ifThere(() => readdirSync(join(this.url, prefix), { withFileTypes: true })) ?? [];
    const named = (folders: boolean) => entries.filter((e) => e.isDirectory() === folders).map((e) => e.name);
    return { keys: named(false).sort(), prefixes: named(true).sort() };
  }
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw error;
  }
}
