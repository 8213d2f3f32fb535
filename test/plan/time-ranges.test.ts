import { describe, expect, it } from "vitest";
import { PER_SECOND } from "../../src/format/calendar.ts";
import { planQuery } from "../../src/plan/plan.ts";
import type { SqlType, TimeUnit } from "../../src/table/types.ts";
import type { CellValue } from "../../src/table/vector.ts";
import { answer, MemoryTable, random } from "./memory-table.ts";
import { Dice } from "./naive.ts";

const UNITS: TimeUnit[] = ["s", "ms", "us", "ns"];
const YEARS = [1900, 1968, 1969, 1970, 1999, 2000, 2001, 2019, 2020, 2021, 2024, 2100, 2150];
const NOW = BigInt(Date.UTC(2021, 0, 2)) * 1000n;

/** A tick beside an edge of a year, a month, a day or a second, or anywhere in between. */
function edge(dice: Dice, unit: TimeUnit): bigint {
  const [month, day] = [dice.of([0, 1, 2, 6, 11]), dice.of([1, 2, 28, 29, 30, 31])];
  const seconds = BigInt(Date.UTC(dice.of(YEARS), month, day) / 1000 + dice.of([0, 1, 86399, 43200, 3600]));
  const ticks = seconds * PER_SECOND[unit] + BigInt(dice.below(3) - 1);
  return dice.chance(0.3) ? ticks + BigInt(dice.below(1e9)) : ticks;
}

function tableOf(dice: Dice, rows: number): MemoryTable {
  const columns = UNITS.map((unit) => {
    const type: SqlType = { kind: "timestamp", unit };
    const cell = (): CellValue => {
      const ticks = edge(dice, unit);
      return dice.chance(0.15) || BigInt.asIntN(62, ticks) !== ticks ? null : ticks;
    };
    return [
      `t_${unit}`,
      { type, chunkRows: dice.of([1, 7, 1000]), cells: Array.from({ length: rows }, cell) },
    ] as const;
  });
  return new MemoryTable(Object.fromEntries(columns), { time: "t_ms" });
}

const two = (n: number) => String(n).padStart(2, "0");

function day(dice: Dice): string {
  return `${dice.of(YEARS)}-${two(1 + dice.of([0, 1, 2, 6, 11]))}-${two(dice.of([1, 2, 28]))}`;
}

function instant(dice: Dice): string {
  if (dice.chance(0.4)) return `DATE '${dice.of(YEARS)}-01-01'`;
  const clock = dice.of(["", " 12:00:00", " 23:59:59.999", " 00:00:00.000001"]);
  return `TIMESTAMP '${day(dice)}${clock}'`;
}

const interval = (dice: Dice) =>
  `INTERVAL '${dice.of(["1 day", "-3 days", "90 minutes", "1 second", "500 milliseconds", "52 weeks", "1 day 00:00:00.5"])}'`;

/** A function of time column `t`, and a value to compare it with. */
function sides(dice: Dice, t: string): [string, string] {
  const trunc = dice.of("second minute hour day week month quarter year decade century isoyear".split(" "));
  const field = dice.of(["year", "isoyear", "decade", "century"]);
  const count = {
    year: () => dice.of(YEARS),
    isoyear: () => dice.of(YEARS),
    decade: () => 197 + dice.below(9),
    century: () => 20,
  };
  const seconds = String(Date.parse(`${day(dice)}T00:00:00Z`) / 1000 + dice.of([0, 0.5, -0.001]));
  return dice.of<() => [string, string]>([
    () => [`date_trunc('${trunc}', ${t})`, instant(dice)],
    () => [`extract(${field} FROM ${t})`, String(count[field as "year"]())],
    () => [`year(${t})`, dice.of(["2019.5", "2020", "1970"])],
    () => [`${t} + ${interval(dice)}`, instant(dice)],
    () => [`${t} - ${interval(dice)}`, instant(dice)],
    () => [t, `${instant(dice)} - ${interval(dice)}`],
    () => [t, `${instant(dice)} + INTERVAL '${dice.of(["1 month", "-1 year", "1 year 2 days"])}'`],
    () => [`${t} + INTERVAL '1 month'`, instant(dice)],
    () => [`CAST(${t} AS date)`, instant(dice)],
    () => [`CAST(${t} AS timestamp_s)`, instant(dice)],
    () => [`CAST(${t} AS timestamp_ms)`, instant(dice)],
    () => [`now() - ${t}`, interval(dice)],
    () => [`${t} - ${instant(dice)}`, interval(dice)],
    () => [`epoch(${t})`, seconds],
    () => [`epoch_ms(${t})`, `${seconds} * 1000`],
    () => [`date_trunc('year', ${t} + ${interval(dice)})`, instant(dice)],
    () => [`year(date_trunc('month', ${t}::date) - ${interval(dice)})`, String(dice.of(YEARS))],
    () => [`extract(month FROM ${t})`, String(1 + dice.below(12))],
  ])();
}

