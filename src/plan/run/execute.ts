/** Plans → rows. */
import { ZarrsiftError } from "../../errors.ts";
import { Pace } from "../../format/pace.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { Table } from "../../table/table.ts";
import { gather, type Vector } from "../../table/vector.ts";
import type { Batch } from "../api.ts";
import { type BoundExpr, operandsOf } from "../bind/bound.ts";
import type { OutputItem, SortKey } from "../bind/select.ts";
import { compileValue } from "../eval/compile.ts";
import type { Frame } from "../eval/frame.ts";
import { concat } from "../eval/vectors.ts";
import { MEASURES } from "../functions/measures.ts";
import { restricted } from "../indexes/row-sets.ts";
import { head, headOf, isFinal } from "../indexes/walk.ts";
import type { Plan } from "../make-plan.ts";
import { BatchSize, MOST_ROWS } from "./batch-size.ts";
import { Cancel } from "./cancel.ts";
import { numbersOf, type RowSet, rowCount, someRows } from "./rows.ts";
import { runGroups } from "./run-groups.ts";
import { columnsNeeded, columnsOf, frameOf, Scan, type ScanOptions } from "./scan.ts";
import { Sorter } from "./sort.ts";
import { traced } from "./trace.ts";

/** The answer of a plan, in batches of at most 65,536 rows. */
export async function* runPlan(plan: Plan, table: Table, options: ScanOptions = {}): AsyncGenerator<Batch> {
  if (plan.groups.length > 0) yield* runGroups(plan, table, options);
  else if (plan.orderBy.length > 0) yield* runSorted(plan, table, options);
  else yield* runScan(plan, table, options);
}

async function* runScan(plan: Plan, table: Table, options: ScanOptions): AsyncGenerator<Batch> {
  const scan = new Scan(plan, table, options);
  const output = new Output(plan.items, options.signal);
  const size = new BatchSize();
  const cut = cutter(plan);
  const project = (rows: RowSet) =>
    traced(options, "output", rowCount(rows), () => output.batch(scan, rows, plan.backwards));
  const head = async (found: RowSet) => {
    const rows = cut.take(found);
    const first = ends(rows, 0, size.rows, plan.backwards);
    return { rows, taken: rowCount(first), batch: rowCount(first) > 0 ? await project(first) : undefined };
  };
  for await (const { rows, taken, batch } of scan.survivors(output.columns, head)) {
    if (batch) {
      size.learn(batch);
      yield batch;
    }
    for (let at = taken; at < rowCount(rows); ) {
      const more = ends(rows, at, size.rows, plan.backwards);
      at += rowCount(more);
      yield await project(more);
    }
    if (cut.done) return;
  }
}

/** `length` rows from position `at` on, counted from the last where the scan goes backwards. */
function ends(rows: RowSet, at: number, length: number, backwards: boolean): RowSet {
  if (!backwards) return someRows(rows, at, length);
  const last = rowCount(rows) - at;
  const first = Math.max(0, last - length);
  return someRows(rows, first, last - first);
}

/** OFFSET and LIMIT on rows as the scan finds them. */
function cutter({ offset, limit, backwards }: Plan) {
  let [skip, left] = [offset, limit ?? Number.POSITIVE_INFINITY];
  return {
    done: left === 0,
    take(rows: RowSet): RowSet {
      const skipped = Math.min(skip, rowCount(rows));
      const kept = ends(rows, skipped, Math.min(left, rowCount(rows) - skipped), backwards);
      skip -= skipped;
      left -= rowCount(kept);
      this.done = left === 0;
      return kept;
    },
  };
}

async function* runSorted(plan: Plan, table: Table, options: ScanOptions): AsyncGenerator<Batch> {
  const size = new BatchSize();
  const idx = await sortedRows(plan, table, options);
  for (let at = 0; at < idx.length; ) {
    const rows = idx.slice(at, at + size.rows);
    at += rows.length;
    const batch = await traced(options, "output", rows.length, () =>
      projectRows(plan.items, table, rows, { signal: options.signal, traffic: options.trace?.traffic }),
    );
    size.learn(batch);
    yield batch;
  }
}

/** Rows whose sort keys are computed at a time, and where those are of shapes. */
const [KEY_ROWS, SHAPE_ROWS] = [8192, 64];

/** Numbers of the rows of the answer, in its order, LIMIT and OFFSET applied. */
async function sortedRows(given: Plan, table: Table, options: ScanOptions): Promise<Float64Array> {
  const { orderBy, limit, offset, walk } = given;
  const first = walk && (await head(given, walk, table, options, "sort"));
  if (first && isFinal(first) && !walk.ties) return first.rows.slice(offset);
  const plan = first ? restricted(given, headOf(first)) : given;
  const scan = new Scan(plan, table, options);
  const pace = new Pace(options.signal);
  const sorter = new Sorter(orderBy, limit === undefined ? undefined : limit + offset);
  const names = columnsNeeded(orderBy);
  const keys = new Keys(orderBy);
  const step = orderBy.some(({ expr }) => isOfShapes(expr)) ? SHAPE_ROWS : KEY_ROWS;
  let found = 0;
  const load = (rows: RowSet) =>
    traced(options, "sort", rowCount(rows), async () => ({
      idx: numbersOf(rows),
      frame: await scan.frame(names, rows),
    }));
  for await (const { idx, frame } of scan.survivors(names, load)) {
    found += idx.length;
    for (let from = 0; from < idx.length; from += step) {
      const to = Math.min(idx.length, from + step);
      await sorter.add(idx.subarray(from, to), keys.of(frame.slice(from, to)), pace);
      await pace.rest();
    }
  }
  if (found === 0) return new Float64Array(0);
  return (await traced(options, "sort", 0, () => sorter.sorted(pace))).slice(offset);
}

