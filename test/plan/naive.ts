/**
 * Random tables, and random predicates that know their own answer: each comes as SQL and as a function of one row,
 * written from the meaning of SQL and of the design alone, on plain JavaScript values.
 */
import { envelope, point } from "../../src/geometry/geometry.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import type { SqlType } from "../../src/table/types.ts";
import type { CellValue } from "../../src/table/vector.ts";
import { MemoryTable } from "./memory-table.ts";

export type Row = Record<string, CellValue> & { box?: [number, number, number, number] | null };
export type Verdict = boolean | null;

export interface Predicate {
  sql: string;
  test(row: Row): Verdict;
}

export const TYPES: Record<string, SqlType> = {
  date: { kind: "timestamp", unit: "ms" },
  stamp: { kind: "timestamp", unit: "ns" },
  n: { kind: "int", bits: 64, signed: true },
  u: { kind: "int", bits: 8, signed: false },
  f: { kind: "float", bits: 32 },
  d: { kind: "float", bits: 64 },
  s: { kind: "string" },
  ok: { kind: "bool" },
  g: { kind: "geometry", encoding: "wkb" },
};

const WORDS = [
  "",
  "a",
  "A",
  "ab",
  "aé",
  "é",
  "😀",
  "a😀b",
  "%",
  "_",
  "a%b",
  "zz",
  "\u0001",
  "'",
  "﹏",
  "𝒳",
  "a b",
];
const BIG = 2n ** 53n;

export class Dice {
  readonly next: () => number;

