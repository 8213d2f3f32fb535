/** Bound expressions → functions over frames. */
import { BOOL, type SqlType } from "../../table/types.ts";
import { type BytesVector, cellAt, gather, type Vector } from "../../table/vector.ts";
import { type BoundExpr, type Constant, isConstant } from "../bind/bound.ts";
import { calculate } from "../functions/arithmetic.ts";
import { cast, textOf } from "../functions/cast.ts";
import { FUNCTIONS } from "../functions/functions.ts";
import { geometryFunction } from "../functions/geometry-values.ts";
import { lowerCase } from "../functions/letter-case.ts";
import { MEASURES, measureFunction } from "../functions/measures.ts";
import { placed } from "../functions/place.ts";
import { severalValues } from "../functions/several.ts";
import { Joined } from "../functions/text-size.ts";
import type { Frame } from "./frame.ts";
import { likePattern, matchesLike } from "./like.ts";
import { compareNumbers, inRange, isOneOf, type Numbers } from "./numbers.ts";
import { converse, testConstant, testPairs } from "./spatial.ts";
import { compareTexts, equalsText, isOneOfTexts } from "./texts.ts";
import { combine, FALSE, NULL, not, positions, TRUE, type Truth, type TruthFn, withNulls } from "./truth.ts";
import { concat, repeat, utf8, vectorOf } from "./vectors.ts";

export type ValueFn = (frame: Frame) => Vector;

type Node<N extends BoundExpr["node"]> = Extract<BoundExpr, { node: N }>;

/** A boolean expression as a function to truth; the array is the caller's own. */
export function compileTruth(expr: BoundExpr): TruthFn {
  switch (expr.node) {
    case "and":
      return combine(expr.operands.map(compileTruth), FALSE);
    case "or":
      return combine(expr.operands.map(compileTruth), TRUE);
    case "not": {
      const operand = compileTruth(expr.operand);
      return (frame) => not(operand(frame));
    }
    case "range": {
      const operand = compileValue(expr.operand);
      return (frame) => inRange(operand(frame) as Numbers, expr.low, expr.high);
    }
    case "in":
      return compileIn(expr);
    case "compare":
      return compileCompare(expr);
    case "like":
      return compileLike(expr);
    case "is":
      return compileIs(expr);
    case "is_distinct":
      return compileDistinct(expr);
    case "spatial":
      return compileSpatial(expr);
    default: {
      const value = compileValue(expr);
      return (frame) => truthOf(value(frame));
    }
  }
}

/** An expression as a function to its values. */
export function compileValue(expr: BoundExpr): ValueFn {
  switch (expr.node) {
    case "constant":
      return (frame) => repeat(expr.type, expr.value, frame.length);
    case "column":
      return (frame) => frame.vector(expr.name);
    case "idx":
      return (frame) => ({
        kind: "number",
        type: expr.type,
        length: frame.length,
        values: frame.idx(),
        nulls: undefined,
      });
    case "arithmetic": {
      const [left, right] = [compileValue(expr.left), compileValue(expr.right)];
      return (frame) => {
        const [a, b] = [left(frame) as Numbers, right(frame) as Numbers];
        return placed(() => calculate(expr.op, a, b, expr.type), expr.at);
      };
    }
    case "concat":
      return compileConcat(expr);
    case "cast": {
      const operand = compileValue(expr.operand);
      return (frame) => {
        const vector = operand(frame);
        return placed(() => cast(vector, expr.type), expr.at);
      };
    }
    case "case":
      return compileCase(expr);
    case "coalesce":
      return compileCoalesce(expr);
    case "call":
      return compileCall(expr);
    default: {
      const truth = compileTruth(expr);
      return (frame) => boolVector(truth(frame));
    }
  }
}

function truthOf(vector: Vector): Truth {
  if (vector.type.kind === "null") return new Uint8Array(vector.length).fill(NULL);
  return withNulls(Uint8Array.from((vector as Numbers).values as Uint8Array), vector.nulls);
}

function boolVector(truth: Truth): Vector {
  const isNull = truth.includes(NULL);
  const nulls = isNull ? truth.map((value) => (value === NULL ? 1 : 0)) : undefined;
  return { kind: "number", type: BOOL, length: truth.length, values: truth, nulls };
}

