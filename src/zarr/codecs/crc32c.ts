/** Sixteen tables of 256 entries, for sixteen bytes a step. */
const TABLES = makeTables();

function makeTables(): Int32Array {
  const tables = new Int32Array(16 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256]!;
    tables[i] = (before >>> 8) ^ tables[before & 255]!;
  }
  return tables;
}

/** CRC-32C (Castagnoli, RFC 3720 B.4) of `bytes`, unsigned. */
export function crc32c(bytes: Uint8Array): number {
  const first = Math.min(bytes.length, -bytes.byteOffset & 3);
  const steps = (bytes.length - first) >> 4;
  const last = first + 16 * steps;
  let crc = byByte(bytes, 0, first, -1);
  // Words are little-endian, as all our hosts are.
  if (steps > 0) crc = bySixteen(new Int32Array(bytes.buffer, bytes.byteOffset + first, 4 * steps), crc);
  return ~byByte(bytes, last, bytes.length, crc) >>> 0;
}

function byByte(bytes: Uint8Array, from: number, to: number, start: number): number {
  let crc = start;
  for (let i = from; i < to; i++) crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[i]!) & 255]!;
  return crc;
}

/** "Slicing-by-16": M. Kounavis, F. Berry, doi:10.1109/ISCC.2005.18, with tables for 16 bytes. */
function bySixteen(words: Int32Array, start: number): number {
  const t = TABLES;
  let crc = start;
  for (let i = 0; i < words.length; i += 4) {
    const a = crc ^ words[i]!;
    const b = words[i + 1]!;
    const c = words[i + 2]!;
    const d = words[i + 3]!;
    crc =
      t[3840 + (a & 255)]! ^
      t[3584 + ((a >>> 8) & 255)]! ^
      t[3328 + ((a >>> 16) & 255)]! ^
      t[3072 + (a >>> 24)]! ^
      t[2816 + (b & 255)]! ^
      t[2560 + ((b >>> 8) & 255)]! ^
      t[2304 + ((b >>> 16) & 255)]! ^
      t[2048 + (b >>> 24)]! ^
      t[1792 + (c & 255)]! ^
      t[1536 + ((c >>> 8) & 255)]! ^
      t[1280 + ((c >>> 16) & 255)]! ^
      t[1024 + (c >>> 24)]! ^
      t[768 + (d & 255)]! ^
      t[512 + ((d >>> 8) & 255)]! ^
      t[256 + ((d >>> 16) & 255)]! ^
      t[d >>> 24]!;
  }
  return crc;
}
