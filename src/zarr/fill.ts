import { ZarrsiftError } from "../errors.ts";
import type { ChunkData } from "./chunk-data.ts";
import { type ArraySpec, elementCount, MOST_BYTES, unsupported } from "./codecs/codec.ts";
import { arrayType } from "./codecs/elements.ts";
import { itemSize } from "./dtype.ts";
import { asBigInt, asNumber, type JsonValue, writeJson } from "./json.ts";
import type { DataType } from "./metadata.ts";

const NAT = -(2n ** 63n);
const FLOATS: Record<string, number> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/**
 * A chunk's elements, all of them the fill value: what a chunk that is not there reads as. null, which only v2 has,
 * reads as zero, false, NaT or nothing, as in zarr-python.
 *
 * @throws ZarrsiftError `corrupt_metadata` for a fill value that the type cannot hold, `encoding_unsupported` for a
 *   type that cannot be read
 */
export function filled(spec: ArraySpec): ChunkData {
  const chunk = blank(spec);
  if ("starts" in chunk) return chunk;
  const { data } = chunk;
  const parts = fillParts(spec.dataType, spec.fillValue);
  if (parts.every((part) => part === 0n || Object.is(part, 0))) return chunk;
  if (parts.length === 1) (data as { fill(value: number | bigint): void }).fill(parts[0]!);
  else for (let i = 0; i < data.length; i++) data[i] = parts[i % parts.length]!;
  return chunk;
}

/** The same for one who will set each number: those are zeros. */
export function blank({ dataType, shape, fillValue }: ArraySpec): ChunkData {
  const count = elementCount(shape);
  const type = arrayType(dataType);
  if (count * Math.max(itemSize(dataType) ?? 8, 1) > MOST_BYTES) {
    throw unsupported(
      `chunks of ${count} elements are too large; more than ${MOST_BYTES} bytes are not read at once`,
    );
  }
  if (!type) {
    const data = fillBytes(dataType, fillValue);
    return { data, starts: new Uint32Array(count), ends: new Uint32Array(count).fill(data.length) };
  }
  return { data: new type(dataType.kind === "complex" ? count * 2 : count) };
}

/** The fill value as a number or bigint, or the two of a complex number. */
function fillParts(type: DataType, fill: JsonValue): (number | bigint)[] {
  switch (type.kind) {
    case "bool":
      return [Number(typeof fill === "boolean" ? fill : (asNumber(fill ?? 0) ?? bad(type, fill)) !== 0)];
    case "int":
      return [integer(type, fill)];
    case "datetime64":
    case "timedelta64":
      return [fill === "NaT" || fill === null ? NAT : fitting(type, fill, asBigInt(fill), 64, true)];
    case "complex":
      if (Array.isArray(fill))
        return fill.length === 2 ? fill.map((part) => float(type, part, type.bits / 2)) : bad(type, fill);
      return [float(type, fill, type.bits / 2), 0];
    default:
      return [float(type, fill, (type as { bits: number }).bits)];
  }
}

function integer(type: Extract<DataType, { kind: "int" }>, fill: JsonValue): number | bigint {
  const value = fitting(
    type,
    fill,
    asBigInt(typeof fill === "boolean" ? Number(fill) : (fill ?? 0)),
    type.bits,
    type.signed,
  );
  return type.bits === 64 ? value : Number(value);
}

function fitting(
  type: DataType,
  fill: JsonValue,
  value: bigint | undefined,
  bits: number,
  signed: boolean,
): bigint {
  const wrapped =
    value === undefined ? undefined : signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  return value !== undefined && wrapped === value ? value : bad(type, fill);
}

function float(type: DataType, fill: JsonValue, bits: number): number {
  if (typeof fill !== "string") return asNumber(fill ?? 0) ?? bad(type, fill);
  if (Object.hasOwn(FLOATS, fill)) return FLOATS[fill]!;
  return /^0x[0-9a-fA-F]+$/.test(fill) && fill.length === 2 + bits / 4
    ? floatOfBits(BigInt(fill), bits)
    : bad(type, fill);
}

/** v3 may spell a float by its bits, `0x7fc00000`. */
function floatOfBits(pattern: bigint, bits: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, pattern << BigInt(64 - bits));
  if (bits === 64) return view.getFloat64(0);
  if (bits === 32) return view.getFloat32(0);
  const [sign, exponent, fraction] = [
    view.getUint8(0) >> 7,
    (view.getUint16(0) >> 10) & 31,
    view.getUint16(0) & 1023,
  ];
  const size =
    exponent === 31
      ? fraction
        ? Number.NaN
        : Number.POSITIVE_INFINITY
      : exponent
        ? (1 + fraction / 1024) * 2 ** (exponent - 15)
        : fraction * 2 ** -24;
  return sign ? -size : size;
}

/** The fill value's bytes: UTF-8, or what base64 or a list of numbers says; padding as `ChunkData` has it. */
function fillBytes(type: DataType, fill: JsonValue): Uint8Array {
  const nothing = fill === null || fill === 0 || fill === "";
  switch (type.kind) {
    case "string":
    case "fixed_string":
      return nothing
        ? new Uint8Array()
        : new TextEncoder().encode(typeof fill === "string" ? fill : bad(type, fill));
    case "bytes":
      return nothing ? new Uint8Array() : rawBytes(type, fill);
    case "fixed_bytes":
      return nothing ? new Uint8Array() : unpadded(rawBytes(type, fill));
    case "raw": {
      const bytes = nothing ? new Uint8Array(type.length) : rawBytes(type, fill);
      return bytes.length === type.length ? bytes : bad(type, fill);
    }
    default:
      throw unsupported(`elements of type ${(type as { name: string }).name} cannot be read`);
  }
}

function rawBytes(type: DataType, fill: JsonValue): Uint8Array {
  if (Array.isArray(fill))
    return Uint8Array.from(fill, (byte) => (asBigInt(byte) === undefined ? bad(type, fill) : Number(byte)));
  if (typeof fill !== "string") return bad(type, fill);
  try {
    return Uint8Array.from(atob(fill), (character) => character.charCodeAt(0));
  } catch {
    return bad(type, fill);
  }
}

function unpadded(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, end);
}

function bad(type: DataType, fill: JsonValue): never {
  throw new ZarrsiftError(
    "corrupt_metadata",
    `fill_value ${writeJson(fill)} is no value of an array of type ${type.kind}`,
  );
}
