/** The filtering half of a plan: windows of rows, conjunct by conjunct, each reading only where candidates are left. */

import { Pace } from "../format/pace.ts";
import type { ReadOptions } from "../store/store.ts";
import type { Column, Table } from "../table/table.ts";
import type { Vector } from "../table/vector.ts";
import { columnsOf } from "./bound.ts";
import { Cancel } from "./cancel.ts";
import { compileTruth } from "./compile.ts";
import { Frame, once } from "./frame.ts";
import type { Conjunct, Plan } from "./make-plan.ts";
import { difference, intersection, intersectRuns, union } from "./row-sets.ts";
import { collect, numbersOf, type RowSet, rowCount, rowsAt } from "./rows.ts";
import type { Trace } from "./trace.ts";
import { positions, TRUE, type Truth, type TruthFn } from "./truth.ts";
import { type Window, windows } from "./windows.ts";

export interface ScanOptions extends ReadOptions {
  trace?: Trace | undefined;
}

/** Windows that are worked on at once, so that reading one goes on while another is computed. */
const AHEAD = 3;

/** One run of a plan's scan. */
export class Scan {
  readonly #pace: Pace;
  readonly #plan: Plan;
  readonly #table: Table;
  readonly #trace: Trace | undefined;
  readonly #cancel: Cancel;
  readonly #stop = new AbortController();
  readonly #tests: TruthFn[];
  readonly #chunks = new Map<string, { chunk: Promise<Vector>; from: number; to: number }>();

  constructor(plan: Plan, table: Table, { signal, trace }: ScanOptions) {
    this.#plan = plan;
    this.#table = table;
    this.#trace = trace;
    const either = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
    this.#cancel = new Cancel(either);
    this.#pace = new Pace(either);
    this.#tests = plan.conjuncts.map(({ expr }) => compileTruth(expr));
  }

  /**
   * `work` on the surviving rows of each window, results in the order of the scan. Chunks stay at hand until the
   * caller asks for the next result.
   *
   * @param names of the columns that `work` reads
   */
  async *survivors<T>(names: readonly string[], work: (rows: RowSet) => Promise<T>): AsyncGenerator<T> {
    const { conjuncts, limit, offset, orderBy, backwards } = this.#plan;
    const stopsEarly = limit !== undefined && orderBy.length === 0;
    const counts = stopsEarly || offset > 0 || this.#trace !== undefined;
    const columns = [...new Set([...conjuncts.flatMap((conjunct) => conjunct.columns), ...names])];
    const pending: { window: Window; result: Promise<T> }[] = [];
    const upcoming = windows(this.#plan, this.#table, columns, stopsEarly);
    try {
      for (;;) {
        while (pending.length < (counts ? 1 : AHEAD)) {
          const { value: window, done } = upcoming.next();
          if (done) break;
          if (rowCount(this.#candidates(window)) === 0) continue;
          const result = this.#filter(window).then(work);
          result.catch(() => {});
          pending.push({ window, result });
        }
        const first = pending.shift();
        if (!first) return;
        yield await first.result;
        this.#forget(first.window, backwards);
      }
    } finally {
      this.#stop.abort();
      this.#cancel.end();
    }
  }

  /** Some rows with the columns `names`. */
  async frame(names: readonly string[], rows: RowSet): Promise<Frame> {
    return frameOf(names, rows, this.#table, (column, chunk) => this.#read(column, chunk));
  }

  async #filter(window: Window): Promise<RowSet> {
    let rows = this.#candidates(window);
    for (const [i, conjunct] of this.#plan.conjuncts.entries()) {
      if (rowCount(rows) === 0) break;
      const before: RowSet = rows;
      const step = (): Promise<RowSet> => this.#test(conjunct, this.#tests[i]!, before);
      rows = this.#trace ? await this.#trace.during(`filter ${i}`, step) : await step();
      this.#trace?.add(`filter ${i}`, { rowsIn: rowCount(before), rowsOut: rowCount(rows) });
    }
    await this.#pace.rest();
    return rows;
  }

  #candidates(window: Window): RowSet {
    const { candidates, runs } = this.#plan;
    const rows = candidates ? intersection(candidates, window) : window;
    return runs && !(candidates instanceof Float64Array) ? intersectRuns(rows, runs) : rows;
  }

  async #test(conjunct: Conjunct, test: TruthFn, all: RowSet): Promise<RowSet> {
    const { columns, sure, holds } = conjunct;
    const known = sure ? intersection(sure, all) : holds && intersectRuns(all, holds);
    if (known && rowCount(known) > 0) {
      if (rowCount(known) === rowCount(all)) return all;
      const open = difference(all, numbersOf(known));
      return union(known, await this.#test({ ...conjunct, sure: undefined, holds: undefined }, test, open));
    }
    const rows = all;
    if (rowCount(rows) === 0) return rows;
    const frame = await this.frame(columns, rows);
    let truth: Truth = new Uint8Array(frame.length);
    await this.#pace.inRuns(frame.length, (from, to) => {
      const part = test(frame.slice(from, to));
      if (part.length === frame.length) truth = part;
      else truth.set(part, from);
    });
    return rowsAt(rows, positions(truth, TRUE));
  }

  #read(column: Column, chunk: number): Promise<Vector> {
    const key = `${chunk}/${column.name}`;
    let kept = this.#chunks.get(key);
    if (!kept) {
      const from = chunk * column.chunkRows;
      const reading = this.#cancel.wait(() => column.read(chunk, { traffic: this.#trace?.traffic }));
      kept = { chunk: reading, from, to: from + column.chunkRows };
      kept.chunk.catch(() => {});
      this.#chunks.set(key, kept);
    }
    return kept.chunk;
  }

  /** Lets go of chunks that no later window touches. */
  #forget(window: Window, backwards: boolean): void {
    for (const [key, { from, to }] of this.#chunks) {
      if (backwards ? from >= window.from : to <= window.to) this.#chunks.delete(key);
    }
  }
}

/** The rows `rows` with the columns `names`, read chunk by chunk. */
export async function frameOf(
  names: readonly string[],
  rows: RowSet,
  table: Table,
  read: (column: Column, chunk: number) => Promise<Vector>,
): Promise<Frame> {
  const vectors = await Promise.all(names.map((name) => collect(table.columns.get(name)!, rows, read)));
  const ready = new Map(names.map((name, i) => [name, () => vectors[i]!]));
  return new Frame(
    rowCount(rows),
    ready,
    once(() => numbersOf(rows)),
  );
}

/** Stored columns that select items or sort keys need. */
export const columnsNeeded = (items: readonly { expr: Parameters<typeof columnsOf>[0] }[]): string[] =>
  columnsOf(...items.map(({ expr }) => expr));
