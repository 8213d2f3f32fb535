/** A scan that guessed wrongly changes the order of its conditions, and the next query begins with it. */
import { describe, expect, it } from "vitest";
import { planQuery } from "../../src/plan/plan.ts";
import { answer, MemoryTable } from "./memory-table.ts";

const ROWS = 1_000_000;
const CHUNK = 20_000;

/** `n = 1` holds everywhere and looks rare; `m < 5` holds nearly nowhere and looks common. */
const SQL = "SELECT count(*) FROM meta WHERE n = 1 AND m < 5";

function misleading(): MemoryTable {
  const int = { type: { kind: "int", bits: 32, signed: true } as const, chunkRows: CHUNK };
  return new MemoryTable({
    n: { ...int, cells: new Array(ROWS).fill(1) },
    m: { ...int, cells: Array.from({ length: ROWS }, (_, i) => (i === 7 ? 1 : 9)) },
  });
}

const readsOf = (table: MemoryTable, name: string) =>
  table.reads.filter((read) => read.startsWith(`${name}/`)).length;

describe("the order of conditions", () => {
  it("is learnt while a scan goes on, which then reads less", async () => {
    const table = misleading();
    const query = planQuery(table, SQL);
    expect(query.plan.conjuncts.map(({ text }) => text)).toEqual(["n = 1", "m < 5"]);
    expect((await answer(query)).rows).toEqual([[1n]]);
    expect(readsOf(table, "m")).toBe(ROWS / CHUNK);
    expect(readsOf(table, "n")).toBeLessThan(ROWS / CHUNK);
  });

  it("is known to the next query of the same table, and no other", async () => {
    const table = misleading();
    await answer(planQuery(table, SQL));
    expect(planQuery(table, SQL).plan.conjuncts.map(({ text }) => text)).toEqual(["m < 5", "n = 1"]);
    expect(planQuery(misleading(), SQL).plan.conjuncts.map(({ text }) => text)).toEqual(["n = 1", "m < 5"]);
    table.reads.length = 0;
    expect((await answer(planQuery(table, SQL))).rows).toEqual([[1n]]);
    expect(readsOf(table, "n")).toBe(1);
  });

  it("never puts a condition that fails on some rows before what was written to leave them out", async () => {
    const int = { type: { kind: "int", bits: 64, signed: true } as const, chunkRows: CHUNK };
    const text = { type: { kind: "string" } as const, chunkRows: CHUNK };
    const table = new MemoryTable({
      kind: {
        ...text,
        cells: Array.from({ length: ROWS / 5 }, (_, i) => (i % 100 === 1 ? "text" : "number")),
      },
      value: { ...text, cells: Array.from({ length: ROWS / 5 }, (_, i) => (i % 100 === 1 ? "abc" : `${i}`)) },
      n: { ...int, cells: Array.from({ length: ROWS / 5 }, (_, i) => (i % 100 === 1 ? 2n ** 63n - 1n : 9n)) },
    });
    const count = async (condition: string) =>
      (await answer(planQuery(table, `SELECT count(*) FROM meta WHERE ${condition}`))).rows[0]![0];
    for (let i = 0; i < 2; i++) {
      expect(await count("kind = 'number' AND CAST(value AS int) < 5")).toBe(4n);
      expect(await count("kind = 'number' AND n * 2 < 5")).toBe(0n);
    }
    await expect(count("CAST(value AS int) < 5 AND kind = 'number'")).rejects.toThrow(
      "'abc' is not a number",
    );
  });
});
