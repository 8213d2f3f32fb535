import { describe, expect, it } from "vitest";
import { textCell } from "../../src/format/cell.ts";
import { planQuery } from "../../src/plan/plan.ts";
import { type SqlType, typeName } from "../../src/table/types.ts";
import type { CellValue } from "../../src/table/vector.ts";
import { answersOf, hasDuckdb, isSame, type TextColumns } from "./duckdb.ts";
import { answer, MemoryTable, random } from "./memory-table.ts";
import { Dice } from "./naive.ts";

const TYPES: Record<string, SqlType> = {
  t: { kind: "timestamp", unit: "us" },
  m: { kind: "timestamp", unit: "ms" },
  c: { kind: "timestamp", unit: "s" },
  d: { kind: "float", bits: 64 },
  f: { kind: "float", bits: 32 },
  n: { kind: "int", bits: 64, signed: true },
  s: { kind: "string" },
};

const DUCKDB: Record<string, string> = {
  t: "TIMESTAMP",
  m: "TIMESTAMP_MS",
  c: "TIMESTAMP_S",
  d: "DOUBLE",
  f: "FLOAT",
  n: "BIGINT",
  s: "VARCHAR",
};

const US = { s: 1_000_000n, ms: 1000n, us: 1n };
const WORDS = ["", "a", "hello", "  padded ", "aé😀b", "xxhixx", "aXbXa", "日本語", "100%", "a'b"];
const EDGES = [
  "1969-12-31T23:59:59.999999Z",
  "1970-01-01T00:00:00Z",
  "2020-02-29T12:00:00Z",
  "2019-12-30T00:00:00Z",
  "2021-01-03T23:59:59.5Z",
  "2000-12-31T23:59:59.999Z",
  "1900-03-01T00:00:00Z",
  "0001-01-01T00:00:00Z",
  "9999-12-31T23:59:59Z",
  "2024-01-31T06:07:08.123456Z",
];

function cell(name: string, dice: Dice): CellValue {
  const type = TYPES[name]!;
  if (type.kind === "timestamp") {
    const [, , fraction = "0"] = [0, 0, "0"];
    const milliseconds = BigInt(Date.parse(dice.of(EDGES).replace(/\.(\d{3})\d*/, ".$1"))) + BigInt(fraction);
    const us = dice.chance(0.5)
      ? milliseconds * 1000n + BigInt(dice.below(3))
      : BigInt(Math.floor(dice.next() * 8e15 - 4e15));
    return us / US[type.unit as "s"];
  }
  if (name === "s") return dice.of(WORDS);
  if (name === "n") return BigInt(dice.of([0, 1, -1, 5, 1250, -1250, 2 ** 40, -7]));
  const value = dice.of([0, 0.5, -0.5, 1.5, 2.5, -2.5, 2.567, 100, -8, 1e10, 0.1, 3.25]);
  return name === "f" ? Math.fround(value) : value;
}

function tableOf(seed: number, rows: number) {
  const dice = new Dice(random(seed));
  const cells = (name: string) =>
    Array.from({ length: rows }, () => (dice.chance(0.1) ? null : cell(name, dice)));
  const data = Object.entries(TYPES).map(
    ([name, type]) => [name, { type, chunkRows: 16, cells: cells(name) }] as const,
  );
  const columns = Object.fromEntries(
    data.map(([name, { type, cells: all }]) => [
      name,
      [DUCKDB[name]!, all.map((value) => (value === null ? null : textCell(value, type).replace(/Z$/, "")))],
    ]),
  ) as TextColumns;
  return { table: new MemoryTable(Object.fromEntries(data)), columns };
}

const UNITS =
  "microsecond millisecond second minute hour day week month quarter year decade century millennium isoyear".split(
    " ",
  );
const FIELDS = [...UNITS, "dow", "isodow", "doy", "era", "epoch"];
const TIMES = ["t", "m", "c"];

