/** Plans that group: rows → groups → rows of the answer. */
import { Pace } from "../../format/pace.ts";
import type { Table } from "../../table/table.ts";
import type { Vector } from "../../table/vector.ts";
import type { Batch } from "../api.ts";
import { columnsOf } from "../bind/bound.ts";
import type { Grouping } from "../bind/group.ts";
import { compileTruth, compileValue, type ValueFn } from "../eval/compile.ts";
import { Frame } from "../eval/frame.ts";
import { positions, TRUE } from "../eval/truth.ts";
import { placed } from "../functions/place.ts";
import { restricted, union } from "../indexes/row-sets.ts";
import { head, headOf } from "../indexes/walk.ts";
import type { Known, Plan } from "../make-plan.ts";
import { accumulator } from "./accumulate.ts";
import type { Accumulator } from "./accumulator.ts";
import { BatchSize } from "./batch-size.ts";
import { GroupKeys } from "./group-keys.ts";
import { Budget } from "./key-sets.ts";
import { type RowSet, rowCount } from "./rows.ts";
import { Scan, type ScanOptions } from "./scan.ts";
import { Sorter } from "./sort.ts";
import { traced } from "./trace.ts";

/** Makes the groups of a `Grouping`, run by run. */
class Groups {
  readonly #grouping: Grouping;
  readonly #keys: GroupKeys | undefined;
  readonly #keyValues: ValueFn[];
  readonly #aggregates: { values: ValueFn | undefined; sum: Accumulator }[];

  constructor(grouping: Grouping, budget: Budget) {
    const { keys, aggregates } = grouping;
    this.#grouping = grouping;
    this.#keyValues = keys.map(({ expr }) => compileValue(expr));
    this.#keys =
      keys.length === 0
        ? undefined
        : new GroupKeys(
            keys.map(({ expr }) => expr.type),
            budget,
          );
    this.#aggregates = aggregates.map((aggregate) => ({
      values: aggregate.arg && compileValue(aggregate.arg),
      sum: accumulator(aggregate, budget),
    }));
  }

  /** Without keys there is one group, rows or not. */
  get size(): number {
    return this.#keys?.size ?? 1;
  }

  add(frame: Frame): void {
    const { length } = frame;
    const ids = this.#keys?.add(
      this.#keyValues.map((value) => value(frame)),
      length,
    );
    const rows = { length, ids, groups: this.size, numbers: () => frame.idx() };
    for (const { values, sum } of this.#aggregates) sum.add(rows, values?.(frame));
  }

  /** Adds rows that are known without being looked at, to the only group. */
  addKnown({ counts, values }: Known): void {
    const rows = { ids: undefined, groups: 1, numbers: () => new Float64Array(0) };
    this.#aggregates.forEach(({ sum }, i) => {
      const vector = values[i];
      if (vector) sum.add({ ...rows, length: vector.length }, vector);
      else if (counts[i]! > 0) sum.add({ ...rows, length: counts[i]! }, undefined);
    });
  }

  /** The groups as rows that later expressions read, HAVING applied. */
  frame(): Frame {
    const { keys, aggregates, having } = this.#grouping;
    const columns = new Map<string, () => Vector>();
    for (const [k, { text }] of keys.entries()) {
      const key = this.#keys!.key(k);
      columns.set(text, () => key);
    }
    for (const [k, { text, at }] of aggregates.entries()) {
      const value = placed(() => this.#aggregates[k]!.sum.result(this.size), at);
      columns.set(text, () => value);
    }
    const all = new Frame(this.size, columns, () => Float64Array.from({ length: this.size }, (_, i) => i));
    return having ? all.pick(positions(compileTruth(having.expr)(all), TRUE)) : all;
  }
}

/** The answer of a plan that groups, in batches of at most 65,536 rows. */
export async function* runGroups(plan: Plan, table: Table, options: ScanOptions): AsyncGenerator<Batch> {
  const pace = new Pace(options.signal);
  const budget = new Budget();
  const [first, ...more] = plan.groups;
  let frame = await groupedRows(plan, table, options, new Groups(first!, budget), pace);
  for (const grouping of more) {
    const groups = new Groups(grouping, budget);
    const before = frame;
    const regroup = async () => {
      await pace.inRuns(before.length, (from, to) => groups.add(before.slice(from, to)));
      return groups.frame();
    };
    frame = await step(options, grouping, before.length, regroup, ({ length }) => length);
  }
  yield* batches(plan, await ordered(plan, frame, options, pace), options);
}

