import { messageOf, ZarrsiftError } from "../../errors.ts";
import { Lru } from "../../lru.ts";
import { crc32 } from "../crc32.ts";
import { type Span, takeRange } from "../range.ts";
import type { ReadOptions, Store } from "../store.ts";
import {
  type DirectoryPlace,
  directoryOf64,
  END64_BYTES,
  findDirectory,
  TAIL_BYTES,
  ZipDirectory,
  type ZipEntry,
} from "./directory.ts";
import { inflateRaw } from "./inflate-raw.ts";

const LOCAL_HEADER = 0x04034b50;
const LOCAL_BYTES = 30;
/** By how much a local header is commonly longer than the directory tells: time stamps, ZIP64 sizes. */
const HEADROOM = 64;
/** Starts of members remembered at once. */
const STARTS = 50_000;
const INFLATED_KEPT = 32 * 2 ** 20;
/** No member that holds more is inflated. */
const MOST_BYTES = 2 ** 31 - 1;
/** Deflate cannot make less than this part of anything. */
const BEST_DEFLATE = 1032;

/** One file as it was when it was opened: what is read later is of that file, or fails. */
interface File {
  url: string;
  size: number;
  read(offset: number, length: number, options?: ReadOptions): Promise<Uint8Array>;
}

/**
 * A zip archive (APPNOTE.TXT 6.3), its directory read. Stored members are read by range; deflated ones are inflated
 * whole. Whole members are compared with their checksums.
 */
export class ZipArchive {
  readonly directory: ZipDirectory;
  readonly #file: File;
  /** Where members' bytes begin, by the offset of their headers. */
  readonly #starts = new Map<number, number>();
  readonly #inflated = new Lru<Uint8Array>(INFLATED_KEPT);

  private constructor(file: File, directory: ZipDirectory) {
    this.#file = file;
    this.directory = directory;
  }

  /** @throws ZarrsiftError `source_not_found`, `source_unreadable` for what is no archive, or a damaged one */
  static async open(files: Store, key: string, options: ReadOptions): Promise<ZipArchive> {
    const file = await openFile(files, key, options);
    const tailOffset = Math.max(0, file.size - TAIL_BYTES);
    const tail = await file.read(tailOffset, file.size - tailOffset, options);
    const found = guarded(file, () => findDirectory(tail, tailOffset));
    const place = "end64" in found ? await place64(file, found.end64, options) : found;
    if (place.offset + place.size > file.size) throw damaged(file, "its directory reaches beyond its end");
    const bytes =
      place.offset >= tailOffset
        ? tail.subarray(place.offset - tailOffset, place.offset - tailOffset + place.size)
        : await file.read(place.offset, place.size, options);
    return new ZipArchive(
      file,
      guarded(file, () => new ZipDirectory(bytes, place)),
    );
  }

