/** A view as a store of its own: every document, every chunk, byte for byte. */
import { mapAhead } from "../abort.ts";
import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import { Latest } from "../store/latest.ts";
import type { ReadOptions } from "../store/store.ts";
import type { WritableStore } from "../store/writable.ts";
import type { Face } from "../view/api.ts";
import type { View } from "../view/view.ts";
import { coordinatesOf, expressible } from "./references.ts";

/** Prefix in the target of what is there only until the copy is complete. */
export const UNFINISHED = ".zarrsift-export";
/** Where a directory keeps files until they are complete. */
export const COPY_TEMPORARY = `${UNFINISHED}/tmp`;
export const NOTE = `${UNFINISHED}/view.json`;

export interface CopyOptions extends ReadOptions {
  /** Chunks that are on their way at once, each of them in memory; default 16. */
  parallel?: number | undefined;
  onProgress?: ((progress: CopyProgress) => void) | undefined;
}

/** How far a copy is. */
export interface CopyProgress {
  /** Share of the view, 0 to 1. */
  part: number;
  /** Chunks and their bytes that were copied now. */
  chunks: number;
  bytes: number;
  /** Chunks that an earlier run had copied. */
  kept: number;
}

export interface Copied extends CopyProgress {
  /** Whether the root has consolidated metadata: not where the view has more nodes than are held in one document. */
  consolidated: boolean;
  /** Whether an earlier run had completed it, so that nothing was left to do. */
  already: boolean;
}

const PARALLEL = 16;
/** What is said of a copy that an earlier run had completed. */
export const COMPLETE = { part: 1, chunks: 0, bytes: 0, kept: 0, already: true };

/**
 * Copies a face of a view into a store that is empty, or that holds the beginning of the same copy: then what is there
 * stays. Of one that is complete nothing is copied. The documents of the root come last, so that nothing opens that is not complete.
 *
 * @param target no reader of it sees half a value; in a directory, `COPY_TEMPORARY` is where values lie until then
 * @throws ZarrsiftError `bad_request` where the target holds something else, `busy` where it is being written,
 *   `source_changed`, and as reading and writing do
 */
export async function copyZarr(
  view: View,
  format: Face,
  target: WritableStore,
  options: CopyOptions = {},
): Promise<Copied> {
  const lock = await target.lock?.(UNFINISHED);
  try {
    const begun = await beginning(target, view, format, options);
    const complete = begun ? undefined : await completed(view, format, target, options);
    if (complete) {
      await refuseOutdated(view, target, ROOT_DOCUMENTS[format].at(-1)!, options);
      return { ...COMPLETE, ...complete };
    }
    if (!begun) {
      await refuseOthers(target, options);
      await target.set(NOTE, JSON.stringify({ ...noteOf(view, format), made: view.definition.made }));
    }
    const shown = await asBegun(view, begun, options);
    const progress = await copyNodes(
      shown,
      format,
      target,
      { resumed: begun !== undefined, inOrder: false },
      options,
    );
    await shown.face(format).verify(options);
    const consolidated = await copyRoot(shown, format, target, options);
    await lock?.ensure();
    await target.delete(NOTE);
    return { ...progress, part: 1, consolidated, already: false };
  } catch (error) {
    throw isZarrsiftError(error, "source_changed") ? changed(error, target) : error;
  } finally {
    await lock?.release();
  }
}

const noteOf = ({ id }: View, format: Face) => ({ view: id, zarr_format: format });

/** When the view was made that the target holds the beginning of a copy of; `undefined`: it holds none. */
async function beginning(
  target: WritableStore,
  view: View,
  format: Face,
  options: ReadOptions,
): Promise<{ made?: number } | undefined> {
  const found = await target.get(NOTE, options);
  if (!found) return undefined;
  const { made, ...note } = JSON.parse(new TextDecoder().decode(found));
  if (JSON.stringify(note) === JSON.stringify(noteOf(view, format))) return { made };
  throw new ZarrsiftError(
    "bad_request",
    `${target.url} holds the beginning of another copy: of another query, fields, layout or Zarr format, or of the source ` +
      `before it changed (now version ${view.version}): remove it, or choose another place`,
  );
}

