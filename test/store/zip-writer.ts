import { crc32 } from "node:zlib";

/** A zip archive of stored members, in order; the simplest there is (APPNOTE.TXT 4.3). */
export function zipOf(members: Iterable<readonly [string, Uint8Array]>): Uint8Array<ArrayBuffer> {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [key, value] of members) {
    const name = Buffer.from(key);
    const fixed = Buffer.alloc(26);
    fixed.writeUInt16LE(20, 0);
    fixed.writeUInt16LE(0x800, 2); // names are UTF-8
    fixed.writeUInt32LE(crc32(value), 10);
    fixed.writeUInt32LE(value.length, 14);
    fixed.writeUInt32LE(value.length, 18);
    fixed.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\0", "latin1"), fixed, place, name);
    parts.push(Buffer.from("PK\x03\x04", "latin1"), fixed, name, Buffer.from(value));
    offset += 30 + name.length + value.length;
  }
  const all = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  const count = directory.length / 4;
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(all.length, 12);
  end.writeUInt32LE(offset, 16);
  return new Uint8Array(Buffer.concat([...parts, all, end]));
}
