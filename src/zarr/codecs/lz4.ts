import { asNumber, type JsonObject } from "../json.ts";
import { type BytesCodec, MOST_BYTES, unknownSize } from "./codec.ts";

/** `numcodecs.lz4`: the decoded size as a little-endian uint32, then one LZ4 block. */
export function lz4Codec(configuration: JsonObject): BytesCodec {
  return {
    kind: "bytes",
    encodedSize: unknownSize,
    decode(bytes, size) {
      if (bytes.length < 5) throw new Error(`${bytes.length} bytes are too few for LZ4`);
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
      if (length > (size ?? MOST_BYTES))
        throw new Error(`it claims ${length} bytes, more than ${size ?? MOST_BYTES}`);
      const out = new Uint8Array(length);
      decodeLz4Block(bytes.subarray(4), out);
      return out;
    },
    async encode(bytes) {
      const { default: LZ4 } = await import("numcodecs/lz4");
      return LZ4.fromConfig({ id: "lz4", acceleration: asNumber(configuration.acceleration) ?? 1 }).encode(
        bytes,
      );
    },
  };
}

/**
 * Decodes one LZ4 block, which must fill `out` exactly.
 * Written here because numcodecs' WebAssembly build leaks its memory on damaged input, until even sound chunks fail.
 * Source: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 *
 * @throws Error where the block does not fit `out`, or points outside of it
 */
export function decodeLz4Block(block: Uint8Array, out: Uint8Array): void {
  const end = block.length;
  let from = 0;
  let to = 0;
  while (from < end) {
    const token = block[from++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255) {
        if (from >= end) throw damaged();
        more = block[from++]!;
        literals += more;
      }
    }
    if (from + literals > end || to + literals > out.length) throw damaged();
    if (literals < 32) for (let i = 0; i < literals; i++) out[to + i] = block[from + i]!;
    else out.set(block.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    if (from === end) break;

    if (from + 2 > end) throw damaged();
    const offset = block[from]! | (block[from + 1]! << 8);
    from += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      let more = 255;
      while (more === 255) {
        if (from >= end) throw damaged();
        more = block[from++]!;
        length += more;
      }
    }
    if (offset === 0 || offset > to || to + length > out.length) throw damaged();
    copyMatch(out, to, offset, length);
    to += length;
  }
  if (to !== out.length) throw damaged();
}

/** Repeats what stands `offset` bytes before `to`; the copy may run into itself. */
export function copyMatch(out: Uint8Array, to: number, offset: number, length: number): void {
  if (offset === 1) out.fill(out[to - 1]!, to, to + length);
  else if (offset >= length && length >= 32) out.copyWithin(to, to - offset, to - offset + length);
  else for (let i = to; i < to + length; i++) out[i] = out[i - offset]!;
}

function damaged(): Error {
  return new Error("the LZ4 block is damaged");
}