  /**
   * A member by name.
   * @throws ZarrsiftError `encoding_unsupported` for one that is encrypted, or compressed otherwise than by deflate
   */
  find(name: string): ZipEntry | undefined {
    const entry = guarded(this.#file, () => this.directory.find(name));
    if (entry?.method === 0 && entry.packed !== entry.size)
      throw damaged(this.#file, `its directory gives its member ${name} two sizes`);
    if (!entry || (!entry.encrypted && (entry.method === 0 || entry.method === 8))) return entry;
    const how = entry.encrypted ? "encrypted" : `compressed by method ${entry.method}`;
    throw new ZarrsiftError(
      "encoding_unsupported",
      `${this.#file.url}/${name} is ${how}: members may be stored (zarr-python's default) or deflated`,
    );
  }

  /** All bytes of a member. */
  async read(entry: ZipEntry, options: ReadOptions): Promise<Uint8Array> {
    const kept = this.#inflated.get(entry.name);
    if (kept) return kept;
    const packed = await this.#readPacked(entry, options);
    const bytes = entry.method === 0 ? packed : await this.#inflate(entry, packed);
    if (bytes.length !== entry.size || crc32(bytes) !== entry.crc)
      throw damaged(this.#file, `the bytes of its member ${entry.name} do not match their checksum`);
    if (entry.method !== 0) this.#inflated.set(entry.name, bytes, bytes.length);
    return bytes;
  }

  /** Some bytes of a member, which has them. */
  async readSpan(entry: ZipEntry, span: Span, options: ReadOptions): Promise<Uint8Array> {
    const { name, method } = entry;
    if (method !== 0) return takeRange(await this.read(entry, options), span, name);
    const start = await this.startOf(entry, options);
    return this.#file.read(start + span.offset, span.length, options);
  }

  /** Where in the archive the bytes of a member begin. */
  async startOf(entry: ZipEntry, options: ReadOptions): Promise<number> {
    const { offset, headerBytes } = entry;
    const known = this.#starts.get(offset);
    return known ?? this.#startIn(await this.#readHeader(offset, headerBytes, options), entry);
  }

  /** A member's bytes as they are stored: in one read with its header, where that is no longer than expected. */
  async #readPacked(entry: ZipEntry, options: ReadOptions): Promise<Uint8Array> {
    const { offset, packed, headerBytes } = entry;
    const known = this.#starts.get(offset);
    if (known !== undefined) return this.#file.read(known, packed, options);
    const both = await this.#readHeader(offset, headerBytes + HEADROOM + packed, options);
    const start = this.#startIn(both, entry);
    const from = start - offset;
    if (from + packed <= both.length) return both.subarray(from, from + packed);
    return this.#file.read(start, packed, options);
  }

  /** A local header with so many bytes behind its fixed part, or fewer at the end of the archive. */
  #readHeader(offset: number, more: number, options: ReadOptions): Promise<Uint8Array> {
    const most = Math.max(0, this.#file.size - offset);
    return this.#file.read(offset, Math.min(LOCAL_BYTES + more, most), options);
  }

  /** Where the bytes of a member begin, from its local header, which must name it. */
  #startIn(header: Uint8Array, { name, offset }: ZipEntry): number {
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const is = header.length >= LOCAL_BYTES && view.getUint32(0, true) === LOCAL_HEADER;
    const nameBytes = is ? view.getUint16(26, true) : 0;
    const named = new TextDecoder().decode(header.subarray(LOCAL_BYTES, LOCAL_BYTES + nameBytes));
    if (!is || named !== name)
      throw damaged(this.#file, `its member ${name} is not where its directory says`);
    const start = offset + LOCAL_BYTES + nameBytes + view.getUint16(28, true);
    if (this.#starts.size >= STARTS) this.#starts.clear();
    this.#starts.set(offset, start);
    return start;
  }

  async #inflate({ name, packed, size }: ZipEntry, bytes: Uint8Array): Promise<Uint8Array> {
    if (size > MOST_BYTES) {
      const message = `${this.#file.url}/${name} holds ${size} bytes, deflated: too many to be inflated at once`;
      throw new ZarrsiftError("encoding_unsupported", message);
    }
    if (size > (packed + 1) * BEST_DEFLATE)
      throw damaged(this.#file, `the size of its member ${name} cannot be true`);
    return inflateRaw(bytes, size).catch((error) => {
      throw damaged(this.#file, `its member ${name} cannot be inflated: ${messageOf(error)}`);
    });
  }
}

async function openFile(files: Store, key: string, options: ReadOptions): Promise<File> {
  const url = `${files.url}/${key}`;
  const stat = await files.stat(key, options);
  if (!stat) throw new ZarrsiftError("source_not_found", `${url} is not there`);
  const { size, stamp } = stat;
  const read: File["read"] = async (offset, length, readOptions) => {
    const bytes = await files.getRange(key, { offset, length }, { ...readOptions, expect: { stamp } });
    if (bytes) return bytes;
    throw new ZarrsiftError("source_unreadable", `${url} is not there any more`);
  };
  return { url, size, read };
}

async function place64(file: File, at: number, options: ReadOptions): Promise<DirectoryPlace> {
  if (at + END64_BYTES > file.size) throw damaged(file, "its ZIP64 end record is not where it should be");
  const record = await file.read(at, END64_BYTES, options);
  return guarded(file, () => directoryOf64(record));
}

function guarded<T>(file: File, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw damaged(file, messageOf(error));
  }
}

function damaged({ url }: File, why: string): ZarrsiftError {
  return new ZarrsiftError("source_unreadable", `The zip archive ${url} cannot be read: ${why}`);
}
