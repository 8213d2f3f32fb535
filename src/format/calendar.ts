/**
 * Dates and times as counts since 1970-01-01T00:00:00Z: proleptic Gregorian, UTC, no leap seconds.
 * Days ↔ dates after Howard Hinnant, "chrono-compatible low-level date algorithms".
 */
import type { TimeUnit } from "../table/types.ts";

/** Ticks of each unit in a second. */
export const PER_SECOND: Record<TimeUnit, bigint> = { s: 1n, ms: 1_000n, us: 1_000_000n, ns: 1_000_000_000n };

/** Digits of a second's fraction that each unit can hold. */
export const FRACTION_DIGITS: Record<TimeUnit, number> = { s: 0, ms: 3, us: 6, ns: 9 };

/** The finer of two units. */
export function finerUnit(a: TimeUnit, b: TimeUnit): TimeUnit {
  return PER_SECOND[a] >= PER_SECOND[b] ? a : b;
}

/** Days from 1970-01-01 to the date; `month` from 1. */
export function daysFromDate(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719468
  );
}

/** The date that is `days` after 1970-01-01. */
export function dateFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719468;
  const era = Math.floor(z / 146097);
  const dayOfEra = z - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** Days of a month, from 1, in the Gregorian calendar. */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Quotient and remainder, the remainder never negative. */
export function floorDivide(value: bigint, by: bigint): [bigint, bigint] {
  const rest = ((value % by) + by) % by;
  return [(value - rest) / by, rest];
}

/** A count of one unit as another; where that is coarser, rounded, halves away from 0, as DuckDB casts times. */
export function rescaled(ticks: bigint, from: TimeUnit, to: TimeUnit): bigint {
  const [fine, coarse] = [PER_SECOND[to], PER_SECOND[from]];
  if (fine >= coarse) return ticks * (fine / coarse);
  const half = coarse / fine / 2n;
  return (ticks + (ticks < 0n ? -half : half)) / (coarse / fine);
}

/** Date and time of day of a count of `unit`s since 1970. `fraction` has the unit's digits, "" for seconds. */
export function timeParts(value: bigint, unit: TimeUnit) {
  const [seconds, ticks] = floorDivide(value, PER_SECOND[unit]);
  const [days, second] = floorDivide(seconds, 86_400n);
  const digits = FRACTION_DIGITS[unit];
  const fraction = digits === 0 ? "" : ticks.toString().padStart(digits, "0");
  return { ...dateFromDays(Number(days)), second: Number(second), fraction };
}

/** `12:34:56` of a second of the day. */
export function clock(second: number): string {
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  return `${two(second / 3600)}:${two((second / 60) % 60)}:${two(second % 60)}`;
}