function compileIn({ operand, points, texts, hasNull }: Node<"in">): TruthFn {
  const values = compileValue(operand);
  return (frame) => {
    const vector = values(frame);
    return vector.kind === "bytes" ? isOneOfTexts(vector, texts, hasNull) : isOneOf(vector, points, hasNull);
  };
}

function compileCompare({ op, left, right }: Node<"compare">): TruthFn {
  const [a, b] = [compileValue(left), compileValue(right)];
  if (op === "=" && isText(right)) {
    const text = bytesOf(right);
    return (frame) => equalsText(a(frame) as BytesVector, text);
  }
  return (frame) => compareVectors(op, a(frame), b(frame));
}

function compareVectors(op: "=" | "<" | "<=", a: Vector, b: Vector): Truth {
  if (a.kind === "bytes") return compareTexts(op, a, b as BytesVector);
  return compareNumbers(op, a, b as Numbers);
}

function isText(expr: BoundExpr): expr is Constant {
  return isConstant(expr) && (typeof expr.value === "string" || expr.value instanceof Uint8Array);
}

function bytesOf({ value }: Constant): Uint8Array {
  return typeof value === "string" ? utf8(value) : (value as Uint8Array);
}

function compileLike({ operand, pattern, escape: escaping, insensitive }: Node<"like">): TruthFn {
  const lower = FUNCTIONS.get("lower")!;
  const fold = (values: ValueFn): ValueFn =>
    insensitive ? (frame) => lower.apply([values(frame)], pattern.type) : values;
  const [values, patterns] = [fold(compileValue(operand)), compileValue(pattern)];
  const fixed = (text: string) => likePattern(insensitive ? lowerCase(text) : text, escaping);
  if (isConstant(pattern)) {
    const known = fixed(pattern.value as string);
    return (frame) => matchesLike(values(frame) as BytesVector, known);
  }
  return (frame) => {
    const [texts, wanted] = [values(frame) as BytesVector, patterns(frame)];
    const truth = new Uint8Array(frame.length);
    for (let i = 0; i < truth.length; i++) {
      const own = cellAt(wanted, i) as string | null;
      truth[i] =
        own === null ? NULL : matchesLike(gather(texts, Uint32Array.of(i)) as BytesVector, fixed(own))[0]!;
    }
    return truth;
  };
}

function compileIs({ operand, test }: Node<"is">): TruthFn {
  if (test === "null") {
    const values = compileValue(operand);
    return (frame) => {
      const vector = values(frame);
      return vector.nulls
        ? vector.nulls.slice()
        : new Uint8Array(vector.length).fill(vector.type.kind === "null" ? 1 : 0);
    };
  }
  const truth = compileTruth(operand);
  const wanted = test === "true" ? TRUE : FALSE;
  return (frame) => truth(frame).map((value) => (value === wanted ? 1 : 0));
}

function compileDistinct({ equal, left, right }: Node<"is_distinct">): TruthFn {
  const [equals, a, b] = [compileTruth(equal), compileValue(left), compileValue(right)];
  return (frame) => {
    const [first, second] = [a(frame), b(frame)];
    return equals(frame).map((value, i) =>
      value === NULL ? (first.nulls?.[i] ?? 0) ^ (second.nulls?.[i] ?? 0) : 1 - value,
    );
  };
}

function compileSpatial({ predicate, left, right }: Node<"spatial">): TruthFn {
  const [a, b] = [compileValue(left), compileValue(right)] as ((frame: Frame) => BytesVector)[];
  if (isConstant(right)) return testConstant(left, a!, predicate, right.value as Uint8Array);
  if (isConstant(left)) return testConstant(right, b!, converse(predicate), left.value as Uint8Array);
  return testPairs(left, a!, b!, predicate);
}

