/** A plan narrowed by what indexes know. */
import { ZarrsiftError } from "../../errors.ts";
import type { Estimate, Index, IndexSet, OrderedIndex } from "../../index/api.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { Table } from "../../table/table.ts";
import { BOOL } from "../../table/types.ts";
import { type Conjunct, inOrder, type Plan, type ProbeStep } from "../make-plan.ts";
import type { Found, Narrowed, Probe, ProbeOptions, Relied } from "./api.ts";
import { likeFirst, orderIndex, restCost } from "./cost.ts";
import { columnRanges } from "./key-ranges.ts";
import { isUnusable, measured, probeOf } from "./probe.ts";
import { allOf, coveringProbe, isHalfOpen } from "./probe-covering.ts";
import { intersection, restricted, rowsLeft, union } from "./row-sets.ts";

/** An index whose rows are no run is asked where it keeps at most this share of all rows. */
const WORTH_SHARE = 0.3;
/** What a row that an index finds, and a request, take, in bytes that could be decoded in the same time. */
const [ROW_COST, REQUEST_COST] = [16, 16_384];

/** A conjunct that indexes can narrow, or several that one can at once. */
interface Question {
  conjunct: Conjunct;
  /** Those of the plan that it stands for. */
  parts: readonly Conjunct[];
  probe: Probe;
  state: "verified" | "unverified";
  estimate: Estimate;
  /** What finding that out took. */
  cost: { requests: number; bytes: number; ms: number };
}

/**
 * Asks indexes which rows can meet the plan's conditions: those that find a run of rows, then those that find fewest, as
 * long as that is cheaper than testing the rows that are left. Conditions that an index answers whole are gone from the
 * result; rows that an index does not cover stay candidates and are tested.
 */
export async function useIndexes(
  plan: Plan,
  table: Table,
  { indexes }: IndexSet,
  options: ReadOptions = {},
): Promise<Narrowed> {
  if (plan.to - plan.from === 0 || indexes.length === 0) return { plan, used: [] };
  const used: Relied[] = [];
  let narrowed: Plan = { ...plan, conjuncts: boundsJoined(plan.conjuncts) };
  const tell = (step: ProbeStep) => {
    narrowed = { ...narrowed, probes: [...narrowed.probes, step] };
  };
  const questions: Question[] = [];
  for (const one of await questionsOf(narrowed, indexes, options)) {
    if ("probe" in one) questions.push(one);
    else tell(one);
  }
  narrowed = { ...narrowed, conjuncts: narrowed.conjuncts.map((each) => informed(each, questions, table)) };
  const order = orderIndex(likeFirst(plan), indexes);
  const answered = new Map<Conjunct, string>();
  for (const one of questions.sort(firstToAsk)) {
    const { parts, probe } = one;
    const by = parts.map((part) => answered.get(part));
    if (by.every((index) => index !== undefined)) {
      tell(answeredStep(one, by[0]!));
      continue;
    }
    const asked = await ask(one, narrowed, table, order, options);
    if (asked.found) {
      const least = probe.indexes.reduce((rows, index) => Math.min(rows, index.covered), table.rows);
      narrowed = applied(narrowed, parts, asked.found, least, table.rows);
      used.push(...probe.indexes);
      if (asked.found.sure === undefined) for (const part of parts) answered.set(part, asked.step.index);
    }
    tell({ ...asked.step, rows: asked.found && rowsLeft(narrowed) });
  }
  return { plan: { ...narrowed, conjuncts: inOrder(narrowed.conjuncts, table) }, used };
}

