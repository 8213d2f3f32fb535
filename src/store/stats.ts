import { mapLimit } from "../abort.ts";
import type { KeyStat, ReadOptions, Store } from "./store.ts";

/** Keys that are asked about at once where a store answers one by one. */
const AT_ONCE = 32;

/** Size and stamp of each key; `undefined`: no such key. */
export function statsOf(
  store: Store,
  keys: readonly string[],
  options?: ReadOptions,
): Promise<(KeyStat | undefined)[]> {
  return store.stats?.(keys, options) ?? mapLimit(keys, AT_ONCE, (key) => store.stat(key, options));
}
