import { KeyList } from "../key-list.ts";
import type { Listing } from "../store.ts";

/** What the central directory says of one member. Sizes and offsets in bytes. */
export interface ZipEntry {
  name: string;
  /** 0: stored, 8: deflated. */
  method: number;
  encrypted: boolean;
  crc: number;
  /** As it is stored. */
  packed: number;
  size: number;
  /** Of its local header, from the start of the archive. */
  offset: number;
  /** Length of name and extra fields here; those before the data may be longer. */
  headerBytes: number;
}

/** Where the central directory is. */
export interface DirectoryPlace {
  offset: number;
  size: number;
  /** Members, modulo 65,536 where the archive has no ZIP64 records. */
  count: number;
  zip64: boolean;
}

/** The end record with the longest comment, and the locator of ZIP64's before it. */
export const TAIL_BYTES = 22 + 0xffff + 20;

const END = 0x06054b50;
const END64 = 0x06064b50;
const END64_LOCATOR = 0x07064b50;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const LONG = 0xffffffff;

/**
 * Finds the directory from the end of an archive (APPNOTE.TXT 4.3).
 *
 * @param tail the last bytes, `TAIL_BYTES` of them or all there are
 * @param tailOffset where in the archive they begin
 * @returns the place, or where ZIP64's end record is, which tells
 * @throws Error saying what is wrong
 */
export function findDirectory(tail: Uint8Array, tailOffset: number): DirectoryPlace | { end64: number } {
  const view = viewOf(tail);
  let at = tail.length - 22;
  while (
    at >= 0 &&
    !(view.getUint32(at, true) === END && at + 22 + view.getUint16(at + 20, true) === tail.length)
  )
    at--;
  if (at < 0) throw new Error("the directory that should stand at its end is missing: it was cut short");
  if (at >= 20 && view.getUint32(at - 20, true) === END64_LOCATOR) return { end64: long(view, at - 12) };
  if (view.getUint16(at + 4, true) !== view.getUint16(at + 6, true)) throw severalDisks();
  const place = { offset: view.getUint32(at + 16, true), size: view.getUint32(at + 12, true) };
  if (place.offset + place.size > tailOffset + at)
    throw new Error("its directory reaches beyond its end record");
  return { ...place, count: view.getUint16(at + 10, true), zip64: false };
}

/** Bytes of ZIP64's end record that are read. */
export const END64_BYTES = 56;

/** The directory's place as ZIP64's end record has it. */
export function directoryOf64(record: Uint8Array): DirectoryPlace {
  const view = viewOf(record);
  if (view.getUint32(0, true) !== END64) throw new Error("its ZIP64 end record is not where it should be");
  if (view.getUint32(16, true) !== view.getUint32(20, true)) throw severalDisks();
  return { count: long(view, 32), size: long(view, 40), offset: long(view, 48), zip64: true };
}

/** The members of an archive by name. Of two with one name the last counts, as everywhere. */
export class ZipDirectory {
  readonly #bytes: Uint8Array;
  readonly #positions = new Map<string, number>();
  #keys: KeyList | undefined;

  /** @throws Error saying what is wrong */
  constructor(bytes: Uint8Array, { count, zip64 }: DirectoryPlace) {
    this.#bytes = bytes;
    const view = viewOf(bytes);
    const decoder = new TextDecoder();
    let entries = 0;
    for (let at = 0; at < bytes.length; at += entryBytes(view, at), entries++) {
      if (at + ENTRY_BYTES > bytes.length || view.getUint32(at, true) !== ENTRY)
        throw new Error(`entry ${entries} of its directory is broken`);
      const end = at + ENTRY_BYTES + view.getUint16(at + 28, true);
      this.#positions.set(decoder.decode(bytes.subarray(at + ENTRY_BYTES, end)), at);
    }
    const expected = zip64 ? count : count % 0x10000;
    if ((zip64 ? entries : entries % 0x10000) !== expected)
      throw new Error(`its directory has ${entries} entries where its end record says ${count}`);
  }

  find(name: string): ZipEntry | undefined {
    const at = this.#positions.get(name);
    return at === undefined ? undefined : readEntry(this.#bytes, at, name);
  }

  list(prefix: string): Listing {
    this.#keys ??= new KeyList(this.#positions.keys());
    return this.#keys.list(prefix);
  }
}

function entryBytes(view: DataView, at: number): number {
  const [name, extra, comment] = [28, 30, 32].map((place) => view.getUint16(at + place, true));
  return ENTRY_BYTES + name! + extra! + comment!;
}

function readEntry(bytes: Uint8Array, at: number, name: string): ZipEntry {
  const view = viewOf(bytes);
  const [nameBytes, extraBytes] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
  const extraAt = at + ENTRY_BYTES + nameBytes;
  const short = [24, 20, 42].map((place) => view.getUint32(at + place, true));
  const [size, packed, offset] = longer(short, viewOf(bytes.subarray(extraAt, extraAt + extraBytes)), name);
  return {
    name,
    method: view.getUint16(at + 10, true),
    encrypted: (view.getUint16(at + 8, true) & 1) !== 0,
    crc: view.getUint32(at + 16, true),
    packed: packed!,
    size: size!,
    offset: offset!,
    headerBytes: nameBytes + extraBytes,
  };
}

/** Numbers that do not fit into 32 bits stand, in order, in an extra field of their own (4.5.3). */
function longer(short: readonly number[], extra: DataView, name: string): number[] {
  if (!short.includes(LONG)) return [...short];
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) !== 1) continue;
    const rank = (i: number) => short.slice(0, i).filter((number) => number === LONG).length;
    return short.map((number, i) => (number === LONG ? long(extra, at + 4 + 8 * rank(i)) : number));
  }
  throw new Error(`the ZIP64 field of its member ${name} is missing`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function long(view: DataView, at: number): number {
  if (at + 8 > view.byteLength) throw new Error("a ZIP64 field is cut short");
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw new Error("a ZIP64 field holds no sensible number");
  return value;
}

function severalDisks(): Error {
  return new Error("it is one part of an archive in several");
}
