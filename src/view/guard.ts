import { abortable } from "../abort.ts";
import { ZarrsiftError } from "../errors.ts";
import type { ReadOptions } from "../store/store.ts";

/** A check that takes longer than this is not made for every read. */
const CHEAP_MS = 25;
/** Then the next one waits 20 times as long as the last took. */
const PAUSE = 20;

/**
 * Notices that a source is no longer the version something was made from. Pinned sources need no checking.
 *
 * What was read is only handed out when a check that began after the read still finds the version; readers at the same
 * time share checks. Where checking is slow, as over HTTP, a read within the pause after a good check is believed. A
 * check that cannot be made, because some other chunk cannot be read, finds no change.
 */
export class VersionGuard {
  readonly version: string;
  readonly #current: (() => Promise<string>) | undefined;
  readonly #name: string;
  /** When the last good check began, and how long it took. */
  #began: number;
  #took = 0;
  #checking: Promise<void> | undefined;
  #changed = false;

  /** `current` finds the source's version now; `undefined` where it cannot change. `version` was found just now. */
  constructor(name: string, version: string, current: (() => Promise<string>) | undefined) {
    this.#name = name;
    this.version = version;
    this.#current = current;
    this.#began = performance.now();
  }

  /** Whether the source is still believed to be this version; looks again in the background where that is long ago. */
  current(): boolean {
    if (this.#current && !this.#changed && performance.now() > this.#restsUntil())
      void this.#check(this.#current);
    return !this.#changed;
  }

  /** Whether the source is no longer this version, as of now; `strict`: however long it takes to find out. */
  async changed({ signal }: ReadOptions = {}, strict = false): Promise<boolean> {
    await abortable(this.#checkedSince(performance.now(), strict), signal);
    return this.#changed;
  }

  /**
   * Holds back what was read until it is known to belong to this version.
   * @throws ZarrsiftError `source_changed`
   */
  async ensure(options?: ReadOptions, strict = false): Promise<void> {
    if (!(await this.changed(options, strict))) return;
    throw new ZarrsiftError(
      "source_changed",
      `The source of ${this.#name} has changed since this view was made (version ${this.version}); make the view again`,
      { details: { version: this.version } },
    );
  }

  #restsUntil(): number {
    return this.#began + Math.max(CHEAP_MS, this.#took) * PAUSE;
  }

  async #checkedSince(moment: number, strict: boolean): Promise<void> {
    if (!this.#current || this.#changed) return;
    if (!strict && this.#took > CHEAP_MS && moment < this.#restsUntil()) return;
    while (!this.#changed && this.#began < moment) {
      await this.#check(this.#current);
    }
  }

  #check(current: () => Promise<string>): Promise<void> {
    this.#checking ??= this.#compare(current).finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #compare(current: () => Promise<string>): Promise<void> {
    const began = performance.now();
    const version = await current().catch(() => this.version);
    this.#changed = version !== this.version;
    this.#took = performance.now() - began;
    this.#began = began;
  }
}
