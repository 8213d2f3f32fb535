/** Conditions on a column of few different values: tested on each value instead of on each row. */
import type { CategoryIndex, Estimate, Index } from "../../index/api.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { CellValue } from "../../table/vector.ts";
import { type BoundExpr, columnsOf, operandsOf } from "../bind/bound.ts";
import { compileTruth } from "../eval/compile.ts";
import { Frame } from "../eval/frame.ts";
import { TRUE } from "../eval/truth.ts";
import { vectorOf } from "../eval/vectors.ts";
import { type RowSet, rowCount } from "../run/rows.ts";
import type { Found, Probe, ProbeOptions } from "./api.ts";
import { intersection, union } from "./row-sets.ts";

/** Whatever a condition is, where it is on one column that has a category index. */
export function categoryProbe(expr: BoundExpr, indexes: readonly Index[]): Probe | undefined {
  const [name, ...others] = columnsOf(expr);
  const index = indexes.find((one) => one.column === name && one.kind === "category");
  if (index?.kind !== "category" || others.length > 0 || namesIdx(expr)) return undefined;
  return {
    indexes: [index],
    run: false,
    within: true,
    estimate: (options) => estimated(index, expr, options),
    find: (options) => found(index, expr, options),
    count: (options) => counted(index, expr, options),
  };
}

const namesIdx = (expr: BoundExpr): boolean => expr.node === "idx" || operandsOf(expr).some(namesIdx);

type Value = Awaited<ReturnType<CategoryIndex["values"]>>[number]["value"];

async function counted(index: CategoryIndex, expr: BoundExpr, options: ReadOptions): Promise<number> {
  const [{ values, nulls }, counts] = await Promise.all([
    matching(index, expr, options),
    index.values(options),
  ]);
  const wanted = new Set(values);
  const rows = counts.reduce((sum, { value, count }) => sum + (wanted.has(value) ? count : 0), 0);
  return rows + (nulls ? index.nullCount : 0);
}

/** The values that a condition is true for, and whether it is for NULL. */
async function matching(
  index: CategoryIndex,
  expr: BoundExpr,
  options: ReadOptions,
): Promise<{ values: Value[]; nulls: boolean }> {
  const values = (await index.values(options)).map(({ value }) => value);
  const { type, name } = columnOf(expr);
  const cells: CellValue[] = [...values, null];
  const vector = vectorOf(type, cells);
  const truth = compileTruth(expr)(
    new Frame(cells.length, new Map([[name, () => vector]]), () => new Float64Array(cells.length)),
  );
  return { values: values.filter((_, i) => truth[i] === TRUE), nulls: truth[values.length] === TRUE };
}

type ColumnExpr = Extract<BoundExpr, { node: "column" }>;

function columnOf(expr: BoundExpr): ColumnExpr {
  if (expr.node === "column") return expr;
  for (const operand of operandsOf(expr)) if (columnsOf(operand).length > 0) return columnOf(operand);
  throw new Error("a condition without a column has no category");
}

const windowOf = (among: RowSet) =>
  among instanceof Float64Array ? { from: among[0] ?? 0, to: (among.at(-1) ?? -1) + 1 } : among;

async function estimated(index: CategoryIndex, expr: BoundExpr, options: ProbeOptions): Promise<Estimate> {
  const { values, nulls } = await matching(index, expr, options);
  const { among, ...reading } = options;
  const list = among instanceof Float64Array ? { among } : {};
  const cost = await index.estimate(values, { ...reading, window: windowOf(among), ...list });
  return nulls
    ? { ...cost, rows: cost.rows + index.nullCount, bytes: cost.bytes + 4 * index.nullCount }
    : cost;
}

async function found(index: CategoryIndex, expr: BoundExpr, options: ProbeOptions): Promise<Found> {
  const { values, nulls } = await matching(index, expr, options);
  const { among, ...reading } = options;
  const list = among instanceof Float64Array ? { among } : {};
  const rows = await index.find(values, { ...reading, window: windowOf(among), ...list });
  if (!nulls || index.nullCount === 0) return { rows };
  const empty = intersection(await index.nullRows(reading), among);
  return { rows: rowCount(empty) === 0 ? rows : union(rows, empty) };
}