  constructor(next: () => number) {
    this.next = next;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  chance(share: number): boolean {
    return this.next() < share;
  }
}

function cell(name: string, dice: Dice): CellValue {
  switch (name) {
    case "date":
      return BigInt(
        dice.of([0, 1, 999, 1000, 1751328000000, 1751328000001, -1, 253402300799999]) + dice.below(3),
      );
    case "stamp":
      return dice.of([0n, 1n, 1751328000000000000n, 1751328000000000001n, -1n]) + BigInt(dice.below(3));
    case "n":
      return dice.of([0n, 1n, -1n, 7n, BIG, BIG + 1n, -BIG - 1n, 2n ** 63n - 1n, -(2n ** 63n)]);
    case "u":
      return dice.of([0, 1, 7, 254, 255]);
    case "f":
      return Math.fround(dice.of([0, 0.1, 0.2, 1, 2.5, -3, 1e30, Number.POSITIVE_INFINITY]));
    case "d":
      return dice.of([0, 0.1, 0.2, 1, 2.5, -3, 1e300, 9007199254740992, Number.NEGATIVE_INFINITY]);
    case "s":
      return dice.of(WORDS);
    default:
      return dice.chance(0.5);
  }
}

/** A table of `rows` rows with unequal chunks, and its rows as objects. */
export function randomTable(dice: Dice, rows: number): { table: MemoryTable; rows: Row[] } {
  const all: Row[] = [];
  const safe = dice.chance(0.5);
  for (let i = 0; i < rows; i++) {
    const row: Row = {};
    for (const name of Object.keys(TYPES)) {
      row[name] = dice.chance(0.15) ? null : name === "g" ? shape(row, dice) : cell(name, dice);
      if (name === "n" && safe && row.n !== null && i < rows / 2) row.n = BigInt(dice.below(9));
    }
    if (row.g === null) row.box = null;
    all.push(row);
  }
  const data = Object.entries(TYPES).map(([name, type]) => {
    const chunkRows = dice.of([1, 3, 7, 10, 64, 1000]);
    return [name, { type, chunkRows, cells: all.map((row) => row[name]!) }] as const;
  });
  return { table: new MemoryTable(Object.fromEntries(data), { geometry: "g", time: "date" }), rows: all };
}

/** Boxes and points on a coarse grid, so that they often touch. */
function shape(row: Row, dice: Dice): Uint8Array {
  const [x, y] = [dice.below(9) - 4, dice.below(9) - 4];
  const isPoint = dice.chance(0.4);
  const [w, h] = isPoint ? [0, 0] : [1 + dice.below(3), 1 + dice.below(3)];
  row.box = [x, y, x + w, y + h];
  return writeWkb(isPoint ? point(x, y) : envelope(x, y, x + w, y + h));
}

const COMPARE: Record<string, (sign: number) => boolean> = {
  "=": (sign) => sign === 0,
  "<>": (sign) => sign !== 0,
  "<": (sign) => sign < 0,
  "<=": (sign) => sign <= 0,
  ">": (sign) => sign > 0,
  ">=": (sign) => sign >= 0,
};

const sign = (a: number | bigint, b: number | bigint) => (a < b ? -1 : a > b ? 1 : 0);
const textSign = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;

interface Constant {
  sql: string;
  /** Order of a cell before, at or after the constant. */
  order(cell: CellValue): number;
}

const NANOSECONDS: Record<string, bigint> = { date: 1_000_000n, stamp: 1n };

const TIMES: [string, bigint][] = [
  ["1970-01-01", 0n],
  ["1970-01-01 00:00:00.000000001", 1n],
  ["1970-01-01T00:00:00.0005Z", 500_000n],
  ["1970-01-01 01:00:01+01:00", 1_000_000_000n],
  ["2025-07-01", 1751328000000000000n],
  ["2025-07-01 00:00:00.001", 1751328000001000000n],
  ["9999-12-31 23:59:59.999", 253402300799999000000n],
  ["0001-01-01", -62135596800000000000n],
];

/** A literal that may stand beside column `name`. */
function constantFor(name: string, dice: Dice): Constant {
  if (name === "date" || name === "stamp") {
    const [text, nanoseconds] = dice.of(TIMES);
    const sql = dice.chance(0.5) ? quote(text) : `TIMESTAMP ${quote(text)}`;
    return { sql, order: (value) => sign((value as bigint) * NANOSECONDS[name]!, nanoseconds) };
  }
  if (name === "s") {
    const word = dice.of(WORDS);
    return { sql: quote(word), order: (value) => textSign(value as string, word) };
  }
  if (name === "ok") {
    const value = dice.chance(0.5);
    return { sql: value ? "TRUE" : "FALSE", order: (other) => Number(other) - Number(value) };
  }
  const [sql, exact] = dice.of<[string, number | bigint]>([
    ["0", 0n],
    ["7", 7n],
    ["-1", -1n],
    ["0.1", 0.1],
    ["2.5", 2.5],
    ["-0.5", -0.5],
    ["9007199254740993", BIG + 1n],
    ["9007199254740992", BIG],
    ["9223372036854775807", 2n ** 63n - 1n],
    ["300", 300n],
    ["1e30", 1e30],
    ["99999999999999999999", 99999999999999999999n],
  ]);
  if (name === "f") return { sql, order: (value) => sign(value as number, Math.fround(Number(exact))) };
  if (name === "d") return { sql, order: (value) => sign(value as number, Number(exact)) };
  return { sql, order: (value) => sign(value as number | bigint, exact) };
}

const SCALARS = Object.keys(TYPES).filter((name) => name !== "g");

function not(verdict: Verdict): Verdict {
  return verdict === null ? null : !verdict;
}

function and(a: Verdict, b: Verdict): Verdict {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
}

/** A random predicate, `depth` levels of AND, OR and NOT deep at most. */
export function predicate(dice: Dice, depth: number): Predicate {
  if (depth > 0 && dice.chance(0.6)) {
    const [a, b] = [predicate(dice, depth - 1), predicate(dice, depth - 1)];
    if (dice.chance(0.2)) return { sql: `NOT (${a.sql})`, test: (row) => not(a.test(row)) };
    if (dice.chance(0.5))
      return { sql: `(${a.sql} AND ${b.sql})`, test: (row) => and(a.test(row), b.test(row)) };
    return { sql: `(${a.sql} OR ${b.sql})`, test: (row) => not(and(not(a.test(row)), not(b.test(row)))) };
  }
  return dice.of([
    compared,
    compared,
    between,
    inList,
    isTest,
    like,
    spatial,
    twoColumns,
    computed,
    computed,
    temporal,
    temporal,
    distinct,
    onIdx,
  ])(dice);
}

function compared(dice: Dice): Predicate {
  const [name, op] = [dice.of(SCALARS), dice.of(Object.keys(COMPARE))];
  const value = constantFor(name, dice);
  const test = (row: Row) => (row[name] === null ? null : COMPARE[op]!(value.order(row[name]!)));
  if (dice.chance(0.3)) {
    const mirrored = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" }[op] ?? op;
    return { sql: `${value.sql} ${mirrored} ${name}`, test };
  }
  return { sql: `${name} ${op} ${value.sql}`, test };
}

function between(dice: Dice): Predicate {
  const name = dice.of(SCALARS);
  const [low, high] = [constantFor(name, dice), constantFor(name, dice)];
  const negated = dice.chance(0.3);
  const test = (row: Row) => {
    const value = row[name]!;
    if (value === null) return null;
    const inside = low.order(value) >= 0 && high.order(value) <= 0;
    return negated ? !inside : inside;
  };
  return { sql: `${name} ${negated ? "NOT " : ""}BETWEEN ${low.sql} AND ${high.sql}`, test };
}

function inList(dice: Dice): Predicate {
  const name = dice.of(SCALARS);
  const items = Array.from({ length: 1 + dice.below(12) }, () => constantFor(name, dice));
  const hasNull = dice.chance(0.2);
  const negated = dice.chance(0.3);
  const list = [...items.map(({ sql }) => sql), ...(hasNull ? ["NULL"] : [])];
  const test = (row: Row) => {
    const value = row[name]!;
    if (value === null) return null;
    const found = items.some(({ order }) => order(value) === 0);
    const verdict = found ? true : hasNull ? null : false;
    return negated ? not(verdict) : verdict;
  };
  return { sql: `${name} ${negated ? "NOT " : ""}IN (${list.join(", ")})`, test };
}

function isTest(dice: Dice): Predicate {
  const negated = dice.chance(0.5);
  const word = negated ? "IS NOT" : "IS";
  if (dice.chance(0.5)) {
    const name = dice.of(Object.keys(TYPES));
    return { sql: `${name} ${word} NULL`, test: (row) => (row[name] === null) !== negated };
  }
  const wanted = dice.chance(0.5);
  return { sql: `ok ${word} ${wanted ? "TRUE" : "FALSE"}`, test: (row) => (row.ok === wanted) !== negated };
}

const PATTERNS: [string, RegExp][] = [
  ["'a%'", /^a.*$/su],
  ["'_'", /^.$/su],
  ["'%é%'", /^.*é.*$/su],
  ["'a_b'", /^a.b$/su],
  ["''", /^$/su],
  ["'%'", /^.*$/su],
  ["'%_b%'", /^.*.b.*$/su],
  ["'a!%b' ESCAPE '!'", /^a%b$/su],
  ["'!_' ESCAPE '!'", /^_$/su],
  ["'a\\%b'", /^a\\.*b$/su],
];

function like(dice: Dice): Predicate {
  const [[sql, pattern], insensitive, negated] = [dice.of(PATTERNS), dice.chance(0.4), dice.chance(0.3)];
  const own = insensitive ? new RegExp(pattern.source, "sui") : pattern;
  const word = `${negated ? "NOT " : ""}${insensitive ? "ILIKE" : "LIKE"}`;
  const test = (row: Row) => (row.s === null ? null : own.test(row.s as string) !== negated);
  return { sql: `s ${word} ${sql}`, test };
}

/** Boxes and points against a box; a point lies in a box's interior or on its edge. */
function spatial(dice: Dice): Predicate {
  const [x, y, w, h] = [dice.below(9) - 4, dice.below(9) - 4, 1 + dice.below(4), 1 + dice.below(4)];
  const [west, south, east, north] = [x, y, x + w, y + h];
  const box = `ST_MakeEnvelope(${west}, ${south}, ${east}, ${north})`;
  const meets = ([a, b, c, d]: number[]) => a! <= east && c! >= west && b! <= north && d! >= south;
  const covered = ([a, b, c, d]: number[]) => a! >= west && c! <= east && b! >= south && d! <= north;
  const inside = ([a, b]: number[]) => a! > west && a! < east && b! > south && b! < north;
  const within = (own: number[]) => (own[0] === own[2] ? inside(own) : covered(own));
  const [sql, holds] = dice.of<[string, (own: number[]) => boolean]>([
    [`ST_Intersects(g, ${box})`, meets],
    [`ST_Intersects(${box}, g)`, meets],
    [`ST_Disjoint(g, ${box})`, (own) => !meets(own)],
    [`ST_Within(g, ${box})`, within],
    [`ST_Contains(${box}, g)`, within],
    [`ST_CoveredBy(g, ${box})`, covered],
    [`ST_Covers(${box}, g)`, covered],
  ]);
  return { sql, test: (row) => (row.box ? holds(row.box) : null) };
}

/** Columns of two types: integers exactly, floats as the wider float, times exactly. */
function twoColumns(dice: Dice): Predicate {
  const op = dice.of(Object.keys(COMPARE));
  const [a, b, order] = dice.of<[string, string, (x: CellValue, y: CellValue) => number]>([
    ["n", "u", (x, y) => sign(x as bigint, y as number)],
    ["n", "d", (x, y) => sign(Number(x), y as number)],
    ["n", "f", (x, y) => sign(Math.fround(Number(x)), y as number)],
    ["u", "f", (x, y) => sign(x as number, y as number)],
    ["f", "d", (x, y) => sign(x as number, y as number)],
    ["date", "stamp", (x, y) => sign((x as bigint) * 1_000_000n, y as bigint)],
    ["s", "lower(s)", (x) => textSign(x as string, (x as string).toLowerCase())],
  ]);
  const second = (row: Row) => (b === "lower(s)" ? row.s! : row[b]!);
  const test = (row: Row) =>
    row[a] === null || second(row) === null ? null : COMPARE[op]!(order(row[a]!, second(row)));
  return { sql: `${a} ${op} ${b}`, test };
}

function computed(dice: Dice): Predicate {
  const op = dice.of(Object.keys(COMPARE));
  const limit = dice.below(12) - 3;
  const [sql, value] = dice.of<[string, (row: Row) => number | bigint | null]>([
    ["u + 1", (row) => (row.u === null ? null : (row.u as number) + 1)],
    ["u / 2", (row) => (row.u === null ? null : (row.u as number) / 2)],
    ["u % 7", (row) => (row.u === null ? null : (row.u as number) % 7)],
    ["7 / u", (row) => (row.u === null ? null : 7 / (row.u as number))],
    ["n % 1000", (row) => (row.n === null ? null : (row.n as bigint) % 1000n)],
    ["f * 2", (row) => (row.f === null ? null : Math.fround((row.f as number) * 2))],
    ["d - d", (row) => (row.d === null || !Number.isFinite(row.d) ? null : 0)],
    ["length(s)", (row) => (row.s === null ? null : [...(row.s as string)].length)],
    ["coalesce(u, -2)", (row) => (row.u === null ? -2 : (row.u as number))],
    ["CASE WHEN ok THEN u ELSE 5 END", (row) => (row.ok === true ? (row.u as number | null) : 5)],
    ["CAST(u AS double precision) / 4", (row) => (row.u === null ? null : (row.u as number) / 4)],
    ["strpos(s, 'b')", (row) => (row.s === null ? null : letters(row.s).indexOf("b") + 1)],
    ["length(substr(s, 2, 1))", (row) => (row.s === null ? null : letters(row.s).slice(1, 2).length)],
    ["length(replace(s, 'a', 'xyz'))", (row) => (row.s === null ? null : lengthWithout(row.s, "a", 3))],
    ["greatest(u, 5, NULL)", (row) => (row.u === null ? 5 : Math.max(5, row.u as number))],
    ["least(n, u)", (row) => least(row.n as bigint | null, row.u as number | null)],
    ["sign(n)", (row) => (row.n === null ? null : sign(row.n as bigint, 0))],
    [
      "round(d)",
      (row) => (row.d === null ? null : Math.sign(row.d as number) * Math.round(Math.abs(row.d as number))),
    ],
    ["abs(f)", (row) => (row.f === null ? null : Math.abs(row.f as number))],
    [
      "CASE WHEN starts_with(s, 'a') THEN 1 ELSE 0 END",
      (row) => ((row.s as string | null)?.startsWith("a") ? 1 : 0),
    ],
    ["nullif(u, 7)", (row) => (row.u === 7 ? null : (row.u as number | null))],
  ]);
  const test = (row: Row) => {
    const own = value(row);
    return own === null ? null : COMPARE[op]!(sign(own, limit));
  };
  return { sql: `${sql} ${op} ${limit}`, test };
}

const letters = (text: CellValue) => [...(text as string)];

function lengthWithout(text: CellValue, letter: string, size: number): number {
  return letters(text).reduce((sum, each) => sum + (each === letter ? size : 1), 0);
}

function least(a: bigint | null, b: number | null): bigint | number | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

/** Fields, truncations and sums of `date`, as JavaScript's Date has them. */
function temporal(dice: Dice): Predicate {
  const op = dice.of(Object.keys(COMPARE));
  const year = dice.of([1969, 1970, 2024, 2025, 2026, 9999]);
  const limit = dice.of([Date.UTC(year, 0, 1), Date.UTC(year, 6, 1), Date.UTC(year, 11, 31)]);
  const literal = `TIMESTAMP '${new Date(limit).toISOString().slice(0, 19).replace("T", " ")}'`;
  const [sql, value, against] = dice.of<[string, (date: Date) => number, number]>([
    [`extract(year FROM date) ${op} ${year}`, (date) => date.getUTCFullYear(), year],
    [`extract(month FROM date) ${op} 7`, (date) => date.getUTCMonth() + 1, 7],
    [`date_part('hour', date) ${op} 23`, (date) => date.getUTCHours(), 23],
    [`date_trunc('year', date) ${op} ${literal}`, (date) => Date.UTC(date.getUTCFullYear(), 0, 1), limit],
    [`date_trunc('day', date) ${op} ${literal}`, (date) => Math.floor(Number(date) / 864e5) * 864e5, limit],
    [`date ${op} ${literal} - INTERVAL '3 days'`, Number, limit - 3 * 864e5],
    [`date + INTERVAL '90 minutes' ${op} ${literal}`, (date) => Number(date) + 54e5, limit],
    [`date - INTERVAL '1 month' ${op} ${literal}`, (date) => monthBefore(date), limit],
    [`${literal} - date ${op} INTERVAL '1 day'`, (date) => limit - Number(date), 864e5],
    [`epoch_ms(date) ${op} ${limit}`, Number, limit],
  ]);
  const test = (row: Row) =>
    row.date === null ? null : COMPARE[op]!(sign(value(new Date(Number(row.date))), against));
  return { sql, test };
}

function monthBefore(date: Date): number {
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return Date.UTC(year, month - 1, Math.min(day, days)) + (((Number(date) % 864e5) + 864e5) % 864e5);
}

function distinct(dice: Dice): Predicate {
  const name = dice.of(["n", "u", "s", "f"]);
  const value = constantFor(name, dice);
  const negated = dice.chance(0.5);
  const test = (row: Row) => (row[name] === null || value.order(row[name]!) !== 0) !== negated;
  return { sql: `${name} IS ${negated ? "NOT " : ""}DISTINCT FROM ${value.sql}`, test };
}

function onIdx(dice: Dice): Predicate {
  const [op, limit] = [dice.of(Object.keys(COMPARE)), dice.below(150) - 10];
  if (dice.chance(0.3))
    return { sql: `idx IN (${limit}, 3, 77)`, test: (row) => [limit, 3, 77].includes(row.idx as number) };
  return { sql: `idx ${op} ${limit}`, test: (row) => COMPARE[op]!(sign(row.idx as number, limit)) };
}
