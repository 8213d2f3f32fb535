/** Ranges of the columns that hold the boxes of a geometry column, as one question to its R-tree. */
import type { BoxRanges, Index, KeyRange, SpatialIndex } from "../../index/api.ts";
import { BOOL } from "../../table/types.ts";
import type { BoundExpr } from "../bind/bound.ts";
import type { Conjunct } from "../make-plan.ts";
import type { Probe } from "./api.ts";
import { columnRanges } from "./key-ranges.ts";

/** A probe for those conditions, of several, that are ranges of such columns: it finds where all of them are true. */
export interface CoveringProbe {
  probe: Probe;
  answered: readonly BoundExpr[];
}

/** @param least of how many columns there must be ranges */
export function coveringProbe(
  conditions: readonly BoundExpr[],
  indexes: readonly Index[],
  least: number,
): CoveringProbe | undefined {
  const ranged = conditions.flatMap((expr) => {
    const of = columnRanges(expr);
    return of?.exact ? [{ expr, column: of.column }] : [];
  });
  for (const index of indexes) {
    const covering = index.kind === "rtree" ? index.covering : undefined;
    const own = ranged.filter(({ column }) => covering?.columns.includes(column));
    if (!covering || new Set(own.map(({ column }) => column)).size < least) continue;
    const sideOf = (name: string) => own.filter(({ column }) => column === name).map(({ expr }) => expr);
    const ranges = covering.columns.map((name) => rangesWhereAll(sideOf(name))) as unknown as BoxRanges;
    return { probe: probeFor(covering, ranges), answered: own.map(({ expr }) => expr) };
  }
  return undefined;
}

function probeFor(covering: NonNullable<SpatialIndex["covering"]>, ranges: BoxRanges): Probe {
  return {
    indexes: [covering],
    run: false,
    within: false,
    estimate: (options) => covering.estimate(ranges, options),
    find: async (options) => ({ rows: await covering.find(ranges, options) }),
  };
}

function rangesWhereAll(operands: BoundExpr[]): readonly KeyRange[] | undefined {
  const [first, ...more] = operands;
  if (!first) return undefined;
  const all: BoundExpr = more.length > 0 ? { node: "and", operands, type: BOOL, at: first.at } : first;
  return columnRanges(all)!.ranges as readonly KeyRange[];
}

/** Whether it is true for all values from one on, or up to one. */
export function isHalfOpen(expr: BoundExpr): boolean {
  const [range, ...more] = (columnRanges(expr)?.ranges ?? []) as readonly KeyRange[];
  if (!range || more.length > 0) return false;
  return range.low === Number.NEGATIVE_INFINITY || range.high === Number.POSITIVE_INFINITY;
}

/** Conjuncts as one. */
export function allOf(parts: readonly Conjunct[]): Conjunct {
  const [first] = parts as readonly [Conjunct];
  const operands = parts.map(({ expr }) => expr);
  return {
    ...first,
    expr: { node: "and", operands, type: BOOL, at: first.expr.at },
    text: parts.map(({ text }) => text).join(" AND "),
    columns: parts.flatMap(({ columns }) => columns),
    selectivity: parts.reduce((share, { selectivity }) => share * selectivity, 1),
  };
}
