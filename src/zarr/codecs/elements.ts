import type { ChunkData, FixedChunk, NumericData, VariableChunk } from "../chunk-data.ts";
import { type Endian, itemSize } from "../dtype.ts";
import type { DataType } from "../metadata.ts";
import { type ArraySpec, elementCount, type SerialCodec, unsupported } from "./codec.ts";
import { decodeFloat16, encodeFloat16 } from "./float16.ts";
import { decodeUtf32, encodeUtf32 } from "./utf32.ts";

type NumberConstructor = {
  new (length: number): NumericData;
  new (buffer: ArrayBufferLike, offset: number, length: number): NumericData;
  BYTES_PER_ELEMENT: number;
};

/**
 * `bytes`: fixed-size elements one after the other. Numbers of one chunk share its memory where it is aligned and
 * little-endian, as all our hosts are.
 */
export function elementsCodec({ dataType, shape }: ArraySpec, endian: Endian): SerialCodec {
  const size = itemSize(dataType);
  if (size === undefined)
    throw unsupported(`elements of type ${nameOf(dataType)} cannot be read by the "bytes" codec`);
  const swap = endian === "big" ? swapUnit(dataType) : 1;
  return {
    kind: "serial",
    size: elementCount(shape) * size,
    decode: (bytes) => decodeElements(swap > 1 ? swapped(bytes, swap) : bytes, dataType),
    encode(chunk) {
      const bytes = encodeElements(chunk, dataType);
      return swap > 1 ? swapped(bytes, swap) : bytes;
    },
  };
}

function nameOf(type: DataType): string {
  return type.kind === "other" ? type.name : type.kind;
}

/** Bytes that change places together: a complex number is two, a character is one. */
function swapUnit(type: DataType): number {
  switch (type.kind) {
    case "complex":
      return type.bits / 16;
    case "fixed_string":
      return 4;
    case "fixed_bytes":
    case "raw":
      return 1;
    default:
      return itemSize(type)!;
  }
}

function swapped(bytes: Uint8Array, unit: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i += unit) {
    for (let k = 0; k < unit; k++) out[i + k] = bytes[i + unit - 1 - k]!;
  }
  return out;
}

/** Typed array that holds elements of a type as `ChunkData` does; `undefined` for strings and bytes. */
export function arrayType(type: DataType): NumberConstructor | undefined {
  switch (type.kind) {
    case "bool":
      return Uint8Array;
    case "int":
      return (type.signed ? SIGNED : UNSIGNED)[type.bits];
    case "float":
      return type.bits === 64 ? Float64Array : Float32Array;
    case "complex":
      return type.bits === 128 ? Float64Array : Float32Array;
    case "datetime64":
    case "timedelta64":
      return BigInt64Array;
    default:
      return undefined;
  }
}

const SIGNED = { 8: Int8Array, 16: Int16Array, 32: Int32Array, 64: BigInt64Array };
const UNSIGNED = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array, 64: BigUint64Array };

function decodeElements(bytes: Uint8Array, type: DataType): ChunkData {
  switch (type.kind) {
    case "bool":
      return { data: bytes.some((byte) => byte > 1) ? bytes.map((byte) => Number(byte !== 0)) : bytes };
    case "fixed_string":
      return decodeUtf32(typed(bytes, Uint32Array) as Uint32Array, type.length);
    case "fixed_bytes":
      return fixedLength(bytes, type.length, true);
    case "raw":
      return fixedLength(bytes, type.length, false);
    default:
      if (type.kind === "float" && type.bits === 16)
        return { data: decodeFloat16(typed(bytes, Uint16Array) as Uint16Array) };
      return { data: typed(bytes, arrayType(type)!) };
  }
}

function typed(bytes: Uint8Array, type: NumberConstructor): NumericData {
  const size = type.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new type(aligned.buffer, aligned.byteOffset, aligned.byteLength / size);
}

function fixedLength(data: Uint8Array, length: number, padded: boolean): VariableChunk {
  const count = length === 0 ? 0 : data.length / length;
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const start = i * length;
    let end = start + length;
    if (padded) while (end > start && data[end - 1] === 0) end--;
    starts[i] = start;
    ends[i] = end;
  }
  return { data, starts, ends };
}

function encodeElements(chunk: ChunkData, type: DataType): Uint8Array {
  if ("starts" in chunk) {
    return type.kind === "fixed_string"
      ? bytesOf(encodeUtf32(chunk, type.length))
      : padded(chunk, itemSize(type)!);
  }
  if (type.kind === "float" && type.bits === 16)
    return bytesOf(encodeFloat16((chunk as FixedChunk).data as Float32Array));
  return bytesOf(chunk.data);
}

function bytesOf(data: NumericData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function padded({ data, starts, ends }: VariableChunk, length: number): Uint8Array {
  const out = new Uint8Array(starts.length * length);
  for (let i = 0; i < starts.length; i++) {
    const bytes = data.subarray(starts[i], ends[i]);
    if (bytes.length > length) throw new Error(`element ${i} has more than ${length} bytes`);
    out.set(bytes, i * length);
  }
  return out;
}
