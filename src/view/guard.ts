import { type CheckOptions, Checks, type LastCheck } from "../checks.ts";
import { ZarrsiftError } from "../errors.ts";

/**
 * Notices that a source is no longer the version something was made from. Pinned sources need no checking.
 *
 * What was read is only handed out when a check that began after the read still finds the version, as `Checks` has it.
 */
export class VersionGuard {
  readonly version: string;
  readonly #name: string;
  readonly #checks: Checks;

  /**
   * @param current finds the source's version now; `undefined` where it cannot change
   * @param found when `version` was found
   */
  constructor(name: string, version: string, current: (() => Promise<string>) | undefined, found: LastCheck) {
    this.#name = name;
    this.version = version;
    this.#checks = new Checks(current && (async () => (await current()) !== version), found);
  }

  /** Whether the source is still believed to be this version; looks again in the background where that is long ago. */
  current(): boolean {
    return this.#checks.unchanged();
  }

  /** Whether the source is no longer this version. */
  changed(options?: CheckOptions): Promise<boolean> {
    return this.#checks.changed(options);
  }

  /**
   * Holds back what was read until it is known to belong to this version.
   * @throws ZarrsiftError `source_changed`
   */
  async ensure(options?: CheckOptions): Promise<void> {
    if (!(await this.changed(options))) return;
    throw new ZarrsiftError(
      "source_changed",
      `The source of ${this.#name} has changed since this view was made (version ${this.version}); make the view again`,
      { details: { version: this.version } },
    );
  }
}
