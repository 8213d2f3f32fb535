/** The first rows in the order of an index that meet a plan's conditions. */

import type { Ranges } from "../../index/api.ts";
import { joined } from "../../joined.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { Table } from "../../table/table.ts";
import { cellAt } from "../../table/vector.ts";
import { utf8 } from "../eval/vectors.ts";
import type { Plan, Walk } from "../make-plan.ts";
import { numbersOf, type RowSet, rowCount } from "../run/rows.ts";
import { Scan, type ScanOptions } from "../run/scan.ts";
import { isUnusable } from "./probe.ts";
import { intersection, intersectRuns, union } from "./row-sets.ts";

/** Rows that are looked at first; twice as many each time. */
const FIRST = 64;
const MOST = 65_536;

/** What a walk found. */
export interface Head {
  /** In the order of the index; those equal to one another ascend. */
  rows: Float64Array;
  /** Rows that may be among the first as well, in no order: those that the index does not cover, and ties of the last. */
  others: RowSet;
}

/**
 * The first `wanted` rows; all that there are where those are fewer. undefined: the index is damaged, or so many rows do
 * not meet the conditions that a scan is the better way.
 *
 * @param step of the plan that reading the index counts for
 */
export async function head(
  plan: Plan,
  walk: Walk,
  table: Table,
  options: ScanOptions,
  step: string,
): Promise<Head | undefined> {
  const during = <T>(work: () => Promise<T>): Promise<T> =>
    options.trace ? options.trace.during(step, work) : work();
  try {
    return await walked(plan, walk, table, options, during);
  } catch (error) {
    if (isUnusable(error)) return undefined;
    throw error;
  }
}

async function walked(
  plan: Plan,
  walk: Walk,
  table: Table,
  options: ScanOptions,
  during: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<Head | undefined> {
  const { index, wanted } = walk;
  const later: RowSet = { from: Math.min(index.covered, table.rows), to: table.rows };
  const found: Float64Array[] = [];
  let [count, looked, last] = [0, 0, -1];
  const pieces = inPieces(walk, { signal: options.signal, traffic: options.trace?.traffic });
  for (;;) {
    const { value: rows, done } = await during(() => pieces.next());
    if (done) break;
    const meeting = await meets(plan, rows, table, options);
    found.push(meeting);
    count += meeting.length;
    looked += rows.length;
    last = meeting.at(-1) ?? last;
    if (count >= wanted) break;
    if (looked > walk.most) return undefined;
  }
  const rows = joined(found, new Float64Array(count));
  const tied = walk.ties && count >= wanted ? await during(() => tiesOf(walk, last, table, options)) : later;
  if (tied === undefined) return undefined;
  const others = tied === later ? later : union(tied, later);
  return { rows: walk.ties ? rows : rows.subarray(0, wanted), others };
}

/** All rows in order, in growing pieces. */
async function* inPieces(walk: Walk, options: ReadOptions): AsyncGenerator<Float64Array> {
  const { index, descending, nulls } = walk;
  let size = FIRST;
  const parts = async function* (): AsyncGenerator<Float64Array> {
    if (nulls === "first") yield numbersOf(await index.nullRows(options));
    yield* index.inOrder({ ...options, descending });
    if (nulls === "last") yield numbersOf(await index.nullRows(options));
  };
  for await (const part of parts()) {
    for (let at = 0; at < part.length; ) {
      const rows = part.subarray(at, at + size);
      at += rows.length;
      size = Math.min(MOST, size * 2);
      yield rows;
    }
  }
}

/** Those of `rows`, in their order, that the plan looks at and that meet its conditions. */
async function meets(
  plan: Plan,
  rows: Float64Array,
  table: Table,
  options: ScanOptions,
): Promise<Float64Array> {
  const ascending = rows.slice().sort();
  const own = plan.runs ?? [plan.candidates ?? { from: plan.from, to: plan.to }];
  const possible =
    plan.candidates instanceof Float64Array
      ? intersection(plan.candidates, ascending)
      : intersectRuns(ascending, own as { from: number; to: number }[]);
  const left = numbersOf(possible);
  const kept = plan.conjuncts.length === 0 ? left : await tested(plan, left, table, options);
  if (kept.length === rows.length) return rows;
  const set = new Set(kept);
  return rows.filter((row) => set.has(row));
}

async function tested(
  plan: Plan,
  rows: Float64Array,
  table: Table,
  options: ScanOptions,
): Promise<Float64Array> {
  if (rows.length === 0) return rows;
  const { runs: _, walk: __, ...rest } = plan;
  const part: Plan = {
    ...rest,
    from: rows[0]!,
    to: rows.at(-1)! + 1,
    backwards: false,
    candidates: rows,
    limit: undefined,
    offset: 0,
  };
  const kept: Float64Array[] = [];
  let count = 0;
  for await (const found of new Scan(part, table, options).survivors([], async (set) => numbersOf(set))) {
    kept.push(found);
    count += found.length;
  }
  return joined(kept, new Float64Array(count));
}

/** Rows whose key is that of `row`; undefined where they are too many. */
async function tiesOf(
  { index, most }: Walk,
  row: number,
  table: Table,
  options: ScanOptions,
): Promise<RowSet | undefined> {
  const reading = { signal: options.signal, traffic: options.trace?.traffic };
  const column = table.columns.get(index.column)!;
  const chunk = await column.read(Math.floor(row / column.chunkRows), reading);
  const key = cellAt(chunk, row % column.chunkRows);
  if (key === null) return index.nullCount > most ? undefined : index.nullRows(reading);
  const ranges = [rangeOf(key as Exclude<typeof key, null>)] as unknown as Ranges;
  const { rows } = await index.estimate(ranges, reading);
  if (rows > most + MOST) return undefined;
  return index.find(ranges, reading);
}

function rangeOf(key: boolean | number | bigint | string | Uint8Array) {
  if (typeof key === "string" || key instanceof Uint8Array) {
    const text = typeof key === "string" ? utf8(key) : key;
    return { low: text, high: text, highInclusive: true };
  }
  const number = typeof key === "boolean" ? Number(key) : key;
  return { low: number, high: number };
}

/** All rows of a head, ascending. */
export const headOf = ({ rows, others }: Head): RowSet => union(rows.slice().sort(), others);

/** Whether rows that a walk found need no sorting: there are no others. */
export const isFinal = ({ others }: Head): boolean => rowCount(others) === 0;
