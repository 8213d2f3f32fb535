/** Strings of few kinds, a byte each: what the cache keeps of a column such as `collection`. */
import { type BytesVector, packBytes } from "./vector.ts";

/** Most kinds a chunk may have. */
const MOST_KINDS = 255;

/** Rows after which a chunk must be worth coding: values that hardly repeat are given up soon. */
const TRIAL_ROWS = 2048;
const TRIAL_KINDS = 64;

/** A vector's values by kind; the kind of a NULL row is unspecified. */
export interface CodedVector {
  codes: Uint8Array;
  /** One value of each kind. */
  kinds: BytesVector;
  nulls: BytesVector["nulls"];
}

/** `undefined` where there are more kinds than a byte tells apart. */
export function codedOf(vector: BytesVector): CodedVector | undefined {
  const kinds = new Kinds(vector);
  const codes = new Uint8Array(vector.length);
  for (let i = 0; i < codes.length; i++) {
    const code = kinds.of(i);
    if (code < 0 || (i === TRIAL_ROWS && kinds.count > TRIAL_KINDS)) return undefined;
    codes[i] = code;
  }
  return { codes, kinds: kinds.vector(), nulls: vector.nulls };
}

/** The vector that `coded` was made of, its values sharing bytes. */
export function expanded(coded: CodedVector): BytesVector {
  const { codes, kinds, nulls } = coded;
  const [starts, ends] = [new Uint32Array(codes.length), new Uint32Array(codes.length)];
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    starts[i] = kinds.starts[code]!;
    ends[i] = kinds.ends[code]!;
  }
  return { ...kinds, length: codes.length, starts, ends, nulls, coded: { codes, kinds } };
}

/** Kinds as they are met, found by length and first and last bytes, then compared whole. */
class Kinds {
  readonly #vector: BytesVector;
  readonly #rows: number[] = [];
  readonly #buckets = new Map<number, number[]>();

  constructor(vector: BytesVector) {
    this.#vector = vector;
  }

  get count(): number {
    return this.#rows.length;
  }

  /** The kind of row `i`; -1: one too many. */
  of(i: number): number {
    const { data, starts, ends } = this.#vector;
    const [start, end] = [starts[i]!, ends[i]!];
    const size = end - start;
    const middle = data[start + (size >> 1)]!;
    const key = size === 0 ? 0 : (size << 24) ^ (data[start]! << 16) ^ (middle << 8) ^ data[end - 1]!;
    const bucket = this.#buckets.get(key);
    const found = bucket?.find((code) => this.#same(this.#rows[code]!, start, size));
    if (found !== undefined) return found;
    const code = this.#rows.length;
    if (code === MOST_KINDS) return -1;
    this.#rows.push(i);
    if (bucket) bucket.push(code);
    else this.#buckets.set(key, [code]);
    return code;
  }

  vector(): BytesVector {
    const { type, data, starts, ends } = this.#vector;
    const parts = this.#rows.map((row) => data.subarray(starts[row], ends[row]));
    return { kind: "bytes", type, length: parts.length, ...packBytes(parts), nulls: undefined };
  }

  #same(row: number, start: number, size: number): boolean {
    const { data, starts, ends } = this.#vector;
    const other = starts[row]!;
    if (ends[row]! - other !== size) return false;
    for (let k = 0; k < size; k++) if (data[other + k] !== data[start + k]) return false;
    return true;
  }
}
