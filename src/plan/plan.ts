/** SQL → queries that can be explained and run. */
import { ZarrsiftError } from "../errors.ts";
import type { IndexSet } from "../index/api.ts";
import type { Select } from "../sql/ast.ts";
import { sqlError } from "../sql/messages.ts";
import { parseSelect } from "../sql/parse.ts";
import { children } from "../sql/walk.ts";
import type { ReadOptions } from "../store/store.ts";
import type { Table } from "../table/table.ts";
import type { Batch, OutputColumn, QueryOptions } from "./api.ts";
import { normalized, type Scope } from "./bind/expr.ts";
import { STORED_IDX, unknownColumn } from "./bind/names.ts";
import { optionConditions } from "./bind/option-conditions.ts";
import {
  type BoundQuery,
  bindConditions,
  bindSelect,
  columnItem,
  idxItem,
  isRowQuery,
  type OutputItem,
} from "./bind/select.ts";
import { type ExplainStep, explainPlan } from "./explain.ts";
import type { Narrowed } from "./indexes/api.ts";
import { useCounts } from "./indexes/use-counts.ts";
import { useExtremes } from "./indexes/use-extremes.ts";
import { firstStale, turnedStale, useIndexes } from "./indexes/use-indexes.ts";
import { useKnown } from "./indexes/use-known.ts";
import { useOrder } from "./indexes/use-order.ts";
import { useZones } from "./indexes/use-zones.ts";
import { makePlan, type Plan } from "./make-plan.ts";
import { matchingRows, projectRows, runPlan } from "./run/execute.ts";
import { Trace } from "./run/trace.ts";

export type { ExplainStep } from "./explain.ts";
export type { Plan } from "./make-plan.ts";

export interface PlanOptions extends QueryOptions {
  /** Refuse queries whose rows are not rows of the table with `not_a_row_query`, before anything else; default false. */
  rowsOnly?: boolean;
  /** Leave conditions as they are written, where the plan would turn them into ranges of columns; default false. */
  asWritten?: boolean;
  /** Opens the table's indexes, for queries that may use some; default: there are none. */
  indexes?: ((options: ReadOptions) => Promise<IndexSet>) | undefined;
  /** What `now()` is, in microseconds since 1970; default: the clock. */
  now?: bigint;
}

/** A query that is known to be right; nothing has been read. */
export class Query {
  readonly columns: OutputColumn[];
  /** Whether each row of the answer is a row of the table. */
  readonly rowQuery: boolean;
  /** What the SQL selects: `idx` alone, `*` alone, or a list. */
  readonly selects: "idx" | "star" | "list";
  /** EXPLAIN in front of the SQL. */
  readonly explains: "plan" | "analyze" | undefined;
  readonly plan: Plan;
  readonly #table: Table;
  readonly #select: Select;
  readonly #indexes: PlanOptions["indexes"];

  constructor(select: Select, plan: Plan, table: Table, indexes?: PlanOptions["indexes"]) {
    this.#select = select;
    this.#indexes = indexes;
    this.plan = plan;
    this.#table = table;
    this.columns = plan.items.map(({ expr: _, ...column }) => column);
    this.rowQuery = isRowQuery(select);
    this.explains = select.explain;
    const [only, ...more] = select.items;
    const single = more.length === 0;
    this.selects =
      single && only?.type === "star" ? "star" : single && this.columns[0]?.text === "idx" ? "idx" : "list";
  }

