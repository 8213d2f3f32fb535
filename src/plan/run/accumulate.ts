/** Aggregates over typed arrays: a few numbers per group, no object per row. */
import { PER_SECOND } from "../../format/calendar.ts";
import type { SqlType, TimeUnit } from "../../table/types.ts";
import { gather, type Vector } from "../../table/vector.ts";
import type { Aggregate } from "../bind/group.ts";
import type { Numbers } from "../eval/numbers.ts";
import { isBytes, vectorOf } from "../eval/vectors.ts";
import { overflow } from "../functions/arithmetic.ts";
import { type Accumulator, asDoubles, Doubles, type Rows } from "./accumulator.ts";
import { ByteExtremes, Extents, Extremes } from "./extremes.ts";
import { KeyWords } from "./group-keys.ts";
import { type Budget, WordSet } from "./key-sets.ts";

/** What computes an aggregate. */
export function accumulator(aggregate: Aggregate, budget: Budget): Accumulator {
  const { fn, arg, distinct, type } = aggregate;
  const plain = (): Accumulator => {
    if (fn === "count") return new Counts(type, budget);
    if (fn === "sum" || fn === "avg") {
      return arg!.type.kind === "float"
        ? new FloatSums(fn === "avg", budget)
        : new IntegerSums(fn === "avg", aggregate, budget);
    }
    if (fn === "st_extent") return new Extents(arg!, type, budget);
    return isBytes(type) ? new ByteExtremes(fn, type, budget) : new Extremes(fn, type, budget);
  };
  return distinct ? new OnlyDistinct(arg!.type, plain(), budget) : plain();
}

class Counts implements Accumulator {
  readonly #type: SqlType;
  readonly #counts: Doubles;

  constructor(type: SqlType, budget: Budget) {
    this.#type = type;
    this.#counts = new Doubles(0, budget);
  }

  add({ length, ids, groups }: Rows, vector: Vector | undefined): void {
    const counts = this.#counts.upTo(groups);
    const nulls = vector?.nulls;
    if (!ids && !nulls) counts[0]! += length;
    else for (let i = 0; i < length; i++) if (!nulls?.[i]) counts[ids ? ids[i]! : 0]!++;
  }

  result(groups: number): Vector {
    const values = this.#counts.upTo(groups).slice(0, groups);
    return { kind: "number", type: this.#type, length: groups, values, nulls: undefined };
  }
}

/** Results that may be NaN, which is NULL. */
function withoutNaN(type: SqlType, values: Float64Array): Vector {
  const nulls = Uint8Array.from(values, (value) => (Number.isNaN(value) ? 1 : 0));
  const some = nulls.includes(1);
  return { kind: "number", type, length: values.length, values, nulls: some ? nulls : undefined };
}

/** Sums of integers that doubles hold; of no values they are NULL. */
function withoutNone(type: SqlType, sums: Float64Array, counts: Float64Array): Vector {
  const { length } = counts;
  const nulls = Uint8Array.from(counts, (count) => (count === 0 ? 1 : 0));
  const some = nulls.includes(1);
  return { kind: "number", type, length, values: sums.slice(0, length), nulls: some ? nulls : undefined };
}

const FLOAT: SqlType = { kind: "float", bits: 64 };

/** Sums and means of floats, in doubles, in the order of the rows. */
class FloatSums implements Accumulator {
  readonly #mean: boolean;
  readonly #sums: Doubles;
  readonly #counts: Doubles;

  constructor(mean: boolean, budget: Budget) {
    this.#mean = mean;
    this.#sums = new Doubles(0, budget);
    this.#counts = new Doubles(0, budget);
  }

