/**
 * Kerchunk's reference files, version 1, as JSON (https://fsspec.github.io/kerchunk/spec.html): what fsspec's
 * ReferenceFileSystem reads.
 */
import type { Face, ViewFace } from "../view/api.ts";
import { type Reference, type ReferenceOptions, referencesOf } from "./references.ts";

const decoder = new TextDecoder();
/** Characters of text that are put together before they are handed on. */
const PART = 64 * 1024;

/**
 * The text of a reference file, part by part: no more of a view is in memory than a part, and its root's consolidated
 * metadata where it has it.
 */
export async function* kerchunkJson(
  face: ViewFace,
  format: Face,
  options: ReferenceOptions = {},
): AsyncGenerator<string> {
  let text = '{"version":1,"refs":{';
  let first = true;
  for await (const line of lines(face, format, options)) {
    text += `${first ? "" : ","}\n${line}`;
    first = false;
    if (text.length < PART) continue;
    yield text;
    text = "";
  }
  yield `${text}\n}}\n`;
}

async function* lines(face: ViewFace, format: Face, options: ReferenceOptions): AsyncGenerator<string> {
  // zarr.json of the root holds what is consolidated; .zmetadata is a document of its own.
  const consolidated = format === 3 ? "zarr.json" : ".zmetadata";
  const root = await (await face.resource(consolidated, options))?.read(options);
  if (root) yield entry(consolidated, decoder.decode(root));
  for await (const { node, key, reference } of referencesOf(face, options)) {
    if (reference) yield entry(key!, value(reference));
    if (key !== undefined) continue;
    const below = node.path && `${node.path}/`;
    for (const [name, document] of Object.entries(node.documents)) {
      if (below + name !== consolidated) yield entry(below + name, decoder.decode(document));
    }
  }
}

function entry(key: string, what: unknown): string {
  return `${JSON.stringify(key)}:${JSON.stringify(what)}`;
}

function value(reference: Reference): unknown {
  if ("inline" in reference) return `base64:${base64(reference.inline)}`;
  const { url, range } = reference;
  return range ? [url, range.offset, range.length] : [url];
}

const SLICE = 0x8000;

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += SLICE)
    text += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  return btoa(text);
}
