/** Conditions on one stored column as ranges of its values: exactly those for which they are true. */
import type { KeyRange, Ranges, TextRange } from "../../index/api.ts";
import { orderOf } from "../../table/texts.ts";
import type { SqlType } from "../../table/types.ts";
import type { BoundExpr } from "../bind/bound.ts";
import { likePattern } from "../eval/like.ts";
import { prefixOf, prefixRange } from "../eval/like-prefix.ts";
import { nextAbove, nextBelow } from "../eval/numbers.ts";
import { isBytes, utf8 } from "../eval/vectors.ts";

/** NULL is in no range. */
export interface ColumnRanges {
  column: string;
  ranges: Ranges;
  /** Whether the condition is true for all values in the ranges; where not, it is for no others. */
  exact: boolean;
}

/** undefined where the condition is none on the values of one column, or no index could tell. */
export function columnRanges(expr: BoundExpr): ColumnRanges | undefined {
  switch (expr.node) {
    case "column":
      return expr.type.kind === "bool" ? exactly(expr.name, [{ low: 1, high: 1 }]) : undefined;
    case "range":
      return expr.operand.node === "column"
        ? exactly(expr.operand.name, expr.low > expr.high ? [] : [{ low: expr.low, high: expr.high }])
        : undefined;
    case "in":
      return ofList(expr);
    case "compare":
      return ofText(expr);
    case "like":
      return ofLike(expr);
    case "is":
      return expr.test === "true" ? columnRanges(expr.operand) : undefined;
    case "not":
      return notIn(expr.operand);
    case "and":
      return ofAll(expr.operands);
    default:
      return undefined;
  }
}

const exactly = (column: string, ranges: Ranges): ColumnRanges => ({ column, ranges, exact: true });

function ofList({ operand, points, texts }: Extract<BoundExpr, { node: "in" }>): ColumnRanges | undefined {
  if (operand.node !== "column") return undefined;
  if (isBytes(operand.type))
    return exactly(
      operand.name,
      texts.map((text) => ({ low: text, high: text, highInclusive: true })),
    );
  return exactly(
    operand.name,
    points.map((point) => ({ low: point, high: point })),
  );
}

function ofText({ op, left, right }: Extract<BoundExpr, { node: "compare" }>): ColumnRanges | undefined {
  const [column, fixed] = left.node === "column" ? [left, right] : [right, left];
  if (column.node !== "column" || fixed.node !== "constant") return undefined;
  const { value } = fixed;
  if (typeof value !== "string" && !(value instanceof Uint8Array)) return undefined;
  const text = typeof value === "string" ? utf8(value) : value;
  if (op === "=") return exactly(column.name, [{ low: text, high: text, highInclusive: true }]);
  if (column === left) return exactly(column.name, [{ high: text, highInclusive: op === "<=" }]);
  return exactly(column.name, [{ low: op === "<" ? after(text) : text }]);
}

/** The least text above `text`. */
function after(text: Uint8Array): Uint8Array {
  const next = new Uint8Array(text.length + 1);
  next.set(text);
  return next;
}

function ofLike(expr: Extract<BoundExpr, { node: "like" }>): ColumnRanges | undefined {
  const { operand, pattern, escape: escaping, insensitive } = expr;
  if (insensitive || operand.node !== "column" || pattern.node !== "constant") return undefined;
  if (typeof pattern.value !== "string") return undefined;
  const { prefix, whole } = prefixOf(likePattern(pattern.value, escaping));
  if (prefix.length === 0 && whole !== "equal") return undefined;
  return { column: operand.name, ranges: [prefixRange(prefix, whole)], exact: whole !== undefined };
}

