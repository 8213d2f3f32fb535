/** Names of units of time, as DuckDB spells them in `date_trunc`, `extract` and `INTERVAL`. */

const NAMES = {
  microsecond: "microseconds us usec usecs",
  millisecond: "milliseconds ms msec msecs",
  second: "seconds s sec secs",
  minute: "minutes m min mins",
  hour: "hours h hr hrs",
  day: "days d dayofmonth",
  week: "weeks w weekofyear",
  month: "months mon mons",
  quarter: "quarters",
  year: "years y yr yrs",
  decade: "decades dec decs",
  century: "centuries cent c",
  millennium: "millenniums millennia mil mils",
  isoyear: "",
  dow: "dayofweek weekday",
  isodow: "",
  doy: "dayofyear",
  era: "",
  epoch: "",
} as const;

export type TimePart = keyof typeof NAMES;

const PARTS = new Map<string, TimePart>();
for (const [part, others] of Object.entries(NAMES) as [TimePart, string][]) {
  for (const name of [part, ...others.split(" ")]) PARTS.set(name, part);
}

/** The canonical name of a unit or field; undefined: there is none of that name. */
export const timePart = (name: string): TimePart | undefined => PARTS.get(name.toLowerCase());

/** Canonical names, for messages and suggestions. */
export const TIME_PARTS = Object.keys(NAMES) as TimePart[];
