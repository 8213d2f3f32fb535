import { asNumber, type JsonObject } from "../json.ts";
import type { BytesCodec } from "./codec.ts";

/** `numcodecs.shuffle`: first all first bytes of the elements, then all second ones … */
export function shuffleCodec(configuration: JsonObject, itemBytes: number | undefined): BytesCodec {
  const size = asNumber(configuration.elementsize) ?? itemBytes ?? 4;
  return {
    kind: "bytes",
    encodedSize: (length) => length,
    decode: (bytes) => unshuffle(bytes, size, new Uint8Array(bytes.length)),
    encode: (bytes) => shuffle(bytes, size, new Uint8Array(bytes.length)),
  };
}

/** What is left of the last whole element stays where it is. */
export function shuffle(from: Uint8Array, size: number, to: Uint8Array): Uint8Array {
  const count = Math.floor(from.length / size);
  for (let byte = 0; byte < size; byte++) {
    for (let i = 0, at = byte; i < count; i++, at += size) to[byte * count + i] = from[at]!;
  }
  to.set(from.subarray(count * size), count * size);
  return to;
}

/** The reverse of `shuffle`, from `from` to `to`, which are of one length. */
export function unshuffle(from: Uint8Array, size: number, to: Uint8Array): Uint8Array {
  const count = Math.floor(from.length / size);
  if (size % 4 === 0 && to.byteOffset % 4 === 0) unshuffleWords(from, size, count, to);
  else {
    for (let byte = 0; byte < size; byte++) {
      for (let i = 0, at = byte; i < count; i++, at += size) to[at] = from[byte * count + i]!;
    }
  }
  to.set(from.subarray(count * size), count * size);
  return to;
}

/** Four bytes at a time, which is several times faster. */
function unshuffleWords(from: Uint8Array, size: number, count: number, to: Uint8Array): void {
  const step = size / 4;
  const words = new Uint32Array(to.buffer, to.byteOffset, count * step);
  for (let word = 0; word < step; word++) {
    const first = word * 4 * count;
    for (let i = 0, at = word; i < count; i++, at += step) {
      const k = first + i;
      words[at] =
        from[k]! | (from[k + count]! << 8) | (from[k + 2 * count]! << 16) | (from[k + 3 * count]! << 24);
    }
  }
}

/**
 * Undoes Blosc 1's bitshuffle: first bit 0 of all elements, eight to a byte, then bit 1 …; blocks whose number of
 * elements is no multiple of 8 are left as they are.
 * Source: https://github.com/Blosc/c-blosc/blob/main/blosc/shuffle.c
 */
export function bitUnshuffle(from: Uint8Array, size: number, to: Uint8Array): Uint8Array {
  const count = Math.floor(from.length / size);
  if (count % 8 !== 0) {
    to.set(from);
    return to;
  }
  const plane = count / 8;
  for (let byte = 0; byte < size; byte++) {
    for (let group = 0; group < plane; group++) {
      transposeBits(from, byte * 8 * plane + group, plane, to, group * 8 * size + byte, size);
    }
  }
  to.set(from.subarray(count * size), count * size);
  return to;
}

/**
 * Eight bytes `step` apart, each a row of bits, to eight bytes `stride` apart, each a column.
 * Source: Warren, Hacker's Delight, 7-3, with two 32-bit halves.
 */
function transposeBits(
  from: Uint8Array,
  at: number,
  step: number,
  to: Uint8Array,
  out: number,
  stride: number,
): void {
  let low = from[at]! | (from[at + step]! << 8) | (from[at + 2 * step]! << 16) | (from[at + 3 * step]! << 24);
  const second = at + 4 * step;
  let high =
    from[second]! |
    (from[second + step]! << 8) |
    (from[second + 2 * step]! << 16) |
    (from[second + 3 * step]! << 24);

  let swap = (low ^ (low >>> 7)) & 0x00aa00aa;
  low ^= swap ^ (swap << 7);
  swap = (high ^ (high >>> 7)) & 0x00aa00aa;
  high ^= swap ^ (swap << 7);
  swap = (low ^ (low >>> 14)) & 0x0000cccc;
  low ^= swap ^ (swap << 14);
  swap = (high ^ (high >>> 14)) & 0x0000cccc;
  high ^= swap ^ (swap << 14);
  const first = (low & 0x0f0f0f0f) | ((high << 4) & 0xf0f0f0f0);
  const last = ((low >>> 4) & 0x0f0f0f0f) | (high & 0xf0f0f0f0);

  for (let i = 0; i < 4; i++) {
    to[out + i * stride] = first >>> (8 * i);
    to[out + (i + 4) * stride] = last >>> (8 * i);
  }
}
