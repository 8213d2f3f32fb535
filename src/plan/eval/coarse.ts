/** Conditions on the envelopes of geometries, which leave open what only the geometries tell. */
import type { Predicate } from "../../geometry/predicates.ts";
import { type Prepared, prepare } from "../../geometry/prepare.ts";
import {
  ENVELOPE,
  NULL as NO_GEOMETRY,
  type RoundedBoxes,
  testRounded,
} from "../../geometry/rounded-boxes.ts";
import { parseWkb } from "../../geometry/wkb-read.ts";
import type { Column, Table } from "../../table/table.ts";
import type { SqlType } from "../../table/types.ts";
import type { NumberVector } from "../../table/vector.ts";
import { type BoundExpr, columnsOf, isConstant } from "../bind/bound.ts";
import { compileTruth } from "./compile.ts";
import type { Frame } from "./frame.ts";
import { converse } from "./spatial.ts";
import { combine, FALSE, NULL, not, OPEN, TRUE, type Truth, type TruthFn } from "./truth.ts";

/** A condition as far as envelopes decide it. */
export interface Coarse {
  /** To truth or `OPEN`; of geometry columns its frame has only the envelopes. */
  test: TruthFn;
  /** Columns that it reads. */
  columns: string[];
  /** Geometry columns whose envelopes it reads. */
  boxed: string[];
}

/** Envelopes come as columns of their parts. */
export const PARTS = ["west", "south", "east", "north", "known"] as const satisfies (keyof RoundedBoxes)[];
type Part = (typeof PARTS)[number];

const partName = (name: string, part: Part) => `${name}\u0000${part}`;
const FLOAT32: SqlType = { kind: "float", bits: 32 };
const UINT8: SqlType = { kind: "int", bits: 8, signed: false };

/** One part of the envelopes of `column`. */
export function partColumn(
  column: Column,
  part: Part,
  boxes: (chunk: number) => Promise<RoundedBoxes>,
): Column {
  const type = part === "known" ? UINT8 : FLOAT32;
  return {
    name: partName(column.name, part),
    type,
    chunkRows: column.chunkRows,
    nullable: false,
    bytesPerRow: part === "known" ? 1 : 4,
    async read(chunk) {
      const values = (await boxes(chunk))[part];
      return { kind: "number", type, length: values.length, values, nulls: undefined };
    },
  };
}

/** `undefined` where envelopes say nothing about `expr`. */
export function coarseTest(expr: BoundExpr, table: Table): Coarse | undefined {
  const columns = new Set<string>();
  const boxed = new Set<string>();
  const test = compile(expr, { table, columns, boxed });
  return boxed.size > 0 ? { test, columns: [...columns], boxed: [...boxed] } : undefined;
}

type Node<N extends BoundExpr["node"]> = Extract<BoundExpr, { node: N }>;

interface Needs {
  table: Table;
  columns: Set<string>;
  boxed: Set<string>;
}

function compile(expr: BoundExpr, needs: Needs): TruthFn {
  if (expr.node === "and")
    return combine(
      expr.operands.map((operand) => compile(operand, needs)),
      FALSE,
    );
  if (expr.node === "or")
    return combine(
      expr.operands.map((operand) => compile(operand, needs)),
      TRUE,
    );
  if (expr.node === "not") return negation(compile(expr.operand, needs));
  if (expr.node === "is") return compileIs(expr, needs) ?? compileOther(expr, needs);
  const spatial = expr.node === "spatial" ? onEnvelopes(expr, needs) : undefined;
  return spatial ?? compileOther(expr, needs);
}

/** What has no geometry in it is tested whole, the rest is left open. */
function compileOther(expr: BoundExpr, needs: Needs): TruthFn {
  const names = columnsOf(expr);
  if (names.some((name) => isGeometry(needs.table.columns.get(name)!)))
    return (frame) => new Uint8Array(frame.length).fill(OPEN);
  for (const name of names) needs.columns.add(name);
  return compileTruth(expr);
}

const isGeometry = ({ type }: Column) => type.kind === "geometry";

function negation(operand: TruthFn): TruthFn {
  return (frame) => not(operand(frame));
}

function compileIs({ operand, test }: Node<"is">, { table, boxed }: Needs): TruthFn | undefined {
  if (test !== "null" || operand.node !== "column" || !hasBoxes(table, operand.name)) return undefined;
  boxed.add(operand.name);
  return (frame) => boxesIn(frame, operand.name).known.map((known) => (known === NO_GEOMETRY ? TRUE : FALSE));
}

const hasBoxes = (table: Table, name: string) => table.columns.get(name)!.boxes !== undefined;

function onEnvelopes(expr: Node<"spatial">, { table, boxed }: Needs): TruthFn | undefined {
  const [row, constant, predicate] = isConstant(expr.right)
    ? [expr.left, expr.right, expr.predicate]
    : [expr.right, expr.left, converse(expr.predicate)];
  if (row.node !== "column" || !isConstant(constant) || !hasBoxes(table, row.name)) return undefined;
  const prepared = prepare(parseWkb(constant.value as Uint8Array));
  boxed.add(row.name);
  return (frame) => test(prepared, predicate, boxesIn(frame, row.name));
}

function boxesIn(frame: Frame, name: string): RoundedBoxes {
  const part = (one: (typeof PARTS)[number]) => (frame.vector(partName(name, one)) as NumberVector).values;
  const [west, south, east, north] = [
    part("west"),
    part("south"),
    part("east"),
    part("north"),
  ] as Float32Array[];
  return { west: west!, south: south!, east: east!, north: north!, known: part("known") as Uint8Array };
}

function test(prepared: Prepared, predicate: Predicate, boxes: RoundedBoxes): Truth {
  const { west, south, east, north, known } = boxes;
  const truth = new Uint8Array(known.length);
  const apart = predicate === "disjoint" ? TRUE : FALSE;
  // Most rows are nowhere near; one box that holds the constant settles them without a call.
  const [left, bottom, right, top] = prepared.reach;
  for (let i = 0; i < truth.length; i++) {
    if (
      known[i]! & ENVELOPE &&
      (west[i]! > right || east[i]! < left || south[i]! > top || north[i]! < bottom)
    ) {
      truth[i] = apart;
    } else if (known[i] === NO_GEOMETRY) {
      truth[i] = NULL;
    } else {
      const held = testRounded(prepared, predicate, boxes, i);
      truth[i] = held === undefined ? OPEN : held ? TRUE : FALSE;
    }
  }
  return truth;
}
