/** Takes indexes away. */
import type { ReadOptions } from "../../store/store.ts";
import type { WritableStore } from "../../store/writable.ts";
import { IndexTarget, LOCK } from "./target.ts";

export interface DropOptions extends ReadOptions {
  /** Names of the columns whose indexes and zone maps go; default: all. Columns that are no more may be named, too. */
  columns?: readonly string[] | undefined;
}

/**
 * Takes the indexes away that this library has made, first from sight, then from the store.
 *
 * @returns names of the columns that had any
 * @throws ZarrsiftError `busy` where another process is changing them
 */
export async function dropIndexes(target: WritableStore, options: DropOptions = {}): Promise<string[]> {
  const lock = await target.lock?.(LOCK);
  try {
    const indexes = await IndexTarget.open(target, 3, options);
    const there = indexes.columns();
    const names = options.columns ? there.filter((name) => options.columns!.includes(name)) : there;
    await indexes.drop(names, options);
    if (names.length > 0) await target.commit?.(`zarrsift index: ${names.join(", ")} dropped`);
    return names;
  } finally {
    await lock?.release();
  }
}
