/** min and max by walking an index from its ends: the rows that are first in its order decide. */
import type { Index, IndexSet, OrderedIndex } from "../index/api.ts";
import type { ReadOptions } from "../store/store.ts";
import type { Table } from "../table/table.ts";
import type { Aggregate } from "./bind-group.ts";
import { rowsToWalk, scanCost, walkCost } from "./cost.ts";
import type { Plan, Walk } from "./make-plan.ts";
import { isUnusable, measured, type Narrowed } from "./probe.ts";
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
    const index = indexOf(aggregate, indexes);
    if (!index) return narrowed;
    const first = likeFirst(plan, aggregate);
    cost += walkCost(first, index, table);
    const descending = aggregate.fn === "max";
    const most = 4 * rowsToWalk(first, table) + 1024;
    walks.push({ index, descending, nulls: undefined, wanted: 1, ties: false, most });
  }
  if (cost >= scanCost(likeFirst(plan, grouping.aggregates[0]!, undefined), table)) return narrowed;
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

function indexOf({ fn, arg }: Aggregate, indexes: readonly Index[]): OrderedIndex | undefined {
  if ((fn !== "min" && fn !== "max") || arg?.node !== "column") return undefined;
  const found = indexes.find((one) => one.column === arg.name && one.kind === "btree");
  return found?.kind === "btree" ? found : undefined;
}

/** The plan as if it asked for the first row by an aggregate's argument; for what it costs. */
function likeFirst(plan: Plan, { arg, fn, text }: Aggregate, limit: number | undefined = 1): Plan {
  const key = { expr: arg!, descending: fn === "max", nullsFirst: false, text };
  return { ...plan, groups: [], orderBy: [key], limit, offset: 0 };
}

async function stateOf(index: OrderedIndex, options: ReadOptions) {
  try {
    return (await index.state(options)).state;
  } catch (error) {
    if (!isUnusable(error)) throw error;
    return "stale" as const;
  }
}
