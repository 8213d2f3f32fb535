import { describe, expect, it } from "vitest";
import { planQuery } from "../../src/plan/plan.ts";
import { answer, MemoryTable, random } from "./memory-table.ts";

const ROWS = 200_000;

function table(): { table: MemoryTable; x: number[]; s: (string | null)[] } {
  const next = random(11);
  const x = Array.from({ length: ROWS }, () => Math.floor(next() * 5000));
  const s = Array.from({ length: ROWS }, () => (next() < 0.01 ? null : `prefix-${Math.floor(next() * 300)}`));
  return {
    x,
    s,
    table: new MemoryTable({
      x: { type: { kind: "float", bits: 64 }, cells: x, chunkRows: 30_000 },
      s: { type: { kind: "string" }, cells: s, chunkRows: 7_000 },
    }),
  };
}

describe("many rows", () => {
  const made = table();
  const rows = Array.from({ length: ROWS }, (_, i) => i);
  const byX = (a: number, b: number) => made.x[a]! - made.x[b]! || a - b;
  const byText = (a: number, b: number) => {
    const [p, q] = [made.s[a]!, made.s[b]!];
    if (p === null || q === null) return Number(p === null) - Number(q === null);
    return p < q ? -1 : p > q ? 1 : 0;
  };

  it("are sorted whole, ties by idx", async () => {
    const { idx } = await answer(planQuery(made.table, "SELECT idx FROM meta ORDER BY x"));
    expect(idx).toEqual([...rows].sort(byX));
  });

  it("are sorted by two keys, text in bytes, NULLs last both ways", async () => {
    const { idx } = await answer(planQuery(made.table, "SELECT idx FROM meta ORDER BY s DESC, x"));
    const textDown = (a: number, b: number) =>
      made.s[a] === null || made.s[b] === null ? byText(a, b) : -byText(a, b);
    expect(idx).toEqual([...rows].sort((a, b) => textDown(a, b) || byX(a, b)));
  });

  it.each([
    [10, 0],
    [1, 5],
    [3000, 100],
    [120_000, 7],
  ])("give the first %i after %i", async (limit, offset) => {
    const { idx } = await answer(
      planQuery(made.table, `SELECT x FROM meta ORDER BY x DESC LIMIT ${limit} OFFSET ${offset}`),
    );
    const wanted = [...rows].sort((a, b) => made.x[b]! - made.x[a]! || a - b).slice(offset, offset + limit);
    expect(idx).toEqual(wanted);
  });
});