const EXPRESSIONS: string[] = [
  ...UNITS.flatMap((unit) => TIMES.map((t) => `epoch_us(date_trunc('${unit}', ${t}))`)),
  ...FIELDS.flatMap((field) => TIMES.map((t) => `extract(${field} FROM ${t})`)),
  ..."year month day hour minute second millisecond microsecond quarter week dayofweek dayofyear weekofyear isodow epoch epoch_ms epoch_us"
    .split(" ")
    .map((name) => `${name}(t)`),
  ...[
    "3 days",
    "1 month",
    "-1 month 2 days",
    "1 year 2 months 3 days 04:05:06.7",
    "90 minutes",
    "2 weeks ago",
    "13 mons",
  ].flatMap((text) => [`epoch_us(t + INTERVAL '${text}')`, `epoch_us(t - INTERVAL '${text}')`]),
  "epoch_us(INTERVAL '1 day' + t)",
  "epoch_us(t + 2 * INTERVAL '1 month')",
  "epoch_us(t - (INTERVAL '1 day' * 3))",
  "t - TIMESTAMP '2020-01-01'",
  "TIMESTAMP '2020-01-01' - t",
  "epoch_us(t + (t - TIMESTAMP '2020-01-01'))",
  "extract(epoch FROM t - TIMESTAMP '2020-01-01')",
  "extract(day FROM t - TIMESTAMP '2020-01-01')",
  "extract(hour FROM t - TIMESTAMP '2020-01-01')",
  "strftime(t, '%Y-%m-%dT%H:%M:%S.%f %j %y %a %A %b %B %I %p %%')",
  "epoch_ms(t::timestamp_ms)",
  "epoch_ms(t::timestamp_s)",
  "t::date = DATE '2020-02-29'",
  "CAST(t AS date) <= DATE '1970-01-01'",
  ...["1, 2", "0, 3", "-3, 2", "2, -1", "-3", "-10, 8", "-3, -2", "0", "2", "100, 3", "3, 0", "0, -2"].map(
    (args) => `substr(s, ${args})`,
  ),
  ...[0, 2, -2, 10, -10].flatMap((n) => [`left(s, ${n})`, `right(s, ${n})`]),
  "replace(s, 'X', 'yy')",
  "replace(s, '', 'z')",
  "strpos(s, 'b')",
  "strpos(s, '😀')",
  "strpos(s, '')",
  "starts_with(s, 'a')",
  "ends_with(s, 'a')",
  "contains(s, 'X')",
  "contains(s, '%')",
  "starts_with(s, '_')",
  "starts_with(s, '')",
  "ends_with(s, s)",
  "contains(s, left(s, 1))",
  "concat(s, NULL, n, '!')",
  "concat_ws('-', s, NULL, n)",
  "trim(s)",
  "ltrim(s)",
  "rtrim(s)",
  "trim(s, 'xa')",
  "ltrim(s, 'x')",
  "rtrim(s, 'xX')",
  "reverse(s)",
  "length(s)",
  "lpad(s, 6, 'xy')",
  "rpad(s, 6, 'é')",
  "rpad(s, -1, 'é')",
  "repeat(s, 2)",
  "greatest(n, 3)",
  "least(n, 3, NULL)",
  "greatest(s, 'b')",
  "greatest(t, TIMESTAMP '2000-01-01')::varchar",
  ..."abs floor ceil round trunc sign sqrt exp ln log10 log2 log sin cos tan cot atan cbrt degrees radians"
    .split(" ")
    .map((name) => `${name}(d)`),
  ..."abs floor ceil round trunc sign".split(" ").map((name) => `${name}(f)`),
  ..."abs round trunc sign".split(" ").map((name) => `${name}(n)`),
  "round(d, 2)",
  "round(d, -1)",
  "trunc(d, 1)",
  "round(n, -2)",
  "round(n, 1)",
  "power(d, 2)",
  "pow(d, 0.5)",
  "mod(n, 7)",
  "mod(d, 2.5::double)",
  "atan2(d, 2)",
  "log(2, d)",
  "pi() * d",
  "position('b' IN s)",
  "position(left(s, 1) IN s || 'x') + 1",
  "position('x' IN s) IN (0, 1)",
  "substring(s FROM 2)",
  "substring(s FROM -3 FOR 2)",
  "substring(s FOR 2)",
  "substring(s FROM length(s) - 1 FOR 1 + 1)",
  ...["BOTH", "LEADING", "TRAILING", ""].flatMap((side) => [
    `trim(${side} 'xa' FROM s)`,
    `trim(${side} FROM s)`,
  ]),
  "trim(TRAILING s)",
  "trim(LEADING 'x' || 'a' FROM s)",
  "CURRENT_TIMESTAMP > t AND CURRENT_DATE - 1 < now()",
  "today() = CURRENT_DATE AND CURRENT_DATE = CAST(now() AS date)",
  ...TIMES.flatMap((t) => [
    `CAST(${t} AS date)::varchar`,
    `${t}::date - DATE '2020-02-29'`,
    `DATE '2020-02-29' - CAST(${t} AS date)`,
    `(${t}::date + 30)::varchar`,
    `(7 + ${t}::date - 1) || ''`,
    `${t}::date < '1970-01-01 12:00:00'`,
    `'2020-02-29 01:00' = ${t}::date`,
    `${t}::date IN ('2020-02-29 23:00', '1970-01-01')`,
    `${t}::date BETWEEN '1969-12-31 23:00' AND '2020-02-29 00:30'`,
    `greatest(${t}::date, DATE '2000-01-01')::varchar`,
    `coalesce(${t}::date, '2020-01-01 13:00')::varchar`,
    `nullif(${t}::date, '2020-02-29 10:00')::varchar`,
    `epoch_us(greatest(${t}::date, ${t}))`,
    `epoch_us(${t}::date + INTERVAL '90 minutes')`,
    `epoch_us(date_trunc('month', ${t}::date))`,
    `epoch_us(CASE WHEN n > 0 THEN ${t}::date ELSE ${t} END)`,
    `concat(${t}::date, '!')`,
    `extract(hour FROM ${t}::date) + extract(day FROM ${t}::date)`,
  ]),
  "t::date - TIMESTAMP '2020-02-29 12:00'",
  "(t::date - DATE '2000-01-01') / 7",
  "-(t::date - DATE '2000-01-01')",
  "epoch_us(t + '1 month'::interval)",
  "epoch_us(t - CAST('36 hours' AS interval))",
  "epoch_us(coalesce(t, '2020-01-01'))",
  "epoch_us(CASE WHEN n > 0 THEN t ELSE '2020-01-01' END)",
  "coalesce(n, '12')",
];

