import { copyMatch } from "./lz4.ts";

/** The largest distance a short match spells; long ones count from there. */
const NEAR = 8191;

/**
 * Decodes one BloscLZ stream, which must fill `out` exactly: FastLZ's second level, where a control byte announces
 * 1-32 literals or, from 32 on, a match of at least 3 bytes.
 * Source: https://github.com/Blosc/c-blosc/blob/main/blosc/blosclz.c
 *
 * @throws Error where the stream does not fit `out`, or points outside of it
 */
export function decodeBloscLz(stream: Uint8Array, out: Uint8Array): void {
  const end = stream.length;
  let from = 0;
  let to = 0;
  while (from < end) {
    const control = from === 0 ? stream[from++]! & 31 : stream[from++]!;
    if (control < 32) {
      const literals = control + 1;
      if (from + literals > end || to + literals > out.length) throw damaged();
      for (let i = 0; i < literals; i++) out[to + i] = stream[from + i]!;
      from += literals;
      to += literals;
      continue;
    }
    let length = (control >> 5) + 2;
    let more = length === 9 ? 255 : 0;
    while (more === 255) {
      if (from >= end) throw damaged();
      more = stream[from++]!;
      length += more;
    }
    if (from >= end) throw damaged();
    const low = stream[from++]!;
    let distance = ((control & 31) << 8) + low + 1;
    if (distance === NEAR + 1) {
      if (from + 2 > end) throw damaged();
      distance += (stream[from]! << 8) | stream[from + 1]!;
      from += 2;
    }
    if (distance > to || to + length > out.length) throw damaged();
    copyMatch(out, to, distance, length);
    to += length;
  }
  if (to !== out.length) throw damaged();
}

function damaged(): Error {
  return new Error("the BloscLZ stream is damaged");
}
