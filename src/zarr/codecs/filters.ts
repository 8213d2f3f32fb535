import type { ChunkData, NumericData } from "../chunk-data.ts";
import { parseV2Type } from "../dtype.ts";
import { asNumber, type JsonObject, type JsonValue } from "../json.ts";
import type { DataType } from "../metadata.ts";
import { type ArrayCodec, type ArraySpec, unsupported } from "./codec.ts";
import { arrayType } from "./elements.ts";

/**
 * numcodecs' filters on numbers: `delta`, `fixedscaleoffset`, `astype`, `quantize`, `bitround`.
 * Each computes as numpy does in the types its configuration names. `undefined` for a name that is none of them.
 */
export function filterCodec(
  name: string,
  configuration: JsonObject,
  spec: ArraySpec,
): ArrayCodec | undefined {
  switch (name) {
    case "numcodecs.delta":
      return deltaCodec(spec, storedType(name, configuration.astype, spec));
    case "numcodecs.fixedscaleoffset":
      return scaleCodec(name, configuration, spec, storedType(name, configuration.astype, spec));
    case "numcodecs.astype":
      return castCodec(spec, storedType(name, configuration.encode_dtype, spec));
    case "numcodecs.quantize":
      return castCodec(spec, storedType(name, configuration.astype, spec));
    case "numcodecs.bitround":
      return castCodec(spec, spec);
    default:
      return undefined;
  }
}

/** What a filter stores: its own dtype where it names one. */
function storedType(name: string, dtype: JsonValue | undefined, spec: ArraySpec): ArraySpec {
  if (dtype === undefined || dtype === null) return spec;
  const spelled = typeof dtype === "string" ? (NUMPY_NAMES[dtype] ?? dtype) : dtype;
  const { dataType } = parseV2Type(spelled, undefined, name);
  if (!isNumeric(dataType) || !isNumeric(spec.dataType))
    throw unsupported(`"${name}" on ${dtype} is not supported`);
  return { ...spec, dataType };
}

/** zarr-python writes `float32` where it fills in a dtype itself. */
const NUMPY_NAMES: Record<string, string> = {
  ...{ int8: "|i1", int16: "<i2", int32: "<i4", int64: "<i8", float32: "<f4", float64: "<f8" },
  ...{ uint8: "|u1", uint16: "<u2", uint32: "<u4", uint64: "<u8" },
};

function isNumeric(type: DataType): boolean {
  if (type.kind === "float") return type.bits !== 16;
  return (
    type.kind === "int" || type.kind === "bool" || type.kind === "datetime64" || type.kind === "timedelta64"
  );
}

function newValues(type: DataType, length: number): NumericData {
  return new (arrayType(type)!)(length);
}

/** Stores `value`, a number or bigint, whichever the array takes; integers wrap as numpy's do. */
function setter(out: NumericData): (i: number, value: number | bigint) => void {
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    return (i, value) => {
      out[i] = typeof value === "bigint" ? value : BigInt(Math.trunc(value));
    };
  }
  return (i, value) => {
    out[i] = typeof value === "bigint" ? Number(BigInt.asIntN(53, value)) : value;
  };
}

/** Each element is stored as the difference to the one before. */
function deltaCodec(spec: ArraySpec, encoded: ArraySpec): ArrayCodec {
  const run = (chunk: ChunkData, type: DataType, decode: boolean): ChunkData => {
    const from = chunk.data;
    const out = newValues(type, from.length);
    const set = setter(out);
    const wide = typeof from[0] === "bigint" || typeof out[0] === "bigint";
    for (let i = 0; i < from.length; i++) {
      const before = i === 0 ? 0 : decode ? out[i - 1]! : from[i - 1]!;
      if (wide) set(i, decode ? BigInt(from[i]!) + BigInt(before) : BigInt(from[i]!) - BigInt(before));
      else set(i, decode ? Number(from[i]) + Number(before) : Number(from[i]) - Number(before));
    }
    return { data: out };
  };
  const isFloat = (type: DataType) => type.kind === "float";
  if (isFloat(spec.dataType) !== isFloat(encoded.dataType) || !isNumeric(spec.dataType)) {
    throw unsupported(`"numcodecs.delta" between these types is not supported`);
  }
  return {
    kind: "array",
    encoded,
    decode: (chunk) => run(chunk, spec.dataType, true),
    encode: (chunk) => run(chunk, encoded.dataType, false),
  };
}

/** `(x - offset) * scale`, rounded to the nearest integer, ties to even. */
function scaleCodec(
  name: string,
  configuration: JsonObject,
  spec: ArraySpec,
  encoded: ArraySpec,
): ArrayCodec {
  const scale = asNumber(configuration.scale);
  const offset = asNumber(configuration.offset);
  if (scale === undefined || offset === undefined) throw unsupported(`"${name}" needs a scale and an offset`);
  const decodeStep = stepOf(encoded.dataType);
  const encodeStep = stepOf(spec.dataType);
  return {
    kind: "array",
    encoded,
    decode: ({ data }) => mapped(data, spec.dataType, (x) => decodeStep(decodeStep(x / scale) + offset)),
    encode: ({ data }) =>
      mapped(data, encoded.dataType, (x) => roundEven(encodeStep(encodeStep(x - offset) * scale))),
  };
}

/** numpy computes float32 with a Python number in float32, everything else in float64. */
function stepOf(type: DataType): (x: number) => number {
  return type.kind === "float" && type.bits === 32 ? Math.fround : (x) => x;
}

function roundEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x - Math.trunc(x)) === 0.5 ? 2 * Math.round(x / 2) : rounded;
}

/** Stored in another type; what quantizing and rounding bits have lost stays lost. */
function castCodec(spec: ArraySpec, encoded: ArraySpec): ArrayCodec {
  const same = spec.dataType === encoded.dataType;
  const cast = (chunk: ChunkData, type: DataType) => {
    const out = newValues(type, chunk.data.length);
    const set = setter(out);
    for (let i = 0; i < out.length; i++) set(i, chunk.data[i]!);
    return { data: out };
  };
  return {
    kind: "array",
    encoded,
    decode: (chunk) => (same ? chunk : cast(chunk, spec.dataType)),
    encode: (chunk) => (same ? chunk : cast(chunk, encoded.dataType)),
  };
}

function mapped(from: NumericData, type: DataType, change: (x: number) => number): ChunkData {
  const out = newValues(type, from.length);
  const set = setter(out);
  for (let i = 0; i < out.length; i++) set(i, change(Number(from[i])));
  return { data: out };
}
