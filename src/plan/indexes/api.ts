/** What the ways of using indexes have in common. */
import type { Estimate, IndexState } from "../../index/api.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { Plan } from "../make-plan.ts";
import type { RowSet } from "../run/rows.ts";

/** What an answer rests on. */
export interface Relied {
  readonly column: string;
  readonly path: string;
  state(options?: ReadOptions): Promise<IndexState>;
}

/** What a probe asks. */
export interface ProbedIndex extends Relied {
  /** Rows 0…covered (exclusive) are in it. */
  readonly covered: number;
}

/** A plan with what its indexes and zone maps rest on. */
export interface Narrowed {
  plan: Plan;
  used: readonly Relied[];
}

/** Covered rows that a condition may hold for. */
export interface Found {
  rows: RowSet;
  /** Those of `rows` that it surely holds for; undefined: all. */
  sure?: Float64Array;
}

/** `among`: the rows that matter; what is found may be no more than those of them. */
export interface ProbeOptions extends ReadOptions {
  among: RowSet;
}

/** One condition that indexes can narrow. */
export interface Probe {
  indexes: readonly ProbedIndex[];
  /** Whether what it finds is a run of rows, so that finding many costs no more than finding few. */
  run: boolean;
  /** Whether it costs less where fewer rows matter. */
  within: boolean;
  estimate(options: ProbeOptions): Promise<Estimate>;
  find(options: ProbeOptions): Promise<Found>;
  /** How many covered rows the condition holds for, where that is known without naming them. */
  count?: ((options: ReadOptions) => Promise<number>) | undefined;
}
