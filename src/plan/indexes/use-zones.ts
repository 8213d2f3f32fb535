/** A plan narrowed by what is known of chunks: those that no row of can match are not read. */
import type { ZoneMap } from "../../index/api.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { Table } from "../../table/table.ts";
import type { Conjunct, Plan } from "../make-plan.ts";
import type { Runs } from "../run/rows.ts";
import type { Narrowed, Relied } from "./api.ts";
import { MAY_TRUE, type Possible, possibleTruths } from "./possible.ts";
import { isUnusable, measured } from "./probe.ts";
import { chunksTouched, countRuns, restricted, rowsLeft } from "./row-sets.ts";
import { type KnownZones, storedZones } from "./zones.ts";

/**
 * Leaves out the rows of chunks in which a condition cannot be true, and marks those in which it surely is. A zone map
 * is loaded where its condition would read two chunks or more.
 */
export async function useZones(
  { plan, used }: Narrowed,
  table: Table,
  zones: ReadonlyMap<string, ZoneMap>,
  options: ReadOptions = {},
): Promise<Narrowed> {
  const relied: Relied[] = [...used];
  let narrowed = plan;
  for (const conjunct of zones.size === 0 ? [] : plan.conjuncts) {
    const maps = mapsFor(conjunct, narrowed, table, zones);
    if (maps.length === 0) continue;
    const { result, traffic, ms } = await measured(options, (reading) => loadZones(maps, table, reading));
    const { known, state, why } = result;
    const found = known.size > 0 ? judge(conjunct, narrowed, known) : undefined;
    const says = found && found.chunks.none + found.chunks.all > 0;
    const left = says ? applied(narrowed, conjunct, found) : undefined;
    const step = {
      kind: "zones" as const,
      text: conjunct.text,
      column: maps.map(({ column }) => column).join(", "),
      index: maps.map(({ path }) => path).join(", "),
      state,
      why: found ? `${conjunct.text}: ${told(found, conjunct, table)}` : why,
      rows: left && rowsLeft(left),
      ...traffic,
      ms,
    };
    narrowed = { ...(left ?? narrowed), probes: [...narrowed.probes, step] };
    if (found && found.chunks.none + found.chunks.all > 0)
      relied.push(...maps.filter(({ column }) => known.has(column)));
  }
  return { plan: narrowed, used: relied };
}

/** The zone maps that may say something about a condition, where that spares more than they take. */
function mapsFor(
  { expr, sure, holds }: Conjunct,
  plan: Plan,
  table: Table,
  zones: ReadonlyMap<string, ZoneMap>,
): ZoneMap[] {
  // An index has said more already.
  if (sure || holds) return [];
  const asked = new Set<string>();
  possibleTruths(expr, (name) => {
    asked.add(name);
    return undefined;
  });
  return [...asked].flatMap((name) => {
    const map = zones.get(name);
    const { chunkRows } = table.columns.get(name)!;
    return map && map.chunks > 0 && chunksTouched(plan, chunkRows, 2) > 1 ? [map] : [];
  });
}

interface Loaded {
  known: Map<string, KnownZones>;
  state: "verified" | "unverified" | "stale";
  /** Where nothing is known. */
  why: string;
}

/** The zones of the columns that are not stale. */
export async function loadZones(
  maps: readonly ZoneMap[],
  table: Table,
  options: ReadOptions,
): Promise<Loaded> {
  const loaded: Loaded = { known: new Map(), state: "verified", why: "" };
  for (const map of maps) {
    try {
      const { state, why } = await map.state(options);
      if (state === "stale") loaded.why = why;
      else {
        loaded.known.set(map.column, await storedZones(map, table.columns.get(map.column)!, table, options));
        if (state === "unverified") loaded.state = state;
      }
    } catch (error) {
      if (!isUnusable(error)) throw error;
      loaded.why = (error as Error).message;
    }
  }
  return loaded.known.size === 0 ? { ...loaded, state: "stale" } : loaded;
}

interface Found {
  /** Rows that the condition may hold for, and those of them that it surely holds for. */
  left: Runs;
  sure: Runs;
  /** How many pieces, cut where chunks end, there were, and of them: without a match, with nothing else. */
  chunks: { of: number; none: number; all: number };
}

function judge({ expr }: Conjunct, plan: Plan, known: ReadonlyMap<string, KnownZones>): Found {
  const possible: Possible = possibleTruths(expr, (name) => known.get(name));
  const lengths = [...known.values()].map(({ chunkRows }) => chunkRows);
  const found = { left: [] as Runs, sure: [] as Runs, chunks: { of: 0, none: 0, all: 0 } };
  const lies = plan.candidates instanceof Float64Array ? undefined : plan.candidates;
  const runs = plan.runs ?? [lies ?? { from: plan.from, to: plan.to }];
  for (const run of runs) {
    for (let from = run.from; from < run.to; ) {
      const to = lengths.reduce((end, rows) => Math.min(end, (Math.floor(from / rows) + 1) * rows), run.to);
      const truths = possible(from, to);
      found.chunks.of++;
      if (truths & MAY_TRUE) extend(found.left, from, to);
      else found.chunks.none++;
      if (truths === MAY_TRUE) {
        extend(found.sure, from, to);
        found.chunks.all++;
      }
      from = to;
    }
  }
  return found;
}

function extend(runs: Runs, from: number, to: number): void {
  const last = runs.at(-1);
  if (last?.to === from) last.to = to;
  else runs.push({ from, to });
}

function applied(plan: Plan, conjunct: Conjunct, { left, sure }: Found): Plan {
  const whole = countRuns(sure) === countRuns(left);
  const conjuncts = plan.conjuncts.flatMap((other) => {
    if (other.expr !== conjunct.expr) return [other];
    return whole ? [] : [{ ...other, holds: sure }];
  });
  return { ...restricted(plan, left), conjuncts };
}

function told({ chunks, sure, left }: Found, { columns }: Conjunct, table: Table): string {
  const same = new Set(columns.map((name) => table.columns.get(name)!.chunkRows)).size === 1;
  const unit = same ? "chunks" : "pieces of chunks";
  const ruled = `no row of ${chunks.none} of ${chunks.of} ${unit} meets it`;
  if (countRuns(left) > 0 && countRuns(sure) === countRuns(left)) return `${ruled}, all of the others do`;
  return chunks.all > 0 ? `${ruled}, all rows of ${chunks.all} do` : ruled;
}
