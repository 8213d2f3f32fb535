import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import type { ChunkData } from "./chunk-data.ts";
import { bloscCodec } from "./codecs/blosc.ts";
import { checksumCodec } from "./codecs/checksum.ts";
import {
  type AnyCodec,
  type ArrayCodec,
  type ArraySpec,
  type BytesCodec,
  elementCount,
  MOST_BYTES,
  type SerialCodec,
  unsupported,
} from "./codecs/codec.ts";
import { elementsCodec } from "./codecs/elements.ts";
import { filterCodec } from "./codecs/filters.ts";
import { deflateCodec } from "./codecs/gzip.ts";
import { lz4Codec } from "./codecs/lz4.ts";
import { shardingCodec } from "./codecs/sharding.ts";
import { shuffleCodec } from "./codecs/shuffle.ts";
import { transposeCodec } from "./codecs/transpose.ts";
import { variableCodec } from "./codecs/vlen.ts";
import { zstdCodec } from "./codecs/zstd.ts";
import { isMultiByte, itemSize } from "./dtype.ts";
import type { Codec } from "./metadata.ts";

/**
 * A chain of codecs, ready to decode and encode chunks of one shape and type.
 *
 * Not zarrita's: its chain has no way to encode a chunk, does not tell a codec how much must come out (which is what
 * keeps a lying header from being believed), and does not check crc32c.
 */
export class CodecChain {
  readonly #spec: ArraySpec;
  readonly #array: ArrayCodec[];
  readonly #serial: SerialCodec;
  readonly #bytes: BytesCodec[];
  /** Bytes before each bytes codec, and after the last. */
  readonly #sizes: (number | undefined)[];

  constructor(spec: ArraySpec, array: ArrayCodec[], serial: SerialCodec, bytes: BytesCodec[]) {
    this.#spec = spec;
    this.#array = array;
    this.#serial = serial;
    this.#bytes = bytes;
    this.#sizes = [serial.size];
    for (const codec of bytes) this.#sizes.push(codec.encodedSize(this.#sizes.at(-1)));
  }

  /** How many bytes a chunk takes, where that does not depend on its values. */
  get size(): number | undefined {
    return this.#sizes.at(-1);
  }

  /** @throws Error where `bytes` are not a chunk of this chain: what is wrong, not where */
  async decode(bytes: Uint8Array): Promise<ChunkData> {
    let current = bytes;
    checkSize(current, this.size);
    for (let i = this.#bytes.length - 1; i >= 0; i--) {
      current = await this.#bytes[i]!.decode(current, this.#sizes[i]);
      checkSize(current, this.#sizes[i]);
    }
    let chunk = await this.#serial.decode(current);
    for (let i = this.#array.length - 1; i >= 0; i--) chunk = this.#array[i]!.decode(chunk);
    return chunk;
  }

  async encode(chunk: ChunkData): Promise<Uint8Array> {
    const count = "starts" in chunk ? chunk.starts.length : chunk.data.length;
    const expected = elementCount(this.#spec.shape) * (this.#spec.dataType.kind === "complex" ? 2 : 1);
    if (count !== expected)
      throw new ZarrsiftError("internal", `A chunk of ${expected} elements got ${count}`);
    let current = chunk;
    for (const codec of this.#array) current = codec.encode(current);
    let bytes = this.#serial.encode(current);
    for (const codec of this.#bytes) bytes = await codec.encode(bytes);
    return bytes;
  }
}

function checkSize(bytes: Uint8Array, size: number | undefined): void {
  if (size !== undefined && bytes.length !== size)
    throw new Error(`it has ${bytes.length} bytes, not ${size}`);
}

/**
 * @throws ZarrsiftError `encoding_unsupported` for a codec or type this library does not know, `corrupt_metadata`
 *   for a chain that cannot be
 */
export function compile(spec: ArraySpec, codecs: readonly Codec[]): CodecChain {
  const array: ArrayCodec[] = [];
  const bytes: BytesCodec[] = [];
  let serial: SerialCodec | undefined;
  let current = spec;
  if (elementCount(spec.shape) * Math.max(itemSize(spec.dataType) ?? 8, 1) > MOST_BYTES) {
    throw unsupported(
      `chunks of [${spec.shape}] are too large; more than ${MOST_BYTES} bytes are not read at once`,
    );
  }
  for (const codec of codecs) {
    const made = makeCodec(codec, current);
    const early = made.kind === "bytes" ? !serial : serial !== undefined;
    if (early) throw unsupported(`the codec "${codec.name}" cannot stand where it does in its chain`);
    if (made.kind === "array") {
      array.push(made);
      current = made.encoded;
    } else if (made.kind === "serial") serial = made;
    else bytes.push(made);
  }
  if (!serial) throw new ZarrsiftError("corrupt_metadata", "codecs have none that makes bytes of elements");
  return new CodecChain(spec, array, serial, bytes);
}

function makeCodec({ name, configuration }: Codec, spec: ArraySpec): AnyCodec {
  switch (name) {
    case "bytes": {
      const { endian } = configuration;
      if (endian !== "little" && endian !== "big" && isMultiByte(spec.dataType)) {
        throw new ZarrsiftError("corrupt_metadata", `the codec "bytes" does not say its endian`);
      }
      return elementsCodec(spec, endian === "big" ? "big" : "little");
    }
    case "vlen-utf8":
    case "vlen-bytes":
      if (spec.dataType.kind !== (name === "vlen-utf8" ? "string" : "bytes")) {
        throw unsupported(`the codec "${name}" cannot hold elements of type ${spec.dataType.kind}`);
      }
      return variableCodec(spec);
    case "sharding_indexed":
      return shardingCodec(spec, configuration, compile);
    case "transpose":
      return transposeCodec(spec, configuration.order);
    case "zstd":
    case "numcodecs.zstd":
      return zstdCodec(configuration);
    case "blosc":
    case "numcodecs.blosc":
      return bloscCodec(configuration);
    case "gzip":
    case "numcodecs.gzip":
      return deflateCodec("gzip", configuration);
    case "numcodecs.zlib":
      return deflateCodec("zlib", configuration);
    case "numcodecs.lz4":
      return lz4Codec(configuration);
    case "numcodecs.shuffle":
      return shuffleCodec(configuration, itemSize(spec.dataType));
    default: {
      const known = checksumCodec(name, configuration) ?? filterCodec(name, configuration, spec);
      if (known) return known;
      throw unsupported(`the codec "${name}" is not supported`);
    }
  }
}

/** What went wrong with a chunk, told with where: damage as `corrupt_chunk`, our own errors as they are. */
export function chunkError(error: unknown, where: string): ZarrsiftError {
  if (isZarrsiftError(error)) {
    return new ZarrsiftError(error.code, `${where} cannot be read: ${error.message}`, {
      cause: error,
      details: { key: where },
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new ZarrsiftError("corrupt_chunk", `${where} is damaged: ${reason}`, {
    cause: error,
    details: { key: where },
  });
}
