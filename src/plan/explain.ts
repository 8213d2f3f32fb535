/** Plans as EXPLAIN shows them. */
import type { Table } from "../table/table.ts";
import type { Grouping } from "./bind/group.ts";
import { rowsLeft } from "./indexes/row-sets.ts";
import type { Plan, ProbeStep } from "./make-plan.ts";
import { columnsOfGrouping, groupsWanted } from "./run/run-groups.ts";
import { columnsNeeded } from "./run/scan.ts";
import type { Done, Trace } from "./run/trace.ts";

/** One step; counts are null where the plan was not run. */
export interface ExplainStep {
  step: string;
  /** Columns it reads, separated by commas. */
  column: string | null;
  /** Path of the index it uses. */
  index: string | null;
  state: "verified" | "unverified" | "stale" | "unused" | null;
  why: string;
  rows_in: number | null;
  rows_out: number | null;
  requests: number | null;
  bytes: number | null;
  ms: number | null;
}

/** Space and comments. Each way to read it is the only one: a long row of comments must not be tried in all groupings. */
const GAP = /(?:\s|--[^\n]*\n|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)/.source;
const EXPLAIN = new RegExp(`^${GAP}*EXPLAIN\\b(${GAP}+ANALY[SZ]E\\b)?`, "i");

/** What EXPLAIN in front of the SQL asks for, without reading the rest. */
export function explainOf(sql: string): "plan" | "analyze" | undefined {
  const match = EXPLAIN.exec(sql);
  return match ? (match[1] ? "analyze" : "plan") : undefined;
}

/** The steps of a plan, with what `trace` has seen of each. */
export function explainPlan(plan: Plan, table: Table, trace?: Trace): ExplainStep[] {
  const done = (step: string) => (trace ? measured(trace.done.get(step)) : {});
  const steps = [...plan.probes.map((probe) => probeStep(probe, table)), scanStep(plan, table)];
  plan.conjuncts.forEach((conjunct, i) => {
    steps.push({ ...blank("filter", conjunct.columns, filterWhy(conjunct)), ...done(`filter ${i}`) });
  });
  steps.push(...plan.groups.flatMap((_, i) => groupSteps(plan, i, done)));
  const rowByRow = plan.groups.length === 0;
  const sortColumns = rowByRow ? columnsNeeded(plan.orderBy) : [];
  if (plan.orderBy.length > 0) steps.push({ ...blank("sort", sortColumns, sortWhy(plan)), ...done("sort") });
  if (plan.limit !== undefined || plan.offset > 0) steps.push(blank("limit", [], limitWhy(plan)));
  const read = new Set(plan.conjuncts.flatMap(({ columns }) => columns));
  const outputColumns = rowByRow ? columnsNeeded(plan.items) : [];
  const late = outputColumns.filter((name) => !read.has(name));
  const why =
    late.length > 0 ? `${late.join(", ")} read late, for rows of the answer only` : "nothing more to read";
  steps.push({ ...blank("output", outputColumns, why), ...done("output") });
  return steps;
}

/** GROUP BY with its aggregates, or DISTINCT; then HAVING, which is not measured on its own. */
function groupSteps(plan: Plan, i: number, done: (step: string) => Partial<ExplainStep>): ExplainStep[] {
  const grouping = plan.groups[i]!;
  const { step, having } = grouping;
  const columns = i === 0 ? columnsOfGrouping(grouping) : [];
  const steps = [{ ...blank(step, columns, groupWhy(plan, grouping)), ...done(step) }];
  return having ? [...steps, blank("having", [], having.text)] : steps;
}

function groupWhy(plan: Plan, { step, keys, aggregates }: Grouping): string {
  const by = keys.map(({ text }) => text).join(", ");
  const wanted = groupsWanted(plan);
  if (step === "distinct")
    return wanted === undefined ? by : `${by}; the scan stops when ${wanted} are found`;
  const what = aggregates.map(({ text }) => text).join(", ");
  return [what, by && `by ${by}`].filter(Boolean).join(" ") || "one group";
}

function blank(step: string, columns: readonly string[], why: string): ExplainStep {
  const nothing = {
    index: null,
    state: null,
    rows_in: null,
    rows_out: null,
    requests: null,
    bytes: null,
    ms: null,
  };
  return { step, column: columns.join(", ") || null, why, ...nothing };
}

function measured(done: Done | undefined): Partial<ExplainStep> {
  const { rowsIn, rowsOut, ms, requests, bytes } = done ?? {
    rowsIn: 0,
    rowsOut: 0,
    ms: 0,
    requests: 0,
    bytes: 0,
  };
  return { rows_in: rowsIn, rows_out: rowsOut, requests, bytes, ms: Math.round(ms * 1000) / 1000 };
}

function probeStep(probe: ProbeStep, table: Table): ExplainStep {
  const { kind, column, index, state, why, rows, requests, bytes, ms } = probe;
  const counts = {
    rows_in: table.rows,
    rows_out: rows ?? null,
    requests,
    bytes,
    ms: Math.round(ms * 1000) / 1000,
  };
  const left = state === "stale" || (state === "unused" && !probe.answered);
  const told = left ? `${probe.text} is left to the scan: ${why}` : why;
  return { ...blank(kind, [column], told), index, state, ...counts };
}

function scanStep(plan: Plan, table: Table): ExplainStep {
  const { from, to, backwards, because, candidates, runs, probes } = plan;
  const [walk] = plan.walks ?? (plan.walk ? [plan.walk] : []);
  if (walk) {
    const why = `rows in the order of ${walk.index.column}, until ${walk.wanted} meet the conditions`;
    return { ...blank("scan", [], why), rows_in: rowsLeft(plan) };
  }
  if (candidates || runs) {
    const left = rowsLeft(plan);
    const order = backwards ? ", from the last" : "";
    const kinds = new Set(probes.filter(({ rows }) => rows !== undefined).map(({ kind }) => kind));
    const by = [kinds.has("index") ? ["indexes"] : [], kinds.has("zones") ? ["zone maps"] : []]
      .flat()
      .join(" and ");
    return {
      ...blank("scan", [], `${left} rows that ${by} have left${order}`),
      rows_in: table.rows,
      rows_out: left,
    };
  }
  const rows = to - from;
  const which = rows === table.rows ? "all rows" : rows === 0 ? "no rows" : `rows ${from} to ${to - 1}`;
  const why = `${which}${backwards ? ", from the last" : ""}${because.length > 0 ? `: ${because.join(" AND ")}` : ""}`;
  return { ...blank("scan", [], why), rows_in: table.rows, rows_out: rows };
}

function filterWhy({ text, bytesPerRow, selectivity }: Plan["conjuncts"][number]): string {
  const cost = bytesPerRow > 0 ? `${bytesPerRow} bytes a candidate` : "nothing more to read";
  return `${text} (${cost}, keeps about ${Math.max(1, Math.round(selectivity * 100))}%)`;
}

function sortWhy({ orderBy, limit, offset }: Plan): string {
  const kept = limit === undefined ? "all rows" : `the first ${limit + offset} rows`;
  return `${orderBy.map(({ text }) => text).join(", ")}; ${kept} kept`;
}

function limitWhy({ limit, offset, orderBy, groups }: Plan): string {
  const parts = [limit === undefined ? [] : `LIMIT ${limit}`, offset > 0 ? `OFFSET ${offset}` : []]
    .flat()
    .join(" ");
  const stops = orderBy.length === 0 && groups.length === 0 && limit !== undefined;
  return stops ? `${parts}: the scan stops when they are found` : parts;
}
