/** Random queries with geometry in them, for tables of make_collection.py. */
import type { Dice } from "../naive.ts";
import { predicate } from "../naive.ts";

const PREDICATES =
  "Intersects Disjoint Within Contains Covers CoveredBy Touches Crosses Overlaps Equals".split(" ");
const COMPARE = ["=", "<>", "<", "<=", ">", ">="];

/** What a query's geometry may be: a column, or a shape written out. */
function operand(dice: Dice, shapes: readonly string[]): string {
  if (dice.chance(0.35)) return dice.of(["g", "h"]);
  const [x, y] = [dice.below(6) - 3, dice.below(6) - 3];
  return dice.of([
    `ST_GeomFromText('${dice.of(shapes)}')`,
    `ST_GeomFromText('${dice.of(shapes)}')`,
    `ST_MakeEnvelope(${x}, ${y}, ${x + 1 + dice.below(3)}, ${y + 1 + dice.below(3)})`,
    `ST_Point(${x}, ${y + 0.1})`,
    // of what is flat, a line here and an invalid polygon in DuckDB
    `CASE WHEN ST_Area(ST_Envelope(g)) > 0 THEN ST_Envelope(g) END`,
  ]);
}

/** Numbers of geometry, whole ones where `whole`. */
function measure(dice: Dice, shapes: readonly string[]): string {
  const own = dice.of(["g", "h"]);
  return dice.of([
    `ST_Area(${own})`,
    `ST_Distance(${own}, ${operand(dice, shapes)})`,
    ...["XMin", "XMax", "YMin", "YMax"].map((name) => `ST_${name}(${own})`),
    `ST_XMax(ST_Envelope(${own}))`,
    `ST_Y(ST_Centroid(${own}))`,
  ]);
}

function spatial(dice: Dice, shapes: readonly string[]): string {
  const [own, other] = [dice.of(["g", "g", "h"]), operand(dice, shapes)];
  return dice.of([
    ...Array(4).fill(`ST_${dice.of(PREDICATES)}(${own}, ${other})`),
    `ST_${dice.of(PREDICATES)}(${other}, ${own})`,
    `ST_DWithin(${own}, ${other}, ${dice.of([0, 0.0437, 0.317, 1.037, 2.513])})`,
    // thresholds that no distance on the grid comes near
    `${measure(dice, shapes)} ${dice.of(["<", ">"])} ${dice.of([-1.03, 0.77, 1.937, 4.043])}`,
    `${own} IS ${dice.of(["", "NOT "])}NULL`,
    invalid(dice, other),
    `ST_IsEmpty(${own})`,
    `coalesce(ST_Intersects(${own}, ${other}), ${dice.of(["TRUE", "FALSE"])})`,
    `CASE WHEN ok THEN ST_Disjoint(${own}, ${other}) ELSE u > 7 END`,
  ]);
}

/** Of invalid polygons: only what does not depend on where their inside is. */
function invalid(dice: Dice, other: string): string {
  return dice.of([
    `ST_Intersects(odd, ${other})`,
    `ST_Disjoint(${other}, odd)`,
    `odd IS ${dice.of(["", "NOT "])}NULL`,
    `ST_XMax(odd) > ${dice.of([2.77, 3.77, 5.3])}`,
  ]);
}

/** 64-bit integers beyond int64. */
function unsigned(dice: Dice): string {
  const value = dice.of(["0", "9007199254740993", "9223372036854775808", "18446744073709551615"]);
  return `big ${dice.of(COMPARE)} ${value}`;
}

/** A condition `depth` levels of AND, OR and NOT deep at most. */
export function condition(dice: Dice, shapes: readonly string[], depth: number): string {
  if (depth > 0 && dice.chance(0.7)) {
    const [a, b] = [condition(dice, shapes, depth - 1), condition(dice, shapes, depth - 1)];
    return dice.chance(0.2) ? `NOT (${a})` : `(${a} ${dice.of(["AND", "OR"])} ${b})`;
  }
  if (dice.chance(0.6)) return spatial(dice, shapes);
  return dice.chance(0.15) ? unsigned(dice) : predicate(dice, 0).sql;
}

const PLAIN = [
  ..."n u big f d s ok".split(" "),
  "epoch_ms(date)",
  "date::date::varchar",
  "coalesce(u, 300)",
  "length(s) + u",
  "s || '!'",
  "d * 2",
  "CASE WHEN n > 5 THEN s WHEN ok THEN 'ok' END",
  "nullif(big, 1)",
  "position('a' IN s)",
  "CAST(u AS varchar)",
  "round(f, 1)",
];

/** A query with random select items, ordered so that there is one right answer. */
export function rowQuery(dice: Dice, shapes: readonly string[]): string {
  const items = Array.from({ length: dice.below(4) }, () =>
    dice.chance(0.4)
      ? dice.of([measure(dice, shapes), `ST_${dice.of(PREDICATES)}(g, ${operand(dice, shapes)})`])
      : dice.of(PLAIN),
  );
  const listed = ["idx", ...items.map((item, i) => `${item} AS c${i}`)].join(", ");
  const order = dice.chance(0.3)
    ? dice.of(["s DESC, ", "n NULLS FIRST, ", "ok, u DESC, ", "length(s), "])
    : "";
  const limit = dice.chance(0.2) ? ` LIMIT ${dice.below(30)} OFFSET ${dice.below(5)}` : "";
  return `SELECT ${listed} FROM meta WHERE ${condition(dice, shapes, 2)} ORDER BY ${order}idx${limit}`;
}

/** Counts and boxes of groups. */
export function groupQuery(dice: Dice, shapes: readonly string[]): string {
  const key = dice.of(["ok", "u", "s", "ST_IsEmpty(g)", "g IS NULL", "n"]);
  const values = dice.of([
    "count(*), count(g), count(DISTINCT s)",
    "ST_XMin(ST_Extent(g)), ST_YMax(ST_Extent(g))",
    "sum(ST_Area(g)), max(ST_XMax(h)), min(s)",
    "avg(u), max(big), min(n)",
  ]);
  return `SELECT ${key} AS k, ${values} FROM meta WHERE ${condition(dice, shapes, 1)} GROUP BY k ORDER BY k`;
}
