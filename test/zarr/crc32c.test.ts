import { describe, expect, it } from "vitest";
import { crc32c } from "../../src/zarr/codecs/crc32c.ts";

/** Bit by bit, as the polynomial says. */
function slowly(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe("crc32c", () => {
  it("is that of RFC 3720, B.4", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  });

  it("is the same wherever the bytes lie, and however many they are", () => {
    const all = Uint8Array.from({ length: 120 }, (_, i) => (i * 7919) >> 3);
    for (let from = 0; from < 9; from++)
      for (let length = 0; length <= 100; length++) {
        const bytes = all.subarray(from, from + length);
        expect(crc32c(bytes), `${from}+${length}`).toBe(slowly(bytes));
      }
  });
});
