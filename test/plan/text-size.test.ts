/** A query of a line does not take all memory there is. */
import { describe, expect, it } from "vitest";
import { Pace } from "../../src/format/pace.ts";
import { planQuery } from "../../src/plan/plan.ts";
import { Sorter } from "../../src/plan/run/sort.ts";
import { answer, MemoryTable } from "./memory-table.ts";

const long = "x".repeat(30_000);
const table = new MemoryTable({
  s: { type: { kind: "string" }, chunkRows: 8000, cells: Array.from({ length: 8000 }, (_, i) => `row ${i}`) },
});
const one = new MemoryTable({ s: { type: { kind: "string" }, chunkRows: 1, cells: [long] } });

const value = async (expression: string, of = one) =>
  (await answer(planQuery(of, `SELECT ${expression} AS x FROM meta LIMIT 1`))).rows[0]![0];

describe("texts that functions make", () => {
  it.each([
    "repeat('a', 10001)",
    "repeat('ab', 9223372036854775807)",
    "lpad('a', 1000000, 'b')",
    "rpad('a', 9223372036854775807, 'b')",
    "replace(repeat('a', 10000), 'a', 'bb')",
    "strftime(TIMESTAMP '2020-01-01', repeat('%A', 2000))",
  ])("%s is too long", async (expression) => {
    await expect(value(expression)).rejects.toThrow(/letters is longer than 10000/);
  });

  it("may be as long as what they are made of", async () => {
    expect(await value("repeat(s, 1)")).toBe(long);
    expect(await value("replace(s, 'x', 'y')")).toBe("y".repeat(30_000));
    expect(await value("lpad(s, 20000, 'y')")).toBe(long.slice(0, 20_000));
    expect(await value("rpad('ab', 9, '😀é')")).toBe("ab😀é😀é😀é😀");
    expect(await value("repeat('', 9223372036854775807)")).toBe("");
  });

  it.each([
    "repeat(s, 1200) || repeat(s, 1200)",
    "concat(repeat(s, 1200), s)",
    "concat_ws(repeat(s, 1200), s, s)",
  ])("%s of many rows is too much", async (expression) => {
    await expect(answer(planQuery(table, `SELECT ${expression} AS x FROM meta`))).rejects.toMatchObject({
      code: "sql_type",
      at: { column: 8 },
    });
  });
});

it("ORDER BY without LIMIT holds so much and no more", async () => {
  const order = planQuery(table, "SELECT idx FROM meta ORDER BY s").plan.orderBy;
  const rows = Float64Array.from({ length: 1000 }, (_, i) => i);
  const pace = new Pace(undefined);
  const key = {
    kind: "number",
    type: { kind: "int", bits: 32, signed: true },
    length: 1000,
    nulls: undefined,
  } as const;
  const whole = new Sorter(order, undefined, 20_000);
  await whole.add(rows, [{ ...key, values: new Int32Array(1000) }], pace);
  await expect(whole.add(rows, [{ ...key, values: new Int32Array(1000) }], pace)).rejects.toMatchObject({
    code: "too_large",
  });
});
