/** Times as ISO 8601 text. */
import type { TimeUnit } from "../table/types.ts";
import { clock, FRACTION_DIGITS, floorDivide, PER_SECOND, timeParts } from "./calendar.ts";

/**
 * `2025-07-01T00:00:00Z`, with as many digits of fraction as the unit has (s 0, ms 3, µs 6, ns 9). Years beyond
 * 0-9999 have a sign and at least six digits.
 */
export function timestampText(value: bigint, unit: TimeUnit): string {
  const { year, month, day, second, fraction } = timeParts(value, unit);
  const two = (n: number) => String(n).padStart(2, "0");
  const date = `${yearText(year)}-${two(month)}-${two(day)}`;
  return `${date}T${clock(second)}${fraction && `.${fraction}`}Z`;
}

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, "0");
  return (year < 0 ? "-" : "+") + String(Math.abs(year)).padStart(6, "0");
}

/** `PT1H30M`, `PT1.5S`, `P2DT3H`, `-PT1S`; nothing is `PT0S`. A day is 24 hours. */
export function durationText(value: bigint, unit: TimeUnit): string {
  const size = value < 0n ? -value : value;
  const [seconds, ticks] = floorDivide(size, PER_SECOND[unit]);
  const [days, inDay] = floorDivide(seconds, 86_400n);
  const [hours, inHour] = floorDivide(inDay, 3600n);
  const [minutes, rest] = floorDivide(inHour, 60n);
  const fraction =
    ticks === 0n ? "" : `.${String(ticks).padStart(FRACTION_DIGITS[unit], "0").replace(/0+$/, "")}`;
  const part = (count: bigint, letter: string) => (count === 0n ? "" : `${count}${letter}`);
  const second = rest === 0n && fraction === "" ? "" : `${rest}${fraction}S`;
  const time = part(hours, "H") + part(minutes, "M") + second;
  const text = part(days, "D") + (time && `T${time}`);
  return `${value < 0n ? "-" : ""}P${text || "T0S"}`;
}
