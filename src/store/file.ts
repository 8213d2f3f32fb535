import {
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  open,
  openSync,
  read,
  readdirSync,
  readSync,
  type Stats,
} from "node:fs";
import { lstat, readdir, realpath, stat, statfs } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { mapLimit } from "../abort.ts";
import { messageOf, ZarrsiftError } from "../errors.ts";
import { type Around, folderTime, settledTime, writtenTime } from "./file-times.ts";
import { isSegment, keySegments, prefixSegments } from "./key.ts";
import { QuickReads } from "./quick.ts";
import { type Span, spanOf } from "./range.ts";
import type { ByteRange, KeyStat, Listing, Memory, Place, ReadOptions, Store } from "./store.ts";

/**
 * A bare descriptor, opened and read in the thread pool where that may take its time, looked at and closed right here:
 * once it is open both take microseconds.
 */
const openFile = promisify(open);
const readFile = promisify(read);
/** What the system says of a name that nothing can be read at. */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "EISDIR", "ENAMETOOLONG"]);
/** O_NONBLOCK: a named pipe must not make open() wait for a writer. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const NO_FOLLOW = constants.O_NOFOLLOW;
/** For how long a folder that was found inside the root is taken to be so, in milliseconds. */
const FOLDER_TRUST_MS = 30_000;
const FOLDERS_TRUSTED = 200_000;
/** Keys asked about at once in the thread pool. */
const STATS_AT_ONCE = 32;
/** Keys looked at together in the event loop's own thread, each in microseconds. */
const QUICK_STATS = 8;
/** Larger values are always read in the thread pool. */
const LARGEST_QUICK = 2 ** 18;
/** Folders that are larger than this are listed in the thread pool: some hundred names. */
const LARGEST_QUICK_FOLDER = 2 ** 14;
/** File systems that may wait for a network, by Linux's numbers (statfs(2)): NFS, SMB, CIFS, FUSE, Ceph, 9P, AFS, Lustre, GPFS. */
const REMOTE = new Set([
  ...[0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x65735546, 0x00c36400, 0x01021997, 0x5346414f],
  ...[0x0bd00bd0, 0x47504653],
]);

/** A directory, a file being a key. Symbolic links are followed as long as they stay below the root. */
export class DirectoryStore implements Store {
  readonly url: string;
  /** As the folder of what is in it is named: without a slash at the end. */
  readonly #root: string;
  #realRoot: Promise<string> | undefined;
  #inside = new Set<string>();
  #insideUntil = 0;
  readonly #quick = new QuickReads();
  #local: boolean | undefined;
  readonly getInto?: NonNullable<Store["getInto"]>;

  /**
   * @param root path of the directory
   * @param local whether it is on a disk of this machine, where that is known: it then reads into the memory of others
   */
  constructor(root: string, local?: boolean) {
    this.url = root;
    this.#root = dirname(join(root, "key"));
    this.#local = local;
    if (local) this.getInto = (key, range, memory, options) => this.#read(key, range, options, memory);
  }

  async get(key: string, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#read(key, undefined, options);
  }

  async getRange(key: string, range: ByteRange, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.#read(key, range, options);
  }

