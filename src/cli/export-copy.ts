/** `zarrsift export … --to zarr|icechunk DIR|s3://…`. */
import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { COPY_TEMPORARY, type CopyOptions, type CopyProgress, copyZarr } from "../export/copy.ts";
import { copyIcechunk } from "../export/copy-icechunk.ts";
import { bytesText } from "../format/bytes.ts";
import { WritableDirectory } from "../store/file-write.ts";
import { WritableS3 } from "../store/http/s3-write.ts";
import type { WritableStore } from "../store/writable.ts";
import type { Face } from "../view/api.ts";
import type { View } from "../view/view.ts";
import { UsageError } from "./args.ts";
import { ambientS3 } from "./aws.ts";
import { log, print } from "./output.ts";
import { icechunkLines, zarrLines } from "./python-lines.ts";
import { granulesText, TransferProgress } from "./transfer-progress.ts";

export interface CopyWords {
  /** Default 3. */
  format?: Face | undefined;
  parallel: number | undefined;
  signal: AbortSignal;
}

/** Checked before anything is opened. @throws UsageError */
export function checkTarget(target: string): void {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(target)?.[1];
  if (scheme !== undefined && scheme !== "s3")
    throw new UsageError(`${target}: copies go to a directory, or to s3://bucket/prefix`);
}

/** Copies a view; run again, it goes on where it was stopped. */
export async function exportZarr(
  view: View,
  source: string,
  place: string,
  { format = 3, ...words }: CopyWords,
): Promise<void> {
  refuseWithin(source, place);
  let consolidated = true;
  await transfer(view, place, words, async (target, options) => {
    const copied = await copyZarr(view, format, target, options);
    consolidated = copied.consolidated;
    if (!consolidated)
      log(
        "without consolidated metadata: there is too much of it for one document, or the source cannot list",
      );
    return copied;
  });
  await print(`\n${zarrLines(place, view, format, consolidated)}\n`);
}

/** Copies a view into a new repository. */
export async function exportIcechunk(
  view: View,
  source: string,
  place: string,
  words: CopyWords,
): Promise<void> {
  refuseWithin(source, place);
  await transfer(view, place, words, (target, options) => copyIcechunk(view, target, { ...options, log }));
  await print(`\n${icechunkLines(place, view)}\n`);
}

/**
 * What is written into a source becomes a part of it.
 * @throws UsageError for a place in or at `source`
 */
function refuseWithin(source: string, place: string): void {
  const within = /^s3:/i.test(place)
    ? folderOf(place).startsWith(folderOf(source.replace(/#.*$/, "")))
    : isWithin(resolve(place), resolve(source)) ||
      isWithin(resolve(place), resolve(source.replace(/#.*$/, "")));
  if (within)
    throw new UsageError(`${place} lies within ${source}, which it is copied from: choose another place`);
}

const folderOf = (url: string) => `${url.replace(/\/+$/, "")}/`;

/** Whether a path is the folder, or leads through it, whatever links there are. */
function isWithin(path: string, folder: string): boolean {
  const identity = (at: string) => {
    const found = statSync(at, { throwIfNoEntry: false, bigint: true });
    return found && `${found.dev} ${found.ino}`;
  };
  const wanted = identity(folder);
  for (let at = path; wanted !== undefined; at = dirname(at)) {
    if (identity(at) === wanted) return true;
    if (at === dirname(at)) return false;
  }
  return false;
}

async function transfer(
  view: View,
  place: string,
  { parallel, signal }: CopyWords,
  copy: (target: WritableStore, options: CopyOptions) => Promise<CopyProgress & { already: boolean }>,
): Promise<void> {
  const target = await writable(place);
  const progress = new TransferProgress(`copying ${granulesText(view.count)}`, "chunks");
  try {
    const { chunks, bytes, kept, already } = await copy(target, {
      parallel,
      signal,
      onProgress: (now) => progress.show({ ...now, count: now.chunks }),
    });
    progress.done();
    if (already)
      return await print(`${place}: ${granulesText(view.count)}, complete already: nothing was left to do\n`);
    const seconds = progress.seconds;
    const before = kept > 0 ? ` (${kept.toLocaleString("en")} were there)` : "";
    const rate = bytesText(bytes / Math.max(seconds, 0.001));
    await print(
      `${place}: ${granulesText(view.count)}, ${chunks.toLocaleString("en")} chunks${before}, ${bytesText(bytes)} in ` +
        `${seconds.toFixed(1)} s, ${rate}/s\n`,
    );
  } finally {
    progress.done();
  }
}

async function writable(place: string): Promise<WritableStore> {
  if (/^s3:/i.test(place)) return new WritableS3(place, ambientS3());
  const folder = resolve(place);
  await WritableDirectory.create(folder);
  return new WritableDirectory(folder, COPY_TEMPORARY);
}