/** Half a copy is of the source as it was when it was begun: so is the rest. */
async function asBegun(
  view: View,
  begun: { made?: number } | undefined,
  options: ReadOptions,
): Promise<View> {
  return begun?.made === undefined ? view : view.asOf(begun.made, options);
}

function changed(
  { message, details }: ZarrsiftError,
  { url }: WritableStore,
  since = "its copy was begun",
): ZarrsiftError {
  const what = message.replace(/since this view was made; make the view again$/, `since ${since}`);
  const remedy = what === message ? "" : `: remove ${url}, or choose another place`;
  return new ZarrsiftError("source_changed", what + remedy, { details });
}

/** Of a target that holds this copy, as its root's documents say, which come last, whether its metadata is consolidated. */
async function completed(
  view: View,
  format: Face,
  target: WritableStore,
  options: ReadOptions,
): Promise<Pick<Copied, "consolidated"> | undefined> {
  const names = ROOT_DOCUMENTS[format];
  const documents = new Map<string, Uint8Array>();
  for (const name of names) {
    const found = await target.get(name, options);
    if (found) documents.set(name, found);
  }
  const isWhole = documents.has(names.at(-1)!) && isOf(view, documents.get(names[0]!));
  if (!isWhole) return undefined;
  return { consolidated: [...documents].some(([name, document]) => isConsolidated(name, document)) };
}

/** Whether the attributes of a root are those of a view, by its id. */
export function isOf({ id }: View, document: Uint8Array | undefined): boolean {
  try {
    const parsed = JSON.parse(new TextDecoder().decode(document));
    return (parsed.attributes ?? parsed).zarrsift.view === id;
  } catch {
    return false;
  }
}

/** Chunks that a complete copy is compared with, at most, and for how long, in milliseconds. */
const COMPARED = { most: 100_000, forMs: 10_000 };

/**
 * Finds out, as far as `View.spotCheck` does, whether the source is what it was when a copy was completed.
 * @param last what was written last of it
 * @throws ZarrsiftError `source_changed`
 */
export async function refuseOutdated(
  view: View,
  target: WritableStore,
  last: string,
  { signal }: ReadOptions,
): Promise<void> {
  const completed = new Latest();
  await target.get(last, { signal, onModified: completed.note });
  if (completed.time === undefined) return;
  const then = await view.asOf(Math.ceil(completed.time), { signal });
  await then.spotCheck({ ...COMPARED, signal }).catch((error) => {
    throw isZarrsiftError(error, "source_changed") ? changed(error, target, "it was copied") : error;
  });
}

/** @throws ZarrsiftError `bad_request` where a store is not empty */
export async function refuseOthers(target: WritableStore, options: ReadOptions): Promise<void> {
  const { keys, prefixes } = (await target.list("", options)) ?? { keys: [], prefixes: [] };
  const others = [...keys, ...prefixes].filter((name) => name !== UNFINISHED);
  if (others.length === 0) return;
  throw new ZarrsiftError(
    "bad_request",
    `${target.url} is not empty (it holds ${others[0]}) and is no unfinished copy of this: choose another place`,
  );
}

/** Chunks that are there are of the array that the document there describes. @throws ZarrsiftError `source_changed` */
async function refuseOtherDocument(
  target: WritableStore,
  key: string,
  document: Uint8Array,
  options: ReadOptions,
): Promise<void> {
  const found = await target.get(key, options);
  if (!found || isSame(found, document)) return;
  throw new ZarrsiftError(
    "source_changed",
    `${target.url}/${key} differs from what the copy would have there: the source has changed since it was begun: remove ` +
      "it, or choose another place",
    { details: { key } },
  );
}