  async stat(key: string, options?: ReadOptions): Promise<KeyStat | undefined> {
    options?.signal?.throwIfAborted();
    const path = join(this.#root, ...this.#safe(keySegments(key)));
    return this.#guarded(key, options, async () => {
      await this.#ensureInside(dirname(path));
      const info = this.#isQuick()
        ? this.#quick.run(() => lstatSync(path, { bigint: true }))
        : await lstat(path, { bigint: true });
      const isLink = info.isSymbolicLink();
      if (!isLink && !info.isFile()) return undefined;
      await this.#tellWritten(path, info, options);
      return isLink ? this.#statTarget(path, key, options) : statOf(info);
    });
  }

  #statTarget(path: string, key: string, options: ReadOptions | undefined): Promise<KeyStat | undefined> {
    return this.#withFile(key, { ...options, onModified: undefined }, async (_, info) => {
      await this.#tellWritten(await realpath(path), info, options);
      return statOf(info);
    });
  }

  /** Of what may have been written since a time, whether it was is looked at more closely. */
  async #tellWritten(path: string, info: BigIntStats, options: ReadOptions | undefined): Promise<void> {
    const { asOf, onModified } = options ?? {};
    const settled = onModified && settledTime(info);
    if (settled === undefined) return;
    const isDoubtful = asOf !== undefined && settled > asOf;
    onModified?.(isDoubtful ? await writtenTime(info, asOf, this.#around(path)) : settled);
  }

  #around(path: string): Around {
    const look = (at: string) => stat(at, { bigint: true });
    return { folder: () => look(dirname(path)), root: () => look(this.#root) };
  }

  async stats(keys: readonly string[], options?: ReadOptions): Promise<(KeyStat | undefined)[]> {
    options?.signal?.throwIfAborted();
    const stats = this.#statQuickly(keys);
    const others = keys.flatMap((_, i) => (stats[i] ? [] : [i]));
    await mapLimit(others, STATS_AT_ONCE, async (i) => {
      stats[i] = await this.stat(keys[i]!, options);
    });
    return stats;
  }

  /** Of plain files in folders that are known to be inside; else, and where that may take its time, `undefined`. */
  #statQuickly(keys: readonly string[]): (KeyStat | undefined)[] {
    const paths = this.#trusted(keys);
    const look = (path: string | undefined) => {
      try {
        const info = path ? lstatSync(path, { bigint: true, throwIfNoEntry: false }) : undefined;
        return info?.isFile() ? statOf(info) : undefined;
      } catch {
        return undefined; // asked again, which says what is wrong
      }
    };
    const stats: (KeyStat | undefined)[] = [];
    for (let from = 0; from < paths.length && this.#isQuick(); from += QUICK_STATS) {
      const some = paths.slice(from, from + QUICK_STATS);
      stats.push(...this.#quick.run(() => some.map(look)));
    }
    return stats;
  }

  /** Paths of keys whose folders are known to be inside; each folder is looked up once. */
  #trusted(keys: readonly string[]): (string | undefined)[] {
    if (Date.now() > this.#insideUntil) return keys.map(() => undefined);
    const folders = new Map<string, string | undefined>();
    return keys.map((key) => {
      const cut = key.lastIndexOf("/");
      const name = key.slice(cut + 1);
      if (cut < 0 || !isSegment(name)) return undefined;
      const folder = key.slice(0, cut);
      if (!folders.has(folder)) {
        const path = join(this.#root, ...this.#safe(keySegments(folder)));
        folders.set(folder, this.#inside.has(path) ? path : undefined);
      }
      const path = folders.get(folder);
      return path && join(path, ...this.#safe([name]));
    });
  }

  async place(key: string, options?: ReadOptions): Promise<Place | undefined> {
    const stat = await this.stat(key, options);
    if (!stat) return undefined;
    const path = resolve(this.#root, ...keySegments(key)).replaceAll(sep, "/");
    return { url: `file://${path.startsWith("/") ? "" : "/"}${path}`, size: stat.size };
  }

  async list(prefix: string, options?: ReadOptions): Promise<Listing> {
    options?.signal?.throwIfAborted();
    const path = join(this.#root, ...this.#safe(prefixSegments(prefix)));
    const listing: Listing = { keys: [], prefixes: [] };
    const entries = await this.#guarded(prefix, undefined, async () => {
      await this.#ensureInside(path);
      return this.#isSmall(path)
        ? this.#quick.run(() => readdirSync(path, { withFileTypes: true }))
        : readdir(path, { withFileTypes: true });
    });
    for (const entry of entries ?? []) {
      const kind = entry.isSymbolicLink() ? await targetKind(path, entry.name) : kindOf(entry);
      if (kind) listing[kind].push(entry.name);
      // No link, and in a folder that is inside: so is it.
      if (entry.isDirectory() && this.#inside.size < FOLDERS_TRUSTED)
        this.#inside.add(join(path, entry.name));
    }
    return { keys: listing.keys.sort(), prefixes: listing.prefixes.sort() };
  }

  #read(
    key: string,
    range: ByteRange | undefined,
    options: ReadOptions | undefined,
    memory: Memory = newMemory,
  ): Promise<Uint8Array | undefined> {
    const where = `${this.url}/${key}`;
    return this.#withFile(key, options, async (file, info) => {
      const size = Number(info.size);
      if (!range) options?.onStat?.(statOf(info));
      const span = range ? spanOf(range, size, where) : { offset: 0, length: size };
      const quick = this.#isQuick() && span.length <= LARGEST_QUICK ? this.#quick : undefined;
      const bytes = memory(span.length);
      await readSpan(file, span, bytes, where, quick);
      return bytes;
    });
  }

  /** Runs `use` on the opened file of `key`; `undefined` where there is none. */
  async #withFile<T>(
    key: string,
    options: ReadOptions | undefined,
    use: (file: number, info: BigIntStats) => Promise<T>,
  ): Promise<T | undefined> {
    options?.signal?.throwIfAborted();
    const segments = this.#safe(keySegments(key));
    return this.#guarded(key, options, async () => {
      const file = await this.#open(segments, options);
      try {
        const info = fstatSync(file, { bigint: true });
        refuseChanged(info, `${this.url}/${key}`, options);
        tellSettled(info, options);
        return info.isFile() ? await use(file, info) : undefined;
      } finally {
        closeSync(file);
      }
    });
  }

  /** Opens without following a link at the end: only where there is one is its target looked up and checked. */
  async #open(segments: readonly string[], options: ReadOptions | undefined): Promise<number> {
    const path = join(this.#root, ...segments);
    await this.#ensureInside(dirname(path));
    if (NO_FOLLOW !== undefined) {
      try {
        if (this.#isQuick()) return this.#quick.run(() => openSync(path, READ | NO_FOLLOW));
        return await openFile(path, READ | NO_FOLLOW);
      } catch (error) {
        // BSDs say EMLINK or EFTYPE; Linux and macOS say ELOOP.
        if (!["ELOOP", "EMLINK", "EFTYPE"].includes(codeOf(error))) throw error;
      }
    }
    const target = await realpath(path);
    await this.#ensureBelow(target, path);
    tellSettled(await lstat(path, { bigint: true }), options);
    return openFile(target, READ);
  }

  #isQuick(): boolean {
    return this.#local === true && this.#quick.allowed;
  }

  #isSmall(folder: string): boolean {
    return this.#isQuick() && this.#quick.run(() => lstatSync(folder)).size <= LARGEST_QUICK_FOLDER;
  }

  async #ensureInside(folder: string): Promise<void> {
    const now = Date.now();
    if (now > this.#insideUntil) {
      this.#inside = new Set();
      this.#insideUntil = now + FOLDER_TRUST_MS;
    }
    const known = this.#inside;
    if (known.has(folder)) return;
    if (!this.#isPlain(folder)) await this.#ensureBelow(await realpath(folder), folder);
    if (known.size < FOLDERS_TRUSTED) known.add(folder);
  }

  /** Whether a folder is a folder, and no link, of one that is known to be inside. */
  #isPlain(folder: string): boolean {
    if (!this.#isQuick()) return false;
    if (folder === this.#root || this.#inside.has(folder)) return true;
    if (!this.#isPlain(dirname(folder))) return false;
    return this.#quick.run(() => lstatSync(folder, { throwIfNoEntry: false }))?.isDirectory() ?? false;
  }

  async #ensureBelow(target: string, path: string): Promise<void> {
    this.#realRoot ??= realpath(this.#root).catch((error) => {
      this.#realRoot = undefined;
      throw error;
    });
    const root = await this.#realRoot;
    this.#local ??= await isLocal(root);
    if (target === root || target.startsWith(root.endsWith(sep) ? root : root + sep)) return;
    throw new ZarrsiftError(
      "source_forbidden",
      `${path} is a symbolic link that leaves ${this.url}: open the directory that it leads to instead`,
    );
  }

  /** A directory that has gone as a whole (unmounted, moved) is no store of missing chunks. */
  async #ensureRoot(): Promise<void> {
    if ((await pathKind(this.#root)) === "directory") return;
    throw new ZarrsiftError("source_not_found", `${this.url} is not there, or is no directory`);
  }

  /** On Windows a backslash would separate, too. */
  #safe(segments: string[]): string[] {
    if (sep === "\\" && segments.some((segment) => /[\\:]/.test(segment))) {
      throw new ZarrsiftError("bad_request", `${JSON.stringify(segments.join("/"))} is not a key here`);
    }
    return segments;
  }

  /** What the system refuses becomes ours: absent is `undefined`, the rest an error. */
  async #guarded<T>(
    key: string,
    options: ReadOptions | undefined,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ZarrsiftError) throw error;
      const code = codeOf(error);
      if (ABSENT.has(code)) {
        await this.#ensureRoot();
        if (options?.onModified) await tellFolder(join(this.#root, key), options);
        return undefined;
      }
      const forbidden = code === "EACCES" || code === "EPERM";
      const what = forbidden ? "may not be read by this user" : `cannot be read: ${messageOf(error)}`;
      throw new ZarrsiftError(
        forbidden ? "source_forbidden" : "source_unreadable",
        `${this.url}/${key} ${what}`,
        { details: { key }, cause: error },
      );
    }
  }
}

