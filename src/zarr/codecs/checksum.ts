import { crc32 } from "../../store/crc32.ts";
import type { JsonObject } from "../json.ts";
import type { BytesCodec } from "./codec.ts";
import { crc32c } from "./crc32c.ts";

type Checksum = (bytes: Uint8Array) => number;

/** Checksums by codec name, and where each puts its four bytes unless told otherwise. */
const CHECKSUMS: Record<string, { sum: Checksum; atStart: boolean }> = {
  crc32c: { sum: crc32c, atStart: false },
  "numcodecs.crc32c": { sum: crc32c, atStart: false },
  "numcodecs.crc32": { sum: crc32, atStart: true },
  "numcodecs.adler32": { sum: adler32, atStart: true },
  "numcodecs.fletcher32": { sum: fletcher32, atStart: false },
};

/** Four little-endian bytes of checksum before or after the bytes; `undefined` for a name that is no checksum's. */
export function checksumCodec(name: string, configuration: JsonObject): BytesCodec | undefined {
  if (!Object.hasOwn(CHECKSUMS, name)) return undefined;
  const { sum, atStart } = CHECKSUMS[name]!;
  const first = configuration.location === undefined ? atStart : configuration.location === "start";
  return {
    kind: "bytes",
    encodedSize: (size) => (size === undefined ? undefined : size + 4),
    decode(bytes) {
      if (bytes.length < 4) throw new Error(`${bytes.length} bytes are too few for a checksum`);
      const body = first ? bytes.subarray(4) : bytes.subarray(0, -4);
      const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(
        first ? 0 : bytes.length - 4,
        true,
      );
      if (sum(body) !== stored) throw new Error("the checksum does not match");
      return body;
    },
    encode(bytes) {
      const out = new Uint8Array(bytes.length + 4);
      out.set(bytes, first ? 4 : 0);
      new DataView(out.buffer).setUint32(first ? 0 : bytes.length, sum(bytes), true);
      return out;
    },
  };
}

/** RFC 1950, 8.2. */
function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (let from = 0; from < bytes.length; from += 3800) {
    const to = Math.min(from + 3800, bytes.length);
    for (let i = from; i < to; i++) {
      a += bytes[i]!;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return ((b << 16) | a) >>> 0;
}

/** As HDF5 computes it: sums modulo 65535 over big-endian 16-bit words, an odd last byte being a high one. */
function fletcher32(bytes: Uint8Array): number {
  let [a, b] = [0, 0];
  for (let i = 0; i < bytes.length; ) {
    const to = Math.min(i + 720, bytes.length);
    for (; i < to; i += 2) {
      a += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
      b += a;
    }
    a = (a & 0xffff) + (a >>> 16);
    b = (b & 0xffff) + (b >>> 16);
  }
  a = (a & 0xffff) + (a >>> 16);
  b = (b & 0xffff) + (b >>> 16);
  return ((b << 16) | a) >>> 0;
}
