/** Functions of timestamps: fields, truncation, counts since 1970. Names, fields and values are DuckDB's. */
import { dateFromDays, daysFromDate, floorDivide, PER_SECOND, rescaled } from "../../format/calendar.ts";
import { FLOAT64, INT64, isDate, type SqlType, STRING, type TimeUnit } from "../../table/types.ts";
import { cellAt, type Vector } from "../../table/vector.ts";
import type { Numbers } from "../eval/numbers.ts";
import { vectorOf } from "../eval/vectors.ts";
import { byRow, type ScalarFunction } from "./scalar.ts";
import { formatTime } from "./strftime.ts";
import { addMonths, beyond, checked } from "./time-arithmetic.ts";
import { type TimePart, timePart } from "./time-units.ts";

/** A time as day since 1970, second of that day, nanoseconds behind it. */
type Field = (day: number, second: number, nanoseconds: number) => number;

const year = (day: number) => dateFromDays(day).year;
const month = (day: number) => dateFromDays(day).month;
const isoDay = (day: number) => ((((day + 3) % 7) + 7) % 7) + 1;

/** The Thursday of a week lies in the year that the week belongs to. */
const thursday = (day: number) => day - isoDay(day) + 4;
const dayOfYear = (day: number) => day - daysFromDate(year(day), 1, 1) + 1;

/** Centuries and millennia have no 0; they count from 1 and -1. */
const counted = (size: number) => (day: number) => {
  const own = year(day);
  return own > 0 ? Math.floor((own - 1) / size) + 1 : Math.trunc(own / size) - 1;
};

const FIELDS: Record<Exclude<TimePart, "epoch">, Field> = {
  year,
  month,
  day: (day) => dateFromDays(day).day,
  quarter: (day) => Math.ceil(month(day) / 3),
  decade: (day) => Math.trunc(year(day) / 10),
  century: counted(100),
  millennium: counted(1000),
  era: (day) => (year(day) > 0 ? 1 : 0),
  isoyear: (day) => year(thursday(day)),
  week: (day) => Math.ceil(dayOfYear(thursday(day)) / 7),
  doy: dayOfYear,
  dow: (day) => isoDay(day) % 7,
  isodow: isoDay,
  hour: (_, second) => Math.floor(second / 3600),
  minute: (_, second) => Math.floor(second / 60) % 60,
  second: (_, second) => second % 60,
  millisecond: (_, second, rest) => (second % 60) * 1000 + Math.floor(rest / 1e6),
  microsecond: (_, second, rest) => (second % 60) * 1e6 + Math.floor(rest / 1000),
};

/** Fields that never fall as time goes on. */
const MONOTONE: readonly string[] = ["year", "decade", "century", "millennium", "era", "isoyear"];

/** What a duration has, each the rest that the larger ones leave. */
const OF_DURATION: readonly TimePart[] = [
  "day",
  "hour",
  "minute",
  "second",
  "millisecond",
  "microsecond",
  "epoch",
];

/** Whether values of `type` have a field. */
export function hasPart(part: TimePart, type: SqlType): boolean {
  return type.kind !== "duration" || OF_DURATION.includes(part);
}

export const TIME_FUNCTIONS: readonly [string, ScalarFunction][] = [
  ...Object.entries(FIELDS).map(([name, of]): [string, ScalarFunction] => [
    name,
    {
      args: ["time"],
      result: () => INT64,
      apply: ([vector]) => fields(vector as Numbers, of, name === "day"),
      monotone: MONOTONE.includes(name),
    },
  ]),
  [
    "whole days",
    {
      args: ["time"],
      result: () => INT64,
      apply: ([vector]) => fields(vector as Numbers, FIELDS.day, true),
      monotone: true,
    },
  ],
  ["epoch", { args: ["time"], result: () => FLOAT64, apply: ([vector]) => epoch(vector!), monotone: true }],
  ["epoch_ms", count("ms")],
  ["epoch_us", count("us")],
  ["epoch_ns", count("ns")],
  [
    "date_trunc",
    {
      args: ["string", "timestamp"],
      result: ([, type]) => instant(type!),
      apply: ([unit, vector], type) =>
        truncated(timePart(cellAt(unit!, 0) as string)!, vector as Numbers, type),
      monotone: true,
    },
  ],
  ["to_timestamp", byRow(["number"], { kind: "timestamp", unit: "us" }, fromEpoch)],
  [
    "make_timestamp",
    byRow(["integer"], { kind: "timestamp", unit: "us" }, (us: number | bigint) => BigInt(us)),
  ],
  ["strftime", { args: ["timestamp", "string"], result: () => STRING, apply: formatTime }],
  [
    "add months",
    {
      args: ["integer", "timestamp"],
      result: ([, type]) => instant(type!),
      apply: ([months, vector], type) => addMonths(vector!, months!, type),
    },
  ],
];

/** A DATE that was computed with is a timestamp. */
const instant = (type: SqlType): SqlType => (isDate(type) ? { kind: "timestamp", unit: "s" } : type);

/** The unit and its ticks in a second. */
function unitOf(vector: Vector): [TimeUnit, number] {
  const { unit } = vector.type as { unit: TimeUnit };
  return [unit, Number(PER_SECOND[unit])];
}

