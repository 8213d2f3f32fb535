import type { VariableChunk } from "../chunk-data.ts";

/**
 * UTF-32 elements of `length` characters, zero-padded, as UTF-8.
 *
 * @throws Error for a number that is no Unicode scalar value
 */
export function decodeUtf32(codes: Uint32Array, length: number): VariableChunk {
  const count = length === 0 ? 0 : codes.length / length;
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let data = new Uint8Array(codes.length + 16);
  let at = 0;
  for (let i = 0; i < count; i++) {
    starts[i] = at;
    let last = (i + 1) * length;
    while (last > i * length && codes[last - 1] === 0) last--;
    if (at + (last - i * length) * 4 > data.length) data = grown(data, (last - i * length) * 4);
    for (let k = i * length; k < last; k++) at = writeUtf8(data, at, codes[k]!);
    ends[i] = at;
  }
  return { data: data.subarray(0, at), starts, ends };
}

function grown(data: Uint8Array<ArrayBuffer>, more: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(data.length * 2 + more);
  larger.set(data);
  return larger;
}

function writeUtf8(data: Uint8Array, at: number, code: number): number {
  if (code < 0x80) {
    data[at] = code;
    return at + 1;
  }
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
    throw new Error(`${code} is no Unicode character`);
  const more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  data[at] = [0, 0xc0, 0xe0, 0xf0][more]! | (code >> (6 * more));
  for (let i = 1; i <= more; i++) data[at + i] = 0x80 | ((code >> (6 * (more - i))) & 0x3f);
  return at + more + 1;
}

/**
 * The reverse of `decodeUtf32`.
 *
 * @throws Error for an element of more than `length` characters
 */
export function encodeUtf32({ data, starts, ends }: VariableChunk, length: number): Uint32Array {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const codes = new Uint32Array(starts.length * length);
  for (let i = 0; i < starts.length; i++) {
    let at = i * length;
    for (const character of decoder.decode(data.subarray(starts[i], ends[i]))) {
      if (at === (i + 1) * length) throw new Error(`element ${i} has more than ${length} characters`);
      codes[at++] = character.codePointAt(0)!;
    }
  }
  return codes;
}
