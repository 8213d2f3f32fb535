/** count(*) of rows that an index can count without naming them. */
import type { IndexSet } from "../../index/api.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { Table } from "../../table/table.ts";
import type { BoundExpr } from "../bind/bound.ts";
import type { Aggregate } from "../bind/group.ts";
import type { Known, Plan } from "../make-plan.ts";
import type { Narrowed, Probe } from "./api.ts";
import { isUnusable, measured, probeOf } from "./probe.ts";
import { restricted } from "./row-sets.ts";

/** Where all that is wanted is how many rows meet one condition: the index counts those it covers, the others are scanned. */
export async function useCounts(
  plan: Plan,
  table: Table,
  { indexes }: IndexSet,
  options: ReadOptions,
): Promise<Narrowed | undefined> {
  const [condition, ...more] = plan.conjuncts;
  const [grouping] = plan.groups;
  const whole = plan.from === 0 && plan.to === table.rows;
  if (!condition || more.length > 0 || !whole || grouping?.keys.length !== 0) return undefined;
  if (!grouping.aggregates.every((each) => countsRows(each, condition.expr))) return undefined;
  const probe = probeOf(condition.expr, indexes);
  if (!probe?.count) return undefined;
  const { result, traffic, ms } = await measured(options, (reading) => counted(probe, reading));
  if (!result) return undefined;
  const [index] = probe.indexes;
  const later = { from: Math.min(index!.covered, table.rows), to: table.rows };
  const known: Known = {
    rows: result.rows,
    values: grouping.aggregates.map(() => undefined),
    counts: grouping.aggregates.map(() => result.rows),
  };
  const step = {
    kind: "index" as const,
    text: condition.text,
    column: condition.columns.join(", "),
    index: index!.path,
    state: result.state,
    why: `${condition.text}: ${result.rows} rows are counted, not named`,
    rows: later.to - later.from,
    ...traffic,
    ms,
  };
  const left = restricted(plan, later);
  return { plan: { ...left, known, probes: [...plan.probes, step] }, used: probe.indexes };
}

/** count(*), or count(x) where the condition is on x, which then has a value. */
function countsRows({ fn, arg, distinct }: Aggregate, condition: BoundExpr): boolean {
  if (fn !== "count" || distinct) return false;
  if (!arg) return true;
  const own = condition.node === "range" || condition.node === "in" ? condition.operand : undefined;
  return arg.node === "column" && own?.node === "column" && own.name === arg.name;
}

async function counted(probe: Probe, options: ReadOptions) {
  try {
    const [index] = probe.indexes;
    const { state } = await index!.state(options);
    return state === "stale" ? undefined : { state, rows: await probe.count!(options) };
  } catch (error) {
    if (!isUnusable(error)) throw error;
    return undefined;
  }
}