/** Calls `visit` with whole seconds since 1970 and the ticks behind them, for rows that are not NULL. */
function eachTime(vector: Numbers, visit: (i: number, seconds: number, ticks: number) => void): void {
  const [unit, per] = unitOf(vector);
  for (let i = 0; i < vector.length; i++) {
    if (vector.nulls?.[i]) continue;
    const value = vector.values[i]!;
    if (typeof value === "bigint") {
      const [seconds, ticks] = floorDivide(value, PER_SECOND[unit]);
      if (!Number.isSafeInteger(Number(seconds))) throw beyond(`${seconds} seconds`, vector.type);
      visit(i, Number(seconds), Number(ticks));
      continue;
    }
    // A quotient next to a whole number may have been rounded up to it.
    let seconds = Math.floor(value / per);
    if (value - seconds * per < 0) seconds--;
    visit(i, seconds, value - seconds * per);
  }
}

function fields(vector: Numbers, of: Field, isDay: boolean): Vector {
  const { length, nulls, type } = vector;
  const nanoseconds = 1e9 / unitOf(vector)[1];
  const values = new Float64Array(length);
  if (type.kind === "duration") {
    const { unit } = type;
    const cells = Array.from({ length }, (_, i) => {
      const ticks = cellAt(vector, i) as bigint | null;
      return ticks === null ? null : durationField(ticks, unit, of, isDay);
    });
    return vectorOf(INT64, cells);
  }
  eachTime(vector, (i, seconds, ticks) => {
    const day = Math.floor(seconds / 86_400);
    values[i] = of(day, seconds - day * 86_400, ticks * nanoseconds) + 0;
  });
  return { kind: "number", type: INT64, length, values, nulls };
}

/** All fields of a negative duration are negative. */
function durationField(ticks: bigint, unit: TimeUnit, of: Field, isDay: boolean): number {
  const [size, sign] = ticks < 0n ? [-ticks, -1] : [ticks, 1];
  const [seconds, rest] = floorDivide(size, PER_SECOND[unit]);
  const [days, second] = floorDivide(seconds, 86_400n);
  const nanoseconds = Number((rest * PER_SECOND.ns) / PER_SECOND[unit]);
  return sign * (isDay ? Number(days) : of(0, Number(second), nanoseconds)) + 0;
}

/** Seconds since 1970, or of a duration, with their fraction. */
function epoch(vector: Vector): Vector {
  const [, per] = unitOf(vector);
  const { length, nulls } = vector as Numbers;
  const values = Float64Array.from({ length }, (_, i) => Number((vector as Numbers).values[i]) / per);
  return { kind: "number", type: FLOAT64, length, values, nulls };
}

/** Whole `unit`s since 1970. */
function count(unit: TimeUnit): ScalarFunction {
  const apply = ([vector]: readonly Vector[]) => {
    const [own] = unitOf(vector!);
    const cells = Array.from({ length: vector!.length }, (_, i) => {
      const ticks = cellAt(vector!, i) as bigint | null;
      return ticks === null ? null : checked(rescaled(ticks, own, unit), INT64);
    });
    return vectorOf(INT64, cells);
  };
  return { args: ["timestamp"], result: () => INT64, apply, monotone: true };
}

function fromEpoch(seconds: number | bigint): bigint {
  const type: SqlType = { kind: "timestamp", unit: "us" };
  if (typeof seconds === "bigint") return checked(seconds * 1_000_000n, type);
  if (!Number.isFinite(seconds)) throw beyond(`${seconds} seconds`, type);
  const whole = Math.floor(seconds);
  return checked(BigInt(whole) * 1_000_000n + BigInt(Math.round((seconds - whole) * 1e6)), type);
}

/** The day on which the unit that holds `day` began. */
const FIRST_DAY: Partial<Record<TimePart, (day: number) => number>> = {
  day: (day) => day,
  week: (day) => day - isoDay(day) + 1,
  month: (day) => daysFromDate(year(day), month(day), 1),
  quarter: (day) => daysFromDate(year(day), Math.ceil(month(day) / 3) * 3 - 2, 1),
  year: (day) => daysFromDate(year(day), 1, 1),
  decade: (day) => daysFromDate(Math.trunc(year(day) / 10) * 10, 1, 1),
  century: (day) => daysFromDate(Math.trunc(year(day) / 100) * 100, 1, 1),
  millennium: (day) => daysFromDate(Math.trunc(year(day) / 1000) * 1000, 1, 1),
  isoyear: (day) => {
    const fourth = daysFromDate(year(thursday(day)), 1, 4);
    return fourth - isoDay(fourth) + 1;
  },
};

const SECONDS: Partial<Record<TimePart, number>> = { second: 1, minute: 60, hour: 3600 };

/** Whether there is something to truncate to. */
export const isTruncation = (part: TimePart): boolean =>
  part in FIRST_DAY || part in SECONDS || part === "millisecond" || part === "microsecond";

/** Times back to where their unit began, in the same type. */
function truncated(part: TimePart, vector: Numbers, type: SqlType): Vector {
  const { length, nulls } = vector;
  const [unit, per] = unitOf(vector);
  const [firstDay, size] = [FIRST_DAY[part], SECONDS[part]];
  const step = Math.max(1, part === "millisecond" ? per / 1e3 : part === "microsecond" ? per / 1e6 : per);
  const values = new Float64Array(length);
  const cells: bigint[] = [];
  eachTime(vector, (i, seconds, ticks) => {
    const start = firstDay
      ? firstDay(Math.floor(seconds / 86_400)) * 86_400
      : Math.floor(seconds / (size ?? 1)) * (size ?? 1);
    const rest = ticks - (ticks % step);
    values[i] = start * per + rest;
    if (!Number.isSafeInteger(values[i]))
      cells[i] = checked(BigInt(start) * PER_SECOND[unit] + BigInt(rest), type);
  });
  if (cells.length === 0) return { kind: "number", type, length, values, nulls };
  const all = Array.from(values, (value, i) => (nulls?.[i] ? null : (cells[i] ?? BigInt(value))));
  return vectorOf(type, all);
}
