/** What the rest of a plan costs, in decoded bytes: work counts as bytes that could be decoded in the same time. */
import type { Index, OrderedIndex } from "../../index/api.ts";
import type { Table } from "../../table/table.ts";
import type { Aggregate } from "../bind/group.ts";
import { effort } from "../estimate.ts";
import type { Plan } from "../make-plan.ts";
import { chunksTouched, rowsLeft } from "./row-sets.ts";

/** Work on a row that an index names one after the other, and on one that is sorted. */
const [WALK_COST, SORT_COST] = [32, 24];

/** The index that gives rows in the order of a plan, where LIMIT makes its head enough. */
export function orderIndex(
  { orderBy, groups, limit }: Plan,
  indexes: readonly Index[],
): OrderedIndex | undefined {
  const [first] = orderBy;
  if (first?.expr.node !== "column" || groups.length > 0 || limit === undefined) return undefined;
  const { name } = first.expr;
  const found = indexes.find((one) => one.column === name && one.kind === "btree");
  return found?.kind === "btree" ? found : undefined;
}

/** A plan for the least or greatest value as one for the first row by it: that is how indexes find it, and what it costs. */
export function likeFirst(plan: Plan): Plan {
  const [grouping] = plan.groups;
  const aggregates = grouping?.keys.length === 0 ? grouping.aggregates : [];
  const [first] = aggregates;
  if (!first || !aggregates.every(isExtreme)) return plan;
  return firstBy(plan, first);
}

/** Whether it is the least or greatest value of a stored column. */
export const isExtreme = ({ fn, arg }: Aggregate): boolean =>
  (fn === "min" || fn === "max") && arg?.node === "column";

/** The same for one of several. */
export function firstBy(plan: Plan, { arg, fn, text }: Aggregate): Plan {
  const key = { expr: arg!, descending: fn === "max", nullsFirst: false, text };
  return { ...plan, groups: [], orderBy: [key], limit: 1, offset: 0 };
}

/** What it costs to find the rows of the answer. `order`: an index that could give them in order. */
export function restCost(plan: Plan, table: Table, order: OrderedIndex | undefined): number {
  const scan = scanCost(plan, table);
  return order ? Math.min(scan, walkCost(plan, order, table)) : scan;
}

/** By reading whatever the conditions and the order need, until LIMIT is reached where there is no order. */
export function scanCost(plan: Plan, table: Table): number {
  const { conjuncts, orderBy, groups, limit } = plan;
  const first = orderBy[0]?.expr;
  const keys = first?.node === "column" && groups.length === 0 ? [first.name] : [];
  const columns = [...new Set([...conjuncts.flatMap((each) => each.columns), ...keys])];
  const stops = limit !== undefined && orderBy.length === 0 && groups.length === 0;
  const left = rowsLeft(plan);
  const share = stops && left > 0 ? Math.min(1, rowsToLookAt(plan) / left) : 1;
  const decoded = columns.reduce((sum, name) => {
    const { chunkRows } = table.columns.get(name)!;
    return sum + chunkBytes(name, Math.max(1, share * chunksTouched(plan, chunkRows)), table);
  }, 0);
  const work = conjuncts.reduce((sum, { expr }) => sum + effort(expr), keys.length > 0 ? SORT_COST : 0);
  return left === 0 ? 0 : decoded + share * left * work;
}

/** By taking rows in the order of an index and testing them. */
export function walkCost(plan: Plan, { sorted }: OrderedIndex, table: Table): number {
  const rows = rowsToWalk(plan, table);
  const columns = [...new Set(plan.conjuncts.flatMap((each) => each.columns))];
  const decoded = columns.reduce((sum, name) => {
    const { chunkRows } = table.columns.get(name)!;
    return sum + chunkBytes(name, sorted ? Math.ceil(rows / chunkRows) : rows, table);
  }, 0);
  return decoded + rows * plan.conjuncts.reduce((sum, { expr }) => sum + effort(expr), WALK_COST);
}

/** How many rows it takes, in any order, until enough of all of the table's are among the answer. */
export function rowsToWalk(plan: Plan, table: Table): number {
  return Math.min(table.rows, Math.ceil((rowsToLookAt(plan) * table.rows) / Math.max(1, rowsLeft(plan))));
}

/** How many of the rows that are left have to be tested until LIMIT and OFFSET are reached, if it is one in so many. */
function rowsToLookAt({ conjuncts, limit, offset }: Plan): number {
  const kept = conjuncts.reduce((share, { selectivity }) => share * selectivity, 1);
  return ((limit ?? 0) + offset) / Math.max(kept, 1e-9);
}

function chunkBytes(name: string, chunks: number, table: Table): number {
  const { chunkRows, bytesPerRow } = table.columns.get(name)!;
  return Math.min(chunks * chunkRows, table.rows) * bytesPerRow;
}
