/** The filtering half of a plan: windows of rows, conjunct by conjunct, each reading only where candidates are left. */

import { Pace } from "../../format/pace.ts";
import type { RoundedBoxes } from "../../geometry/rounded-boxes.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { Column, Table } from "../../table/table.ts";
import type { Vector } from "../../table/vector.ts";
import { columnsOf as columnsIn } from "../bind/bound.ts";
import { type Coarse, coarseTest, PARTS, partColumn } from "../eval/coarse.ts";
import { compileTruth } from "../eval/compile.ts";
import { Frame, once } from "../eval/frame.ts";
import { columnRange, keepInRange } from "../eval/keep-ranges.ts";
import { OPEN, positions, TRUE, type Truth, type TruthFn } from "../eval/truth.ts";
import { difference, intersection, intersectRuns, union } from "../indexes/row-sets.ts";
import { inOrder, type Plan } from "../make-plan.ts";
import { Cancel } from "./cancel.ts";
import { learn } from "./learnt.ts";
import { rowsInRange } from "./range-rows.ts";
import { collect, numbersOf, type ReadChunk, type RowSet, rowCount, rowsAt } from "./rows.ts";
import type { Trace } from "./trace.ts";
import { type Window, windows } from "./windows.ts";

export interface ScanOptions extends ReadOptions {
  trace?: Trace | undefined;
}

/** Windows that are worked on at once, so that reading one goes on while another is computed. */
const AHEAD = 3;

/** Where at least one row in so many is left, looking at the whole window is quicker than picking rows out. */
const MANY = 8;

/** One run of a plan's scan. */
export class Scan {
  readonly #pace: Pace;
  readonly #plan: Plan;
  readonly #table: Table;
  readonly #trace: Trace | undefined;
  readonly #cancel: Cancel;
  readonly #stop = new AbortController();
  readonly #tests: TruthFn[];
  readonly #coarse: (Coarse | undefined)[];
  /** Positions of the conjuncts as they are tested. */
  #order: number[];
  readonly #chunks = new Map<string, { chunk: Promise<Vector>; from: number; to: number }>();