function tellSettled(info: BigIntStats, options: ReadOptions | undefined): void {
  const time = options?.onModified && settledTime(info);
  if (time !== undefined) options?.onModified?.(time);
}

/** Of what is not there: when names in its folder last came or went, or in the nearest above it that is there. */
async function tellFolder(path: string, options: ReadOptions): Promise<void> {
  const folder = dirname(path);
  const found = await stat(folder, { bigint: true }).catch(() => undefined);
  if (!found && folder !== path) return tellFolder(folder, options);
  const time = found && folderTime(found);
  if (time !== undefined) options.onModified?.(time);
}

const stampOf = (size: bigint, mtimeNs: bigint) => `${size}-${mtimeNs}`;

function kindOf(entry: Dirent | Stats): "keys" | "prefixes" | undefined {
  if (entry.isFile()) return "keys";
  return entry.isDirectory() ? "prefixes" : undefined;
}

/** What a symbolic link leads to. */
async function targetKind(folder: string, name: string): Promise<"keys" | "prefixes" | undefined> {
  const target = await stat(join(folder, name)).catch(() => undefined);
  return target && kindOf(target);
}

function refuseChanged(
  { size, mtimeNs }: BigIntStats,
  where: string,
  options: ReadOptions | undefined,
): void {
  if (!options?.expect) return;
  const { unmodifiedSince: limit, stamp } = options.expect;
  const late = limit !== undefined && mtimeNs >= (BigInt(limit) + 1n) * 1_000_000_000n;
  if (!late && (stamp === undefined || stamp === stampOf(size, mtimeNs))) return;
  throw new ZarrsiftError("source_changed", `${where} has changed since it was referred to`);
}

