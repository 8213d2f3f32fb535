import { abortable } from "../../abort.ts";
import { keySegments, prefixSegments } from "../key.ts";
import { isEmptyRange, spanOf } from "../range.ts";
import { SharedStats } from "../shared-stats.ts";
import type { ByteRange, KeyStat, Listing, Place, ReadOptions, Store } from "../store.ts";
import { ZipArchive } from "./archive.ts";
import type { ZipEntry } from "./directory.ts";

/** A zip archive as a store, a member being a key. Its directory is read with the first key. */
export class ZipStore implements Store {
  readonly url: string;
  readonly #files: Store;
  readonly #key: string;
  readonly #now: SharedStats;
  #archive: Promise<ZipArchive> | undefined;

  /**
   * @param files where the archive is; ranges are read from it only as long as its stamp stays
   * @param key the archive's own
   */
  constructor(files: Store, key: string) {
    this.url = `${files.url}/${key}`;
    this.#files = files;
    this.#key = key;
    this.#now = new SharedStats(files);
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

  /** Of the member that is read; the stamp is its checksum, and the archive's own stamp as of now. */
  async stat(key: string, options: ReadOptions = {}): Promise<KeyStat | undefined> {
    const { entry } = await this.#find(key, options);
    if (!entry) return undefined;
    const { size, stamp } = await this.#now.ask(this.#key, options);
    return { size: entry.size, stamp: `${entry.crc.toString(16)} ${size} ${stamp}` };
  }

  /** Members that are stored as they are, are parts of the archive; what is deflated nobody else can read. */
  async place(key: string, options: ReadOptions = {}): Promise<Place | "here" | undefined> {
    const { archive, entry } = await this.#find(key, options);
    if (!entry) return undefined;
    const place = entry.method === 0 ? await this.#files.place?.(this.#key, options) : "here";
    if (!place || place === "here") return "here";
    return { ...place, range: { offset: await archive.startOf(entry, options), length: entry.size } };
  }

  async list(prefix: string, options: ReadOptions = {}): Promise<Listing> {
    prefixSegments(prefix);
    return (await this.#open(options)).directory.list(prefix);
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