/** Bounds of one column's texts as one conjunct: together they leave far fewer rows than each of them. */
function boundsJoined(conjuncts: readonly Conjunct[]): Conjunct[] {
  const joined: Conjunct[] = [];
  const isBound = ({ expr }: Conjunct) =>
    expr.node === "and" || (expr.node === "compare" && expr.op !== "=") ? columnRanges(expr) : undefined;
  for (const conjunct of conjuncts) {
    const own = isBound(conjunct);
    const at = own ? joined.findIndex((other) => isBound(other)?.column === own.column) : -1;
    const other = joined[at];
    if (!other) joined.push(conjunct);
    else
      joined[at] = {
        ...other,
        expr: { node: "and", operands: [other.expr, conjunct.expr], type: BOOL, at: other.expr.at },
        text: `${other.text} AND ${conjunct.text}`,
        selectivity: other.selectivity * conjunct.selectivity,
      };
  }
  return joined;
}

/** A conjunct that keeps as many rows as an index says. */
function informed(conjunct: Conjunct, questions: readonly Question[], table: Table): Conjunct {
  const known = questions.find((question) => question.conjunct === conjunct);
  return known
    ? { ...conjunct, selectivity: Math.min(1, Math.max(1, known.estimate.rows) / table.rows) }
    : conjunct;
}

const firstToAsk = (a: Question, b: Question) =>
  Number(b.probe.run) - Number(a.probe.run) || a.estimate.rows - b.estimate.rows;

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

/** What indexes could say about each conjunct, estimated side by side; those that cannot are told as steps. */
async function questionsOf(
  plan: Plan,
  indexes: readonly Index[],
  options: ReadOptions,
): Promise<(Question | ProbeStep)[]> {
  const reading = { ...options, among: { from: plan.from, to: plan.to } };
  const boxes = coveringProbe(
    plan.conjuncts.map(({ expr }) => expr),
    indexes,
    2,
  );
  const parts = plan.conjuncts.filter(({ expr }) => boxes?.answered.includes(expr));
  const joint = boxes && question(allOf(parts), parts, boxes.probe, reading);
  const single = plan.conjuncts.map(async (conjunct) => {
    const probe = probeOf(conjunct.expr, indexes);
    if (!probe) return [];
    // Half of all values, which one question to the boxes has a better answer to.
    if (parts.includes(conjunct) && isHalfOpen(conjunct.expr) && "probe" in (await joint!)) return [];
    return [await question(conjunct, [conjunct], probe, reading)];
  });
  return (await Promise.all([...single, ...(joint ? [joint.then((one) => [one])] : [])])).flat();
}

async function question(
  conjunct: Conjunct,
  parts: readonly Conjunct[],
  probe: Probe,
  options: ProbeOptions,
): Promise<Question | ProbeStep> {
  const { result, traffic, ms } = await measured(options, async (reading) => {
    const [state, estimate] = await Promise.all([
      stateOf(probe, reading),
      unlessUnusable(() => probe.estimate({ ...options, ...reading })),
    ]);
    return { ...state, estimate };
  });
  const { state, why, estimate } = result;
  const cost = { ...traffic, ms };
  if (state !== "stale" && !(estimate instanceof Error))
    return { conjunct, parts, probe, state, estimate, cost };
  const told = estimate instanceof Error ? estimate.message : why;
  return { ...stepOf(conjunct, probe), state: "stale", why: told, ...cost };
}

async function unlessUnusable<T>(work: () => Promise<T>): Promise<T | Error> {
  return work().catch((error: unknown) => {
    if (!isUnusable(error)) throw error;
    return error as Error;
  });
}

async function stateOf(
  { indexes }: Probe,
  options: ReadOptions,
): Promise<{ state: "verified" | "unverified" | "stale"; why: string }> {
  let state: "verified" | "unverified" = "verified";
  for (const index of indexes) {
    const own = await unlessUnusable(() => index.state(options));
    if (own instanceof Error) return { state: "stale", why: own.message };
    if (own.state === "stale") return { state: "stale", why: own.why };
    if (own.state === "unverified") state = "unverified";
  }
  return { state, why: "" };
}

const stepOf = (conjunct: Conjunct, probe: Probe) => ({
  kind: "index" as const,
  text: conjunct.text,
  column: conjunct.columns.join(", "),
  index: probe.indexes.map(({ path }) => path).join(", "),
  rows: undefined,
});

