import { abortable } from "../abort.ts";
import { ZarrsiftError } from "../errors.ts";
import type { KeyStat, ReadOptions, Store } from "./store.ts";

/** Sizes and stamps of files that many keys lie in, so that those who ask at the same time share one answer. */
export class SharedStats {
  readonly #store: Store;
  readonly #asked = new Map<string, Promise<KeyStat>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** @throws ZarrsiftError `source_unreadable` where the file is gone */
  async ask(key: string, { signal, traffic }: ReadOptions): Promise<KeyStat> {
    let asked = this.#asked.get(key);
    if (!asked) {
      asked = this.#stat(key, { traffic }).finally(() => this.#asked.delete(key));
      this.#asked.set(key, asked);
    }
    return abortable(asked, signal);
  }

  async #stat(key: string, options: ReadOptions): Promise<KeyStat> {
    const stat = await this.#store.stat(key, options);
    if (stat) return stat;
    throw new ZarrsiftError("source_unreadable", `${this.#store.url}/${key} is not there any more`);
  }
}
