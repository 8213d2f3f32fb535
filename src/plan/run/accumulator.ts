/** What aggregates have in common. */
import type { Vector } from "../../table/vector.ts";
import type { Budget } from "./key-sets.ts";

/** Rows to add: row i belongs to group `ids[i]`, or all to group 0 where there are no ids. */
export interface Rows {
  length: number;
  ids: Uint32Array | undefined;
  /** Groups there are by now. */
  groups: number;
  /** Their numbers in the table, for messages. */
  numbers(): Float64Array;
}

/** One aggregate of all groups. */
export interface Accumulator {
  /** @param vector the argument's values; undefined for `count(*)` */
  add(rows: Rows, vector: Vector | undefined): void;
  /** The value of groups 0 to `groups`. */
  result(groups: number): Vector;
}

/** A number for each group, as many as there are groups. */
export class Doubles {
  values = new Float64Array(16);
  readonly #first: number;
  readonly #budget: Budget;

  /** @param first what a new group starts with */
  constructor(first: number, budget: Budget) {
    this.#first = first;
    this.#budget = budget;
    this.values.fill(first);
  }

  /** The numbers, at least `groups` of them. */
  upTo(groups: number): Float64Array {
    const { length } = this.values;
    if (groups > length) {
      const longer = new Float64Array(Math.max(2 * length, groups)).fill(this.#first, length);
      this.#budget.take(8 * (longer.length - length));
      longer.set(this.values);
      this.values = longer;
    }
    return this.values;
  }
}

/** Doubles of a number vector: loops that see one kind of array are many times faster. */
export const asDoubles = (values: ArrayLike<number>): Float64Array =>
  values instanceof Float64Array ? values : new Float64Array(values);
