import { messageOf, ZarrsiftError } from "../../errors.ts";
import type { ReadOptions } from "../store.ts";
import { VirtualChunks } from "../virtual-chunks.ts";
import type { Lock, WritableStore } from "../writable.ts";
import { IcechunkStore, NO_SUCH_KEY, ourError } from "./icechunk.ts";
import { type Icechunk, loadIcechunk, whileBusy } from "./load.ts";
import { Failures, icechunkStorage } from "./storage.ts";

type Session = InstanceType<Icechunk["Session"]>;

/** Files of the repository that nobody else knows, while it is written. */
export const ICECHUNK_TEMPORARY = "zarrsift-tmp";
const LOCK = "zarrsift-lock";

/** Commits that were overtaken by others are tried again so often. */
const TRIES = 5;

/**
 * Opens a branch of an Icechunk repository to be written: what is written is seen at the commit.
 *
 * @param files the repository's own files
 * @throws ZarrsiftError `icechunk_unavailable`, `source_not_found` where there is no such branch
 */
export async function openIcechunkWritable(
  files: WritableStore,
  branch = "main",
  options: ReadOptions & { log?: ((line: string) => void) | undefined } = {},
): Promise<WritableStore> {
  options.signal?.throwIfAborted();
  const icechunk = await loadIcechunk(options.log);
  const failures = new Failures();
  try {
    const storage = icechunkStorage(icechunk, files, failures);
    const config = { manifest: { preload: { max_total_refs: 0 } } };
    const repository = await whileBusy(icechunk.Repository.open(storage, config));
    const session = await whileBusy(repository.writableSession(branch));
    return new WritableIcechunk(files, branch, session, failures);
  } catch (error) {
    if (/^(ref not found|invalid ref)/i.test(messageOf(error)))
      throw new ZarrsiftError(
        "source_not_found",
        `${files.url} has no branch ${branch}; only branches can be written`,
      );
    throw ourError(error, files.url, failures);
  }
}

/** Readers of this format are all that there are. */
const FORMAT = 1;

/**
 * Makes an Icechunk repository in a store that is empty, its branch `main` to be written.
 * @throws ZarrsiftError `icechunk_unavailable`
 */
export async function createIcechunk(
  files: WritableStore,
  options: ReadOptions & { log?: ((line: string) => void) | undefined } = {},
): Promise<WritableStore> {
  options.signal?.throwIfAborted();
  const icechunk = await loadIcechunk(options.log);
  const failures = new Failures();
  try {
    const storage = icechunkStorage(icechunk, files, failures);
    const config = { manifest: { preload: { max_total_refs: 0 } } };
    // Whether the store is empty the caller knows: there may be a lock.
    await whileBusy(icechunk.Repository.create(storage, config, FORMAT, undefined, false));
  } catch (error) {
    throw ourError(error, files.url, failures);
  }
  return openIcechunkWritable(files, "main", options);
}

class WritableIcechunk extends IcechunkStore implements WritableStore {
  readonly #files: WritableStore;
  readonly #session: Session;
  readonly #failures: Failures;

  constructor(files: WritableStore, branch: string, session: Session, failures: Failures) {
    super(files, branch, session, failures, { repository: undefined, virtual: new VirtualChunks([]) });
    this.#files = files;
    this.#session = session;
    this.#failures = failures;
  }

  async set(key: string, value: Uint8Array | string): Promise<void> {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    await this.#change(key, (store) =>
      store.set(key, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
    );
  }

  async delete(key: string): Promise<void> {
    await this.#change(key, (store) =>
      store.delete(key).catch((error) => {
        // What goes with an array that was taken away before.
        if (!NO_SUCH_KEY.test(messageOf(error))) throw error;
      }),
    );
  }

  async lock(): Promise<Lock> {
    const lock = await this.#files.lock?.(LOCK);
    return lock ?? { ensure: async () => {}, release: async () => {} };
  }

  /** Where others have committed meanwhile, it comes after them, unless they changed the same. */
  async commit(message: string): Promise<void> {
    if (!this.#session.hasUncommittedChanges) return;
    for (let tried = 1; ; tried++) {
      try {
        await whileBusy(this.#session.commit(message));
        return;
      } catch (error) {
        const overtaken = /conflict|expected parent|branch tip/i.test(messageOf(error));
        if (!overtaken || tried === TRIES) throw ourError(error, this.url, this.#failures);
        await this.#rebase();
      }
    }
  }

  async #rebase(): Promise<void> {
    try {
      await whileBusy(this.#session.rebase());
    } catch (error) {
      throw new ZarrsiftError(
        "source_changed",
        `${this.url}: somebody else has changed the same meanwhile, so nothing was written; try again`,
        { cause: error },
      );
    }
  }

  async #change(key: string, work: (store: Session["store"]) => Promise<void>): Promise<void> {
    try {
      await whileBusy(work(this.#session.store));
    } catch (error) {
      throw ourError(error, `${this.url}/${key}`, this.#failures);
    }
  }
}
