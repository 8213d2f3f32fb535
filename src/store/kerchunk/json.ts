import { messageOf, ZarrsiftError } from "../../errors.ts";
import { KeyList } from "../key-list.ts";
import { SharedStats } from "../shared-stats.ts";
import type { Listing, ReadOptions, Store } from "../store.ts";
import { memberTexts } from "./json-members.ts";
import { badReferences } from "./reference-store.ts";
import { inlineBytes, type Reference, type References } from "./references.ts";
import { generated, type Template, templated, templatesOf } from "./templates.ts";

interface Parsed {
  find(key: string): Reference | undefined;
  list(prefix: string): Listing;
}

/** References in one JSON file, as kerchunk and fsspec have them (Kerchunk specification, versions 0 and 1). */
export class JsonReferences implements References {
  readonly url: string;
  readonly #files: Store;
  readonly #key: string;
  readonly #now: SharedStats;
  #parsed: Promise<Parsed> | undefined;

  /** @param key the file's in `files` */
  constructor(files: Store, key: string) {
    this.url = `${files.url}/${key}`;
    this.#files = files;
    this.#key = key;
    this.#now = new SharedStats(files);
  }

  async find(key: string, options?: ReadOptions): Promise<Reference | undefined> {
    return (await this.#read(options)).find(key);
  }

  async list(prefix: string, options?: ReadOptions): Promise<Listing> {
    return (await this.#read(options)).list(prefix);
  }

  async stamp(_key: string, options: ReadOptions = {}): Promise<string> {
    const { size, stamp } = await this.#now.ask(this.#key, options);
    return `${size} ${stamp}`;
  }

  clear(): void {
    this.#parsed = undefined;
  }

  #read({ traffic }: ReadOptions = {}): Promise<Parsed> {
    this.#parsed ??= this.#load({ traffic }).catch((error) => {
      this.#parsed = undefined;
      throw error;
    });
    return this.#parsed;
  }

  async #load(options: ReadOptions): Promise<Parsed> {
    const bytes = await this.#files.get(this.#key, options);
    if (!bytes) throw new ZarrsiftError("source_not_found", `${this.url} is not there`);
    try {
      return parseReferences(new TextDecoder("utf-8", { fatal: true }).decode(bytes), this.url);
    } catch (error) {
      throw error instanceof ZarrsiftError ? error : badReferences(this.url, messageOf(error));
    }
  }
}

/** @throws Error saying what is wrong */
function parseReferences(text: string, url: string): Parsed {
  const file: unknown = JSON.parse(text);
  if (!isObject(file)) throw new Error("a JSON object is expected");
  const { version } = file;
  if (version !== undefined && version !== 0 && version !== 1)
    throw new Error(`versions 0 and 1 are known, not ${JSON.stringify(version)}`);
  const inside = "refs" in file;
  if (inside && !isObject(file.refs)) throw new Error('"refs" is no object');
  const templates = templatesOf(file.templates);
  const made = inside ? generated(file.gen, templates) : [];
  const refs = new Map([...Object.entries(inside ? (file.refs as object) : file), ...made]);
  // Values that are objects keep every digit only as they are written.
  let texts: Map<string, string> | undefined;
  const written = (key: string) => {
    texts ??= memberTexts(inside ? memberTexts(text).get("refs")! : text);
    return texts.get(key)!;
  };
  const find = (key: string) => {
    const value = refs.get(key);
    if (value === undefined || value === null) return undefined;
    if (isObject(value)) return { bytes: new TextEncoder().encode(written(key)) };
    try {
      return referenceOf(value, templates);
    } catch (error) {
      throw badReferences(url, `${messageOf(error)} (${JSON.stringify(value).slice(0, 80)} at ${key})`);
    }
  };
  let keys: KeyList | undefined;
  const list = (prefix: string) => {
    keys ??= new KeyList(refs.keys());
    return keys.list(prefix);
  };
  return { find, list };
}

/** @throws Error saying what is wrong */
function referenceOf(value: unknown, templates: ReadonlyMap<string, Template>): Reference {
  if (typeof value === "string") return { bytes: inlineBytes(value) };
  const [location, offset = 0, length] = Array.isArray(value) ? value : [];
  const numbers = [offset, length ?? 0].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (typeof location !== "string" || !numbers || ![1, 3].includes((value as unknown[]).length))
    throw new Error("a text, [URL] or [URL, offset, length] is expected");
  return { location: templated(location, templates), offset, length };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
