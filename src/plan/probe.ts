/** Conditions as questions to indexes. */
import { ZarrsiftError } from "../errors.ts";
import { queryBoxes } from "../geometry/longitude.ts";
import { prepare } from "../geometry/prepare.ts";
import { parseWkb } from "../geometry/wkb-read.ts";
import type { Estimate, Index, IndexState, SpatialIndex } from "../index/api.ts";
import type { ReadOptions, Traffic } from "../store/store.ts";
import type { BoundExpr } from "./bound.ts";
import type { Plan } from "./make-plan.ts";
import { union } from "./row-sets.ts";
import type { RowSet } from "./rows.ts";
import { converse } from "./spatial.ts";
import { utf8 } from "./vectors.ts";

/** What an answer rests on. */
export interface Relied {
  readonly column: string;
  readonly path: string;
  state(options?: ReadOptions): Promise<IndexState>;
}

/** A plan with what its indexes and zone maps rest on. */
export interface Narrowed {
  plan: Plan;
  used: readonly Relied[];
}

/** Covered rows that a condition may hold for. */
export interface Found {
  rows: RowSet;
  /** Those of `rows` that it surely holds for; undefined: all. */
  sure?: Float64Array;
}

/** One condition that indexes can narrow. */
export interface Probe {
  indexes: readonly Index[];
  estimate(options: ReadOptions): Promise<Estimate>;
  find(options: ReadOptions): Promise<Found>;
}

/** How indexes answer `expr`; undefined where none does. */
export function probeOf(expr: BoundExpr, indexes: readonly Index[]): Probe | undefined {
  switch (expr.node) {
    case "or":
      return eitherOf(expr.operands, indexes);
    case "range":
      return expr.operand.node === "column"
        ? rangeProbe(expr.operand.name, [{ low: expr.low, high: expr.high }], indexes)
        : undefined;
    case "in":
      return expr.operand.node === "column"
        ? pointsProbe(expr.operand.name, expr.points, expr.texts, indexes)
        : undefined;
    case "compare":
      return equalProbe(expr, indexes);
    case "spatial":
      return spatialProbe(expr, indexes);
    default:
      return undefined;
  }
}

/** Where one operand has no index, the others do not narrow anything. */
function eitherOf(operands: readonly BoundExpr[], indexes: readonly Index[]): Probe | undefined {
  const probes = operands.flatMap((operand) => probeOf(operand, indexes) ?? []);
  if (probes.length < operands.length) return undefined;
  return {
    indexes: probes.flatMap((probe) => probe.indexes),
    estimate: async (options) => {
      const parts = await Promise.all(probes.map((probe) => probe.estimate(options)));
      const sum = (key: keyof Estimate) => parts.reduce((total, part) => total + part[key], 0);
      return { rows: sum("rows"), requests: sum("requests"), bytes: sum("bytes") };
    },
    find: async (options) => {
      const parts = await Promise.all(probes.map((probe) => probe.find(options)));
      const none: RowSet = new Float64Array(0);
      const rows = parts.map((part) => part.rows).reduce(union, none);
      if (parts.every(({ sure }) => sure === undefined)) return { rows };
      const sure = parts.map((part) => part.sure ?? part.rows).reduce(union, none);
      return { rows, sure: sure instanceof Float64Array ? sure : new Float64Array(0) };
    },
  };
}

type Ranges = { low: number | bigint; high: number | bigint }[];

function rangeProbe(column: string, ranges: Ranges, indexes: readonly Index[]): Probe | undefined {
  const index = indexes.find((one) => one.column === column && one.kind === "btree");
  if (index?.kind !== "btree") return undefined;
  return {
    indexes: [index],
    estimate: (options) => index.estimate(ranges, options),
    find: async (options) => ({ rows: await index.find(ranges, options) }),
  };
}

function pointsProbe(
  column: string,
  points: readonly (number | bigint)[],
  texts: readonly Uint8Array[],
  indexes: readonly Index[],
): Probe | undefined {
  if (texts.length === 0)
    return rangeProbe(
      column,
      points.map((point) => ({ low: point, high: point })),
      indexes,
    );
  return textsProbe(column, texts, indexes);
}

function textsProbe(column: string, texts: readonly Uint8Array[], indexes: readonly Index[]) {
  const index = indexes.find((one) => one.column === column && one.kind !== "rtree");
  if (index?.kind === "category")
    return {
      indexes: [index],
      estimate: (options: ReadOptions) => index.estimate(texts, options),
      find: async (options: ReadOptions) => ({ rows: await index.find(texts, options) }),
    };
  if (index?.kind !== "btree") return undefined;
  const ranges = texts.map((text) => ({ low: text, high: text, highInclusive: true }));
  return {
    indexes: [index],
    estimate: (options: ReadOptions) => index.estimate(ranges, options),
    find: async (options: ReadOptions) => ({ rows: await index.find(ranges, options) }),
  };
}

function equalProbe(expr: Extract<BoundExpr, { node: "compare" }>, indexes: readonly Index[]) {
  const { op, left, right } = expr;
  if (op !== "=" || left.node !== "column" || right.node !== "constant") return undefined;
  if (typeof right.value !== "string" && !(right.value instanceof Uint8Array)) return undefined;
  const text = typeof right.value === "string" ? utf8(right.value) : right.value;
  return textsProbe(left.name, [text], indexes);
}

/** All predicates but disjoint need the boxes to touch; equality of two empty shapes is left to the scan. */
function spatialProbe(
  { predicate, left, right }: Extract<BoundExpr, { node: "spatial" }>,
  indexes: readonly Index[],
): Probe | undefined {
  const turned = left.node === "constant";
  const [column, fixed] = turned ? [right, left] : [left, right];
  if (predicate === "disjoint" || column.node !== "column" || fixed.node !== "constant") return undefined;
  const index = indexes.find((one) => one.column === column.name && one.kind === "rtree");
  if (index?.kind !== "rtree" || fixed.value === null) return undefined;
  const geometry = parseWkb(fixed.value as Uint8Array);
  const boxes = queryBoxes(geometry);
  if (boxes.length === 0) return undefined;
  const prepared = prepare(geometry);
  const asked = turned ? converse(predicate) : predicate;
  return {
    indexes: [index],
    estimate: (options) => index.estimate(boxes, options),
    find: async (options) =>
      decided(await index.find(boxes, options), (box, isBox) => prepared.testBox(asked, box, isBox)),
  };
}

type Matches = Awaited<ReturnType<SpatialIndex["find"]>>;

/** What boxes alone decide: rows that they exclude are gone. */
function decided(
  { rows, boxes, isBox }: Matches,
  test: (box: Float64Array, isBox: boolean) => boolean | undefined,
): Found {
  const [kept, sure] = [new Float64Array(rows.length), new Float64Array(rows.length)];
  let [keptCount, sureCount] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const holds = test(boxes.subarray(4 * i, 4 * i + 4), isBox[i] === 1);
    if (holds === false) continue;
    kept[keptCount++] = rows[i]!;
    if (holds) sure[sureCount++] = rows[i]!;
  }
  if (keptCount === sureCount) return { rows: kept.slice(0, keptCount) };
  return { rows: kept.slice(0, keptCount), sure: sure.slice(0, sureCount) };
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