/** Durations in microseconds, as DuckDB's come. */
function comparable(value: CellValue, type: SqlType): CellValue {
  return type.kind === "duration" && value !== null ? (value as bigint) * US[type.unit as "s"] : value;
}

/** DuckDB refuses logarithms and roots of what has none; here they are NULL, as NaN is. */
const UNDEFINED = /^(ln|log|log2|log10|sqrt)\(/;

/** DuckDB's names of our types. Its literals are narrower; here integers that are computed have 64 bits. */
const NAMES: Record<string, RegExp> = {
  bool: /^BOOLEAN$/,
  string: /^VARCHAR$/,
  float64: /^(DOUBLE|DECIMAL.*)$/,
  float32: /^FLOAT$/,
  int64: /^(U?BIGINT|U?INTEGER|HUGEINT)$/,
  int8: /^TINYINT$/,
  timestamp: /^(TIMESTAMP|TIMESTAMP_MS|TIMESTAMP_S|DATE)$/,
  duration: /^INTERVAL$/,
};

const sameType = (own: string, theirs: string) => NAMES[own.replace(/\[.*/, "")]?.test(theirs) ?? false;

describe.skipIf(!hasDuckdb)("functions, beside DuckDB", () => {
  it("have the same types", () => {
    const { table, columns } = tableOf(10, 1);
    const names = answersOf(
      columns,
      EXPRESSIONS.map((sql) => `SELECT typeof(${sql}) FROM meta`),
    );
    const wrong = EXPRESSIONS.flatMap((sql, i) => {
      const own = typeName(planQuery(table, `SELECT ${sql} AS x FROM meta`).columns[0]!.type);
      const theirs = names[i]!;
      return typeof theirs === "string" || sameType(own, String(theirs[0])) ? [] : [[sql, own, theirs]];
    });
    expect(wrong).toEqual([]);
  });

  it.each([11, 12])("make the same values (seed %i)", { timeout: 60_000 }, async (seed) => {
    const { table, columns } = tableOf(seed, 120);
    const wanted = answersOf(
      columns,
      EXPRESSIONS.map((sql) => `SELECT ${sql} FROM meta ORDER BY idx`),
    );
    const wrong: unknown[] = [];
    for (const [i, sql] of EXPRESSIONS.entries()) {
      const query = planQuery(table, `SELECT ${sql} AS x FROM meta`);
      const { type } = query.columns[0]!;
      const own = (await answer(query)).rows.map(([value]) => comparable(value!, type));
      const theirs = wanted[i]!;
      if (typeof theirs === "string") {
        if (!UNDEFINED.test(sql)) wrong.push([sql, theirs]);
        continue;
      }
      const at = own.findIndex((value, row) => !isSame(value, theirs[row]![0]!));
      if (at >= 0) {
        const given = Object.values(columns).map(([, cells]) => cells[at]);
        wrong.push([sql, typeName(type), String(own[at]), theirs[at], given]);
      }
    }
    expect(wrong.map((each) => JSON.stringify(each))).toEqual([]);
  });
});
