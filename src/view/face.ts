/** One array or group as one face shows it: its documents, its chunk grammar, its chunks. */
import { ZarrsiftError } from "../errors.ts";
import { decodable, fillChunk } from "../zarr/chunk.ts";
import type { JsonObject } from "../zarr/json.ts";
import type { ArrayMeta, Codec, GroupMeta } from "../zarr/metadata.ts";
import { innerMeta, isSharded } from "../zarr/shard.ts";
import { toV2Documents, toV3Document, type V2Documents } from "../zarr/write.ts";
import type { Face } from "./api.ts";
import {
  type ChunkSource,
  ComputedChunks,
  InnerChunks,
  Reencoded,
  type StoredChunks,
  WrittenOut,
} from "./chunks.ts";
import { maskV2, maskV3 } from "./mask.ts";

/** An array of a view, before it is known which face asks. */
export interface ServedArray {
  /** Path in the view, for messages. */
  path: string;
  meta: ArrayMeta;
  /** The source's attributes with the granule's fields. */
  attributes: JsonObject;
  /** Chunks as a source stores them; absent for arrays the view makes itself. */
  stored?: StoredChunks;
  /** Chunks as `meta` describes them. */
  chunks: ChunkSource;
}

/** An array as a face shows it. */
export interface FacedArray {
  /** Grid, chunk keys and codecs as served. */
  meta: ArrayMeta;
  /** Its documents by file name: `zarr.json`, or `.zarray` and `.zattrs`. */
  documents: Record<string, JsonObject>;
  chunks: ChunkSource;
  /** Whether the view makes the values itself, and they are no chunks of a source. */
  own: boolean;
}

type Faced = Omit<FacedArray, "own">;

/** @throws ZarrsiftError `encoding_unsupported` for an array this face has no way to express */
export function faceArray(array: ServedArray, face: Face): FacedArray {
  return { ...(face === 3 ? faceV3(array) : faceV2(array)), own: array.chunks instanceof ComputedChunks };
}

/** A group's documents by file name. */
export function faceGroup(meta: GroupMeta, attributes: JsonObject, face: Face): Record<string, JsonObject> {
  const faced = { ...meta, attributes };
  return face === 3
    ? { "zarr.json": toV3Document(faced) as JsonObject }
    : named(toV2Documents(faced) as V2Documents);
}

function faceV3({ path, meta, attributes, chunks }: ServedArray): Faced {
  const faced = { ...meta, attributes: maskV3(meta, attributes) };
  const document = toV3Document(faced);
  if ("unsupported" in document) throw inexpressible(path, 3, document.unsupported as string);
  return { meta: faced, documents: { "zarr.json": document }, chunks };
}

function faceV2(array: ServedArray): Faced {
  const { meta, attributes, path } = array;
  if (meta.format === 2) {
    return { meta, documents: expressed(path, { ...meta, attributes }), chunks: array.chunks };
  }
  const plain = unsharded(array);
  const { fillValue, attributes: masked } = maskV2(meta, attributes);
  const target = {
    ...plain.meta,
    fillValue,
    attributes: masked,
    chunkKeys: { name: "v2", separator: "." } as const,
  };
  const { meta: served, chunks } = encodedForV2(path, plain, target);
  const missingDiffers = !sameFill(plain.meta, served);
  return {
    meta: served,
    documents: expressed(path, served),
    chunks: missingDiffers
      ? new WrittenOut(chunks, { ...served, fillValue: plain.meta.fillValue, format: 3 })
      : chunks,
  };
}

/** A sharded array as the array of its inner chunks. */
function unsharded(array: ServedArray): { meta: ArrayMeta; chunks: ChunkSource } {
  if (!isSharded(array.meta)) return array;
  const meta = innerMeta(array.meta);
  if ("unsupported" in meta) throw inexpressible(array.path, 2, meta.unsupported);
  if (!array.stored) throw inexpressible(array.path, 2, "it is sharded and not stored");
  return { meta, chunks: new InnerChunks(array.stored, array.meta, meta) };
}

/** The source's own codecs where v2 can say them, else the same values with zstd alone. */
function encodedForV2(path: string, plain: { meta: ArrayMeta; chunks: ChunkSource }, target: ArrayMeta) {
  const own = toV2Documents(target);
  if (!("unsupported" in own)) return { meta: target, chunks: plain.chunks };
  if (!decodable(plain.meta)) throw inexpressible(path, 2, own.unsupported as string);
  const meta = { ...target, codecs: simpleCodecs(target) };
  return { meta, chunks: new Reencoded(plain.chunks, plain.meta, { ...meta, format: 3 }, path) };
}

/** Little-endian bytes (or length-prefixed items) and zstd. */
export function simpleCodecs({ dataType }: Pick<ArrayMeta, "dataType">): Codec[] {
  const items: Record<string, Codec> = {
    string: { name: "vlen-utf8", configuration: {} },
    bytes: { name: "vlen-bytes", configuration: {} },
  };
  const toBytes = items[dataType.kind] ?? { name: "bytes", configuration: { endian: "little" } };
  return [toBytes, { name: "zstd", configuration: { level: 3, checksum: false } }];
}

/** Whether a missing chunk reads as the same values under both fill values; a null one reads as zeros. */
function sameFill(a: ArrayMeta, b: ArrayMeta): boolean {
  if (!decodable(a)) return true;
  const one = (meta: ArrayMeta) => {
    const shape = meta.shape.map(() => 1);
    const chunk = fillChunk({ ...meta, shape, chunkShape: shape });
    return "starts" in chunk
      ? chunk.data.subarray(chunk.starts[0], chunk.ends[0])
      : new Uint8Array(chunk.data.buffer);
  };
  const [x, y] = [one(a), one(b)];
  return x.length === y.length && x.every((byte, i) => byte === y[i]);
}

function expressed(path: string, meta: ArrayMeta): Record<string, JsonObject> {
  const documents = toV2Documents(meta);
  if ("unsupported" in documents) throw inexpressible(path, 2, documents.unsupported as string);
  return named(documents);
}

function named(documents: V2Documents): Record<string, JsonObject> {
  return Object.fromEntries(Object.entries(documents).map(([name, document]) => [`.${name}`, document]));
}

function inexpressible(path: string, face: Face, why: string): ZarrsiftError {
  const other = face === 2 ? "v3" : "v2";
  return new ZarrsiftError(
    "encoding_unsupported",
    `/${path} cannot be shown as Zarr v${face}: ${why}; open the ${other}/ face of this view instead`,
    { details: { path: `/${path}`, face } },
  );
}
