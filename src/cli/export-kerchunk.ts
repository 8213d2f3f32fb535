/** `zarrsift export … --to kerchunk FILE.json|DIR.parq`. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { messageOf } from "../errors.ts";
import { kerchunkJson } from "../export/kerchunk-json.ts";
import { writeKerchunkParquet } from "../export/kerchunk-parquet.ts";
import type { Reference, ReferenceOptions } from "../export/references.ts";
import { WritableDirectory } from "../store/file-write.ts";
import type { Place } from "../store/store.ts";
import type { Face } from "../view/api.ts";
import type { View } from "../view/view.ts";
import { UsageError } from "./args.ts";
import { print } from "./output.ts";
import { openingLines, s3fsOptions } from "./python-lines.ts";
import { granulesText, TransferProgress } from "./transfer-progress.ts";

export interface KerchunkOptions {
  format: Face | undefined;
  inlineBytes: number | undefined;
  parallel: number | undefined;
  signal: AbortSignal;
}

/** Checked before anything is opened. @throws UsageError */
export function checkKerchunk(target: string, format: Face | undefined): void {
  if (!/\.(json|parq|parquet)$/.test(target))
    throw new UsageError(`${target}: references go to a FILE.json or a DIR.parq`);
  if (isParquet(target) && format === 3)
    throw new UsageError(
      "references in Parquet have Zarr v2 metadata: leave --zarr-format out, or write JSON",
    );
  if (isParquet(target) && existsSync(target))
    throw new UsageError(`${target} is there already: remove it, or choose another name`);
}

const isParquet = (target: string) => /\.(parq|parquet)$/.test(target);

/** Writes references to what a view holds; its file or folder has its name once it is complete. */
export async function exportKerchunk(view: View, target: string, given: KerchunkOptions): Promise<void> {
  const { format = 2, inlineBytes, parallel, signal } = given;
  const progress = new TransferProgress(`referring to ${granulesText(view.count)}`, "chunks");
  const schemes = new Set<string>();
  let references = 0;
  const options: ReferenceOptions = {
    inlineBytes,
    parallel,
    signal,
    refer: (place) => noted(place, schemes),
    onProgress: (done) => {
      references = done.references;
      progress.show({ part: done.part, count: done.references });
    },
  };
  const temporary = `${target}.${process.pid}-${randomBytes(3).toString("hex")}.tmp`;
  try {
    if (isParquet(target)) {
      await WritableDirectory.create(temporary);
      await writeKerchunkParquet(view.face(2), new WritableDirectory(temporary, ".tmp"), options);
      await rm(`${temporary}/.tmp`, { recursive: true, force: true });
    } else await writeText(temporary, kerchunkJson(view.face(format), format, options));
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw error;
  } finally {
    progress.done();
  }
  const chunks = references.toLocaleString("en");
  await print(
    `${target}: ${chunks} chunks of ${granulesText(view.count)}, in ${progress.seconds.toFixed(1)} s\n`,
  );
  await print(`\n${pythonLines(target, view, format, [...schemes])}\n`);
}

function noted(place: Place | "here", schemes: Set<string>): Reference | undefined {
  if (place === "here") return undefined;
  schemes.add(place.url.slice(0, place.url.indexOf(":")));
  return { url: place.url, ...(place.range && { range: place.range }) };
}

async function writeText(path: string, parts: AsyncIterable<string>): Promise<void> {
  const refuse = (error: unknown) => {
    throw new Error(`${path} cannot be written: ${messageOf(error)}`);
  };
  const file = await open(path, "wx").catch(refuse);
  try {
    for await (const part of parts) await file.appendFile(part).catch(refuse);
  } finally {
    await file.close();
  }
}

/** What opens it, with fsspec and zarr alone. */
function pythonLines(target: string, view: View, format: Face, schemes: string[]): string {
  const [scheme = "file"] = schemes;
  const remote =
    schemes.length > 1
      ? `"fs": {${schemes.map((name) => `"${name}": ${optionsOf(name)}`).join(", ")}}`
      : `"remote_protocol": "${scheme}"${scheme === "file" ? "" : `, "remote_options": ${optionsOf(scheme)}`}`;
  const options = [`storage_options={"fo": ${JSON.stringify(target)}, ${remote}}`];
  return openingLines(view, format, { store: '"reference://"', options, xarray: ["chunks={}"] });
}

/** Of fsspec's file systems; zarr-python wants those that can be so asynchronous. S3 is read as it was here. */
function optionsOf(scheme: string): string {
  if (scheme === "file") return "{}";
  return scheme === "s3" ? `{"asynchronous": True, ${s3fsOptions()}}` : '{"asynchronous": True}';
}
