/** Stored chunks → vectors: NULLs marked, CF scaling and times applied. */
import { ZarrsiftError } from "../errors.ts";
import type { ChunkData } from "../zarr/chunk.ts";
import type { Decoding, NullValue } from "./cf.ts";
import type { BytesVector, Nulls, NumberArray, Vector } from "./vector.ts";

/**
 * The first `length` elements of a 1-D chunk (edge chunks carry padding beyond) as a vector.
 * @throws ZarrsiftError `meta_invalid` for a time that 64 bits of its unit cannot hold
 */
export function toVector(chunk: ChunkData, length: number, decoding: Decoding): Vector {
  if ("starts" in chunk) return bytesVector(chunk, length, decoding);
  const values = chunk.data.subarray(0, length);
  if (values instanceof BigInt64Array || values instanceof BigUint64Array)
    return wideVector(values, decoding);
  return numberVector(values as NumberArray, decoding);
}

function bytesVector(
  chunk: Extract<ChunkData, { starts: Uint32Array }>,
  length: number,
  decoding: Decoding,
): BytesVector {
  const { data } = chunk;
  const [starts, ends] = [chunk.starts.subarray(0, length), chunk.ends.subarray(0, length)];
  const none = decoding.nulls.filter((value) => value instanceof Uint8Array);
  if (decoding.type.kind === "geometry") none.push(new Uint8Array());
  let nulls: Nulls;
  for (const value of none) nulls = markEqual(value, data, starts, ends, nulls);
  return { kind: "bytes", type: decoding.type, length, data, starts, ends, nulls };
}

/** `nulls` with those rows, too, that are `value`. */
function markEqual(
  value: Uint8Array,
  data: Uint8Array,
  starts: Uint32Array,
  ends: Uint32Array,
  nulls: Nulls,
): Nulls {
  const size = value.length;
  let marked = nulls;
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i]!;
    if (ends[i]! - start !== size) continue;
    let k = 0;
    while (k < size && data[start + k] === value[k]) k++;
    if (k < size) continue;
    marked ??= new Uint8Array(starts.length);
    marked[i] = 1;
  }
  return marked;
}

/** Plain loops, for each kind of array one of its own: one that asks a function of every value is ten times slower. */
function markNumbers(values: NumberArray, fills: readonly number[], known: Nulls): Nulls {
  let nulls = known;
  if (values instanceof Float64Array) nulls = markNaN(values, nulls);
  else if (values instanceof Float32Array) nulls = markSingleNaN(values, nulls);
  for (const fill of fills) {
    for (let i = values.indexOf(fill as never); i >= 0; i = values.indexOf(fill as never, i + 1)) {
      nulls ??= new Uint8Array(values.length);
      nulls[i] = 1;
    }
  }
  return nulls;
}

function markNaN(values: Float64Array, known: Nulls): Nulls {
  let nulls = known;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) continue;
    nulls ??= new Uint8Array(values.length);
    nulls[i] = 1;
  }
  return nulls;
}

function markSingleNaN(values: Float32Array, known: Nulls): Nulls {
  let nulls = known;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isNaN(value)) continue;
    nulls ??= new Uint8Array(values.length);
    nulls[i] = 1;
  }
  return nulls;
}

function numberVector(values: NumberArray, decoding: Decoding, known?: Nulls): Vector {
  const fills = decoding.nulls.filter((n) => typeof n === "number");
  const nulls = markNumbers(values, fills, known);
  const scaled = scale(values, decoding);
  if (!decoding.time) {
    return {
      kind: "number",
      type: decoding.type,
      length: values.length,
      values: scaled,
      nulls: scaled === values ? nulls : withNaN(scaled, nulls),
    };
  }
  return times(scaled, decoding, nulls);
}

function scale(values: NumberArray, { scaling }: Decoding): NumberArray {
  if (!scaling) return values;
  const out = new Float64Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i]! * scaling.scale + scaling.offset;
  return out;
}

/** Scaling can make a NaN of its own (0 × Infinity). */
function withNaN(values: NumberArray, nulls: Nulls): Nulls {
  if (!(values instanceof Float64Array)) return nulls;
  let out = nulls;
  for (let i = 0; i < values.length; i++) {
    if (!Number.isNaN(values[i]) || out?.[i]) continue;
    out ??= new Uint8Array(values.length);
    out[i] = 1;
  }
  return out;
}