class Keys {
  readonly #values: ((frame: Frame) => Vector)[];

  constructor(keys: readonly SortKey[]) {
    this.#values = keys.map(({ expr }) => compileValue(expr));
  }

  of(frame: Frame): Vector[] {
    return this.#values.map((value) => value(frame));
  }
}

/** Numbers of the rows of the answer alone, in its order; no output column is read. */
export async function* matchingRows(
  plan: Plan,
  table: Table,
  options: ScanOptions = {},
): AsyncGenerator<Float64Array> {
  if (plan.orderBy.length > 0) {
    const idx = await sortedRows(plan, table, options);
    for (let at = 0; at < idx.length; at += MOST_ROWS) yield idx.slice(at, at + MOST_ROWS);
    return;
  }
  const scan = new Scan(plan, table, options);
  const cut = cutter(plan);
  for await (const found of scan.survivors([], async (rows) => cut.take(rows))) {
    const idx = numbersOf(found);
    if (idx.length > 0) yield plan.backwards ? idx.slice().reverse() : idx;
    if (cut.done) return;
  }
}

/** Whether shapes are measured or compared in it, not only shown. */
const isOfShapes = (expr: BoundExpr): boolean =>
  expr.node === "spatial" ||
  (expr.node === "call" && MEASURES.has(expr.name)) ||
  operandsOf(expr).some(isOfShapes);

/** Select items, compiled. */
class Output {
  readonly columns: string[];
  readonly #items: readonly OutputItem[];
  readonly #values: ((frame: Frame) => Vector)[];
  readonly #pace: Pace;

  constructor(items: readonly OutputItem[], signal: AbortSignal | undefined) {
    this.columns = columnsNeeded(items);
    this.#items = items;
    this.#values = items.map(({ expr }) => compileValue(expr));
    this.#pace = new Pace(signal);
  }

  async of(frame: Frame): Promise<Batch> {
    const { length } = frame;
    return { length, idx: frame.idx(), vectors: await this.#vectors(frame) };
  }

  /** What is computed of shapes may take long for each row: in pieces. */
  async #vectors(frame: Frame): Promise<Vector[]> {
    if (!this.#items.some(({ expr }) => isOfShapes(expr))) return this.#values.map((value) => value(frame));
    const parts: Vector[][] = this.#items.map(() => []);
    await this.#pace.inRuns(frame.length, (from, to) => {
      const piece = frame.slice(from, to);
      for (const [i, value] of this.#values.entries()) parts[i]!.push(value(piece));
    });
    return parts.map((part, i) => concat(this.#items[i]!.expr.type, part));
  }

  async batch(scan: Scan, rows: RowSet, backwards: boolean): Promise<Batch> {
    const frame = await scan.frame(this.columns, rows);
    if (!backwards) return this.of(frame);
    const last = frame.length - 1;
    return this.of(frame.pick(Uint32Array.from({ length: frame.length }, (_, i) => last - i)));
  }
}

/**
 * The items for the rows `idx`, in that order.
 * @throws ZarrsiftError `bad_idx` for a number that is no row
 */
export async function projectRows(
  items: readonly OutputItem[],
  table: Table,
  idx: Float64Array,
  options: ReadOptions = {},
): Promise<Batch> {
  for (const row of idx)
    if (!Number.isInteger(row) || row < 0 || row >= table.rows) throw noSuchRow(row, table.rows);
  const output = new Output(items, options.signal);
  const order = Uint32Array.from({ length: idx.length }, (_, i) => i);
  const ascending = idx.every((row, i) => i === 0 || idx[i - 1]! < row);
  if (!ascending) order.sort((a, b) => idx[a]! - idx[b]!);
  const rows = ascending ? idx : Float64Array.from(order, (i) => idx[i]!);
  const frame = await frameFrom(output.columns, rows, table, options);
  options.signal?.throwIfAborted();
  const batch = await output.of(frame);
  if (ascending) return { ...batch, idx };
  const place = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) place[order[i]!] = i;
  return { length: idx.length, idx, vectors: batch.vectors.map((vector) => gather(vector, place)) };
}

async function frameFrom(
  names: readonly string[],
  rows: RowSet,
  table: Table,
  { signal, traffic }: ReadOptions,
): Promise<Frame> {
  const cancel = new Cancel(signal);
  try {
    return await frameOf(columnsOf(names, table), rows, (column, chunk) =>
      cancel.wait((own) => column.read(chunk, { signal: own, traffic })),
    );
  } finally {
    cancel.end();
  }
}

function noSuchRow(row: number, rows: number): ZarrsiftError {
  return new ZarrsiftError("bad_idx", `There is no row ${row}: idx goes from 0 to ${rows - 1}`, {
    details: { idx: row },
  });
}
