/** Times as text in a format of C's `strftime`. */
import { ZarrsiftError } from "../../errors.ts";
import { clock, daysFromDate, floorDivide, PER_SECOND, timeParts } from "../../format/calendar.ts";
import { STRING, type TimeUnit } from "../../table/types.ts";
import { cellAt, type Vector } from "../../table/vector.ts";
import { vectorOf } from "../eval/vectors.ts";
import { checkLetters } from "./text-size.ts";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = "January February March April May June July August September October November December".split(
  " ",
);

type Parts = ReturnType<typeof timeParts> & { days: number };

const two = (n: number) => String(n).padStart(2, "0");
const hour = ({ second }: Parts) => Math.floor(second / 3600);
const digits = ({ fraction }: Parts, count: number) => fraction.padEnd(9, "0").slice(0, count);
const weekday = ({ days }: Parts) => (((days + 4) % 7) + 7) % 7;

const SPECIFIERS: Record<string, (time: Parts) => string> = {
  Y: ({ year }) => String(year).padStart(4, "0"),
  y: ({ year }) => two(((year % 100) + 100) % 100),
  m: ({ month }) => two(month),
  d: ({ day }) => two(day),
  H: (time) => two(hour(time)),
  I: (time) => two(hour(time) % 12 || 12),
  p: (time) => (hour(time) < 12 ? "AM" : "PM"),
  M: ({ second }) => two(Math.floor(second / 60) % 60),
  S: ({ second }) => two(second % 60),
  f: (time) => digits(time, 6),
  g: (time) => digits(time, 3),
  n: (time) => digits(time, 9),
  j: ({ days, year }) => String(days - daysFromDate(year, 1, 1) + 1).padStart(3, "0"),
  a: (time) => DAYS[weekday(time)]!.slice(0, 3),
  A: (time) => DAYS[weekday(time)]!,
  w: (time) => String(weekday(time)),
  b: ({ month }) => MONTHS[month - 1]!.slice(0, 3),
  B: ({ month }) => MONTHS[month - 1]!,
  T: ({ second }) => clock(second),
  F: (time) => `${SPECIFIERS.Y!(time)}-${two(time.month)}-${two(time.day)}`,
  "%": () => "%",
};

/** @throws ZarrsiftError `sql_type` for a specifier that is not known */
export function formatTime([times, formats]: readonly Vector[]): Vector {
  const { unit } = times!.type as { unit: TimeUnit };
  const cells = Array.from({ length: times!.length }, (_, i) => {
    const [ticks, format] = [cellAt(times!, i), cellAt(formats!, i)];
    if (ticks === null || format === null) return null;
    const days = Number(floorDivide(ticks as bigint, PER_SECOND[unit] * 86_400n)[0]);
    const text = written(format as string, { ...timeParts(ticks as bigint, unit), days });
    checkLetters(text.length, 0);
    return text;
  });
  return vectorOf(STRING, cells);
}

function written(format: string, time: Parts): string {
  return format.replace(/%(.?)/gsu, (found, letter: string) => {
    if (Object.hasOwn(SPECIFIERS, letter)) return SPECIFIERS[letter]!(time);
    const known = Object.keys(SPECIFIERS).map((each) => `%${each}`);
    throw new ZarrsiftError("sql_type", `strftime() does not know ${found}; it knows ${known.join(" ")}`);
  });
}