  /** The steps, in order. Indexes are asked, columns are not read. */
  async explain(options: ReadOptions = {}): Promise<ExplainStep[]> {
    const { plan } = await this.#narrowed(options);
    return explainPlan(plan, this.#table);
  }

  /** The steps with what each did: runs the query, one window at a time, and drops the answer. */
  async analyze({ signal }: ReadOptions = {}): Promise<ExplainStep[]> {
    const trace = new Trace();
    const { plan } = await this.#narrowed({ signal });
    const rows = runPlan(plan, this.#table, { signal, trace });
    while (!(await rows.next()).done);
    return explainPlan(plan, this.#table, trace);
  }

  /**
   * The answer, in batches of at most 65,536 rows.
   * @throws ZarrsiftError `index_unusable` where an index turns out to be stale when rows have been given out already
   */
  run(options: ReadOptions = {}): AsyncIterable<Batch> {
    return this.#trusted(options, (plan) => runPlan(plan, this.#table, options));
  }

  /**
   * idx of the rows of the answer, in its order; no output column is read.
   * @throws ZarrsiftError `not_a_row_query`, as `project` does, where the answer is no rows of the table
   */
  matches(options: ReadOptions = {}): AsyncIterable<Float64Array> {
    this.#mustHaveRows();
    return this.#trusted(options, (plan) => matchingRows(plan, this.#table, options));
  }

  /** The select items for the rows `idx`, in that order. All is held at once: call it for some rows at a time. */
  async project(idx: Float64Array, options: ReadOptions = {}): Promise<Batch> {
    this.#mustHaveRows();
    return projectRows(this.plan.items, this.#table, idx, options);
  }

  async #narrowed(options: ReadOptions): Promise<Narrowed> {
    if (!this.#indexes || !gainsByIndexes(this.plan)) return { plan: this.plan, used: [] };
    const indexes = await this.#indexes(options);
    return narrowedBy(indexes, this.plan, this.#table, options);
  }

  /** Answers by indexes, by a scan where one of them turns out to be stale: chunks are checked as they are read. */
  async *#trusted<T>(options: ReadOptions, run: (plan: Plan) => AsyncIterable<T>): AsyncGenerator<T> {
    const { plan, used } = await this.#narrowed(options);
    let begun = false;
    for await (const part of run(plan)) {
      const stale = await firstStale(used, options);
      if (stale && begun) throw turnedStale(stale);
      if (stale) return yield* run(this.plan);
      begun = true;
      yield part;
    }
    const stale = await firstStale(used, options);
    if (stale && begun) throw turnedStale(stale);
    if (stale) yield* run(this.plan);
  }

  #mustHaveRows(): void {
    if (!this.rowQuery) throw notRows(this.#select);
  }
}

/**
 * Reads, binds and plans a query.
 *
 * @throws ZarrsiftError for whatever is wrong with it, with its place in the text; nothing is read
 */
export function planQuery(table: Table, sql: string | Select, options: PlanOptions = {}): Query {
  const select = typeof sql === "string" ? parseSelect(sql) : sql;
  if (options.rowsOnly && !isRowQuery(select)) throw notRows(select);
  const params = normalized(options.params ?? []);
  checkParameters(select, params.length);
  const now = options.allowNow === false ? undefined : (options.now ?? BigInt(Date.now()) * 1000n);
  const scope: Scope = { table, params, now, asWritten: options.asWritten };
  const query = bindSelect(select, scope);
  const plan = makePlan(withOptions(query, options, scope), table);
  return new Query(select, plan, table, options.asWritten ? undefined : options.indexes);
}

/** Whether indexes can say anything: to conditions, to an order of which the first rows are wanted, to all rows at once. */
function gainsByIndexes({ conjuncts, orderBy, limit, groups }: Plan): boolean {
  return conjuncts.length > 0 || (orderBy.length > 0 && limit !== undefined) || groups[0]?.keys.length === 0;
}

/** All that indexes and zone maps know about a plan. */
async function narrowedBy(
  indexes: IndexSet,
  plan: Plan,
  table: Table,
  options: ReadOptions,
): Promise<Narrowed> {
  const counted = await useCounts(plan, table, indexes, options);
  if (counted) return counted;
  const probed = await useIndexes(plan, table, indexes, options);
  const zoned = await useZones(probed, table, indexes.zones, options);
  const known = await useKnown(zoned, table, indexes.zones, options);
  const ends = await useExtremes(known, table, indexes, options);
  return useOrder(ends, table, indexes, options);
}

function notRows(select: Select): ZarrsiftError {
  const why =
    "its rows are not rows of meta: aggregates, GROUP BY, HAVING and DISTINCT make no view. Select columns or idx";
  return sqlError("not_a_row_query", `No view can be made of this query, because ${why}`, select.at);
}

function withOptions(query: BoundQuery, options: QueryOptions, scope: Scope): BoundQuery {
  const extra = optionConditions(options, scope.table).flatMap((expr) => bindConditions(expr, scope));
  return { ...query, conditions: [...query.conditions, ...extra] };
}

/** More values than the query has places for is as wrong as fewer: something was mixed up. */
function checkParameters(select: Select, given: number): void {
  let wanted = 0;
  const exprs = [
    ...select.items.flatMap((item) => (item.type === "star" ? [] : [item.expr])),
    ...select.orderBy.map(({ expr }) => expr),
    ...[select.where, select.limit, select.offset, select.having, ...select.groupBy].filter(
      (expr) => expr !== undefined,
    ),
  ];
  while (exprs.length > 0) {
    const expr = exprs.pop()!;
    if (expr.type === "parameter") wanted = Math.max(wanted, expr.index);
    for (const child of children(expr)) exprs.push(child);
  }
  if (given > wanted) {
    const has = wanted === 0 ? "none" : `$1 to $${wanted}`;
    throw new ZarrsiftError("bad_parameter", `${given} parameters were given, but the query has ${has}`);
  }
}

/** Columns of a table by name, for rows that are known already. */
export interface Projection {
  columns: OutputColumn[];
  project(idx: Float64Array, options?: ReadOptions): Promise<Batch>;
}

/**
 * The columns `names` (stored ones, or `idx`).
 *
 * @param named what `OutputColumn.named` says of them; default true
 * @throws ZarrsiftError `unknown_column`
 */
export function projectColumns(table: Table, names: readonly string[], named = true): Projection {
  const items = names.map((name) => itemOf(name, table, named));
  return {
    columns: items.map(({ expr: _, ...column }) => column),
    project: (idx, options = {}) => projectRows(items, table, idx, options),
  };
}

function itemOf(name: string, table: Table, named: boolean): OutputItem {
  const at = { offset: 0, line: 1, column: 1 };
  if (name === "idx") return idxItem("idx", at);
  const stored = name === STORED_IDX && !table.columns.has(name) ? "idx" : name;
  if (table.columns.has(stored)) return columnItem(stored, table, at, named);
  throw table.unusable?.get(name) ?? unknownColumn(name, table);
}
