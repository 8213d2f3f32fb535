/** Reads of an index that a build can do without. */
import { isZarrsiftError } from "../../errors.ts";
import type { ReadOptions } from "../../store/store.ts";

/** What `read` gives; `otherwise`, whatever is wrong with the index. Errors of the source itself go on. */
export async function ifUsable<T>(
  read: () => Promise<T>,
  otherwise: (error: unknown) => T,
  { signal }: ReadOptions,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    signal?.throwIfAborted();
    if (isZarrsiftError(error) && error.code !== "index_unusable") throw error;
    return otherwise(error);
  }
}
