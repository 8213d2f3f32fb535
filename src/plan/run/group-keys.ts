/** Rows of key columns → numbers of their groups. NULL is a value like any other here, -0 is 0. */
import type { SqlType } from "../../table/types.ts";
import type { BytesVector, NumberVector, Vector } from "../../table/vector.ts";
import { gather } from "../../table/vector.ts";
import type { Numbers } from "../eval/numbers.ts";
import { compact, concat, isBytes, isWide } from "../eval/vectors.ts";
import { type Budget, TextSet, WordSet } from "./key-sets.ts";

/** Writes keys as words, so that equal words mean equal keys, whichever way vectors hold them. */
export class KeyWords {
  /** Words of a key. */
  readonly width: number;
  readonly #columns: { at: number; write: (vector: Vector, out: Uint32Array, at: number) => void }[];
  readonly #flags: number;

  /** @param lead words before those of the keys, left to the caller */
  constructor(types: readonly SqlType[], budget: Budget, lead = 0) {
    let at = lead;
    this.#columns = types.map((type) => {
      const column = { at, write: this.#writer(type, budget) };
      at += isBytes(type) || !isTwoWords(type) ? 1 : 2;
      return column;
    });
    this.#flags = at;
    this.width = at + Math.ceil(types.length / 32);
  }

  /** The keys of rows, one after the other. */
  of(vectors: readonly Vector[], length: number): Uint32Array {
    const { width } = this;
    const out = new Uint32Array(length * width);
    for (const [k, { at, write }] of this.#columns.entries()) {
      write(vectors[k]!, out, at);
      const { nulls } = vectors[k]!;
      if (nulls) this.#markNulls(nulls, out, at, k);
    }
    return out;
  }

  /** What a NULL row holds means nothing: zeros, and a bit that says so. */
  #markNulls(nulls: Uint8Array, out: Uint32Array, at: number, k: number): void {
    const next = this.#columns[k + 1]?.at ?? this.#flags;
    const flag = this.#flags + (k >> 5);
    for (let i = 0; i < nulls.length; i++) {
      if (!nulls[i]) continue;
      const row = i * this.width;
      for (let word = at; word < next; word++) out[row + word] = 0;
      out[row + flag]! |= 1 << (k & 31);
    }
  }

  #writer(type: SqlType, budget: Budget): (vector: Vector, out: Uint32Array, at: number) => void {
    if (isBytes(type)) {
      const texts = new TextSet(budget);
      return (vector, out, at) => writeTexts(vector as BytesVector, texts, out, at, this.width);
    }
    if (type.kind === "float")
      return (vector, out, at) => writeFloats(vector as NumberVector, out, at, this.width);
    if (isWide(type)) return (vector, out, at) => writeWide(vector as Numbers, out, at, this.width);
    return (vector, out, at) => writeNarrow(vector as NumberVector, out, at, this.width);
  }
}

const isTwoWords = (type: SqlType) => type.kind === "float" || isWide(type);

function writeTexts(vector: BytesVector, texts: TextSet, out: Uint32Array, at: number, width: number): void {
  const { data, starts, ends, nulls, length } = vector;
  for (let i = 0, to = at; i < length; i++, to += width) {
    if (!nulls?.[i]) out[to] = texts.add(data, starts[i]!, ends[i]!);
  }
}

function writeFloats({ values, length }: NumberVector, out: Uint32Array, at: number, width: number): void {
  const doubles = new Float64Array(length);
  for (let i = 0; i < length; i++) doubles[i] = values[i]! + 0;
  const words = new Uint32Array(doubles.buffer);
  for (let i = 0, to = at; i < length; i++, to += width) {
    out[to] = words[2 * i]!;
    out[to + 1] = words[2 * i + 1]!;
  }
}

/** Both ways of holding a 64-bit integer give its low and its high word. */
function writeWide({ kind, values, length }: Numbers, out: Uint32Array, at: number, width: number): void {
  if (kind === "number") {
    for (let i = 0, to = at; i < length; i++, to += width) {
      out[to] = values[i]!;
      out[to + 1] = Math.floor(values[i]! / 2 ** 32);
    }
    return;
  }
  for (let i = 0, to = at; i < length; i++, to += width) {
    out[to] = Number(BigInt.asUintN(32, values[i]!));
    out[to + 1] = Number(BigInt.asUintN(32, values[i]! >> 32n));
  }
}

function writeNarrow({ values, length }: NumberVector, out: Uint32Array, at: number, width: number): void {
  for (let i = 0, to = at; i < length; i++, to += width) out[to] = values[i]!;
}

/** The groups found so far, with the keys of each. */
export class GroupKeys {
  readonly #types: readonly SqlType[];
  readonly #words: KeyWords;
  readonly #set: WordSet;
  readonly #budget: Budget;
  readonly #parts: Vector[][];

  constructor(types: readonly SqlType[], budget: Budget) {
    this.#types = types;
    this.#budget = budget;
    this.#words = new KeyWords(types, budget);
    this.#set = new WordSet(this.#words.width, budget);
    this.#parts = types.map(() => []);
  }

  get size(): number {
    return this.#set.size;
  }

  /** The number of each row's group. */
  add(vectors: readonly Vector[], length: number): Uint32Array {
    const words = this.#words.of(vectors, length);
    const ids = new Uint32Array(length);
    const fresh = new Uint32Array(length);
    let count = 0;
    for (let i = 0, at = 0; i < length; i++, at += this.#words.width) {
      const before = this.#set.size;
      ids[i] = this.#set.add(words, at);
      if (this.#set.size > before) fresh[count++] = i;
    }
    if (count > 0) this.#keep(vectors, fresh.subarray(0, count));
    return ids;
  }

  #keep(vectors: readonly Vector[], rows: Uint32Array): void {
    for (const [k, vector] of vectors.entries()) {
      const part = gather(vector, rows);
      const own = part.kind === "bytes" ? compact(part) : part;
      this.#budget.take(own.kind === "bytes" ? own.data.length + 8 * rows.length : own.values.byteLength);
      this.#parts[k]!.push(own);
    }
  }

  /** Key `k` of all groups. */
  key(k: number): Vector {
    return concat(this.#types[k]!, this.#parts[k]!);
  }
}
