/** min and max by walking an index from its ends: the rows that are first in its order decide. */
import type { IndexSet, OrderedIndex } from "../../index/api.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { Table } from "../../table/table.ts";
import type { Walk } from "../make-plan.ts";
import type { Narrowed } from "./api.ts";
import { firstBy, isExtreme, orderIndex, rowsToWalk, scanCost, walkCost } from "./cost.ts";
import { isUnusable, measured } from "./probe.ts";
import { rowsLeft } from "./row-sets.ts";

/** Lets indexes find the rows with the least and greatest values, where nothing else is wanted of the rows. */
export async function useExtremes(
  narrowed: Narrowed,
  table: Table,
  { indexes }: IndexSet,
  options: ReadOptions,
): Promise<Narrowed> {
  const { plan, used } = narrowed;
  const [grouping] = plan.groups;
  if (grouping?.keys.length !== 0 || grouping.aggregates.length === 0 || rowsLeft(plan) === 0)
    return narrowed;
  const walks: Walk[] = [];
  let cost = 0;
  for (const aggregate of grouping.aggregates) {
    const first = isExtreme(aggregate) ? firstBy(plan, aggregate) : undefined;
    const index = first && orderIndex(first, indexes);
    if (!index) return narrowed;
    cost += walkCost(first, index, table);
    const descending = aggregate.fn === "max";
    const most = 4 * rowsToWalk(first, table) + 1024;
    walks.push({ index, descending, nulls: undefined, wanted: 1, ties: false, most });
  }
  const all = { ...firstBy(plan, grouping.aggregates[0]!), limit: undefined };
  if (cost >= scanCost(all, table)) return narrowed;
  const own = [...new Set(walks.map(({ index }) => index))];
  const {
    result: states,
    traffic,
    ms,
  } = await measured(options, (reading) => Promise.all(own.map((index) => stateOf(index, reading))));
  if (states.includes("stale")) return narrowed;
  const text = grouping.aggregates.map((aggregate) => aggregate.text).join(", ");
  const step = {
    kind: "index" as const,
    text,
    column: own.map(({ column }) => column).join(", "),
    index: own.map(({ path }) => path).join(", "),
    state: states.includes("unverified") ? ("unverified" as const) : ("verified" as const),
    why: `${text}: the first rows in order that meet the conditions`,
    rows: undefined,
    ...traffic,
    ms,
  };
  return { plan: { ...plan, walks, probes: [...plan.probes, step] }, used: [...used, ...own] };
}

async function stateOf(index: OrderedIndex, options: ReadOptions) {
  try {
    return (await index.state(options)).state;
  } catch (error) {
    if (!isUnusable(error)) throw error;
    return "stale" as const;
  }
}
