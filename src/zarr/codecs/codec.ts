import { ZarrsiftError } from "../../errors.ts";
import type { ChunkData } from "../chunk-data.ts";
import type { JsonValue } from "../json.ts";
import type { DataType } from "../metadata.ts";

/** What a chunk's elements are at one stage of a codec chain. */
export interface ArraySpec {
  dataType: DataType;
  shape: readonly number[];
  fillValue: JsonValue;
}

/** Elements to elements (`transpose`, `numcodecs.delta` …). */
export interface ArrayCodec {
  kind: "array";
  /** What its encoded side holds. */
  encoded: ArraySpec;
  decode(chunk: ChunkData): ChunkData;
  encode(chunk: ChunkData): ChunkData;
}

/** Elements to bytes (`bytes`, `vlen-utf8`, `sharding_indexed` …). */
export interface SerialCodec {
  kind: "serial";
  /** How many bytes it makes, where that does not depend on the values. */
  size: number | undefined;
  decode(bytes: Uint8Array): ChunkData | Promise<ChunkData>;
  encode(chunk: ChunkData): Uint8Array;
}

/** Bytes to bytes (compressors, checksums, `shuffle`). */
export interface BytesCodec {
  kind: "bytes";
  /** How many bytes it makes of `size` bytes; `undefined` where that depends on them. */
  encodedSize(size: number | undefined): number | undefined;
  /** @param size How many bytes must come out; `undefined`: not known, but never more than `MOST_BYTES`. */
  decode(bytes: Uint8Array, size: number | undefined): Uint8Array | Promise<Uint8Array>;
  encode(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

export type AnyCodec = ArrayCodec | SerialCodec | BytesCodec;

/** No chunk may decode to more: a header that lies cannot make us allocate what we do not have. */
export const MOST_BYTES = 2 ** 30;

/** How many elements an array of this shape has; one where it has no axes. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** An `encoding_unsupported` error; where it happened is added by whoever knows. */
export function unsupported(message: string): ZarrsiftError {
  return new ZarrsiftError("encoding_unsupported", message);
}

/** A codec whose output depends on the values, so that its size cannot be told. */
export const unknownSize = (): undefined => undefined;
