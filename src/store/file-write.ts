import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, rm, rmdir, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { isZarrsiftError, messageOf, ZarrsiftError } from "../errors.ts";
import { DirectoryStore } from "./file.ts";
import { keySegments } from "./key.ts";
import type { Lock, WritableStore } from "./writable.ts";

/** A lock whose owner cannot be asked for is dead after this time without a sign of life, in milliseconds. */
const DEAD_MS = 120_000;
const DYING_MS = 1_000;
const SIGN_OF_LIFE_MS = 5_000;
const LOCK = /^lock-(\d{1,9})$/;

/** A directory that is written: each value to a file of another name, which is then given its own. */
export class WritableDirectory extends DirectoryStore implements WritableStore {
  readonly #root: string;
  readonly #temporary: string;
  #written = 0;

  /** @param temporary prefix within the store below which files are written at first */
  constructor(root: string, temporary: string) {
    super(root);
    this.#root = root;
    this.#temporary = temporary;
  }

  /** Makes a directory, and those it is in, where they are not there. */
  static async create(path: string): Promise<void> {
    try {
      await mkdir(path, { recursive: true });
    } catch (error) {
      throw new ZarrsiftError("source_forbidden", `${path} cannot be made: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async set(key: string, value: Uint8Array | string): Promise<void> {
    const path = this.#path(key);
    const folder = this.#path(this.#temporary);
    const temporary = join(folder, `${process.pid}-${randomBytes(4).toString("hex")}-${++this.#written}`);
    try {
      await inFolder(folder, () => writeFile(temporary, value, { flag: "wx" }));
      await inFolder(dirname(path), () => rename(temporary, path));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw this.#refused(key, error);
    }
  }

  /** Folders that are empty then go, too. */
  async delete(key: string): Promise<void> {
    const path = this.#path(key);
    try {
      await rm(path, { force: true });
    } catch (error) {
      throw this.#refused(key, error);
    }
    await removeEmpty(dirname(path), keySegments(key).length - 1);
  }

  /**
   * Locks are files `lock-1`, `lock-2` …: whoever finds the owners of all of them dead makes the next, which only one
   * can. Nobody goes on who then sees another one that is alive.
   */
  async lock(key: string): Promise<Lock> {
    // A process that was killed takes a moment to end.
    for (const end = Date.now() + DYING_MS; ; ) {
      try {
        return await this.#lockNow(key);
      } catch (error) {
        if (Date.now() > end || !isZarrsiftError(error, "busy")) throw error;
      }
      await setTimeout(100);
    }
  }

  async #lockNow(key: string): Promise<Lock> {
    const folder = this.#path(key);
    try {
      await mkdir(folder, { recursive: true });
      const highest = await this.#living(folder, undefined);
      const lock = await FileLock.make(folder, highest + 1, keySegments(key).length, () => this.#tidy());
      try {
        await this.#living(folder, lock);
      } catch (error) {
        await lock.release();
        throw error;
      }
      lock.held = true;
      return lock;
    } catch (error) {
      throw this.#refused(key, error);
    }
  }

  /** The highest number of a lock there is. @throws ZarrsiftError `busy` where one but `own` is alive */
  async #living(folder: string, own: FileLock | undefined): Promise<number> {
    let highest = 0;
    for (const name of await readdir(folder)) {
      const number = Number(LOCK.exec(name)?.[1] ?? 0);
      if (number === 0 || number === own?.number) continue;
      highest = Math.max(highest, number);
      const owner = await livingOwner(join(folder, name));
      if (owner !== undefined) throw busy(this.url, owner);
    }
    return highest;
  }

  /** Takes files away that were never given their names: nobody else writes now. */
  async #tidy(): Promise<void> {
    await rm(this.#path(this.#temporary), { recursive: true, force: true }).catch(() => {});
  }

  #path(key: string): string {
    return join(this.#root, ...keySegments(key));
  }

  #refused(key: string, error: unknown): unknown {
    if (error instanceof ZarrsiftError) return error;
    const forbidden = ["EACCES", "EPERM", "EROFS"].includes(codeOf(error));
    const what = forbidden ? "may not be written by this user" : `cannot be written: ${messageOf(error)}`;
    return new ZarrsiftError(
      forbidden ? "source_forbidden" : "source_unreadable",
      `${this.url}/${key} ${what}`,
      {
        details: { key },
        cause: error,
      },
    );
  }
}

/** Does what needs a folder, and makes that where it was not there. */
async function inFolder(folder: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
    await mkdir(folder, { recursive: true });
    await work();
  }
}

