import type { Store } from "./store.ts";

/** A store that can be written, too. */
export interface WritableStore extends Store {
  /** Writes a whole value: readers find the old one or the new one, nothing in between. */
  set(key: string, value: Uint8Array | string): Promise<void> | void;

  /** Takes a value away; one that is not there is no error. */
  delete(key: string): Promise<void> | void;

  /**
   * Keeps other writers of the same thing out, also those of other processes.
   *
   * @param key prefix below which the lock is kept, where it is a value of the store
   * @throws ZarrsiftError `busy` where somebody else has it
   */
  lock?(key: string): Promise<Lock>;

  /**
   * Makes all that was written visible at once, in a store where that is not so at each write.
   * @throws ZarrsiftError `source_changed` where somebody else has written the same meanwhile
   */
  commit?(message: string): Promise<void>;
}

/** Held until it is released. */
export interface Lock {
  /** @throws ZarrsiftError `busy` where somebody else took it, because this process seemed dead */
  ensure(): Promise<void>;
  release(): Promise<void>;
}
