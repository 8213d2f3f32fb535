import { describe, expect, it } from "vitest";
import type { CategoryIndex, Rows } from "../../src/index/api.ts";
import { CategoryBuilder } from "../../src/index/category-build.ts";
import { openIndexes } from "../../src/index/open.ts";
import { cellAt } from "../../src/table/vector.ts";
import { makeSource, putColumn, putIndexes, seeded, type TestColumn, tableOf, utf8 } from "./source.ts";

const listed = (rows: Rows): number[] =>
  rows instanceof Float64Array
    ? Array.from(rows)
    : Array.from({ length: rows.to - rows.from }, (_, i) => rows.from + i);

async function indexed(column: TestColumn, chunkRows: number) {
  const store = await makeSource({ k: column }, chunkRows);
  const { table } = await tableOf(store);
  const source = table.columns.get("k")!;
  const builder = new CategoryBuilder(source.type, source.rows, chunkRows);
  const cells: (string | null)[] = [];
  for (let chunk = 0; chunk * chunkRows < source.rows; chunk++) {
    const vector = await source.read(chunk);
    expect(builder.addVector(vector)).toBe(true);
    for (let i = 0; i < vector.length; i++) {
      const cell = cellAt(vector, i);
      cells.push(cell === null ? null : String(cell));
    }
  }
  await putIndexes(store, table, { k: builder.finish("k") });
  const again = await tableOf(store);
  const { indexes, warnings } = await openIndexes(store, again.hierarchy, again.table);
  expect(warnings).toEqual([]);
  return { index: indexes[0] as CategoryIndex, cells, store };
}

async function check(
  index: CategoryIndex,
  cells: (string | null)[],
  asKey: (text: string) => Uint8Array | number | bigint,
) {
  const rowsOf = (wanted: (string | null)[]) =>
    cells.flatMap((cell, row) => (wanted.includes(cell) ? [row] : []));
  const names = [...new Set(cells.filter((cell) => cell !== null))];
  const found = await index.values();
  expect(found).toHaveLength(names.length);
  for (const name of names) {
    expect(listed(await index.find([asKey(name)]))).toEqual(rowsOf([name]));
    const window = { from: 13, to: Math.floor(cells.length / 2) };
    const inside = rowsOf([name]).filter((row) => row >= window.from && row < window.to);
    expect(listed(await index.find([asKey(name)], { window }))).toEqual(inside);
  }
  const some = names.slice(1, 4);
  const random = seeded(cells.length);
  const picked = Float64Array.from(cells.map((_, row) => row).filter(() => random() < 0.3));
  const among = Float64Array.of(...picked.slice(0, 40_000), cells.length + 7);
  expect(listed(await index.find(some.map(asKey), { among }))).toEqual(
    rowsOf(some).filter((row) => among.includes(row)),
  );
  expect(listed(await index.find(some.map(asKey)))).toEqual(rowsOf(some));
  expect(listed(await index.find(names.map(asKey)))).toEqual(rowsOf(names));
  expect(listed(await index.nullRows())).toEqual(rowsOf([null]));
  expect(index.nullCount).toBe(rowsOf([null]).length);
  const counts = names.map((name) => rowsOf([name]).length).sort((a, b) => a - b);
  expect(found.map(({ count }) => count).sort((a, b) => a - b)).toEqual(counts);
}

describe("a category index", () => {
  it.each([0, 1, 31, 33, 1000, 5000])(
    "of %i texts, frequent, rare and NULL, finds what brute force finds",
    async (count) => {
      const random = seeded(count + 5);
      const values = Array.from({ length: count }, () => {
        const kind = random();
        return utf8(
          kind < 0.5
            ? "viirs"
            : kind < 0.7
              ? "modis"
              : kind < 0.8
                ? "-"
                : kind < 0.82
                  ? ""
                  : `rare-${Math.floor(random() * 60)}`,
        );
      });
      const { index, cells, store } = await indexed(
        { type: "string", values, attributes: { missing_value: "-" } },
        700,
      );
      await check(index, cells, utf8);
      expect(listed(await index.find([utf8("none such")]))).toEqual([]);
      if (count < 1000) return;
      await putColumn(
        store,
        "k",
        { type: "string", values: [...values, ...values.slice(0, 50)], attributes: { missing_value: "-" } },
        700,
      );
      const again = await tableOf(store);
      const { indexes } = await openIndexes(store, again.hierarchy, again.table);
      expect(indexes[0]!.covered).toBe(Math.floor(count / 700) * 700);
      await check(indexes[0] as CategoryIndex, cells.slice(0, indexes[0]!.covered), utf8);
    },
  );

  it("looks rows up in bits of several pages", { timeout: 60_000 }, async () => {
    const random = seeded(8);
    const values = Int32Array.from({ length: 400_000 }, () =>
      random() < 0.02 ? 9 : Math.floor(random() * 4),
    );
    const { index } = await indexed({ type: "int32", values }, 100_000);
    for (const wanted of [[1], [9], [0, 9, 3]]) {
      const among = Float64Array.from(values.keys()).filter(
        () => random() < (wanted.length > 1 ? 0.4 : 0.01),
      );
      const hits = among.filter((row) => wanted.includes(values[row]!));
      expect(await index.find(wanted, { among })).toEqual(hits);
      const { rows } = await index.estimate(wanted, { among });
      expect(Math.abs(rows - hits.length)).toBeLessThan(0.2 * hits.length + 20);
    }
  });

  it("holds numbers, 64-bit ones exactly", async () => {
    const random = seeded(3);
    const some = [0n, 1n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];
    const values = BigInt64Array.from({ length: 3000 }, (_, i) =>
      i < 1000 ? BigInt(i % 3) - 1n : some[Math.floor(random() * 6)]!,
    );
    const { index, cells } = await indexed({ type: "int64", values }, 1000);
    await check(index, cells, BigInt);
    expect((await index.values()).map(({ value }) => value)).toEqual(
      [...some].sort((a, b) => (a < b ? -1 : 1)),
    );
  });

  it("refuses columns of many values", () => {
    const builder = new CategoryBuilder({ kind: "float", bits: 64 }, 3000, 3000, 100);
    const values = Float64Array.from({ length: 3000 }, (_, i) => i);
    expect(
      builder.addVector({
        kind: "number",
        type: { kind: "float", bits: 64 },
        length: 3000,
        values,
        nulls: undefined,
      }),
    ).toBe(false);
  });
});
