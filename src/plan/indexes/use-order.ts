/** ORDER BY … LIMIT by the head of an index, where that costs less than sorting what a scan finds. */
import type { IndexSet, OrderedIndex } from "../../index/api.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { Table } from "../../table/table.ts";
import type { ProbeStep, Walk } from "../make-plan.ts";
import type { Narrowed } from "./api.ts";
import { orderIndex, rowsToWalk, scanCost, walkCost } from "./cost.ts";
import { isUnusable, measured } from "./probe.ts";
import { rowsLeft } from "./row-sets.ts";

/** Lets an index give the order, where the first sort key is its column and LIMIT leaves most rows out. */
export async function useOrder(
  narrowed: Narrowed,
  table: Table,
  { indexes }: IndexSet,
  options: ReadOptions = {},
): Promise<Narrowed> {
  const { plan, used } = narrowed;
  const [first, ...more] = plan.orderBy;
  const index = orderIndex(plan, indexes);
  const wanted = (plan.limit ?? 0) + plan.offset;
  if (!first || !index || wanted === 0 || rowsLeft(plan) === 0) return narrowed;
  const expected = rowsToWalk(plan, table);
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
  const worth = walkCost(plan, index, table) < scanCost(plan, table);
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

async function stateOf(index: OrderedIndex, options: ReadOptions) {
  try {
    return await index.state(options);
  } catch (error) {
    if (!isUnusable(error)) throw error;
    return { state: "stale" as const, why: (error as Error).message };
  }
}
