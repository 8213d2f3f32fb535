import { abortable } from "../abort.ts";
import { ZarrsiftError } from "../errors.ts";
import { keySegments, prefixSegments } from "./key.ts";
import { isEmptyRange, spanOf } from "./range.ts";
import type { ByteRange, KeyStat, Listing, ReadOptions, Store } from "./store.ts";
import { ZipArchive } from "./zip-archive.ts";
import type { ZipEntry } from "./zip-directory.ts";

/** A zip archive as a store, a member being a key. Its directory is read with the first key. */
export class ZipStore implements Store {
  readonly url: string;
  readonly #files: Store;
  readonly #key: string;
  #archive: Promise<ZipArchive> | undefined;

  /**
   * @param files where the archive is; ranges are read from it only as long as its stamp stays
   * @param key the archive's own
   */
  constructor(files: Store, key: string) {
    this.url = `${files.url}/${key}`;
    this.#files = files;
    this.#key = key;
  }

  async get(key: string, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    const { archive, entry } = await this.#find(key, options);
    return entry && archive.read(entry, options);
  }

  async getRange(key: string, range: ByteRange, options: ReadOptions = {}): Promise<Uint8Array | undefined> {
    const { archive, entry } = await this.#find(key, options);
    if (!entry) return undefined;
    const span = spanOf(range, entry.size, `${this.url}/${key}`);
    return isEmptyRange(span) ? new Uint8Array(0) : archive.readSpan(entry, span, options);
  }

  /** Found in the directory; what changes is the checksum. */
  async stat(key: string, options: ReadOptions = {}): Promise<KeyStat | undefined> {
    const { entry } = await this.#find(key, options);
    return entry && { size: entry.size, stamp: entry.crc.toString(16).padStart(8, "0") };
  }

  async list(prefix: string, options: ReadOptions = {}): Promise<Listing> {
    prefixSegments(prefix);
    return (await this.#open(options)).directory.list(prefix);
  }

  /** The archive's own, as of now. */
  async stamp(options: ReadOptions = {}): Promise<string> {
    const stat = await this.#files.stat(this.#key, options);
    if (stat) return `${stat.size} ${stat.stamp}`;
    throw new ZarrsiftError("source_unreadable", `${this.url} is not there any more`);
  }

  clear(): void {
    this.#archive = undefined;
    this.#files.clear?.();
  }

  async close(): Promise<void> {
    await this.#files.close?.();
  }

  async #find(
    key: string,
    options: ReadOptions,
  ): Promise<{ archive: ZipArchive; entry: ZipEntry | undefined }> {
    keySegments(key);
    const archive = await this.#open(options);
    return { archive, entry: archive.find(key) };
  }

  #open({ signal, traffic }: ReadOptions): Promise<ZipArchive> {
    this.#archive ??= ZipArchive.open(this.#files, this.#key, { traffic }).catch((error) => {
      this.#archive = undefined;
      throw error;
    });
    return abortable(this.#archive, signal);
  }
}