class FileLock implements Lock {
  readonly number: number;
  /** Whether nobody else was there when it was made: what they are writing stays. */
  held = false;
  readonly #folder: string;
  readonly #text: string;
  readonly #timer: ReturnType<typeof setInterval>;

  readonly #tidy: () => Promise<void>;
  readonly #depth: number;

  private constructor(
    folder: string,
    number: number,
    depth: number,
    text: string,
    tidy: () => Promise<void>,
  ) {
    this.#tidy = tidy;
    this.#depth = depth;
    this.number = number;
    this.#folder = folder;
    this.#text = text;
    this.#timer = setInterval(() => {
      const now = new Date();
      utimes(this.#path, now, now).catch(() => {});
    }, SIGN_OF_LIFE_MS);
    this.#timer.unref();
  }

  /** @param depth of the folder below the root of its store */
  static async make(
    folder: string,
    number: number,
    depth: number,
    tidy: () => Promise<void>,
  ): Promise<FileLock> {
    const owner = { host: hostname(), pid: process.pid, nonce: randomBytes(8).toString("hex") };
    const text = JSON.stringify(owner);
    try {
      await writeFile(join(folder, `lock-${number}`), text, { flag: "wx" });
    } catch (error) {
      if (codeOf(error) === "EEXIST") throw busy(folder, "another process");
      throw error;
    }
    return new FileLock(folder, number, depth, text, tidy);
  }

  async ensure(): Promise<void> {
    const text = await textOf(this.#path);
    if (text !== this.#text) throw busy(this.#folder, "another process, which took this one to be dead");
    for (const name of await readdir(this.#folder))
      if (Number(LOCK.exec(name)?.[1] ?? 0) > this.number)
        throw busy(this.#folder, "another process, which took this one to be dead");
  }

  /** Dead ones below it go first, so that there is a living one until there is none. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    if ((await textOf(this.#path)) !== this.#text) return;
    for (const name of await readdir(this.#folder)) {
      const number = Number(LOCK.exec(name)?.[1] ?? 0);
      if (this.held && number > 0 && number < this.number)
        await rm(join(this.#folder, name), { force: true });
    }
    if (this.held) await this.#tidy();
    await rm(this.#path, { force: true });
    await removeEmpty(this.#folder, this.#depth);
  }

  get #path(): string {
    return join(this.#folder, `lock-${this.number}`);
  }
}

/** Takes a folder away, and those it is in, as long as they are empty; `most` of them. */
async function removeEmpty(folder: string, most: number): Promise<void> {
  for (let left = most, at = folder; left > 0; left--, at = dirname(at)) {
    const removed = await rmdir(at).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

/** Who has a lock; `undefined`: nobody that lives. */
async function livingOwner(path: string): Promise<string | undefined> {
  const [text, info] = await Promise.all([textOf(path), stat(path).catch(() => undefined)]);
  if (!info) return undefined;
  const recent = Date.now() - info.mtimeMs < DEAD_MS;
  const owner = parsedOwner(text ?? "");
  // Made just now, and not yet written.
  if (!owner) return recent && text === "" ? "a process that has just started" : undefined;
  const alive = recent && (owner.host !== hostname() || (await isRunning(owner.pid)));
  return alive ? `process ${owner.pid} on ${owner.host}` : undefined;
}

function parsedOwner(text: string): { host: string; pid: number } | undefined {
  try {
    const { host, pid } = JSON.parse(text);
    return typeof host === "string" && Number.isSafeInteger(pid) ? { host, pid } : undefined;
  } catch {
    return undefined;
  }
}

async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    // On Linux: one that has ended, and that nobody has asked about, still has its number.
    return !/\) [ZX] /.test((await textOf(`/proc/${pid}/stat`)) ?? "");
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

async function textOf(path: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  if (!file) return undefined;
  try {
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function busy(where: string, owner: string): ZarrsiftError {
  return new ZarrsiftError("busy", `${where} is being written by ${owner}: try again when it has ended`);
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | undefined)?.code ?? "");
}