const isSame = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** Something to write: a document, or a chunk. */
interface Item {
  key: string;
  /** Of the view that is done with it. */
  part: number;
  isChunk: boolean;
  read(): Promise<Uint8Array | undefined>;
  /** Whether it is still what it was, where it might not be. @throws ZarrsiftError `source_changed` */
  look?: (() => Promise<unknown>) | undefined;
}

interface CopyWay {
  /** Chunks may be there already. */
  resumed: boolean;
  /** Each node's documents, the root's too, are there before anything below it. */
  inOrder: boolean;
}

/** Copies all but the root's documents. */
export async function copyNodes(
  view: View,
  format: Face,
  target: WritableStore,
  { resumed, inOrder }: CopyWay,
  options: CopyOptions,
): Promise<CopyProgress> {
  const progress: CopyProgress = { part: 0, chunks: 0, bytes: 0, kept: 0 };
  const copy = async (item: Item): Promise<Item & { copied: number | "kept" | undefined }> => {
    options.signal?.throwIfAborted();
    if (item.isChunk && resumed && (await target.stat(item.key, options))) {
      await item.look?.();
      return { ...item, copied: "kept" };
    }
    const bytes = await item.read();
    if (!item.isChunk && resumed && bytes) await refuseOtherDocument(target, item.key, bytes, options);
    if (bytes) await target.set(item.key, bytes);
    return { ...item, copied: bytes?.length };
  };
  const items = itemsOf(view, format, inOrder ? target : undefined, options);
  for await (const { isChunk, part, copied } of mapAhead(items, options.parallel ?? PARALLEL, copy)) {
    progress.part = part;
    if (isChunk && copied === "kept") progress.kept++;
    else if (isChunk && copied !== undefined) {
      progress.chunks++;
      progress.bytes += copied as number;
    }
    options.onProgress?.(progress);
  }
  return progress;
}

/** @param ahead is given the documents of each node at once */
async function* itemsOf(
  view: View,
  format: Face,
  ahead: WritableStore | undefined,
  { signal }: ReadOptions,
): AsyncGenerator<Item> {
  let before = 0;
  for await (const node of expressible(view.face(format), { signal })) {
    const { path, grid, part } = node;
    for (const [name, document] of Object.entries(node.documents)) {
      const key = path ? `${path}/${name}` : name;
      if (ahead) await ahead.set(key, document);
      else if (path !== "") yield { key, part: before, isChunk: false, read: async () => document };
    }
    const total = grid?.reduce((a, b) => a * b, 1) ?? 0;
    let done = 0;
    for (const coords of grid ? coordinatesOf(grid) : []) {
      const { key, resource } = node.chunk(coords);
      const here = before + ((part - before) * ++done) / total;
      const look = node.own ? undefined : () => resource.size({ signal });
      yield { key, part: here, isChunk: true, read: () => resource.read({ signal }), look };
    }
    before = part;
  }
}

/** Attributes come first, what makes it openable last. */
const ROOT_DOCUMENTS: Record<Face, readonly string[]> = {
  2: [".zattrs", ".zmetadata", ".zgroup"],
  3: ["zarr.json"],
};

/** @returns whether they are consolidated */
async function copyRoot(
  view: View,
  format: Face,
  target: WritableStore,
  options: ReadOptions,
): Promise<boolean> {
  let consolidated = false;
  for (const name of ROOT_DOCUMENTS[format]) {
    const document = await rootDocument(view, format, name, options);
    if (!document) continue;
    consolidated ||= isConsolidated(name, document);
    await target.set(name, document);
  }
  return consolidated;
}

async function rootDocument(view: View, format: Face, name: string, options: ReadOptions) {
  return (await view.face(format).resource(name, options))?.read(options);
}

const isConsolidated = (name: string, document: Uint8Array) =>
  name === ".zmetadata" || "consolidated_metadata" in JSON.parse(new TextDecoder().decode(document));
