/** `zarrsift export … --to zarr DIR|s3://…`. */
import { resolve } from "node:path";
import { COPY_TEMPORARY, copyZarr } from "../export/copy.ts";
import { WritableDirectory } from "../store/file-write.ts";
import { WritableS3 } from "../store/s3-write.ts";
import type { WritableStore } from "../store/writable.ts";
import type { Face } from "../view/api.ts";
import type { View } from "../view/view.ts";
import { UsageError } from "./args.ts";
import { ambientS3 } from "./aws.ts";
import { log, print } from "./output.ts";
import { bytesText, TransferProgress } from "./transfer-progress.ts";

export interface CopyWords {
  format: Face | undefined;
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
export async function exportZarr(view: View, place: string, words: CopyWords): Promise<void> {
  const { format = 3, parallel, signal } = words;
  const target = await writable(place);
  const progress = new TransferProgress(`copying ${view.count} granules`, "chunks");
  try {
    const copied = await copyZarr(view, format, target, {
      parallel,
      signal,
      onProgress: ({ part, chunks, bytes, kept }) => progress.show({ part, count: chunks, bytes, kept }),
    });
    progress.done();
    if (!copied.consolidated)
      log(
        "without consolidated metadata: there is too much of it for one document, or the source cannot list",
      );
    const { chunks, bytes, kept } = copied;
    const seconds = progress.seconds;
    const before = kept > 0 ? ` (${kept.toLocaleString("en")} were there)` : "";
    const rate = bytesText(bytes / Math.max(seconds, 0.001));
    await print(
      `${place}: ${view.count} granules, ${chunks.toLocaleString("en")} chunks${before}, ${bytesText(bytes)} in ` +
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
