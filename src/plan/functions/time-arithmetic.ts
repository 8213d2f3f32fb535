/** Arithmetic on timestamps and durations: exact in 64 bits, beyond that is an error. */

import { ZarrsiftError } from "../../errors.ts";
import { daysFromDate, daysInMonth, floorDivide, PER_SECOND, timeParts } from "../../format/calendar.ts";
import { type SqlType, type TimeUnit, typeName } from "../../table/types.ts";
import { cellAt, type Vector } from "../../table/vector.ts";
import type { ArithmeticOp } from "../bind/bound.ts";
import { asBigs, type Numbers } from "../eval/numbers.ts";
import { vectorOf } from "../eval/vectors.ts";

type TimeType = Extract<SqlType, { unit: TimeUnit }>;

/** `left op right` as `type`: sums and differences of times, products and quotients of a duration and numbers. */
export function calculateTimes(op: ArithmeticOp, left: Numbers, right: Numbers, type: TimeType): Vector {
  if (op === "*" || op === "/") return scale(op, left, right, type);
  const [a, b] = [factorTo(type, left.type), factorTo(type, right.type)];
  return (
    sums(left, a, right, op === "-" ? -b : b, type) ?? bigSums(left, a, right, op === "-" ? -b : b, type)
  );
}

const factorTo = ({ unit }: TimeType, from: SqlType) =>
  PER_SECOND[unit] / PER_SECOND[(from as TimeType).unit];

/** In doubles, or undefined where something is not exact there. */
function sums(left: Numbers, a: bigint, right: Numbers, b: bigint, type: TimeType): Vector | undefined {
  if (left.kind !== "number" || right.kind !== "number") return undefined;
  const { length } = left;
  const [x, y] = [Number(a), Number(b)];
  const [values, nulls] = [new Float64Array(length), eitherNull(left, right)];
  for (let i = 0; i < length; i++) {
    if (nulls?.[i]) continue;
    const [first, second] = [left.values[i]! * x, right.values[i]! * y];
    const sum = first + second;
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || !Number.isSafeInteger(sum))
      return undefined;
    values[i] = sum;
  }
  return { kind: "number", type, length, values, nulls };
}

function eitherNull(left: Vector, right: Vector): Uint8Array | undefined {
  if (!left.nulls || !right.nulls) return left.nulls ?? right.nulls;
  return left.nulls.map((value, i) => value | right.nulls![i]!);
}

function bigSums(left: Numbers, a: bigint, right: Numbers, b: bigint, type: TimeType): Vector {
  const [x, y, nulls] = [asBigs(left, a), asBigs(right, b), eitherNull(left, right)];
  return vectorOf(
    type,
    x.map((value, i) => (nulls?.[i] ? null : checked(value + y[i]!, type))),
  );
}

/** Products with fractions are rounded to the unit. Divided by 0 is NULL. */
function scale(op: "*" | "/", left: Numbers, right: Numbers, type: TimeType): Vector {
  const factor = factorTo(type, left.type);
  const cells = Array.from({ length: left.length }, (_, i) => {
    const [ticks, by] = [cellAt(left, i), cellAt(right, i)];
    if (ticks === null || by === null || (op === "/" && Number(by) === 0)) return null;
    const whole = (ticks as bigint) * factor;
    if (op === "*" && Number.isInteger(Number(by))) return checked(whole * BigInt(by as number), type);
    const made = Math.round(op === "*" ? Number(whole) * Number(by) : Number(whole) / Number(by));
    if (!Number.isFinite(made)) throw beyond(`${made} ticks`, type);
    return checked(BigInt(made), type);
  });
  return vectorOf(type, cells);
}

/** Ticks that 64 bits hold. @throws ZarrsiftError `sql_type` for others */
export function checked(ticks: bigint, type: SqlType): bigint {
  if (BigInt.asIntN(64, ticks) === ticks) return ticks;
  throw beyond(`${ticks} ticks`, type);
}

/** `sql_type`: a time too far off. */
export function beyond(what: string, type: SqlType): ZarrsiftError {
  return new ZarrsiftError("sql_type", `A time of ${what} is beyond what ${typeName(type)} can hold`);
}

/** Times `months` later, on the same day of the month or its last. */
export function addMonths(vector: Vector, months: Vector, type: SqlType): Vector {
  const { unit } = type as TimeType;
  const cells = Array.from({ length: vector.length }, (_, i) => {
    const [ticks, count] = [cellAt(vector, i), cellAt(months, i)];
    return ticks === null || count === null
      ? null
      : checked(later(ticks as bigint, Number(count), unit), type);
  });
  return vectorOf(type, cells);
}

function later(ticks: bigint, months: number, unit: TimeUnit): bigint {
  const { year, month, day } = timeParts(ticks, unit);
  const count = year * 12 + month - 1 + months;
  const [newYear, newMonth] = [Math.floor(count / 12), (((count % 12) + 12) % 12) + 1];
  const newDay = Math.min(day, daysInMonth(newYear, newMonth));
  const inDay = floorDivide(ticks, PER_SECOND[unit] * 86_400n)[1];
  return BigInt(daysFromDate(newYear, newMonth, newDay)) * 86_400n * PER_SECOND[unit] + inDay;
}

/** The coarsest unit that holds so many ticks exactly. */
export function coarsest(ticks: bigint, unit: TimeUnit): { ticks: bigint; unit: TimeUnit } {
  const units: TimeUnit[] = ["s", "ms", "us"];
  for (const each of units) {
    const [whole, rest] = floorDivide(ticks * PER_SECOND[each], PER_SECOND[unit]);
    if (rest === 0n) return { ticks: whole, unit: each };
  }
  return { ticks, unit };
}
