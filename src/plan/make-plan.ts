/** A bound query → a plan: plain data that says in which order things are read and tested. */
import type { OrderedIndex } from "../index/api.ts";
import type { Table } from "../table/table.ts";
import type { Vector } from "../table/vector.ts";
import { type BoundExpr, type Condition, columnsOf, isConstant } from "./bind/bound.ts";
import type { Grouping } from "./bind/group.ts";
import type { BoundQuery, OutputItem, SortKey } from "./bind/select.ts";
import { bytesToRead, effort, selectivity } from "./estimate.ts";
import { guards } from "./guards.ts";
import { learntShare } from "./run/learnt.ts";
import type { RowSet, Runs } from "./run/rows.ts";

/** A condition where it stands in the order of evaluation. */
export interface Conjunct extends Condition {
  /** Stored columns it needs. */
  columns: string[];
  /** Decoded bytes a candidate row costs here: columns that no earlier conjunct has read. */
  bytesPerRow: number;
  /** Share of candidates that probably survive. */
  selectivity: number;
  /** Rows that an index knows it holds for, ascending: they are not tested. */
  sure?: Float64Array | undefined;
  /** The same as runs of rows, where `sure` is no list of them. */
  holds?: Runs | undefined;
}

/** A condition that indexes or zone maps could narrow, and what came of it. */
export interface ProbeStep {
  kind: "index" | "zones";
  text: string;
  column: string;
  /** Paths of the indexes, separated by commas. */
  index: string;
  state: "verified" | "unverified" | "stale" | "unused";
  why: string;
  /** Whether another index has answered it: nothing is left to the scan. */
  answered?: boolean;
  /** Rows that may meet the condition, as far as it was asked. */
  rows: number | undefined;
  requests: number;
  bytes: number;
  ms: number;
}

/** Rows taken in the order of an index until enough are found. */
export interface Walk {
  index: OrderedIndex;
  descending: boolean;
  /** Where rows without a value come; undefined: they are left out. */
  nulls: "first" | "last" | undefined;
  /** How many rows that meet the conditions are enough. */
  wanted: number;
  /** Whether rows that are equal to the last of these are wanted too, because something else orders them. */
  ties: boolean;
  /** How many rows are looked at before a scan is the better way. */
  most: number;
}

/** What is known of rows that are not looked at, for each aggregate of a grouping. */
export interface Known {
  rows: number;
  /** How many count; of `count` alone. */
  counts: number[];
  /** Values that are among theirs, the least and greatest of them; undefined: `count`. */
  values: (Vector | undefined)[];
}

export interface Plan {
  /** Rows that are looked at: `from` to `to` (exclusive), `backwards` from the last. */
  from: number;
  to: number;
  backwards: boolean;
  /** What narrowed them, as text. */
  because: string[];
  conjuncts: Conjunct[];
  /** Rows that indexes and zones have left: no others are looked at. */
  candidates?: RowSet;
  /** The same as several runs of rows, where `candidates` is no list of them. */
  runs?: Runs;
  /** What indexes and zone maps were asked, in that order. */
  probes: ProbeStep[];
  /** What is done to the rows that are left, one after the other; what follows is about the groups of the last. */
  groups: Grouping[];
  /** Rows that the first grouping counts without looking at them. */
  known?: Known;
  /** Find the rows that the aggregates of the first grouping can come from. */
  walks?: Walk[];
  /** Empty: the order of the scan. */
  orderBy: SortKey[];
  /** Finds the rows that can be first by `orderBy`. */
  walk?: Walk;
  limit: number | undefined;
  offset: number;
  /** Read for rows of the answer only. */
  items: OutputItem[];
}

