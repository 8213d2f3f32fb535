/** Spatial predicates on columns: boxes first, exact geometry for what they leave open. */
import { messageOf, ZarrsiftError } from "../../errors.ts";
import type { Geometry } from "../../geometry/geometry.ts";
import type { Predicate } from "../../geometry/predicates.ts";
import { type Prepared, prepare } from "../../geometry/prepare.ts";
import { parseWkb } from "../../geometry/wkb-read.ts";
import { parseWkt } from "../../geometry/wkt-read.ts";
import type { BytesVector } from "../../table/vector.ts";
import type { BoundExpr } from "../bind/bound.ts";
import type { Frame } from "./frame.ts";
import { type Truth, withNulls } from "./truth.ts";

type ValueFn = (frame: Frame) => BytesVector;

/** The predicate that says the same with the sides exchanged. */
const CONVERSE: Partial<Record<Predicate, Predicate>> = {
  within: "contains",
  contains: "within",
  covers: "coveredBy",
  coveredBy: "covers",
};

/** `a predicate b` is `b converse(predicate) a`. */
export const converse = (predicate: Predicate): Predicate => CONVERSE[predicate] ?? predicate;

const decoder = new TextDecoder();

/** Value `i` of a geometry vector. */
export function geometryAt(vector: BytesVector, i: number): Geometry {
  const { data, starts, ends, type } = vector;
  if (type.kind === "geometry" && type.encoding === "wkb") return parseWkb(data, starts[i]!, ends[i]!);
  return parseWkt(decoder.decode(data.subarray(starts[i]!, ends[i]!)));
}

/** Whether `predicate` holds from each value to a constant, given as WKB. */
export function testConstant(operand: BoundExpr, values: ValueFn, predicate: Predicate, wkb: Uint8Array) {
  const prepared = prepare(parseWkb(wkb));
  return (frame: Frame): Truth => {
    const vector = values(frame);
    return testRows(frame, operand, vector, (i) => test(prepared, predicate, vector, i));
  };
}

function test(prepared: Prepared, predicate: Predicate, vector: BytesVector, i: number): boolean {
  const binary = vector.type.kind === "geometry" && vector.type.encoding === "wkb";
  if (binary) return prepared.test(predicate, vector.data, vector.starts[i]!, vector.ends[i]!);
  return prepared.testGeometry(predicate, geometryAt(vector, i));
}

/** Whether `predicate` holds from each value of `left` to that of `right`. */
export function testPairs(operand: BoundExpr, left: ValueFn, right: ValueFn, predicate: Predicate) {
  return (frame: Frame): Truth => {
    const [a, b] = [left(frame), right(frame)];
    const holds = (i: number) =>
      !b.nulls?.[i] && prepare(geometryAt(b, i)).testGeometry(predicate, geometryAt(a, i));
    return withNulls(testRows(frame, operand, a, holds), b.nulls);
  };
}

function testRows(
  frame: Frame,
  operand: BoundExpr,
  vector: BytesVector,
  holds: (i: number) => boolean,
): Truth {
  const truth = new Uint8Array(vector.length);
  for (let i = 0; i < truth.length; i++) {
    if (vector.nulls?.[i]) continue;
    try {
      truth[i] = holds(i) ? 1 : 0;
    } catch (error) {
      throw atRow(error, operand, frame.idx()[i]!);
    }
  }
  return withNulls(truth, vector.nulls);
}

/** The error with the row and column it came from. */
export function atRow(error: unknown, operand: BoundExpr, row: number): unknown {
  if (!(error instanceof ZarrsiftError) || error.code !== "bad_geometry") return error;
  const where = operand.node === "column" ? `Row ${row} of column ${operand.name}` : `Row ${row}`;
  return new ZarrsiftError("bad_geometry", `${where}: ${messageOf(error)}`, {
    details: { ...error.details, row, ...(operand.node === "column" && { column: operand.name }) },
    cause: error,
  });
}
