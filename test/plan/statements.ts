/** Random statements by the grammar of SQL: some mean something, most do not, and all are to be answered or refused. */
import { ALIASES, FUNCTIONS } from "../../src/plan/functions/functions.ts";
import { CONSTRUCTORS } from "../../src/plan/functions/geometry-values.ts";
import { MEASURES } from "../../src/plan/functions/measures.ts";
import { type Dice, predicate } from "./naive.ts";

const NAMES = [
  ...FUNCTIONS.keys(),
  ...ALIASES.keys(),
  ...MEASURES.keys(),
  ...CONSTRUCTORS.keys(),
  ..."coalesce nullif now today date_part mod pi greatest least concat concat_ws st_intersects st_within".split(
    " ",
  ),
  ..."count sum min max avg st_extent nothing_of_that_name".split(" "),
].filter((name) => /^\w+$/.test(name));

const COLUMNS = 'date stamp n u f d s ok g idx meta.n "s" nosuch DATE x'.split(" ");
const LITERALS = [
  ..."NULL TRUE 0 1 -1 7 2.5 1e300 9223372036854775807 99999999999999999999 $1 $2 $9".split(" "),
  ...[
    "''",
    "'a'",
    "'😀''%'",
    "'2025-07-01'",
    "'POINT(1 2)'",
    "'POLYGON((0 0,1 1,0 1,0 0))'",
    "'year'",
    "'3 days'",
  ],
  ...["TIMESTAMP '2025-07-01 12:00'", "DATE '2020-02-30'", "DATE '2020-02-29'", "INTERVAL '1 month 2 days'"],
  ...["INTERVAL 3 DAY", "CURRENT_DATE", "CURRENT_TIMESTAMP", "DATE 'x'", "INTERVAL 'x'"],
];
const INFIX = "AND OR = <> < <= > >= + - * / % || LIKE ILIKE BETWEEN IS_DISTINCT"
  .split(" ")
  .concat("NOT LIKE");
const TYPES =
  "int bigint smallint utinyint double real varchar text boolean date timestamp timestamptz interval bytea uuid numeric(10,2) varchar(3)".split(
    " ",
  );
const FIELDS = "year month day hour epoch dow week quarter century nonsense".split(" ");

/** An expression, whatever its type. */
export function expression(dice: Dice, depth: number): string {
  if (depth <= 0 || dice.chance(0.15)) return dice.chance(0.6) ? dice.of(COLUMNS) : dice.of(LITERALS);
  const part = () => expression(dice, depth - 1);
  const list = () => Array.from({ length: dice.below(4) }, part).join(", ");
  const form = dice.below(16);
  if (form < 4) return infix(dice, part);
  if (form < 7) return `${dice.of(NAMES)}(${dice.chance(0.05) ? "DISTINCT " : ""}${list()})`;
  return [
    () => predicate(dice, 1).sql,
    () => `NOT ${part()}`,
    () => `(${part()})`,
    () =>
      `CASE ${dice.chance(0.4) ? part() : ""} WHEN ${part()} THEN ${part()} ${dice.chance(0.5) ? `ELSE ${part()}` : ""} END`,
    () => (dice.chance(0.5) ? `CAST(${part()} AS ${dice.of(TYPES)})` : `${part()}::${dice.of(TYPES)}`),
    () => `extract(${dice.of(FIELDS)} FROM ${part()})`,
    () => `${part()} ${dice.of(["", "NOT "])}IN (${list()})`,
    () => `${part()} IS ${dice.of(["", "NOT "])}${dice.of(["NULL", "TRUE", "FALSE", "UNKNOWN"])}`,
    () =>
      dice.of([
        `position(${part()} IN ${part()})`,
        `substring(${part()} FROM ${part()} FOR ${part()})`,
        `trim(${dice.of(["BOTH", "LEADING", ""])} ${part()} FROM ${part()})`,
        `date_trunc('${dice.of(FIELDS)}', ${part()})`,
        `ST_DWithin(g, ST_Point(${part()}, ${part()}), ${part()})`,
      ]),
  ][form - 7]!();
}

function infix(dice: Dice, part: () => string): string {
  const op = dice.of(INFIX);
  if (op === "BETWEEN") return `${part()} BETWEEN ${part()} AND ${part()}`;
  if (op === "IS_DISTINCT") return `${part()} IS DISTINCT FROM ${part()}`;
  return `${part()} ${op} ${part()}`;
}

const some = (dice: Dice, most: number, make: () => string) =>
  Array.from({ length: 1 + dice.below(most) }, make).join(", ");

/** A whole SELECT, sometimes with EXPLAIN in front. */
export function statement(dice: Dice): string {
  const depth = dice.below(4);
  const item = () =>
    dice.chance(0.1)
      ? "*"
      : `${expression(dice, depth)}${dice.chance(0.4) ? ` AS ${dice.of(["x", "y", '"a b"', "n"])}` : ""}`;
  const key = () => (dice.chance(0.3) ? dice.of(["1", "2", "x", "99"]) : expression(dice, 1));
  const sorted = () => `${key()}${dice.of(["", " DESC", " ASC NULLS FIRST", " NULLS LAST"])}`;
  const maybe = (share: number, text: () => string) => (dice.chance(share) ? text() : "");
  return [
    maybe(0.05, () => dice.of(["EXPLAIN ", "EXPLAIN ANALYZE "])),
    "SELECT ",
    maybe(0.15, () => "DISTINCT "),
    some(dice, 3, item),
    ` FROM ${dice.of(["meta", "meta", "meta", "meta m", "granules", "nosuch"])}`,
    maybe(0.6, () => ` WHERE ${dice.chance(0.5) ? predicate(dice, 2).sql : expression(dice, depth)}`),
    maybe(0.25, () => ` GROUP BY ${some(dice, 2, key)}`),
    maybe(0.1, () => ` HAVING ${expression(dice, 2)}`),
    maybe(0.4, () => ` ORDER BY ${some(dice, 2, sorted)}`),
    maybe(0.3, () => ` LIMIT ${dice.of(["3", "0", "$1", "-1", "ALL"])}`),
    maybe(0.2, () => ` OFFSET ${dice.of(["1", "5", "$2"])}`),
  ].join("");
}

const PIECES = [
  "(",
  ")",
  ",",
  "'",
  '"',
  ";",
  "--",
  "/*",
  "*/",
  "::",
  "$1",
  ".",
  "\u0000",
  "😀",
  "\ud800",
  "FROM",
  "NOT",
];

/** A text with a few letters lost, doubled, swapped or put in. */
export function damaged(text: string, dice: Dice): string {
  let changed = text;
  for (let n = 1 + dice.below(3); n > 0; n--) {
    const at = dice.below(changed.length + 1);
    const length = dice.below(8);
    const [before, middle, after] = [
      changed.slice(0, at),
      changed.slice(at, at + length),
      changed.slice(at + length),
    ];
    changed = dice.of([
      before + after,
      before + middle + middle + after,
      before + dice.of(PIECES) + middle + after,
      before + [...middle].reverse().join("") + after,
    ]);
  }
  return changed;
}
