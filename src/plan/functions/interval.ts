/** INTERVAL texts. A day is 24 hours, as all times are UTC; a month has no fixed length. */
import { type TimePart, timePart } from "./time-units.ts";

/** Months first, then microseconds. */
export interface Interval {
  months: number;
  us: bigint;
}

/** What INTERVAL takes, for messages. */
export const INTERVAL_FORMS = "'3 days', '1 year 6 months' or '2 days 12:30:00'";

const MONTHS: Partial<Record<TimePart, number>> = {
  month: 1,
  quarter: 3,
  year: 12,
  decade: 120,
  century: 1200,
  millennium: 12_000,
};

const MICROSECONDS: Partial<Record<TimePart, bigint>> = {
  microsecond: 1n,
  millisecond: 1000n,
  second: 1_000_000n,
  minute: 60_000_000n,
  hour: 3_600_000_000n,
  day: 86_400_000_000n,
  week: 604_800_000_000n,
};

const PIECE =
  /^\s*(?:([-+]?)(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?|([-+]?)(\d*\.?\d+|\d+\.)\s*([a-z]+))(?=[\s\d+-]|$)/i;

/**
 * Reads `1 year 2 months 3 days 04:05:06.7`; fractions of units are exact to the microsecond, those of months and
 * years have to make whole months.
 *
 * @returns undefined where the text is none, or beyond 64 bits of microseconds
 */
export function parseInterval(text: string): Interval | undefined {
  let rest = text.trim();
  const ago = /\sago$/i.test(rest);
  if (ago) rest = rest.slice(0, -3);
  const total: Interval = { months: 0, us: 0n };
  if (rest === "") return undefined;
  while (rest.trim() !== "") {
    const match = PIECE.exec(rest);
    const piece = match && (match[2] === undefined ? amountOf(match) : clockOf(match));
    if (!piece) return undefined;
    total.months += piece.months;
    total.us += piece.us;
    rest = rest.slice(match[0].length);
  }
  const sign = ago ? -1 : 1;
  const us = total.us * BigInt(sign);
  const fits = BigInt.asIntN(64, us) === us && Math.abs(total.months) < 2 ** 31;
  return fits ? { months: total.months * sign, us } : undefined;
}

function clockOf([, sign, hours, minutes, seconds = "0"]: RegExpExecArray): Interval | undefined {
  if (Number(minutes) > 59 || Number(seconds) >= 60) return undefined;
  const whole = (BigInt(hours!) * 60n + BigInt(minutes!)) * 60_000_000n + scaled(seconds, 1_000_000n).value;
  return { months: 0, us: sign === "-" ? -whole : whole };
}

function amountOf(match: RegExpExecArray): Interval | undefined {
  const [sign, number, unit] = [match[5] === "-" ? -1n : 1n, match[6]!, timePart(match[7]!)];
  const [months, us] = [unit && MONTHS[unit], unit && MICROSECONDS[unit]];
  if (us !== undefined) return { months: 0, us: sign * scaled(number, us).value };
  if (months === undefined) return undefined;
  const { value, exact } = scaled(number, BigInt(months));
  return exact ? { months: Number(sign * value), us: 0n } : undefined;
}

/** A decimal number times `factor`, rounded to a whole number. */
function scaled(number: string, factor: bigint): { value: bigint; exact: boolean } {
  const [whole = "", fraction = ""] = number.split(".");
  const scale = 10n ** BigInt(fraction.length);
  const product = BigInt(whole + fraction || "0") * factor;
  return { value: (product + scale / 2n) / scale, exact: product % scale === 0n };
}
