/** Conditions as questions to indexes. */
import { ZarrsiftError } from "../../errors.ts";
import type { Estimate, Index, OrderedIndex } from "../../index/api.ts";
import type { ReadOptions, Traffic } from "../../store/store.ts";
import { BOOL } from "../../table/types.ts";
import type { BoundExpr } from "../bind/bound.ts";
import { numbersOf, type RowSet, rowCount } from "../run/rows.ts";
import type { Probe } from "./api.ts";
import { columnRanges } from "./key-ranges.ts";
import { categoryProbe } from "./probe-category.ts";
import { coveringProbe } from "./probe-covering.ts";
import { spatialProbe } from "./probe-spatial.ts";
import { intersection, union } from "./row-sets.ts";

/** How indexes answer where `expr` is true; undefined where none does. */
export function probeOf(expr: BoundExpr, indexes: readonly Index[]): Probe | undefined {
  switch (expr.node) {
    case "or":
      return eitherOf(expr.operands, indexes);
    case "and":
      return columnProbe(expr, indexes) ?? bothOf(expr.operands, indexes);
    case "not":
      return negatedProbe(expr.operand, indexes) ?? columnProbe(expr, indexes);
    case "spatial":
      return spatialProbe(expr, indexes);
    case "is":
      if (expr.test === "true") return probeOf(expr.operand, indexes);
      return (
        columnProbe(expr, indexes) ?? (expr.test === "null" ? nullProbe(expr.operand, indexes) : undefined)
      );
    default:
      return columnProbe(expr, indexes);
  }
}

const not = (operand: BoundExpr): BoundExpr => ({ node: "not", operand, type: BOOL, at: operand.at });

/** NOT of an AND is one of its parts' being false; of a test for NULL, a value. */
function negatedProbe(operand: BoundExpr, indexes: readonly Index[]): Probe | undefined {
  if (operand.node === "not") return probeOf(operand.operand, indexes);
  if (operand.node === "and") return eitherOf(operand.operands.map(not), indexes);
  if (operand.node === "or") return bothOf(operand.operands.map(not), indexes);
  if (operand.node !== "is" || operand.test !== "null" || operand.operand.node !== "column") return undefined;
  const index = orderedOn(operand.operand.name, indexes);
  const low = index?.text ? {} : { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  return index && rangesProbe(index, [low] as never, true);
}

function columnProbe(expr: BoundExpr, indexes: readonly Index[]): Probe | undefined {
  const listed = categoryProbe(expr, indexes);
  if (listed) return listed;
  const asked = columnRanges(expr);
  const index = asked && orderedOn(asked.column, indexes);
  if (index) return rangesProbe(index, asked.ranges, asked.exact);
  return coveringProbe([expr], indexes, 1)?.probe;
}

function orderedOn(column: string, indexes: readonly Index[]): OrderedIndex | undefined {
  const found = indexes.find((one) => one.column === column && one.kind === "btree");
  return found?.kind === "btree" ? found : undefined;
}

type AnyRanges = Parameters<OrderedIndex["find"]>[0];

function rangesProbe(index: OrderedIndex, ranges: AnyRanges, exact: boolean): Probe {
  return {
    indexes: [index],
    run: index.sorted && ranges.length === 1,
    within: false,
    estimate: (options) => index.estimate(ranges, options),
    find: async (options) => {
      const rows = await index.find(ranges, options);
      return exact ? { rows } : { rows, sure: new Float64Array(0) };
    },
    count: exact ? (options) => index.count(ranges, options) : undefined,
  };
}

function nullProbe(operand: BoundExpr, indexes: readonly Index[]): Probe | undefined {
  const index = operand.node === "column" ? orderedOn(operand.name, indexes) : undefined;
  if (!index) return undefined;
  return {
    indexes: [index],
    run: index.sorted,
    within: false,
    estimate: async () => ({
      rows: index.nullCount,
      requests: 1,
      bytes: index.sorted ? 0 : 4 * index.nullCount,
    }),
    find: async (options) => ({ rows: await index.nullRows(options) }),
    count: async () => index.nullCount,
  };
}

const NONE: RowSet = new Float64Array(0);

/** Where one operand has no index, the others do not narrow anything. */
function eitherOf(operands: readonly BoundExpr[], indexes: readonly Index[]): Probe | undefined {
  const probes = operands.flatMap((operand) => probeOf(operand, indexes) ?? []);
  if (probes.length < operands.length) return undefined;
  return {
    indexes: probes.flatMap((probe) => probe.indexes),
    run: false,
    within: probes.some(({ within }) => within),
    estimate: async (options) => {
      const parts = await Promise.all(probes.map((probe) => probe.estimate(options)));
      return total(parts, (rows) => rows.reduce((sum, count) => sum + count, 0));
    },
    find: async (options) => {
      const parts = await Promise.all(probes.map((probe) => probe.find(options)));
      const rows = parts.map((part) => part.rows).reduce(union, NONE);
      if (parts.every(({ sure }) => sure === undefined)) return { rows };
      const sure = parts.map((part) => part.sure ?? part.rows).reduce(union, NONE);
      return rowCount(sure) === rowCount(rows) ? { rows } : { rows, sure: numbersOf(sure) };
    },
  };
}

/** What some operands narrow, all of them do. */
function bothOf(operands: readonly BoundExpr[], indexes: readonly Index[]): Probe | undefined {
  const boxes = coveringProbe(operands, indexes, 2);
  const others = operands.filter((operand) => !boxes?.answered.includes(operand));
  const single = others.flatMap((operand) => probeOf(operand, indexes) ?? []);
  const probes = boxes ? [boxes.probe, ...single] : single;
  if (probes.length === 0) return undefined;
  const known = single.length === others.length;
  return {
    indexes: probes.flatMap((probe) => probe.indexes),
    run: known && probes.every(({ run }) => run),
    within: probes.some(({ within }) => within),
    estimate: async (options) => {
      const parts = await Promise.all(probes.map((probe) => probe.estimate(options)));
      return total(parts, (rows) => Math.min(...rows));
    },
    find: async (options) => {
      const parts = await Promise.all(probes.map((probe) => probe.find(options)));
      const rows = parts.map((part) => part.rows).reduce(intersection);
      const exact = known && parts.every(({ sure }) => sure === undefined);
      if (exact) return { rows };
      const sure = known ? parts.map((part) => part.sure ?? part.rows).reduce(intersection) : NONE;
      return { rows, sure: numbersOf(sure) };
    },
  };
}

function total(parts: readonly Estimate[], rows: (counts: number[]) => number): Estimate {
  const sum = (key: "requests" | "bytes") => parts.reduce((all, part) => all + part[key], 0);
  return { rows: rows(parts.map((part) => part.rows)), requests: sum("requests"), bytes: sum("bytes") };
}

/** A damaged index is no error of the query. */
export function isUnusable(error: unknown): boolean {
  return error instanceof ZarrsiftError && error.code === "index_unusable";
}

/** `work` with what it read, which counts for `options` too, and the milliseconds it took. */
export async function measured<T>(
  options: ReadOptions,
  work: (options: ReadOptions) => Promise<T>,
): Promise<{ result: T; traffic: Traffic; ms: number }> {
  const traffic: Traffic = { requests: 0, bytes: 0 };
  const started = performance.now();
  const result = await work({ ...options, traffic });
  if (options.traffic) {
    options.traffic.requests += traffic.requests;
    options.traffic.bytes += traffic.bytes;
  }
  return { result, traffic, ms: performance.now() - started };
}
