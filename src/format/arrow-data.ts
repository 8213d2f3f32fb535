/** Vectors as Arrow's buffers: bits for NULL, 64-bit integers whole, bytes end to end. */
import type * as Arrow from "apache-arrow";
import { plainWkb } from "../geometry/wkb-plain.ts";
import { writeWkb } from "../geometry/wkb-write.ts";
import { parseWkt } from "../geometry/wkt-read.ts";
import type { SqlType } from "../table/types.ts";
import type { BytesVector, Nulls, NumberArray, NumberVector, Vector } from "../table/vector.ts";
import { encodeFloat16 } from "../zarr/codecs/float16.ts";
import type { ArrowLibrary } from "./arrow-types.ts";

/** Offsets, values and validity, as `Data` of apache-arrow takes them. */
type Buffers = [offsets: Int32Array | undefined, values: ArrayBufferView, validity: Uint8Array | undefined];

/**
 * A vector as Arrow data of `type`, memory shared where the two agree. NaN is NULL, as everywhere.
 * @throws ZarrsiftError `bad_geometry` where stored geometry is broken
 */
export function arrowData(arrow: ArrowLibrary, type: Arrow.DataType, vector: Vector): Arrow.Data {
  const { length } = vector;
  if (vector.type.kind === "null") return arrow.makeData({ type: new arrow.Null(), length });
  const nulls = nullsOf(vector);
  const [validity, nullCount] = nulls ? packed(length, (i) => nulls[i] === 0) : [undefined, 0];
  const buffers: Buffers =
    vector.kind === "bytes"
      ? [...joined(normal(vector, nulls), nulls), validity]
      : [undefined, vector.kind === "bigint" ? vector.values : valuesOf(vector), validity];
  return new arrow.Data(type, 0, length, nullCount, buffers as unknown as Arrow.Data["buffers"]);
}

/** Which rows are NULL; a float's NaN that was computed too. */
function nullsOf(vector: Vector): Nulls {
  const { nulls, length } = vector;
  if (vector.kind !== "number" || vector.type.kind !== "float") return nulls;
  let marked: Nulls;
  for (let i = 0; i < length; i++) {
    if (!Number.isNaN(vector.values[i]) || nulls?.[i]) continue;
    marked ??= nulls?.slice() ?? new Uint8Array(length);
    marked[i] = 1;
  }
  return marked ?? nulls;
}

/** One bit a row, the lowest first, and how many are not set. */
function packed(length: number, isSet: (i: number) => boolean): [bits: Uint8Array, unset: number] {
  const bits = new Uint8Array((length + 7) >> 3);
  let unset = 0;
  for (let i = 0; i < length; i++) {
    if (isSet(i)) bits[i >> 3]! |= 1 << (i & 7);
    else unset++;
  }
  return [bits, unset];
}

/** As wide as the type, whatever array they are in. */
function valuesOf({ type, values, length }: NumberVector): ArrayBufferView {
  if (type.kind === "bool") return packed(length, (i) => values[i] === 1)[0];
  if (type.kind === "float" && type.bits === 16) return encodeFloat16(values);
  const Wanted = arrayOf(type);
  if (!Wanted) return wholeNumbers(values);
  return values instanceof Wanted ? values : Wanted.from(values);
}

/** `undefined` for 64-bit integers and what is held in them. */
function arrayOf(type: SqlType) {
  if (type.kind === "float") return type.bits === 64 ? Float64Array : Float32Array;
  if (type.kind !== "int" || type.bits === 64) return undefined;
  return type.signed
    ? { 8: Int8Array, 16: Int16Array, 32: Int32Array }[type.bits]
    : { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array }[type.bits];
}

/** Safe integers as int64 or uint64, which have the same bits: low word, then high word. */
function wholeNumbers(values: NumberArray): BigInt64Array {
  const words = new Int32Array(2 * values.length);
  for (let i = 0; i < values.length; i++) {
    words[2 * i] = values[i]!; // modulo 2^32, by the rules of ToInt32
    words[2 * i + 1] = Math.floor(values[i]! / 2 ** 32);
  }
  return new BigInt64Array(words.buffer);
}

/** The values one after the other. Nothing is copied where they lie so already. */
function joined(
  { data, starts, ends, length }: BytesVector,
  nulls: Nulls,
): [offsets: Int32Array, values: Uint8Array] {
  const offsets = new Int32Array(length + 1);
  const base = starts[0] ?? 0;
  let [at, inPlace] = [0, true];
  for (let i = 0; i < length; i++) {
    const size = nulls?.[i] ? 0 : ends[i]! - starts[i]!;
    inPlace &&= size === 0 || starts[i] === base + at;
    at += size;
    offsets[i + 1] = at;
  }
  if (inPlace) return [offsets, data.subarray(base, base + at)];
  const values = new Uint8Array(at);
  for (let i = 0; i < length; i++) {
    if (offsets[i] !== offsets[i + 1]) values.set(data.subarray(starts[i], ends[i]), offsets[i]);
  }
  return [offsets, values];
}

/** With what Arrow allows: text that is UTF-8, geometry as WKB that is nothing but OGC's. */
function normal(vector: BytesVector, nulls: Nulls): BytesVector {
  const { type } = vector;
  if (type.kind === "bytes") return vector;
  if (type.kind === "geometry" && type.encoding === "wkb") return mapped(vector, nulls, plainWkb);
  if (type.kind === "geometry") return mapped(vector, nulls, wkbOfWkt);
  return mapped(vector, nulls, plainText);
}

/** With `change(data, start, end)` in place of each value for which it is not `undefined`. */
function mapped(
  vector: BytesVector,
  nulls: Nulls,
  change: (data: Uint8Array, start: number, end: number) => Uint8Array | undefined,
): BytesVector {
  const { data, starts, ends, length } = vector;
  const changed = new Map<number, Uint8Array>();
  let extra = 0;
  for (let i = 0; i < length; i++) {
    const bytes = nulls?.[i] ? undefined : change(data, starts[i]!, ends[i]!);
    if (!bytes) continue;
    changed.set(i, bytes);
    extra += bytes.length;
  }
  return changed.size === 0 ? vector : replaced(vector, changed, extra);
}

function replaced(vector: BytesVector, changed: Map<number, Uint8Array>, extra: number): BytesVector {
  const { length } = vector;
  const kept = (i: number) => vector.ends[i]! - vector.starts[i]!;
  let size = extra;
  for (let i = 0; i < length; i++) if (!changed.has(i)) size += kept(i);
  const data = new Uint8Array(size);
  const [starts, ends] = [new Uint32Array(length), new Uint32Array(length)];
  let at = 0;
  for (let i = 0; i < length; i++) {
    const bytes = changed.get(i) ?? vector.data.subarray(vector.starts[i], vector.ends[i]);
    data.set(bytes, at);
    starts[i] = at;
    at += bytes.length;
    ends[i] = at;
  }
  return { ...vector, data, starts, ends, coded: undefined };
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** What is not UTF-8 gets U+FFFD, as in the other formats. */
function plainText(data: Uint8Array, start: number, end: number): Uint8Array | undefined {
  for (let i = start; i < end; i++) {
    if (data[i]! < 0x80) continue;
    const bytes = data.subarray(start, end);
    const whole = encoder.encode(decoder.decode(bytes));
    const same = whole.length === bytes.length && whole.every((byte, k) => byte === bytes[k]);
    return same ? undefined : whole;
  }
  return undefined;
}

function wkbOfWkt(data: Uint8Array, start: number, end: number): Uint8Array {
  return writeWkb(parseWkt(decoder.decode(data.subarray(start, end))));
}
