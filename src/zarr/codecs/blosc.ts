import { asNumber, type JsonObject } from "../json.ts";
import { decodeBloscLz } from "./blosclz.ts";
import { type BytesCodec, MOST_BYTES, unknownSize, unsupported } from "./codec.ts";
import { inflate } from "./gzip.ts";
import { decodeLz4Block } from "./lz4.ts";
import { bitUnshuffle, unshuffle } from "./shuffle.ts";
import { decodeZstd } from "./zstd.ts";

const SHUFFLES = ["noshuffle", "shuffle", "bitshuffle"];
const HEADER = 16;
const MOST_SPLITS = 16;
const LEAST_SPLIT = 128;

/**
 * Blosc 1. Encoding is numcodecs' WebAssembly; decoding is written here because that build does not tell when
 * decompression fails, and hands out whatever its memory holds.
 */
export function bloscCodec(configuration: JsonObject): BytesCodec {
  return {
    kind: "bytes",
    encodedSize: unknownSize,
    decode: decodeBlosc,
    async encode(bytes) {
      const { default: Blosc } = await import("numcodecs/blosc");
      const { cname, shuffle } = configuration;
      const mode = typeof shuffle === "string" ? SHUFFLES.indexOf(shuffle) : (asNumber(shuffle) ?? 1);
      const codec = Blosc.fromConfig({
        id: "blosc",
        cname: typeof cname === "string" && cname !== "snappy" ? cname : "lz4",
        clevel: asNumber(configuration.clevel) ?? 5,
        shuffle: mode < 0 ? 1 : mode,
        blocksize: asNumber(configuration.blocksize) ?? 0,
      } as Parameters<typeof Blosc.fromConfig>[0]);
      return codec.encode(bytes);
    },
  };
}

interface Header {
  compressor: number;
  /** Whether blocks are one stream each, not one per byte of the elements. */
  whole: boolean;
  itemBytes: number;
  blockBytes: number;
  unfilter: (block: Uint8Array, itemBytes: number, out: Uint8Array) => Uint8Array;
}

/**
 * Source: https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst
 *
 * @throws Error where the chunk is not whole, or holds other than `size` bytes (more than `MOST_BYTES` where not known)
 */
export async function decodeBlosc(bytes: Uint8Array, size: number | undefined): Promise<Uint8Array> {
  if (bytes.length < HEADER) throw new Error(`${bytes.length} bytes are too few for Blosc`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = checkedLength(view, size);
  const flags = view.getUint8(2);
  if (flags & 2) {
    if (bytes.length !== length + HEADER)
      throw new Error("the Blosc chunk has not the length its header says");
    return bytes.subarray(HEADER);
  }
  const out = new Uint8Array(length);
  const header = readHeader(view, flags, length);
  for (let block = 0, at = 0; at < length; block++, at += header.blockBytes) {
    const target = out.subarray(at, Math.min(at + header.blockBytes, length));
    const start = HEADER + 4 * block + 4 <= bytes.length ? view.getInt32(HEADER + 4 * block, true) : -1;
    await decodeBlock(bytes, start, target, header);
  }
  return out;
}

function checkedLength(view: DataView, size: number | undefined): number {
  const version = view.getUint8(0);
  if (version !== 1 && version !== 2) throw new Error(`Blosc format ${version} is not known`);
  const length = view.getUint32(4, true);
  if (length !== size && (size !== undefined || length > MOST_BYTES)) {
    throw new Error(`the Blosc chunk holds ${length} bytes, not ${size ?? `up to ${MOST_BYTES}`}`);
  }
  const stored = view.getUint32(12, true);
  if (stored !== view.byteLength)
    throw new Error(`the Blosc chunk has ${view.byteLength} bytes, its header says ${stored}`);
  return length;
}

function readHeader(view: DataView, flags: number, length: number): Header {
  const itemBytes = view.getUint8(3);
  const blockBytes = view.getUint32(8, true);
  const blocks = Math.ceil(length / blockBytes);
  if (itemBytes === 0 || (length > 0 && (blockBytes === 0 || HEADER + blocks * 4 > view.byteLength))) {
    throw new Error("the Blosc header is damaged");
  }
  const byByte = (flags & 1) !== 0 && itemBytes > 1;
  const copy: Header["unfilter"] = (block) => block;
  const unfilter = byByte ? unshuffle : flags & 4 ? bitUnshuffle : copy;
  return { compressor: flags >> 5, whole: (flags & 16) !== 0, itemBytes, blockBytes, unfilter };
}

async function decodeBlock(bytes: Uint8Array, start: number, out: Uint8Array, header: Header): Promise<void> {
  const { itemBytes, blockBytes, unfilter, compressor } = header;
  const split =
    !header.whole &&
    itemBytes <= MOST_SPLITS &&
    blockBytes / itemBytes >= LEAST_SPLIT &&
    out.length === blockBytes;
  const parts = split ? itemBytes : 1;
  const partBytes = Math.floor(out.length / parts);
  const filtered = new Uint8Array(out.length);
  let at = start;
  for (let part = 0; part < parts; part++) {
    const length = at >= HEADER && at + 4 <= bytes.length ? readInt32(bytes, at) : -1;
    if (length < 0 || at + 4 + length > bytes.length)
      throw new Error("a Blosc block lies outside of its chunk");
    const stored = bytes.subarray(at + 4, at + 4 + length);
    const target = filtered.subarray(part * partBytes, (part + 1) * partBytes);
    if (length === partBytes) target.set(stored);
    else await decompress(compressor, stored, target);
    at += 4 + length;
  }
  const block = unfilter(filtered, itemBytes, out);
  if (block !== out) out.set(block);
}

function readInt32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

async function decompress(compressor: number, stored: Uint8Array, out: Uint8Array): Promise<void> {
  switch (compressor) {
    case 0:
      return decodeBloscLz(stored, out);
    case 1:
      return decodeLz4Block(stored, out);
    case 3:
      return fill(out, await inflate("zlib", stored, out.length));
    case 4:
      return fill(out, await decodeZstd(stored, out.length));
    default:
      throw unsupported(
        `Blosc with ${compressor === 2 ? "Snappy" : `compressor ${compressor}`} is not supported`,
      );
  }
}

function fill(out: Uint8Array, decoded: Uint8Array): void {
  if (decoded.length !== out.length) throw new Error("a Blosc block has not the length its header says");
  out.set(decoded);
}
