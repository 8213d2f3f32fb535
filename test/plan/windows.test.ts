import { describe, expect, it } from "vitest";
import { planQuery } from "../../src/plan/plan.ts";
import { windows } from "../../src/plan/run/windows.ts";
import type { Column, Table } from "../../src/table/table.ts";
import { answer, MemoryTable, random } from "./memory-table.ts";

function tableOf(rows: number, chunkRows: number, bytesPerRow: number): Table {
  const column = { name: "x", chunkRows, bytesPerRow } as Column;
  return { name: "t", rows, columns: new Map([["x", column]]), roles: {} };
}

describe("windows", () => {
  it("tile the rows in either direction, cut at chunk edges, never too large", () => {
    const next = random(5);
    const below = (n: number) => Math.floor(next() * n);
    for (let round = 0; round < 300; round++) {
      const rows = 1 + below(2_000_000);
      const chunkRows = [1 + below(50), 100 + below(5000), 50_000 + below(200_000), 300_000 + below(900_000)][
        below(4)
      ]!;
      const table = tableOf(rows, chunkRows, [1, 8, 100, 5000][below(4)]!);
      const from = below(rows);
      const to = from + below(rows - from + 1);
      const [backwards, growing] = [next() < 0.5, next() < 0.5];
      const plan = {
        from,
        to,
        backwards,
        because: [],
        conjuncts: [],
        probes: [],
        groups: [],
        orderBy: [],
        limit: undefined,
        offset: 0,
        items: [],
      };
      const found = [...windows(plan, table, ["x"], growing)];
      const ascending = backwards ? [...found].reverse() : found;
      expect(ascending.map((window) => window.from)).toEqual(
        [from, ...ascending.map((window) => window.to)].slice(0, found.length),
      );
      expect(ascending.at(-1)?.to ?? from).toBe(to);
      for (const window of found) {
        expect(window.to).toBeGreaterThan(window.from);
        expect(window.to - window.from).toBeLessThanOrEqual(262_144);
        const inOneChunk = Math.floor(window.from / chunkRows) === Math.floor((window.to - 1) / chunkRows);
        const isEdge = (row: number) => row === from || row === to || row % chunkRows === 0;
        expect(inOneChunk || (isEdge(window.from) && isEdge(window.to))).toBe(true);
      }
    }
  });

  it("give the same answer where a table takes many, in either direction", async () => {
    const next = random(6);
    const rows = 700_000;
    const x = Array.from({ length: rows }, () => Math.floor(next() * 1000));
    const table = new MemoryTable({
      x: { type: { kind: "int", bits: 32, signed: true }, cells: x, chunkRows: 33_333 },
      y: {
        type: { kind: "int", bits: 32, signed: true },
        cells: x.map((value) => value % 7),
        chunkRows: 400_000,
      },
    });
    const wanted = [...x.keys()].filter((i) => x[i]! < 20 && x[i]! % 7 === 3);
    const found = await answer(planQuery(table, "SELECT x FROM meta WHERE x < 20 AND y = 3"));
    expect(found.idx).toEqual(wanted);
    expect(found.rows.map(([value]) => value)).toEqual(wanted.map((i) => x[i]));
    expect(table.reads.length).toBe(new Set(table.reads).size);
    const last = await answer(
      planQuery(table, "SELECT x, y FROM meta WHERE x < 20 AND y = 3 ORDER BY idx DESC OFFSET 5"),
    );
    expect(last.idx).toEqual(wanted.reverse().slice(5));
    expect(last.rows.every(([value, y]) => (value as number) % 7 === y)).toBe(true);
  });

  it("hand out many rows in batches of bounded size", async () => {
    const rows = 300_000;
    const cells = Array.from({ length: rows }, (_, i) => i);
    const table = new MemoryTable({
      x: { type: { kind: "int", bits: 32, signed: true }, cells, chunkRows: 200_000 },
    });
    let at = 0;
    for await (const { length, idx, vectors } of planQuery(table, "SELECT x FROM meta").run()) {
      expect(length).toBeLessThanOrEqual(65_536);
      expect([idx[0], vectors[0]!.length, idx.length]).toEqual([at, length, length]);
      at += length;
    }
    expect(at).toBe(rows);
  });
});