/** Puts the conditions in order and finds out which rows need looking at. Reads nothing. */
export function makePlan(query: BoundQuery, table: Table): Plan {
  const scanOrder = orderOfScan(query.orderBy);
  const plan: Plan = {
    from: 0,
    to: table.rows,
    backwards: scanOrder === "backwards",
    because: [],
    conjuncts: [],
    probes: [],
    groups: query.groups,
    orderBy: scanOrder ? [] : query.orderBy,
    limit: query.limit,
    offset: query.offset,
    items: query.items,
  };
  const left = query.conditions.filter((condition) => !narrow(plan, condition));
  plan.conjuncts = inOrder(left, table);
  const rowByRow = plan.groups.length === 0 && plan.orderBy.length === 0;
  if (plan.conjuncts.length === 0 && rowByRow) cutToLimit(plan);
  if (plan.limit === 0) plan.to = plan.from;
  return plan;
}

/** idx first in ORDER BY is the order of the rows, or its reverse: no two rows share one. */
function orderOfScan(orderBy: readonly SortKey[]): "forwards" | "backwards" | undefined {
  const [first] = orderBy;
  if (!first) return "forwards";
  if (first.expr.node !== "idx") return undefined;
  return first.descending ? "backwards" : "forwards";
}

/** Takes conditions on idx and constants into the range of rows; whether that was all there is to them. */
function narrow(plan: Plan, { expr, text }: Condition): boolean {
  const none = isConstant(expr) ? expr.value !== true : expr.node === "range" && expr.low > expr.high;
  const bounds = idxBounds(expr);
  if (!none && !bounds) return isConstant(expr);
  const [low, high] = none ? [0, -1] : bounds!;
  plan.from = Math.min(plan.to, Math.max(plan.from, low));
  plan.to = Math.max(plan.from, Math.min(plan.to, high + 1));
  plan.because.push(text);
  return none || expr.node === "range";
}

/** Smallest and largest idx that can meet a condition. */
function idxBounds(expr: BoundExpr): [number, number] | undefined {
  if (expr.node === "range" && expr.operand.node === "idx") return [Number(expr.low), Number(expr.high)];
  if (expr.node !== "in" || expr.operand.node !== "idx") return undefined;
  const points = expr.points.map(Number);
  return [
    points.reduce((a, b) => Math.min(a, b), Infinity),
    points.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
}

/**
 * Share of rows that any condition is taken to throw out: in a table sorted by date a range keeps all rows of many
 * windows and none of the next, and a cheap test that throws out nothing costs less than the one that was left out.
 */
const LEAST_REJECTED = 0.1;

/**
 * Cheapest per row thrown out first; columns read for one conjunct cost the next nothing. What scans have learnt about
 * a condition counts for more than what indexes say, and that for more than a guess. What fails on some rows comes after
 * what may keep them from it.
 */
export function inOrder(conditions: readonly (Condition & Partial<Conjunct>)[], table: Table): Conjunct[] {
  const waiting = conditions.map((condition) => ({
    ...condition,
    columns: columnsOf(condition.expr),
    selectivity: learntShare(table, condition.text) ?? condition.selectivity ?? selectivity(condition.expr),
    effort: effort(condition.expr),
  }));
  const known = new Set<string>();
  const ordered: Conjunct[] = [];
  while (waiting.length > 0) {
    const rank = (c: (typeof waiting)[number]) =>
      (bytesToRead(c.columns, known, table) + c.effort) / Math.max(LEAST_REJECTED, 1 - c.selectivity);
    const best = waiting
      .filter(({ expr }) => !waiting.some((other) => guards(other.expr, expr)))
      .reduce((a, b) => (rank(b) < rank(a) ? b : a));
    waiting.splice(waiting.indexOf(best), 1);
    const { effort: _, ...conjunct } = best;
    ordered.push({ ...conjunct, bytesPerRow: bytesToRead(best.columns, known, table) });
    for (const name of best.columns) known.add(name);
  }
  return ordered;
}

/** Without conditions the rows of the answer are known by their numbers. */
function cutToLimit(plan: Plan): void {
  const length = plan.to - plan.from;
  const skipped = Math.min(plan.offset, length);
  const kept = Math.min(plan.limit ?? Number.POSITIVE_INFINITY, length - skipped);
  if (plan.backwards) plan.to -= skipped;
  else plan.from += skipped;
  if (plan.backwards) plan.from = plan.to - kept;
  else plan.to = plan.from + kept;
  plan.offset = 0;
  plan.limit = undefined;
}
