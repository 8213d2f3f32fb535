import { describe, expect, it } from "vitest";
import { planQuery } from "../../src/plan/plan.ts";
import { answer, MemoryTable } from "./memory-table.ts";

const table = new MemoryTable({
  i8: { type: { kind: "int", bits: 8, signed: true }, chunkRows: 1, cells: [127] },
  d: { type: { kind: "float", bits: 64 }, chunkRows: 1, cells: [1e39] },
});

const value = async (expression: string) =>
  (await answer(planQuery(table, `SELECT ${expression} AS x FROM meta`))).rows[0]![0];

describe("casts", () => {
  it.each([
    ["'2.5'", 3n],
    ["'-2.5'", -3n],
    ["'-0.5'", -1n],
    ["'.5'", 1n],
    ["'2.4999999999999999999999'", 2n],
    ["'25e-1'", 3n],
    ["'1e-400'", 0n],
    ["' 1.5e3 '", 1500n],
    ["'9007199254740993.0'", 9007199254740993n],
    ["'9223372036854775807.4'", 2n ** 63n - 1n],
    ["'9.223372036854775807e18'", 2n ** 63n - 1n],
    ["2.5", 2n],
  ])("%s is the int64 %s, as DuckDB reads it", async (text, whole) => {
    expect(await value(`CAST(${text} AS bigint)`)).toBe(whole);
  });

  it.each(["'9223372036854775807.5'", "'1e19'", "'1e999999999'", "'inf'", "'nan'", "'0x10'", "'.'"])(
    "%s is no int64",
    async (text) => {
      await expect(value(`CAST(${text} AS bigint)`)).rejects.toMatchObject({ code: "sql_type" });
    },
  );

  it("reads infinities, and NaN as NULL", async () => {
    expect(await value("CAST('inf' AS double precision)")).toBe(Number.POSITIVE_INFINITY);
    expect(await value("CAST(' -Infinity ' AS real)")).toBe(Number.NEGATIVE_INFINITY);
    expect(await value("CAST('NaN' AS double precision) IS NULL")).toBe(true);
    expect(await value("CAST('NaN' AS double precision)")).toBeNull();
  });

  it("a float32 that cannot hold a number is an error, not an infinity", async () => {
    await expect(value("CAST(d AS real)")).rejects.toThrow("1e+39 does not fit float32");
    expect(await value("CAST(CAST('inf' AS double precision) AS real)")).toBe(Number.POSITIVE_INFINITY);
  });

  it("rounding integers never goes around", async () => {
    expect(await value("round(i8, -1)")).toBe(130n);
    await expect(value("round(9223372036854775807, -1)")).rejects.toThrow(
      "9223372036854775807 rounded is 9223372036854775810, which int64 cannot hold",
    );
  });
});
