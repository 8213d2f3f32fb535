/** Timestamps as text, as SQL literals, RFC 3339 and people write them. */

import { daysFromDate, daysInMonth, PER_SECOND } from "../../format/calendar.ts";
import type { TimeUnit } from "../../table/types.ts";

/** An instant: a count of `unit`s since 1970-01-01T00:00:00Z. */
export interface Instant {
  value: bigint;
  unit: TimeUnit;
}

/** What timestamps may look like, for messages. */
const TIMESTAMP_FORMS = "2025-07-01, 2025-07-01 12:30:00 or 2025-07-01T12:30:00.5Z (years 0001-9999)";

const PATTERN =
  /^\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]|\s+)(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9})\d*)?)?\s*([Zz]|UTC|utc|[+-]\d{2}(?::?\d{2})?)?)?\s*$/;

const MONTHS = "January February March April May June July August September October November December".split(
  " ",
);

/** date-time of RFC 3339, 5.6. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads a timestamp; without an offset it is UTC. Up to nine digits of fraction, finer ones are cut off.
 * The unit is µs, or ns where the fraction needs it.
 *
 * @returns undefined where the text is no timestamp or no such date exists
 */
export function parseTimestamp(text: string): Instant | undefined {
  const parts = PATTERN.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hour, minute, second] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0)) as number[];
  if (!isDate(year!, month!, day!) || !isClock(hour!, minute!, second!)) return undefined;
  const offset = offsetSeconds(parts[8]);
  if (offset === undefined) return undefined;
  const seconds = daysFromDate(year!, month!, day!) * 86_400 + hour! * 3600 + minute! * 60 + second! - offset;
  const nanoseconds = BigInt((parts[7] ?? "").padEnd(9, "0"));
  if (nanoseconds % 1000n === 0n)
    return { value: BigInt(seconds) * PER_SECOND.us + nanoseconds / 1000n, unit: "us" };
  return { value: BigInt(seconds) * PER_SECOND.ns + nanoseconds, unit: "ns" };
}

/** What is wrong with the date or the time in a text that is written as timestamps are; undefined for any other. */
export function wrongInTimestamp(text: string): string | undefined {
  const parts = PATTERN.exec(text);
  if (!parts || parseTimestamp(text)) return undefined;
  const [, year, month, day, hour, minute, second = "00", , offset] = parts as string[];
  if (Number(year) < 1) return "years are 0001-9999";
  const name = MONTHS[Number(month) - 1];
  if (name === undefined) return `there is no month ${Number(month)}`;
  if (!isDate(Number(year), Number(month), Number(day)))
    return `${name}${Number(month) === 2 ? ` ${year}` : ""} has ${daysInMonth(Number(year), Number(month))} days`;
  if (hour !== undefined && !isClock(Number(hour), Number(minute), Number(second)))
    return `there is no time ${hour}:${minute}:${second}`;
  return `there is no offset ${offset}`;
}

/** Why `parseTimestamp` does not take a text: what is wrong with it, else how timestamps are written. */
export function whyNoTimestamp(text: string): string {
  return wrongInTimestamp(text) ?? `write ${TIMESTAMP_FORMS}`;
}

/** Reads a date-time of RFC 3339, as STAC and OGC API have it. */
export function parseRfc3339(text: string): Instant | undefined {
  return RFC_3339.test(text) ? parseTimestamp(text) : undefined;
}

function isDate(year: number, month: number, day: number): boolean {
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
}

/** 24:00:00 is the end of the day. */
function isClock(hour: number, minute: number, second: number): boolean {
  return (hour < 24 && minute < 60 && second < 60) || (hour === 24 && minute === 0 && second === 0);
}

function offsetSeconds(text: string | undefined): number | undefined {
  if (text === undefined || /^(z|utc)$/i.test(text)) return 0;
  const digits = text.slice(1).replace(":", "");
  const [hours, minutes] = [Number(digits.slice(0, 2)), Number(digits.slice(2) || 0)];
  if (hours > 23 || minutes > 59) return undefined;
  return (text[0] === "-" ? -1 : 1) * (hours * 3600 + minutes * 60);
}
