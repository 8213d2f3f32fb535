/** node:zlib's own, where this runs in Node: some ten times as fast. */
const native =
  typeof process === "undefined"
    ? undefined
    : (process.getBuiltinModule?.("node:zlib") as { crc32?: (bytes: Uint8Array) => number } | undefined)
        ?.crc32;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 as zip, gzip and PNG have it (ISO 3309). */
export function crc32(bytes: Uint8Array): number {
  return native ? native(bytes) : plainCrc32(bytes);
}

/** The same without help. */
export function plainCrc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}