  constructor(plan: Plan, table: Table, { signal, trace }: ScanOptions) {
    this.#plan = plan;
    this.#table = table;
    this.#trace = trace;
    const either = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal;
    this.#cancel = new Cancel(either);
    this.#pace = new Pace(either);
    this.#order = [...plan.conjuncts.keys()];
    this.#tests = plan.conjuncts.map(({ expr }) => compileTruth(expr));
    // Few rows of a chunk, as indexes leave them, are tested sooner than all its envelopes are found.
    this.#coarse = plan.conjuncts.map(({ expr }) => (plan.candidates ? undefined : coarseTest(expr, table)));
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
    let finished = false;
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
        if (!first) {
          finished = true;
          return;
        }
        yield await first.result;
        this.#forget(first.window, backwards);
      }
    } finally {
      if (!finished) this.#stop.abort();
      this.#cancel.end();
    }
  }

  /** Some rows with the columns `names`. */
  async frame(names: readonly string[], rows: RowSet): Promise<Frame> {
    return frameOf(columnsOf(names, this.#table), rows, this.#read);
  }

  async #filter(window: Window): Promise<RowSet> {
    const order = this.#order;
    const first = await this.#ranges(order, this.#candidates(window));
    let { rows } = first;
    for (const i of order.slice(first.done)) {
      if (rowCount(rows) === 0) break;
      const before: RowSet = rows;
      const step = (): Promise<RowSet> => this.#test(i, before);
      rows = this.#trace ? await this.#trace.during(`filter ${i}`, step) : await step();
      this.#trace?.add(`filter ${i}`, { rowsIn: rowCount(before), rowsOut: rowCount(rows) });
      this.#learn(i, rowCount(before), rowCount(rows));
    }
    this.#reorder();
    await this.#pace.rest();
    return rows;
  }

  /** Tests the conjuncts that come first and are ranges, as long as many rows are left; `done` is how many those are. */
  async #ranges(order: readonly number[], rows: RowSet): Promise<{ rows: RowSet; done: number }> {
    let [done, count] = [0, rowCount(rows)];
    if (this.#trace || rows instanceof Float64Array) return { rows, done };
    let positions: Uint32Array | undefined;
    for (const i of order) {
      const { expr, sure, holds } = this.#plan.conjuncts[i]!;
      const range = sure || holds ? undefined : columnRange(expr);
      const column = range && this.#table.columns.get(range.column)!;
      if (!column || count * MANY < rowCount(rows) || !inOneChunk(rows, column.chunkRows)) break;
      const vector = await collect(column, rows, this.#read);
      if (vector.kind !== "number") break;
      const before = count;
      ({ positions, count } = keepInRange(vector, range, positions, count));
      this.#learn(i, before, count);
      done++;
    }
    return { rows: positions ? rowsAt(rows, positions.subarray(0, count)) : rows, done };
  }

  /** Rows that indexes have left say nothing about the others. */
  #learn(i: number, rowsIn: number, rowsOut: number): void {
    const { conjuncts, candidates, runs } = this.#plan;
    if (!candidates && !runs) learn(this.#table, conjuncts[i]!.text, rowsIn, rowsOut);
  }

  /** The next windows begin with what has proved to throw out most for what it costs. */
  #reorder(): void {
    const { conjuncts } = this.#plan;
    if (conjuncts.length < 2) return;
    const places = new Map(conjuncts.map(({ expr }, i) => [expr, i]));
    this.#order = inOrder(conjuncts, this.#table).map(({ expr }) => places.get(expr)!);
  }

  #candidates(window: Window): RowSet {
    const { candidates, runs } = this.#plan;
    const rows = candidates ? intersection(candidates, window) : window;
    return runs && !(candidates instanceof Float64Array) ? intersectRuns(rows, runs) : rows;
  }

  /** Those of `rows` that conjunct `i` holds for: what indexes, zone maps and envelopes leave open is read. */
  async #test(i: number, rows: RowSet): Promise<RowSet> {
    const { columns, sure, holds } = this.#plan.conjuncts[i]!;
    const known = sure ? intersection(sure, rows) : holds && intersectRuns(rows, holds);
    if (!known || rowCount(known) === 0) return this.#held(i, columns, rows);
    if (rowCount(known) === rowCount(rows)) return rows;
    return union(known, await this.#held(i, columns, difference(rows, numbersOf(known))));
  }

  async #held(i: number, columns: readonly string[], rows: RowSet): Promise<RowSet> {
    if (rowCount(rows) === 0) return rows;
    const coarse = this.#coarse[i];
    if (!coarse) return this.#exactly(i, columns, rows);
    const frame = await frameOf(this.#coarseColumns(coarse), rows, this.#read);
    const truth = await this.#truth(coarse.test, frame);
    const open = rowsAt(rows, positions(truth, OPEN));
    const held = rowsAt(rows, positions(truth, TRUE));
    return rowCount(open) === 0 ? held : union(held, await this.#exactly(i, columns, open));
  }

  async #exactly(i: number, columns: readonly string[], rows: RowSet): Promise<RowSet> {
    const range = rows instanceof Float64Array ? columnRange(this.#plan.conjuncts[i]!.expr) : undefined;
    const kept =
      range &&
      (await rowsInRange(this.#table.columns.get(range.column)!, range, rows as Float64Array, this.#read));
    if (kept) return kept;
    const truth = await this.#truth(this.#tests[i]!, await this.frame(columns, rows));
    return rowsAt(rows, positions(truth, TRUE));
  }

  async #truth(test: TruthFn, frame: Frame): Promise<Truth> {
    let truth: Truth = new Uint8Array(frame.length);
    await this.#pace.inRuns(frame.length, (from, to) => {
      const part = test(frame.slice(from, to));
      if (part.length === frame.length) truth = part;
      else truth.set(part, from);
    });
    return truth;
  }

  #coarseColumns({ columns, boxed }: Coarse): Column[] {
    const parts = boxed.flatMap((name) => {
      const column = this.#table.columns.get(name)!;
      return PARTS.map((part) => partColumn(column, part, (chunk) => this.#boxes(column, chunk)));
    });
    return [...columnsOf(columns, this.#table), ...parts];
  }

  #boxes(column: Column, chunk: number): Promise<RoundedBoxes> {
    const onValues = (values: Vector) => this.#keep(column, chunk, Promise.resolve(values));
    return this.#cancel.wait((signal) =>
      column.boxes!(chunk, { signal, traffic: this.#trace?.traffic, onValues }),
    );
  }

  readonly #read = (column: Column, chunk: number): Promise<Vector> => {
    const kept = this.#chunks.get(keyOf(column, chunk));
    if (kept) return kept.chunk;
    const reading = this.#cancel.wait((signal) =>
      column.read(chunk, { signal, traffic: this.#trace?.traffic }),
    );
    reading.catch(() => {});
    this.#keep(column, chunk, reading);
    return reading;
  };

  /** Keeps a chunk at hand until its window is done. */
  #keep(column: Column, chunk: number, values: Promise<Vector>): void {
    const from = chunk * column.chunkRows;
    this.#chunks.set(keyOf(column, chunk), { chunk: values, from, to: from + column.chunkRows });
  }

  /** Lets go of chunks that no later window touches. */
  #forget(window: Window, backwards: boolean): void {
    for (const [key, { from, to }] of this.#chunks) {
      if (backwards ? from >= window.from : to <= window.to) this.#chunks.delete(key);
    }
  }
}

const inOneChunk = ({ from, to }: { from: number; to: number }, chunkRows: number) =>
  Math.floor(from / chunkRows) === Math.floor((to - 1) / chunkRows);

const keyOf = (column: Column, chunk: number) => `${chunk}/${column.name}`;

/** The rows `rows` with `columns`, read chunk by chunk. */
export async function frameOf(columns: readonly Column[], rows: RowSet, read: ReadChunk): Promise<Frame> {
  const vectors = await Promise.all(columns.map((column) => collect(column, rows, read)));
  const ready = new Map(columns.map(({ name }, i) => [name, () => vectors[i]!]));
  return new Frame(
    rowCount(rows),
    ready,
    once(() => numbersOf(rows)),
  );
}

/** The columns called `names`. */
export const columnsOf = (names: readonly string[], table: Table): Column[] =>
  names.map((name) => table.columns.get(name)!);

/** Stored columns that select items or sort keys need. */
export const columnsNeeded = (items: readonly { expr: Parameters<typeof columnsIn>[0] }[]): string[] =>
  columnsIn(...items.map(({ expr }) => expr));
