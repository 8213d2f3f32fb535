/** count, min and max of chunks that zone maps know: only the others are read. */
import type { ZoneMap } from "../../index/api.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { Table } from "../../table/table.ts";
import type { CellValue } from "../../table/vector.ts";
import type { Aggregate } from "../bind/group.ts";
import { vectorOf } from "../eval/vectors.ts";
import type { Known, Plan } from "../make-plan.ts";
import type { Runs } from "../run/rows.ts";
import type { Narrowed } from "./api.ts";
import { measured } from "./probe.ts";
import { restricted, rowsLeft } from "./row-sets.ts";
import { loadZones } from "./use-zones.ts";
import type { KnownZones, Zone } from "./zones.ts";

/** Takes from the plan the chunks whose rows all meet its conditions and of which the aggregates are known. */
export async function useKnown(
  narrowed: Narrowed,
  table: Table,
  zones: ReadonlyMap<string, ZoneMap>,
  options: ReadOptions,
): Promise<Narrowed> {
  const { plan, used } = narrowed;
  const [grouping] = plan.groups;
  if (grouping?.keys.length !== 0 || plan.known || plan.candidates instanceof Float64Array) return narrowed;
  const { aggregates } = grouping;
  const columns = columnsOfAll(aggregates);
  if (!columns || !aggregates.every((each) => !each.distinct) || columns.length === 0) return narrowed;
  const maps = columns.flatMap((name) => zones.get(name) ?? []);
  const lengths = new Set(columns.map((name) => table.columns.get(name)!.chunkRows));
  const sure = surelyMet(plan);
  if (maps.length < columns.length || lengths.size !== 1 || sure.length === 0) return narrowed;
  const { result, traffic, ms } = await measured(options, (reading) => loadZones(maps, table, reading));
  if (result.known.size < columns.length) return narrowed;
  const [chunkRows] = lengths as unknown as [number];
  const { known, rest, chunks } = collected(aggregates, result.known, sure, plan, chunkRows);
  if (chunks === 0) return narrowed;
  const left = restricted(plan, rest);
  const text = aggregates.map((aggregate) => aggregate.text).join(", ");
  const step = {
    kind: "zones" as const,
    text,
    column: columns.join(", "),
    index: maps.map(({ path }) => path).join(", "),
    state: result.state,
    why: `${text}: known of ${chunks} chunks`,
    rows: rowsLeft(left),
    ...traffic,
    ms,
  };
  return { plan: { ...left, known, probes: [...plan.probes, step] }, used: [...used, ...maps] };
}

/** Columns that counts, minima and maxima are of; undefined where something else is wanted. */
function columnsOfAll(aggregates: readonly Aggregate[]): string[] | undefined {
  const names = new Set<string>();
  for (const { fn, arg } of aggregates) {
    if (fn !== "count" && fn !== "min" && fn !== "max") return undefined;
    if (!arg) continue;
    if (arg.node !== "column" || arg.type.kind === "geometry") return undefined;
    names.add(arg.name);
  }
  return [...names];
}

/** Runs of rows that meet all conditions. */
function surelyMet(plan: Plan): Runs {
  const lies = plan.candidates as { from: number; to: number } | undefined;
  const all = plan.runs ?? [lies ?? { from: plan.from, to: plan.to }];
  let met: Plan = restricted(plan, all);
  for (const { holds } of plan.conjuncts) {
    if (!holds) return [];
    met = restricted(met, holds);
  }
  return met.runs ?? [met.candidates as { from: number; to: number }];
}

function collected(
  aggregates: readonly Aggregate[],
  zones: ReadonlyMap<string, KnownZones>,
  sure: Runs,
  plan: Plan,
  chunkRows: number,
): { known: Known; rest: Runs; chunks: number } {
  const known: Known = { rows: 0, counts: aggregates.map(() => 0), values: [] };
  const cells: CellValue[][] = aggregates.map(() => []);
  const taken: Runs = [];
  let chunks = 0;
  for (const run of sure) {
    for (let chunk = Math.ceil(run.from / chunkRows); chunk * chunkRows < run.to; chunk++) {
      const parts = aggregates.map(({ arg }) =>
        arg?.node === "column" ? zones.get(arg.name)!.zone(chunk) : undefined,
      );
      const rows = parts.find((part) => part)?.rows;
      if (rows === undefined || chunk * chunkRows + rows > run.to) continue;
      if (!aggregates.every(({ fn, arg }, i) => !arg || says(fn, parts[i]))) continue;
      aggregates.forEach(({ fn }, i) => {
        const zone = parts[i];
        if (fn === "count") known.counts[i]! += rows - (zone?.nulls ?? 0);
        else cells[i]!.push(...bounds(zone!));
      });
      known.rows += rows;
      taken.push({ from: chunk * chunkRows, to: chunk * chunkRows + rows });
      chunks++;
    }
  }
  known.values = aggregates.map(({ fn, arg }, i) =>
    fn === "count" ? undefined : vectorOf(arg!.type, cells[i]!),
  );
  return { known, rest: without(plan, taken), chunks };
}

function says(fn: string, zone: Zone | undefined): boolean {
  if (!zone) return false;
  return fn === "count" || zone.nulls >= zone.rows || zone.exact;
}

function bounds({ nulls, rows, numbers, texts }: Zone): CellValue[] {
  if (nulls >= rows) return [];
  return numbers ? [numbers.low, numbers.high] : texts ? [texts.low, texts.high!] : [];
}

/** The runs of a plan without some, which lie within them and ascend. */
function without(plan: Plan, taken: Runs): Runs {
  const lies = plan.candidates as { from: number; to: number } | undefined;
  const rest: Runs = [];
  let k = 0;
  for (const run of plan.runs ?? [lies ?? { from: plan.from, to: plan.to }]) {
    let { from } = run;
    for (; k < taken.length && taken[k]!.from < run.to; k++) {
      if (taken[k]!.from > from) rest.push({ from, to: taken[k]!.from });
      from = taken[k]!.to;
    }
    if (from < run.to) rest.push({ from, to: run.to });
  }
  return rest;
}
