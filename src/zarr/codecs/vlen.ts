import type { VariableChunk } from "../chunk-data.ts";
import { type ArraySpec, elementCount, type SerialCodec } from "./codec.ts";

/**
 * `vlen-utf8` and `vlen-bytes`: a count, then length and bytes of each element; numbers are little-endian uint32.
 * Elements are decoded in place. Source: numcodecs/vlen.pyx.
 */
export function variableCodec({ shape }: ArraySpec): SerialCodec {
  const count = elementCount(shape);
  return {
    kind: "serial",
    size: undefined,
    decode: (bytes) => decodeVariable(bytes, count),
    encode: (chunk) => encodeVariable(chunk as VariableChunk),
  };
}

function decodeVariable(data: Uint8Array, count: number): VariableChunk {
  if (data.length < 4) throw new Error(`${data.length} bytes are too few for ${count} elements`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const stored = view.getUint32(0, true);
  if (stored !== count) throw new Error(`it holds ${stored} elements, not ${count}`);
  if (4 + count * 4 > data.length) throw new Error(`${data.length} bytes are too few for ${count} elements`);
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let at = 4;
  for (let i = 0; i < count; i++) {
    if (at + 4 > data.length) throw new Error(`it ends before element ${i}`);
    const end = at + 4 + view.getUint32(at, true);
    if (end > data.length) throw new Error(`it ends within element ${i}`);
    starts[i] = at + 4;
    ends[i] = end;
    at = end;
  }
  if (at !== data.length) throw new Error("there are more bytes after the last element");
  return { data, starts, ends };
}

function encodeVariable({ data, starts, ends }: VariableChunk): Uint8Array {
  const count = starts.length;
  let size = 4 + 4 * count;
  for (let i = 0; i < count; i++) size += ends[i]! - starts[i]!;
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  view.setUint32(0, count, true);
  let at = 4;
  for (let i = 0; i < count; i++) {
    const element = data.subarray(starts[i], ends[i]);
    view.setUint32(at, element.length, true);
    out.set(element, at + 4);
    at += 4 + element.length;
  }
  return out;
}