/** The groups of the rows that meet the conditions. */
async function groupedRows(
  given: Plan,
  table: Table,
  options: ScanOptions,
  groups: Groups,
  pace: Pace,
): Promise<Frame> {
  const plan = (await walkedPlan(given, table, options)) ?? given;
  if (plan.known) groups.addKnown(plan.known);
  const [grouping] = plan.groups as [Grouping];
  const names = columnsOfGrouping(grouping);
  const enough = groupsWanted(plan);
  const limit = enough === undefined ? undefined : plan.limit;
  const scan = new Scan({ ...plan, orderBy: [], offset: 0, limit }, table, options);
  const load = (rows: RowSet) => step(options, grouping, rowCount(rows), () => scan.frame(names, rows));
  for await (const frame of scan.survivors(names, load)) {
    const add = () => pace.inRuns(frame.length, (from, to) => groups.add(frame.slice(from, to)));
    await step(options, grouping, 0, add);
    if (enough !== undefined && groups.size >= enough) break;
  }
  const finish = async () => groups.frame();
  return step(options, grouping, 0, finish, ({ length }) => length);
}

/** The rows that the aggregates can come from, where walks find them. */
async function walkedPlan(plan: Plan, table: Table, options: ScanOptions): Promise<Plan | undefined> {
  let rows: RowSet = new Float64Array(0);
  for (const walk of plan.walks ?? []) {
    const first = await head(plan, walk, table, options, plan.groups[0]!.step);
    if (!first) return undefined;
    rows = union(rows, headOf(first));
  }
  return plan.walks && restricted(plan, rows);
}

/** Names of the stored columns that the first grouping of a plan reads. */
export function columnsOfGrouping({ keys, aggregates }: Grouping): string[] {
  return columnsOf(...keys.map(({ expr }) => expr), ...aggregates.flatMap(({ arg }) => (arg ? [arg] : [])));
}

/** How many groups are enough: DISTINCT with LIMIT and no order takes the first that it finds. */
export function groupsWanted({ groups, orderBy, limit, offset }: Plan): number | undefined {
  const first = groups.length === 1 && groups[0]!.step === "distinct" && orderBy.length === 0;
  return first && limit !== undefined ? limit + offset : undefined;
}

/** The rows of the answer in its order, LIMIT and OFFSET applied. */
async function ordered(
  { orderBy, limit, offset }: Plan,
  frame: Frame,
  options: ScanOptions,
  pace: Pace,
): Promise<Frame> {
  const end = limit === undefined ? frame.length : Math.min(frame.length, offset + limit);
  if (orderBy.length === 0) return frame.slice(Math.min(offset, end), end);
  if (frame.length === 0) return frame;
  const order = await traced(options, "sort", frame.length, async () => {
    const sorter = new Sorter(orderBy, end);
    const keys = orderBy.map(({ expr }) => compileValue(expr)(frame));
    await sorter.add(
      Float64Array.from({ length: frame.length }, (_, i) => i),
      keys,
      pace,
    );
    return sorter.sorted(pace);
  });
  return frame.pick(Uint32Array.from(order.subarray(offset)));
}

async function* batches(plan: Plan, frame: Frame, options: ScanOptions): AsyncGenerator<Batch> {
  const size = new BatchSize();
  const values = plan.items.map(({ expr }) => compileValue(expr));
  for (let from = 0; from < frame.length; ) {
    const part = frame.slice(from, Math.min(frame.length, from + size.rows));
    const idx = Float64Array.from({ length: part.length }, (_, i) => from + i);
    const batch = await traced(options, "output", part.length, async () => ({
      length: part.length,
      idx,
      vectors: values.map((value) => value(part)),
    }));
    options.signal?.throwIfAborted();
    size.learn(batch);
    yield batch;
    from += part.length;
  }
}

/** `work` as a step of the plan, which takes `rows` in; the groups that it makes are what comes out. */
async function step<T>(
  { trace }: ScanOptions,
  { step: name }: Grouping,
  rows: number,
  work: () => Promise<T>,
  made: (result: T) => number = () => 0,
): Promise<T> {
  if (!trace) return work();
  const result = await trace.during(name, work);
  trace.add(name, { rowsIn: rows, rowsOut: made(result) });
  return result;
}
