import { ZarrsiftError } from "../errors.ts";

/** After a check that took t milliseconds the next one waits at least 2 s + 20 t, so that checking stays cheap. */
const PAUSE_MS = 2000;
const PAUSE_PER_MS = 20;

/** Notices that a source is no longer the version something was made from. Pinned sources need no checking. */
export class VersionGuard {
  readonly version: string;
  readonly #current: (() => Promise<string>) | undefined;
  readonly #name: string;
  #next = 0;
  #checking: Promise<boolean> | undefined;
  #changed = false;

  /** `current` finds the source's version now; `undefined` where it cannot change. */
  constructor(
    name: string,
    version: string,
    current: (() => Promise<string>) | undefined,
    checkedAt: number,
  ) {
    this.#name = name;
    this.version = version;
    this.#current = current;
    this.#next = checkedAt + PAUSE_MS;
  }

  /** Whether the source has been found changed; checks again where the last check is old. */
  async changed(): Promise<boolean> {
    if (this.#changed || !this.#current || Date.now() < this.#next) return this.#changed;
    this.#checking ??= this.#check(this.#current).finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  /** @throws ZarrsiftError `source_changed` */
  async ensure(): Promise<void> {
    if (!(await this.changed())) return;
    throw new ZarrsiftError(
      "source_changed",
      `The source of ${this.#name} has changed since this view was made (version ${this.version}); make the view again`,
      { details: { version: this.version } },
    );
  }

  async #check(current: () => Promise<string>): Promise<boolean> {
    const start = Date.now();
    this.#changed = (await current()) !== this.version;
    const now = Date.now();
    this.#next = now + PAUSE_MS + PAUSE_PER_MS * (now - start);
    return this.#changed;
  }
}
