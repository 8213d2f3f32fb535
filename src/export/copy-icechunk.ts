/** A view as an Icechunk repository of its own: one commit. */
import { mapLimit } from "../abort.ts";
import { isIcechunk, openIcechunk } from "../store/icechunk/icechunk.ts";
import { loadIcechunk } from "../store/icechunk/load.ts";
import { createIcechunk } from "../store/icechunk/write.ts";
import type { ReadOptions } from "../store/store.ts";
import type { WritableStore } from "../store/writable.ts";
import type { View } from "../view/view.ts";
import {
  COMPLETE,
  type Copied,
  type CopyOptions,
  copyNodes,
  isOf,
  NOTE,
  refuseOthers,
  refuseOutdated,
  UNFINISHED,
} from "./copy.ts";

/** Where the commit is. */
const MAIN = "refs/branch.main/ref.json";

export interface IcechunkCopyOptions extends CopyOptions {
  /** Gets lines for people. */
  log?: ((line: string) => void) | undefined;
}

/**
 * Copies a view's v3 face into a new repository, format 1, branch `main`. Where each chunk is stays in memory until the
 * commit. One that was stopped before it is begun anew; of one that is complete nothing is copied.
 *
 * @param files what the repository's own files are written to, as `copyZarr`'s target
 * @throws ZarrsiftError `icechunk_unavailable`, and as `copyZarr`
 */
export async function copyIcechunk(
  view: View,
  files: WritableStore,
  options: IcechunkCopyOptions = {},
): Promise<Omit<Copied, "consolidated">> {
  const { signal, log } = options;
  await loadIcechunk(log);
  const lock = await files.lock?.(UNFINISHED);
  try {
    const begun = await files.get(NOTE, { signal });
    if (await isCommitted(view, files, options)) {
      if (begun) await files.delete(NOTE);
      await refuseOutdated(view, files, MAIN, { signal });
      return COMPLETE;
    }
    if (begun) await removeAll(files, "", { signal });
    else await refuseOthers(files, { signal });
    await files.set(NOTE, JSON.stringify({ view: view.id, icechunk: true }));
    const repository = await createIcechunk(files, { signal, log });
    const progress = await copyNodes(view, 3, repository, { resumed: false, inOrder: true }, options);
    await view.face(3).verify({ signal });
    await lock?.ensure();
    await repository.commit?.(messageFor(view));
    await files.delete(NOTE);
    return { ...progress, part: 1, already: false };
  } finally {
    await lock?.release();
  }
}

/** Whether the branch `main` of a repository is this copy. */
async function isCommitted(
  view: View,
  files: WritableStore,
  { signal, log }: IcechunkCopyOptions,
): Promise<boolean> {
  if (!(await isIcechunk(files, { signal }))) return false;
  const copy = await openIcechunk(files, { signal, log });
  return isOf(view, await copy.get("zarr.json", { signal }));
}

/** Removes what an export has left, its note last. */
async function removeAll(files: WritableStore, prefix: string, options: ReadOptions): Promise<void> {
  const { keys, prefixes } = (await files.list(prefix, options)) ?? { keys: [], prefixes: [] };
  const below = prefix && `${prefix}/`;
  await mapLimit(keys, 16, async (name) => files.delete(below + name));
  for (const name of prefixes) if (below + name !== UNFINISHED) await removeAll(files, below + name, options);
}

function messageFor({ definition, count, version }: View): string {
  const what = definition.sql ?? "a list of rows";
  return `zarrsift export: ${count} granules of ${definition.collection} at ${version}: ${what}`;
}