/** Counts held as doubles → times; counts with a fraction are rounded to the unit. */
function times(counts: NumberArray, { type, time }: Decoding, nulls: Nulls): Vector {
  const [perUnit, origin] = [Number(time!.perUnit), Number(time!.origin)];
  const values = new Float64Array(counts.length);
  let big: BigInt64Array | undefined;
  let missing = nulls;
  for (let i = 0; i < values.length; i++) {
    if (missing?.[i]) continue;
    if (!Number.isFinite(counts[i])) {
      missing ??= new Uint8Array(values.length);
      missing[i] = 1;
      continue;
    }
    const sinceEpoch = Math.round(counts[i]! * perUnit);
    values[i] = sinceEpoch + origin;
    if (Number.isSafeInteger(sinceEpoch) && Number.isSafeInteger(values[i])) continue;
    big ??= new BigInt64Array(values.length);
  }
  if (!big) return { kind: "number", type, length: values.length, values, nulls: missing };
  for (let i = 0; i < big.length; i++) {
    if (!missing?.[i]) big[i] = exactTime(counts[i]!, time!);
  }
  return { kind: "bigint", type, length: big.length, values: big, nulls: missing };
}

type Time = NonNullable<Decoding["time"]>;

function exactTime(count: number, time: Time): bigint {
  const whole = Math.trunc(count);
  const rest = Math.round((count - whole) * Number(time.perUnit));
  return held(BigInt(whole) * time.perUnit + BigInt(rest) + time.origin, count, time);
}

/** Files without `_FillValue` have netCDF's 9.97e36 where nothing was written. */
function held(value: bigint, count: number | bigint, { column }: Time): bigint {
  if (BigInt.asIntN(64, value) === value) return value;
  throw new ZarrsiftError(
    "meta_invalid",
    `Column "${column}" cannot be read: the time ${count} is beyond 64 bits; if it means "none", name it in the array's _FillValue`,
    { details: { column } },
  );
}

/** 64-bit integers: as doubles where every value is exact in one, else BigInt. */
function wideVector(stored: BigInt64Array | BigUint64Array, decoding: Decoding): Vector {
  const { type, scaling, time } = decoding;
  const nulls = wideNulls(stored, decoding.nulls);
  const doubles = exactDoubles(stored, nulls);
  if (scaling) {
    const values = doubles ?? Float64Array.from(stored as Iterable<bigint>, Number);
    return numberVector(values, { type, scaling, time, nulls: [] }, nulls);
  }
  if (doubles && !time) return { kind: "number", type, length: stored.length, values: doubles, nulls };
  if (!time) return { kind: "bigint", type, length: stored.length, values: stored, nulls };
  if (doubles) return times(doubles, decoding, nulls);
  const values = BigInt64Array.from(stored as Iterable<bigint>, (v, i) =>
    nulls?.[i] ? 0n : held(v * time.perUnit + time.origin, v, time),
  );
  return { kind: "bigint", type, length: values.length, values, nulls };
}

function wideNulls(stored: BigInt64Array | BigUint64Array, nullValues: NullValue[]): Nulls {
  const words = new Int32Array(stored.buffer, stored.byteOffset, stored.length * 2);
  let nulls: Nulls;
  for (const value of nullValues) {
    if (typeof value !== "bigint") continue;
    const [low, high] = [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
    for (let i = 0; i < stored.length; i++) {
      if (words[2 * i + 1] !== high || words[2 * i] !== low) continue;
      nulls ??= new Uint8Array(stored.length);
      nulls[i] = 1;
    }
  }
  return nulls;
}

/** Read as pairs of 32-bit words, which is many times faster than through BigInt; all our hosts are little-endian. */
function exactDoubles(stored: BigInt64Array | BigUint64Array, nulls: Nulls): Float64Array | undefined {
  const low = new Uint32Array(stored.buffer, stored.byteOffset, stored.length * 2);
  const signed = stored instanceof BigInt64Array;
  if (signed && !nulls) return exactSigned(low);
  const high = signed ? new Int32Array(stored.buffer, stored.byteOffset, stored.length * 2) : low;
  const out = new Float64Array(stored.length);
  for (let i = 0; i < out.length; i++) {
    if (nulls?.[i]) continue;
    const top = high[2 * i + 1]!;
    if (top >= 0x200000 || top < -0x200000) return undefined;
    out[i] = top * 4294967296 + low[2 * i]!;
  }
  return out;
}

/** The same of signed integers, none of them NULL; whether all are exact is looked at once, in the end. */
function exactSigned(words: Uint32Array): Float64Array | undefined {
  const out = new Float64Array(words.length / 2);
  let beyond = 0;
  for (let i = 0; i < out.length; i++) {
    const top = words[2 * i + 1]! | 0;
    beyond |= (top + 0x200000) >>> 22;
    out[i] = top * 4294967296 + words[2 * i]!;
  }
  return beyond === 0 ? out : undefined;
}
