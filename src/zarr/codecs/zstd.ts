import { ZarrsiftError } from "../../errors.ts";
import { asNumber, type JsonObject } from "../json.ts";
import { type BytesCodec, MOST_BYTES, unknownSize } from "./codec.ts";
import { compressNative, nativeZlib, runNative } from "./native-zlib.ts";
import { decodeInThread } from "./zstd-threads.ts";

/** Zstandard (RFC 8878), through node:zlib from Node 22.15 on, else numcodecs' WebAssembly. */
export function zstdCodec(configuration: JsonObject): BytesCodec {
  const level = asNumber(configuration.level) ?? 0;
  const checksum = configuration.checksum === true;
  return {
    kind: "bytes",
    encodedSize: unknownSize,
    decode: decodeZstd,
    encode: (bytes) => encodeZstd(bytes, level, checksum),
  };
}

/** @throws Error for damaged input, input after the end, and more output than `size` (`MOST_BYTES` where not known) */
export async function decodeZstd(bytes: Uint8Array, size: number | undefined): Promise<Uint8Array> {
  const most = measureZstd(bytes, size);
  const native = nativeZlib?.zstdDecompress;
  if (native) return runNative(native, bytes, size ?? most, size ?? most);
  const elsewhere = most >= LARGE ? await decodeInThread(bytes) : undefined;
  if (elsewhere) return elsewhere;
  const { default: Zstd } = await import("numcodecs/zstd");
  try {
    return await Zstd.fromConfig({ id: "zstd" }).decode(bytes);
  } catch (cause) {
    if (String(cause).includes("zstd codec error")) throw cause;
    throw new ZarrsiftError("internal", EXHAUSTED, { cause });
  }
}

/** Decoded bytes from which it pays to hand a chunk to another thread. */
const LARGE = 2 ** 20;

const EXHAUSTED =
  "The zstd decoder of this process has run out of memory, which happens after thousands of damaged chunks; " +
  "restart it, or use Node 22.15 or later, which brings a decoder of its own";

async function encodeZstd(bytes: Uint8Array, level: number, checksum: boolean): Promise<Uint8Array> {
  if (nativeZlib?.zstdCompress) {
    const { ZSTD_c_compressionLevel = 100, ZSTD_c_checksumFlag = 201 } = nativeZlib.constants;
    const params = { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: checksum ? 1 : 0 };
    return compressNative(nativeZlib.zstdCompress, bytes, { params, pledgedSrcSize: bytes.length });
  }
  const { default: Zstd } = await import("numcodecs/zstd");
  return Zstd.fromConfig({ id: "zstd", level: level === 0 ? 3 : level }).encode(bytes);
}

const FRAME = 0xfd2fb528;
const MOST_IN_BLOCK = 2 ** 17;

/**
 * Walks the frames' headers and blocks, so that a decoder only ever sees whole frames of a size that can be: input
 * that is cut short, goes on after its end or lies about its size is found here.
 *
 * @param size How many bytes the frames must hold, where known.
 * @returns how many bytes they hold at most
 * @throws Error where they are not whole, or cannot hold `size` bytes
 */
export function measureZstd(bytes: Uint8Array, size: number | undefined): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let claimed: number | undefined = 0;
  let most = 0;
  while (at < bytes.length) {
    need(at + 8 <= bytes.length);
    const magic = view.getUint32(at, true);
    if (magic >>> 4 === 0x184d2a5) {
      at += 8 + view.getUint32(at + 4, true);
      need(at <= bytes.length);
      continue;
    }
    if (magic !== FRAME)
      throw new Error(at === 0 ? "it is not zstd" : "there are more bytes after the zstd frame");
    const frame = frameHeader(view, at + 4);
    const blocks = walkBlocks(view, frame.blocks, frame.size);
    at = blocks.end + (frame.checksum ? 4 : 0);
    need(at <= bytes.length);
    if (frame.size !== undefined && frame.size > blocks.most)
      throw new Error("the zstd header lies about the size");
    claimed = frame.size === undefined || claimed === undefined ? undefined : claimed + frame.size;
    most += frame.size ?? blocks.most;
  }
  need(bytes.length > 0);
  checkClaim(claimed, most, size);
  return most;
}

function checkClaim(claimed: number | undefined, most: number, size: number | undefined): void {
  if (size === undefined ? (claimed ?? most) > MOST_BYTES : claimed !== undefined && claimed !== size) {
    throw new Error(`the zstd frame holds ${claimed ?? most} bytes, not ${size ?? `up to ${MOST_BYTES}`}`);
  }
  if (size !== undefined && most < size)
    throw new Error(`the zstd frame holds at most ${most} bytes, not ${size}`);
}

/** RFC 8878, 3.1.1.1: descriptor, window, dictionary id, content size. */
function frameHeader(
  view: DataView,
  at: number,
): { blocks: number; size: number | undefined; checksum: boolean } {
  const descriptor = view.getUint8(at);
  const single = (descriptor & 32) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? Number(single) : 1 << sizeFlag;
  const sizeAt = at + 1 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]!;
  need(sizeAt + sizeBytes <= view.byteLength);
  const size = sizeBytes === 0 ? undefined : contentSize(view, sizeAt, sizeBytes);
  return { blocks: sizeAt + sizeBytes, size, checksum: (descriptor & 4) !== 0 };
}

function contentSize(view: DataView, at: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

function walkBlocks(view: DataView, start: number, size: number | undefined): { end: number; most: number } {
  let at = start;
  let most = 0;
  for (let last = false; !last; ) {
    need(at + 3 <= view.byteLength);
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    const type = (header >> 1) & 3;
    const length = header >> 3;
    if (type === 3) throw new Error("a zstd block is of no known type");
    last = (header & 1) === 1;
    at += 3 + (type === 1 ? 1 : length);
    need(at <= view.byteLength);
    most += type === 2 ? MOST_IN_BLOCK : length;
    if (size !== undefined && type !== 2 && length > size)
      throw new Error("a zstd block is larger than its frame");
  }
  return { end: at, most };
}

function need(enough: boolean): void {
  if (!enough) throw new Error("the zstd frame ends too soon");
}