function compileConcat({ left, right, type, at }: Node<"concat">): ValueFn {
  const [a, b] = [compileValue(left), compileValue(right)];
  return (frame) => {
    const [first, second] = [a(frame), b(frame)];
    const joined = new Joined();
    const text = (vector: Vector, i: number) => {
      const cell = cellAt(vector, i);
      return cell === null ? null : textOf(cell, vector.type);
    };
    const join = (_: unknown, i: number) => {
      const [x, y] = [text(first, i), text(second, i)];
      return x === null || y === null ? null : joined.take(x + y);
    };
    return vectorOf(
      type,
      placed(() => Array.from({ length: frame.length }, join), at),
    );
  };
}

function compileCall({ name, args, type, at }: Node<"call">): ValueFn {
  const fn = FUNCTIONS.get(name);
  const values = args.map(compileValue);
  if (MEASURES.has(name)) {
    const measured = measureFunction(name, args, values);
    return (frame) => placed(() => measured(frame), at);
  }
  if (name === "greatest" || name === "least" || name === "concat_ws" || name === "concat") {
    return (frame) => {
      const vectors = values.map((value) => value(frame));
      return placed(() => severalValues(name, vectors, type), at);
    };
  }
  if (!fn) return geometryFunction(name, args, values);
  return (frame) => {
    const vectors = values.map((value) => value(frame));
    return placed(() => fn.apply(vectors, type), at);
  };
}

/** Each result is computed only for the rows that take it. */
function compileCase({ when, otherwise, type }: Node<"case">): ValueFn {
  const branches = when.map(({ condition, result }) => ({
    test: compileTruth(condition),
    value: compileValue(result),
  }));
  const last = compileValue(otherwise);
  return (frame) => {
    const taken = new Branches(frame);
    for (const { test, value } of branches) {
      if (taken.rest.length === 0) break;
      const truth = test(taken.restFrame());
      taken.take(positions(truth, TRUE), value);
    }
    taken.take(Uint32Array.from(taken.rest.keys()), last);
    return taken.joined(type);
  };
}

function compileCoalesce({ operands, type }: Node<"coalesce">): ValueFn {
  const values = operands.map(compileValue);
  return (frame) => {
    const taken = new Branches(frame);
    for (const [i, value] of values.entries()) {
      if (taken.rest.length === 0) break;
      const vector = value(taken.restFrame());
      const known = vector.nulls ? positions(vector.nulls, 0) : Uint32Array.from(taken.rest.keys());
      const chosen = i === values.length - 1 ? Uint32Array.from(taken.rest.keys()) : known;
      taken.takeValues(chosen, gather(vector, chosen));
    }
    return taken.joined(type);
  };
}

/** Rows of a frame that get their values from different expressions. */
class Branches {
  /** Rows without a value yet. */
  rest: Uint32Array;
  readonly #frame: Frame;
  readonly #parts: Vector[] = [];
  readonly #rows: Uint32Array[] = [];

  constructor(frame: Frame) {
    this.#frame = frame;
    this.rest = Uint32Array.from({ length: frame.length }, (_, i) => i);
  }

  restFrame(): Frame {
    return this.rest.length === this.#frame.length ? this.#frame : this.#frame.pick(this.rest);
  }

  /** Gives the rows at `chosen` of `rest` the values of `value` there. */
  take(chosen: Uint32Array, value: ValueFn): void {
    if (chosen.length > 0) this.takeValues(chosen, value(this.restFrame().pick(chosen)));
  }

  takeValues(chosen: Uint32Array, values: Vector): void {
    if (chosen.length === 0) return;
    const done = new Uint8Array(this.rest.length);
    for (const row of chosen) done[row] = 1;
    this.#parts.push(values);
    this.#rows.push(chosen.map((row) => this.rest[row]!));
    this.rest = this.rest.filter((_, i) => !done[i]);
  }

  joined(type: SqlType): Vector {
    const all = concat(
      type,
      this.#parts.map((part) => retyped(part, type)),
    );
    const place = new Uint32Array(this.#frame.length);
    let at = 0;
    for (const rows of this.#rows) for (const row of rows) place[row] = at++;
    return gather(all, place);
  }
}

/** `vector` held as `type` holds it: `concat` wants arrays of one kind. */
function retyped(vector: Vector, type: SqlType): Vector {
  return vector.type.kind === type.kind && JSON.stringify(vector.type) === JSON.stringify(type)
    ? vector
    : cast(vector, type);
}