/** All other values, where the ranges say everything. `x NOT IN (1, NULL)` is never true. */
function notIn(expr: BoundExpr): ColumnRanges | undefined {
  if (expr.node === "not") return columnRanges(expr.operand);
  const inside = columnRanges(expr);
  if (!inside?.exact || expr.node === "is" || expr.node === "and") return undefined;
  if (expr.node === "in" && expr.hasNull) return exactly(inside.column, []);
  const type = columnType(expr);
  if (!type) return undefined;
  const ranges = isBytes(type)
    ? otherTexts(inside.ranges as TextRange[])
    : otherKeys(inside.ranges as KeyRange[], type);
  return exactly(inside.column, ranges);
}

function columnType(expr: BoundExpr): SqlType | undefined {
  if (expr.node === "column") return expr.type;
  if (expr.node === "compare") return (expr.left.node === "column" ? expr.left : expr.right).type;
  return "operand" in expr ? expr.operand.type : undefined;
}

function otherKeys(ranges: readonly KeyRange[], type: SqlType): KeyRange[] {
  const [least, most] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const float = type.kind === "float";
  const below = (key: number | bigint) => (float ? nextBelow(Number(key)) : BigInt(key) - 1n);
  const above = (key: number | bigint) => (float ? nextAbove(Number(key)) : BigInt(key) + 1n);
  const others: KeyRange[] = [];
  let low: number | bigint | undefined = least;
  for (const range of [...ranges].sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0))) {
    if (low === undefined) break;
    if (range.low > low) others.push({ low, high: below(range.low) });
    const next = range.high === most ? undefined : above(range.high);
    if (next === undefined || next > low) low = next;
  }
  if (low !== undefined) others.push({ low, high: most });
  return others;
}

/** Where all hold, of conditions on one column. */
function ofAll(operands: readonly BoundExpr[]): ColumnRanges | undefined {
  const parts = operands.map(columnRanges);
  const [first] = parts;
  if (!first || !parts.every((part) => part?.column === first.column)) return undefined;
  const all = parts as ColumnRanges[];
  return {
    column: first.column,
    ranges: all.map(({ ranges }) => ranges).reduce(common),
    exact: all.every(({ exact }) => exact),
  };
}

type AnyRange = KeyRange | TextRange;

function common(a: Ranges, b: Ranges): Ranges {
  const isText = ({ low, high }: AnyRange) => low instanceof Uint8Array || high instanceof Uint8Array;
  const both = (x: AnyRange, y: AnyRange): AnyRange[] =>
    isText(x) ? commonTexts(x as TextRange, y as TextRange) : commonKeys(x as KeyRange, y as KeyRange);
  return a.flatMap((x) => b.flatMap((y) => both(x, y))) as Ranges;
}

function commonKeys(a: KeyRange, b: KeyRange): KeyRange[] {
  const both = { low: a.low > b.low ? a.low : b.low, high: a.high < b.high ? a.high : b.high };
  return both.low > both.high ? [] : [both];
}

function commonTexts(a: TextRange, b: TextRange): TextRange[] {
  const low = !a.low || (b.low && orderOf(b.low, a.low) > 0) ? b.low : a.low;
  const sign = a.high && b.high ? orderOf(a.high, b.high) : a.high ? -1 : 1;
  const { high, highInclusive = false } = sign === 0 ? (a.highInclusive ? b : a) : sign < 0 ? a : b;
  const gap = low && high ? orderOf(low, high) : -1;
  return gap > 0 || (gap === 0 && !highInclusive) ? [] : [{ low, high, highInclusive }];
}

function otherTexts(ranges: readonly TextRange[]): TextRange[] {
  const empty = new Uint8Array(0);
  const others: TextRange[] = [];
  let low: Uint8Array | undefined = empty;
  for (const range of [...ranges].sort((a, b) => orderOf(a.low ?? empty, b.low ?? empty))) {
    if (low === undefined) break;
    const start: Uint8Array = range.low ?? empty;
    if (orderOf(start, low) > 0) others.push({ low, high: start });
    const end: Uint8Array | undefined = range.high && (range.highInclusive ? after(range.high) : range.high);
    if (end === undefined || orderOf(end, low) > 0) low = end;
  }
  if (low !== undefined) others.push({ low });
  return others;
}
