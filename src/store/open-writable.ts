import { ZarrsiftError } from "../errors.ts";
import { isIcechunk } from "./icechunk/icechunk.ts";
import { ICECHUNK_TEMPORARY, openIcechunkWritable } from "./icechunk/write.ts";
import { locate } from "./location.ts";
import type { ReadOptions } from "./store.ts";
import type { WritableStore } from "./writable.ts";

const TEMPORARY = "indexes/_zarrsift/tmp";

export interface WritableOptions extends ReadOptions {
  /** Prefix below which a directory keeps files until they are complete; default `indexes/_zarrsift/tmp`. */
  temporary?: string | undefined;
  /** Makes the directory where there is none. */
  create?: boolean | undefined;
  /** Gets lines for people. */
  log?: ((line: string) => void) | undefined;
}

/**
 * Opens a store to be written: the directory of a Zarr hierarchy, or a branch of an Icechunk repository in one.
 *
 * @throws ZarrsiftError `source_forbidden` for a source that can only be read, `source_not_found`
 */
export async function openWritable(source: string, options: WritableOptions = {}): Promise<WritableStore> {
  const { WritableDirectory } = await import("./file-write.ts");
  if (options.create) await WritableDirectory.create(source);
  const location = await locate(source);
  if (location.kind !== "directory") throw readOnly(source, "it can be read only");
  const { path, ref } = location;
  const store = new WritableDirectory(path, options.temporary ?? TEMPORARY);
  if (!(await isIcechunk(store, options))) return store;
  return openIcechunkWritable(new WritableDirectory(path, ICECHUNK_TEMPORARY), ref, options);
}

function readOnly(source: string, why: string): ZarrsiftError {
  return new ZarrsiftError("source_forbidden", `Nothing can be written into ${source}: ${why}`);
}
