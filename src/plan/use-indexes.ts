/** A plan narrowed by what indexes know. */
import { ZarrsiftError } from "../errors.ts";
import type { Index, IndexSet } from "../index/api.ts";
import type { ReadOptions } from "../store/store.ts";
import type { Table } from "../table/table.ts";
import type { Conjunct, Plan, ProbeStep } from "./make-plan.ts";
import {
  type Found,
  isUnusable,
  measured,
  type Narrowed,
  type Probe,
  probeOf,
  type Relied,
} from "./probe.ts";
import { intersection, union } from "./row-sets.ts";
import { type RowSet, rowCount } from "./rows.ts";

/** An index is asked where it keeps at most this share of the rows: beyond that a scan reads about as much. */
const WORTH_SHARE = 0.3;

/**
 * Asks indexes which rows can meet the plan's conditions, the ones that cost least first. Conditions that an index
 * answers whole are gone from the result; rows that an index does not cover stay candidates and are tested.
 */
export async function useIndexes(
  plan: Plan,
  table: Table,
  { indexes }: IndexSet,
  options: ReadOptions = {},
): Promise<Narrowed> {
  const used: Index[] = [];
  let narrowed = plan;
  if (plan.to - plan.from === 0) return { plan, used };
  for (const conjunct of plan.conjuncts) {
    const probe = probeOf(conjunct.expr, indexes);
    if (!probe) continue;
    const {
      result: asked,
      traffic,
      ms,
    } = await measured(options, (reading) => ask(probe, conjunct, table, reading));
    const step: ProbeStep = {
      kind: "index",
      text: conjunct.text,
      column: conjunct.columns.join(", "),
      index: probe.indexes.map(({ path }) => path).join(", "),
      state: asked.state,
      why: asked.why,
      rows: asked.found && rowCount(asked.found.rows),
      ...traffic,
      ms,
    };
    narrowed = { ...narrowed, probes: [...narrowed.probes, step] };
    if (!asked.found) continue;
    narrowed = applied(narrowed, conjunct, asked.found, covered(probe), table.rows);
    used.push(...probe.indexes);
  }
  return { plan: narrowed, used };
}

/** The first of `used` that is stale by now. */
export async function firstStale(used: readonly Relied[], options: ReadOptions): Promise<Relied | undefined> {
  for (const index of used) if ((await index.state(options)).state === "stale") return index;
  return undefined;
}

/** `index_unusable`: rows were given out that rest on an index which is not true any more. */
export function turnedStale({ path, column }: Relied): ZarrsiftError {
  return new ZarrsiftError(
    "index_unusable",
    `${path} no longer agrees with column ${column}, which was found while the answer was under way; ` +
      "ask again, which goes without it, and run zarrsift index to bring it up to date",
    { details: { index: path, column } },
  );
}

/** Rows that all indexes of a probe cover. */
const covered = ({ indexes }: Probe): number =>
  indexes.reduce((least, index) => Math.min(least, index.covered), Number.POSITIVE_INFINITY);

interface Asked {
  state: ProbeStep["state"];
  why: string;
  found?: Found;
}

async function ask(probe: Probe, conjunct: Conjunct, table: Table, options: ReadOptions): Promise<Asked> {
  try {
    let state: ProbeStep["state"] = "verified";
    for (const index of probe.indexes) {
      const own = await index.state(options);
      if (own.state === "stale") return { state: "stale", why: own.why };
      if (own.state === "unverified") state = "unverified";
    }
    const { rows, bytes } = await probe.estimate(options);
    const scanned = table.rows * perRow(conjunct, table);
    if (rows > WORTH_SHARE * table.rows || bytes >= scanned)
      return {
        state: "unused",
        why: `about ${Math.round(rows)} rows and ${Math.round(bytes)} bytes, no less than a scan`,
      };
    const found = await probe.find(options);
    return { state, why: conjunct.text, found };
  } catch (error) {
    if (!isUnusable(error)) throw error;
    return { state: "stale", why: (error as Error).message };
  }
}

function perRow({ columns }: Conjunct, table: Table): number {
  return columns.reduce((sum, name) => sum + table.columns.get(name)!.bytesPerRow, 0);
}

function applied(plan: Plan, conjunct: Conjunct, found: Found, least: number, rows: number): Plan {
  const inside = intersection(found.rows, { from: 0, to: least });
  const later = { from: Math.min(least, rows), to: rows };
  const possible = union(inside, later);
  const candidates = intersection(possible, plan.candidates ?? { from: plan.from, to: plan.to });
  const whole = found.sure === undefined && least >= rows;
  const conjuncts = plan.conjuncts.flatMap((other) => {
    if (other.expr !== conjunct.expr) return [other];
    return whole ? [] : [{ ...other, sure: numbers(found.sure ?? inside, least) }];
  });
  return { ...plan, conjuncts, candidates };
}

function numbers(rows: RowSet, below: number): Float64Array {
  const known = intersection(rows, { from: 0, to: below });
  if (known instanceof Float64Array) return known;
  return Float64Array.from({ length: known.to - known.from }, (_, i) => known.from + i);
}