function condition(dice: Dice, depth: number): string {
  if (depth > 0 && dice.chance(0.5)) {
    const [a, b] = [condition(dice, depth - 1), condition(dice, depth - 1)];
    return dice.of([`(${a} AND ${b})`, `(${a} OR ${b})`, `NOT (${a})`, `(${a}) IS NOT TRUE`]);
  }
  const t = `t_${dice.of(UNITS)}`;
  const [left, right] = sides(dice, t);
  if (dice.chance(0.15)) return `${left} BETWEEN ${right} AND ${sides(dice, t)[1].replace(/^.*$/, right)}`;
  if (dice.chance(0.15)) return `${left} IN (${right}, ${right})`;
  const op = dice.of(["=", "<>", "<", "<=", ">", ">="]);
  return dice.chance(0.2) ? `${right} ${op} ${left}` : `${left} ${op} ${right}`;
}

describe("conditions on functions of time, moved to the columns", () => {
  it.each([1, 2, 3, 4, 5, 6])("find the rows that they find as written (seed %i)", async (seed) => {
    const dice = new Dice(random(seed + 4000));
    const table = tableOf(dice, 200);
    let [moved, found] = [0, 0];
    for (let q = 0; q < 150; q++) {
      const sql = `SELECT idx FROM meta WHERE ${condition(dice, 2)}`;
      const [own, written] = [{}, { asWritten: true }].map((options) =>
        planQuery(table, sql, { now: NOW, ...options }),
      );
      const wanted = (await answer(written!)).idx;
      expect((await answer(own!)).idx, sql).toEqual(wanted);
      moved += own!.plan.conjuncts.some(({ text }) => text.endsWith("]")) ? 1 : 0;
      found += wanted.length;
    }
    expect(moved).toBeGreaterThan(30);
    expect(found).toBeGreaterThan(1000);
  });

  it.each(UNITS)("are years, as JavaScript's dates have them (%s)", async (unit) => {
    const dice = new Dice(random(77));
    const table = tableOf(dice, 300);
    const vector = await table.columns.get(`t_${unit}`)!.read(0);
    expect(vector.length).toBeGreaterThan(0);
    const { rows } = await answer(planQuery(table, `SELECT t_${unit} FROM meta`));
    for (const year of YEARS) {
      const sql = `SELECT idx FROM meta WHERE extract(year FROM t_${unit}) = ${year}`;
      const wanted = rows.flatMap(([ticks], i) =>
        ticks !== null && yearOf(ticks as bigint, unit) === year ? [i] : [],
      );
      expect((await answer(planQuery(table, sql))).idx, sql).toEqual(wanted);
    }
  });

  it("show in EXPLAIN as the range that is read", async () => {
    const type: SqlType = { kind: "timestamp", unit: "ms" };
    const table = new MemoryTable({ date: { type, chunkRows: 10, cells: [0n, 1n] } });
    const why = async (sql: string) =>
      (await planQuery(table, `SELECT idx FROM meta WHERE ${sql}`, { now: NOW }).explain())
        .filter(({ step }) => step !== "output")
        .map((step) => step.why.replace(/ \(\d+ bytes.*/, ""))
        .at(-1);
    expect(await why("extract(year FROM date) = 2020")).toBe(
      "EXTRACT(year FROM date) = 2020 [date from 2020-01-01T00:00:00.000Z to 2020-12-31T23:59:59.999Z]",
    );
    expect(await why("date_trunc('month', date) < DATE '2020-02-15'")).toMatch(
      / \[date to 2020-02-29T23:59:59.999Z\]$/,
    );
    expect(await why("date_trunc('year', date) = TIMESTAMP '2020-01-02'")).toMatch(
      /^no rows: .* \[date never\]$/,
    );
    expect(await why("now() - date < INTERVAL '3 days'")).toMatch(/ \[date from 2020-12-30T00:00:00.001Z\]$/);
    expect(await why("date::date IN (DATE '2020-02-29', DATE '2021-02-28')")).toMatch(
      / \[date from 2020-02-29T00:00:00.000Z to 2020-02-29T23:59:59.999Z; date from 2021-02-28T00:00:00.000Z to 2021-02-28T23:59:59.999Z\]$/,
    );
    expect(await why("date >= DATE '2020-01-01' - INTERVAL '3 days'")).not.toMatch(/\[/);
    expect(await why("extract(month FROM date) = 7")).not.toMatch(/\[/);
  });
});

function yearOf(ticks: bigint, unit: TimeUnit): number {
  const per = PER_SECOND[unit];
  const seconds = (ticks - (((ticks % per) + per) % per)) / per;
  return new Date(Number(seconds) * 1000).getUTCFullYear();
}