  add({ length, ids, groups }: Rows, vector: Vector): void {
    const [sums, counts] = [this.#sums.upTo(groups), this.#counts.upTo(groups)];
    const values = asDoubles((vector as Numbers).values as ArrayLike<number>);
    const { nulls } = vector;
    for (let i = 0; i < length; i++) {
      if (nulls?.[i]) continue;
      const group = ids ? ids[i]! : 0;
      sums[group]! += values[i]!;
      counts[group]!++;
    }
  }

  result(groups: number): Vector {
    const [sums, counts] = [this.#sums.upTo(groups), this.#counts.upTo(groups)];
    const value = (_: unknown, i: number) =>
      counts[i] === 0 ? Number.NaN : this.#mean ? sums[i]! / counts[i]! : sums[i]!;
    return withoutNaN(FLOAT, Float64Array.from({ length: groups }, value));
  }
}

type TimeType = Extract<SqlType, { unit: TimeUnit }>;

/**
 * Exact sums and means of integers, times and bools. A group's sum is a double for as long as that is exact; what goes beyond
 * is put aside as a bigint.
 */
class IntegerSums implements Accumulator {
  readonly #mean: boolean;
  readonly #aggregate: Aggregate;
  readonly #sums: Doubles;
  readonly #counts: Doubles;
  readonly #aside = new Map<number, bigint>();

  constructor(mean: boolean, aggregate: Aggregate, budget: Budget) {
    this.#mean = mean;
    this.#aggregate = aggregate;
    this.#sums = new Doubles(0, budget);
    this.#counts = new Doubles(0, budget);
  }

  add(rows: Rows, vector: Vector): void {
    const { length, ids, groups } = rows;
    const [sums, counts] = [this.#sums.upTo(groups), this.#counts.upTo(groups)];
    const { nulls } = vector;
    if (vector.kind === "bigint") {
      for (let i = 0; i < length; i++) {
        if (nulls?.[i]) continue;
        const group = ids ? ids[i]! : 0;
        this.#putAside(group, vector.values[i]!);
        counts[group]!++;
      }
      return;
    }
    const values = asDoubles((vector as Numbers).values as ArrayLike<number>);
    for (let i = 0; i < length; i++) {
      if (nulls?.[i]) continue;
      const group = ids ? ids[i]! : 0;
      const sum = sums[group]! + values[i]!;
      if (sum > Number.MAX_SAFE_INTEGER || sum < Number.MIN_SAFE_INTEGER) {
        this.#putAside(group, BigInt(sums[group]!));
        sums[group] = values[i]!;
      } else sums[group] = sum;
      counts[group]!++;
    }
  }

  #putAside(group: number, value: bigint): void {
    this.#aside.set(group, (this.#aside.get(group) ?? 0n) + value);
  }

  #exact(group: number): bigint {
    return BigInt(this.#sums.values[group]!) + (this.#aside.get(group) ?? 0n);
  }

  result(groups: number): Vector {
    const [sums, counts] = [this.#sums.upTo(groups), this.#counts.upTo(groups)];
    if (this.#mean && "unit" in this.#aggregate.type) return this.#meanTimes(groups, counts);
    if (this.#mean) {
      const mean = (_: unknown, i: number) =>
        counts[i] === 0 ? Number.NaN : Number(this.#exact(i)) / counts[i]!;
      return withoutNaN(FLOAT, Float64Array.from({ length: groups }, mean));
    }
    if (this.#aside.size === 0) return withoutNone(this.#aggregate.type, sums, counts.subarray(0, groups));
    const cells = Array.from({ length: groups }, (_, i) =>
      counts[i] === 0 ? null : this.#checked(this.#exact(i)),
    );
    return vectorOf(this.#aggregate.type, cells);
  }

  /** Exact but for the last tick, which is rounded as DuckDB rounds it. */
  #meanTimes(groups: number, counts: Float64Array): Vector {
    const { type, arg } = this.#aggregate as { type: TimeType; arg: { type: TimeType } };
    const factor = PER_SECOND[type.unit] / PER_SECOND[arg.type.unit];
    const cells = Array.from({ length: groups }, (_, i) =>
      counts[i] === 0 ? null : nearest(this.#exact(i) * factor, BigInt(counts[i]!)),
    );
    return vectorOf(type, cells);
  }

  #checked(sum: bigint): bigint {
    const { type, text } = this.#aggregate;
    const unsigned = type.kind === "int" && !type.signed;
    const held = unsigned ? BigInt.asUintN(64, sum) : BigInt.asIntN(64, sum);
    if (held !== sum) throw overflow(`${text} is ${sum}`, type);
    return sum;
  }
}

/** The whole number nearest to a quotient, halves and all below 0 towards 0. */
function nearest(sum: bigint, count: bigint): bigint {
  const [whole, rest] = [sum / count, sum % count];
  return 2n * rest > count ? whole + 1n : whole;
}

/** Hands on each value once a group. */
class OnlyDistinct implements Accumulator {
  readonly #keys: KeyWords;
  readonly #seen: WordSet;
  readonly #inner: Accumulator;

  constructor(type: SqlType, inner: Accumulator, budget: Budget) {
    this.#keys = new KeyWords([type], budget, 1);
    this.#seen = new WordSet(this.#keys.width, budget);
    this.#inner = inner;
  }

  add({ length, ids, groups, numbers }: Rows, vector: Vector): void {
    const words = this.#keys.of([vector], length);
    const fresh = new Uint32Array(length);
    let count = 0;
    for (let i = 0, at = 0; i < length; i++, at += this.#keys.width) {
      if (vector.nulls?.[i]) continue;
      if (ids) words[at] = ids[i]!;
      const before = this.#seen.size;
      this.#seen.add(words, at);
      if (this.#seen.size > before) fresh[count++] = i;
    }
    const rows = fresh.subarray(0, count);
    const own = ids && rows.map((row) => ids[row]!);
    this.#inner.add({ length: count, ids: own, groups, numbers }, gather(vector, rows));
  }

  result(groups: number): Vector {
    return this.#inner.result(groups);
  }
}