/** Not zeroed first: every byte is read, or the read fails. */
function newMemory(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

/** Reads all bytes of `span`. */
async function readSpan(
  file: number,
  span: Span,
  bytes: Uint8Array,
  where: string,
  quick: QuickReads | undefined,
): Promise<void> {
  let done = 0;
  while (done < span.length) {
    const [left, place] = [span.length - done, span.offset + done];
    const bytesRead = quick
      ? quick.run(() => readSync(file, bytes, done, left, place))
      : (await readFile(file, bytes, done, left, place)).bytesRead;
    if (bytesRead === 0) {
      throw new ZarrsiftError("source_unreadable", `${where} became shorter while it was read`);
    }
    done += bytesRead;
  }
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | undefined)?.code ?? "");
}

/** What is at a path; `undefined`: nothing. */
export async function pathKind(path: string): Promise<"directory" | "file" | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return undefined;
  return found.isDirectory() ? "directory" : "file";
}

/** Whether something is there and on a disk of this machine, where reading never waits for a network. */
export function isLocal(path: string): Promise<boolean> {
  return statfs(path).then(
    ({ type }) => !REMOTE.has(type),
    () => false,
  );
}

/** The folder and the name of a file, symbolic links followed. */
export async function splitPath(path: string): Promise<{ folder: string; name: string }> {
  const real = await realpath(path);
  return { folder: dirname(real), name: basename(real) };
}

/** The folder that a path is in, from the root. */
export function absoluteFolder(path: string): string {
  return dirname(resolve(path));
}

const statOf = ({ size, mtimeNs }: BigIntStats): KeyStat => ({
  size: Number(size),
  stamp: stampOf(size, mtimeNs),
});

/** The path of a `file:` URL. */
export function urlPath(url: string): string {
  return fileURLToPath(url);
}