/** A question that another index has answered already. */
function answeredStep({ conjunct, probe, cost }: Question, by: string): ProbeStep {
  const why = `${conjunct.text}: ${by} has answered it`;
  return { ...stepOf(conjunct, probe), ...cost, state: "unused", answered: true, why };
}

interface Asked {
  step: ProbeStep;
  found?: Found;
}

async function ask(
  question: Question,
  plan: Plan,
  table: Table,
  order: OrderedIndex | undefined,
  options: ReadOptions,
): Promise<Asked> {
  const { conjunct, probe, state, cost } = question;
  const among = plan.candidates ?? { from: plan.from, to: plan.to };
  const { result, traffic, ms } = await measured(options, async (reading) => {
    const again = probe.within && plan.candidates !== undefined;
    const estimate = again
      ? await unlessUnusable(() => probe.estimate({ ...reading, among }))
      : question.estimate;
    if (estimate instanceof Error) return estimate;
    const unworthy = notWorth(question, estimate, plan, table, order);
    if (unworthy) return unworthy;
    return unlessUnusable(() => probe.find({ ...reading, among }));
  });
  const step = {
    ...stepOf(conjunct, probe),
    requests: cost.requests + traffic.requests,
    bytes: cost.bytes + traffic.bytes,
    ms: cost.ms + ms,
  };
  if (result instanceof Error) return { step: { ...step, state: "stale", why: result.message } };
  if (typeof result === "string") return { step: { ...step, state: "unused", why: result } };
  return { step: { ...step, state, why: conjunct.text }, found: result };
}

/** Why an index is not asked: testing the rows that are left reads less. */
function notWorth(
  { parts, probe }: Question,
  estimate: Estimate,
  plan: Plan,
  table: Table,
  order: OrderedIndex | undefined,
): string | undefined {
  if (probe.run) return undefined;
  const { rows, requests, bytes } = estimate;
  const about = `about ${Math.round(rows)} rows and ${Math.round(bytes)} bytes`;
  if (rows > WORTH_SHARE * table.rows) return `${about}, no less than a scan`;
  const others = plan.conjuncts.filter((other) => !standsFor(parts, other));
  const costed = likeFirst(plan);
  const now = restCost(costed, table, order);
  const then = restCost({ ...costed, ...spread(plan, rows), conjuncts: others }, table, order);
  const cost = bytes + REQUEST_COST * requests + ROW_COST * rows;
  if (cost < now - then) return undefined;
  return `${about}, no less than testing the ${rowsLeft(plan)} rows that are left`;
}

/** A plan's rows if so many of them were left, evenly. */
function spread(plan: Plan, rows: number): { candidates: Float64Array } | object {
  const left = rowsLeft(plan);
  if (rows >= left || rows > 10_000) return {};
  const { from, to } = plan.candidates instanceof Float64Array || !plan.candidates ? plan : plan.candidates;
  return { candidates: Float64Array.from({ length: rows }, (_, i) => from + ((to - from) * i) / rows) };
}

const standsFor = (parts: readonly Conjunct[], { expr }: Conjunct): boolean =>
  parts.some((part) => part.expr === expr);

function applied(plan: Plan, parts: readonly Conjunct[], found: Found, least: number, rows: number): Plan {
  const inside = intersection(found.rows, { from: 0, to: least });
  const later = { from: Math.min(least, rows), to: rows };
  const possible =
    inside instanceof Float64Array
      ? union(inside, later)
      : [inside, later].filter((run) => run.to > run.from);
  const whole = found.sure === undefined && least >= rows;
  const known = found.sure ? intersection(found.sure, { from: 0, to: least }) : inside;
  const sure = known instanceof Float64Array ? { sure: known } : { holds: [known] };
  const conjuncts = plan.conjuncts.flatMap((other) => {
    if (!standsFor(parts, other)) return [other];
    return whole ? [] : [{ ...other, ...sure }];
  });
  return { ...restricted(plan, possible), conjuncts };
}
