/** ORDER BY … LIMIT by the head of an index, where that costs less than sorting what a scan finds. */
import type { Index, IndexSet, OrderedIndex } from "../index/api.ts";
import type { ReadOptions } from "../store/store.ts";
import type { Table } from "../table/table.ts";
import { effort } from "./estimate.ts";
import type { Plan, ProbeStep, Walk } from "./make-plan.ts";
import { isUnusable, measured, type Narrowed } from "./probe.ts";
import { chunksTouched, rowsLeft } from "./row-sets.ts";

/** Work on a row that an index names, and on one that is sorted, in bytes that could be decoded in the same time. */
const [WALK_COST, SORT_COST] = [32, 24];

/** Lets an index give the order, where the first sort key is its column and LIMIT leaves most rows out. */
export async function useOrder(
  narrowed: Narrowed,
  table: Table,
  { indexes }: IndexSet,
  options: ReadOptions = {},
): Promise<Narrowed> {
  const { plan, used } = narrowed;
  const [first, ...more] = plan.orderBy;
  const index = first?.expr.node === "column" ? orderedOn(first.expr.name, indexes) : undefined;
  if (!first || !index || plan.groups.length > 0 || plan.limit === undefined) return narrowed;
  const wanted = plan.limit + plan.offset;
  if (wanted === 0 || rowsLeft(plan) === 0) return narrowed;
  const expected = rowsToWalk(plan, wanted, table);
  const walk: Walk = {
    index,
    descending: first.descending,
    nulls: first.nullsFirst ? "first" : "last",
    wanted,
    // Rows that are alike stay in the order of idx, with or without it.
    ties: more.length > 0 && !(more[0]!.expr.node === "idx" && !more[0]!.descending),
    most: 4 * expected + 1024,
  };
  const { result, traffic, ms } = await measured(options, (reading) => stateOf(index, reading));
  const worth = walkCost(plan, index, expected, table) < sortCost(plan, index, table);
  const step: ProbeStep = {
    kind: "index",
    text: `ORDER BY ${first.text}`,
    column: index.column,
    index: index.path,
    rows: undefined,
    ...(result.state === "stale"
      ? result
      : worth
        ? {
            state: result.state,
            why: `ORDER BY ${first.text}: its first rows until ${wanted} meet the conditions`,
          }
        : {
            state: "unused",
            why: `about ${Math.round(expected)} rows would be looked at, no less than a scan`,
          }),
    ...traffic,
    ms,
  };
  const told = { ...plan, probes: [...plan.probes, step] };
  if (result.state === "stale" || !worth) return { plan: told, used };
  return { plan: { ...told, walk }, used: [...used, index] };
}

function orderedOn(column: string, indexes: readonly Index[]): OrderedIndex | undefined {
  const found = indexes.find((one) => one.column === column && one.kind === "btree");
  return found?.kind === "btree" ? found : undefined;
}

async function stateOf(index: OrderedIndex, options: ReadOptions) {
  try {
    return await index.state(options);
  } catch (error) {
    if (!isUnusable(error)) throw error;
    return { state: "stale" as const, why: (error as Error).message };
  }
}

/** How many rows it takes, in any order, until so many meet the conditions. */
function rowsToWalk(plan: Plan, wanted: number, table: Table): number {
  const kept = plan.conjuncts.reduce((share, { selectivity }) => share * selectivity, 1);
  return Math.min(table.rows, Math.ceil((wanted * table.rows) / Math.max(1, rowsLeft(plan) * kept)));
}

function walkCost({ conjuncts }: Plan, { sorted }: OrderedIndex, rows: number, table: Table): number {
  const columns = new Set(conjuncts.flatMap((conjunct) => conjunct.columns));
  const decoded = [...columns].reduce((sum, name) => {
    const { chunkRows, bytesPerRow } = table.columns.get(name)!;
    const chunks = sorted ? Math.ceil(rows / chunkRows) : rows;
    return sum + Math.min(chunks * chunkRows, table.rows) * bytesPerRow;
  }, 0);
  const work = conjuncts.reduce((sum, { expr }) => sum + effort(expr), WALK_COST);
  return decoded + rows * work;
}

function sortCost(plan: Plan, { column }: OrderedIndex, table: Table): number {
  const columns = new Set([column, ...plan.conjuncts.flatMap((conjunct) => conjunct.columns)]);
  const left = rowsLeft(plan);
  const decoded = [...columns].reduce((sum, name) => {
    const { chunkRows, bytesPerRow } = table.columns.get(name)!;
    return sum + Math.min(chunksTouched(plan, chunkRows) * chunkRows, table.rows) * bytesPerRow;
  }, 0);
  return decoded + left * plan.conjuncts.reduce((sum, { expr }) => sum + effort(expr), SORT_COST);
}
