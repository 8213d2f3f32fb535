/** Zone maps: the smallest and largest value and the NULLs of every chunk of a column. Format: docs/indexes.md. */
import { order } from "../table/texts.ts";
import type { SqlType } from "../table/types.ts";
import type { BytesVector, Vector } from "../table/vector.ts";
import type { Zones } from "./api.ts";
import { type EncodedIndex, type IndexArray, wholeSum } from "./arrays.ts";
import { type KeyArray, keyArray, keyTypeOf, type NumberKeyType } from "./keys.ts";
import { noExtent, type Shapes, widen } from "./shapes.ts";

/** Texts of zones are cut to so many bytes. */
export const ZONE_TEXT_BYTES = 32;

/** Takes the chunks of a column in order. Columns of any type have zones; of some only the NULLs are counted. */
export class ZonesBuilder {
  readonly #type: SqlType;
  readonly #numbers: NumberKeyType | undefined;
  readonly #nulls: number[] = [];
  readonly #boxes: number[] = [];
  readonly #low: (number | bigint)[] = [];
  readonly #high: (number | bigint)[] = [];
  readonly #texts: { min: Uint8Array; max: Uint8Array | undefined; exact: boolean }[] = [];

  constructor(type: SqlType) {
    this.#type = type;
    const stored = keyTypeOf(type);
    this.#numbers = stored === "text" ? undefined : stored;
  }

  /** The first chunks, so many, as the zone map has them that was made of them before. */
  addZones({ nulls, numbers, texts }: Zones, chunks: number): void {
    this.#nulls.push(...nulls.subarray(0, chunks));
    this.#low.push(...(numbers?.min.subarray(0, chunks) ?? []));
    this.#high.push(...(numbers?.max.subarray(0, chunks) ?? []));
    for (let i = 0; texts && i < chunks; i++)
      this.#texts.push({ min: texts.min[i]!, max: texts.max[i], exact: texts.exact[i] === 1 });
  }

  /** The next chunk of a column that is no geometry. */
  addChunk(vector: Vector): void {
    if (vector.kind === "bytes") this.#addTexts(vector);
    else this.#addNumbers(vector);
  }

  /** The next chunk of a geometry column. */
  addShapes(shapes: Shapes): void {
    const extent = noExtent();
    this.#nulls.push(widen(extent, shapes));
    this.#boxes.push(...extent);
  }

  #addNumbers(vector: Exclude<Vector, BytesVector>): void {
    const { low, high, count } = zoneOf(vector);
    const [bottom, top] = limitsOf(this.#numbers!);
    this.#nulls.push(count);
    this.#low.push(low ?? top);
    this.#high.push(high ?? bottom);
  }

  #addTexts(vector: BytesVector): void {
    const { min, max, count } = textZoneOf(vector);
    const text = (i: number) => vector.data.subarray(vector.starts[i]!, vector.ends[i]!);
    this.#nulls.push(count);
    this.#texts.push(
      min < 0 ? cutTexts(Uint8Array.of(255), new Uint8Array(0)) : cutTexts(text(min), text(max)),
    );
  }

  /** @param column names the arrays: `_zarrsift/zones/<column>/…` */
  finish(column: string, chunkRows: number): EncodedIndex {
    const path = `_zarrsift/zones/${column}`;
    const parts: Record<string, IndexArray["data"]> = { nulls: Uint32Array.from(this.#nulls) };
    if (this.#type.kind === "geometry") parts.boxes = Float64Array.from(this.#boxes);
    else if (this.#numbers) {
      parts.min = filled(keyArray(this.#numbers, this.#low.length), this.#low);
      parts.max = filled(keyArray(this.#numbers, this.#high.length), this.#high);
    } else Object.assign(parts, textArrays(this.#texts));
    const sums = Object.fromEntries(Object.entries(parts).map(([name, data]) => [name, wholeSum(data)]));
    return {
      arrays: Object.entries(parts).map(([name, data]) => ({ path: `${path}/${name}`, data })),
      record: { path: `indexes/${path}`, chunkRows, chunks: this.#nulls.length, sums },
    };
  }
}

/** The smallest and largest value, and how many are NULL. */
function zoneOf({ length, values, nulls }: Exclude<Vector, BytesVector>) {
  const all = values as Float64Array;
  let low: number | undefined;
  let high: number | undefined;
  let count = 0;
  for (let i = 0; i < length; i++) {
    const value = all[i]!;
    if (nulls?.[i] || Number.isNaN(value)) count++;
    else if (low === undefined) low = high = value;
    else if (value < low) low = value;
    else if (value > high!) high = value;
  }
  return { low, high, count };
}

/** Where the smallest and the largest text stand (-1: there is none), and how many are NULL. */
function textZoneOf(vector: BytesVector) {
  let [min, max, count] = [-1, -1, 0];
  for (let i = 0; i < vector.length; i++) {
    if (vector.nulls?.[i]) count++;
    else if (min < 0) min = max = i;
    else if (compareTexts(vector, i, min) < 0) min = i;
    else if (compareTexts(vector, i, max) > 0) max = i;
  }
  return { min, max, count };
}

/** Smallest and largest of a type: what stands for the lack of a maximum and of a minimum. */
function limitsOf(type: NumberKeyType): [number | bigint, number | bigint] {
  switch (type) {
    case "uint8":
      return [0, 255];
    case "int32":
      return [-(2 ** 31), 2 ** 31 - 1];
    case "uint32":
      return [0, 2 ** 32 - 1];
    case "int64":
      return [-(2n ** 63n), 2n ** 63n - 1n];
    case "uint64":
      return [0n, 2n ** 64n - 1n];
    default:
      return [-Infinity, Infinity];
  }
}

function filled(keys: KeyArray, values: readonly (number | bigint)[]): KeyArray {
  const big = keys instanceof BigInt64Array || keys instanceof BigUint64Array;
  values.forEach((value, i) => {
    keys[i] = (big ? BigInt(value) : Number(value) + 0) as never;
  });
  return keys;
}

/** As `orderOf`, of two values of a vector. */
const compareTexts = ({ data, starts, ends }: BytesVector, a: number, b: number): number =>
  order(data, starts[a]!, ends[a]!, data, starts[b]!, ends[b]!);

/** A text that is cut is below what it was cut from, so a maximum is rounded up, where that can be. */
function cutTexts(min: Uint8Array, max: Uint8Array) {
  const exact = min.length <= ZONE_TEXT_BYTES && max.length <= ZONE_TEXT_BYTES;
  const cut = min.slice(0, ZONE_TEXT_BYTES);
  if (max.length <= ZONE_TEXT_BYTES) return { min: cut, max: max.slice(), exact };
  let end = ZONE_TEXT_BYTES;
  while (end > 0 && max[end - 1] === 255) end--;
  const up = max.slice(0, end);
  if (end > 0) up[end - 1]!++;
  return { min: cut, max: end > 0 ? up : undefined, exact };
}

function textArrays(texts: readonly { min: Uint8Array; max: Uint8Array | undefined; exact: boolean }[]) {
  const width = ZONE_TEXT_BYTES;
  const min = new Uint8Array(texts.length * width);
  const max = new Uint8Array(texts.length * width);
  const shapes = new Uint8Array(texts.length * 3);
  texts.forEach((text, i) => {
    min.set(text.min, i * width);
    if (text.max) max.set(text.max, i * width);
    shapes.set([text.min.length, text.max ? text.max.length : 255, text.exact ? 1 : 0], 3 * i);
  });
  return { min, max, shapes };
}
