import { describe, expect, it } from "vitest";
import type { KeyRange, OrderedIndex, Rows, TextRange } from "../../src/index/api.ts";
import { OrderedBuilder } from "../../src/index/btree-build.ts";
import { openIndexes } from "../../src/index/open.ts";
import { cellAt } from "../../src/table/vector.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { countRounds } from "./rounds.ts";
import { makeSource, putIndexes, seeded, type TestColumn, tableOf, utf8 } from "./source.ts";

const listed = (rows: Rows): number[] =>
  rows instanceof Float64Array
    ? Array.from(rows)
    : Array.from({ length: rows.to - rows.from }, (_, i) => rows.from + i);

type Cell = number | bigint | Uint8Array | null;

async function indexed(column: TestColumn, chunkRows: number, format: 2 | 3 = 3) {
  const store = await makeSource({ k: column }, chunkRows, format);
  const { table } = await tableOf(store);
  const source = table.columns.get("k")!;
  const builder = new OrderedBuilder(source.type, source.rows, chunkRows);
  const cells: Cell[] = [];
  for (let chunk = 0; chunk * chunkRows < source.rows; chunk++) {
    const vector = await source.read(chunk);
    builder.addVector(vector);
    for (let i = 0; i < vector.length; i++) {
      const cell = cellAt(vector, i);
      cells.push(typeof cell === "string" ? utf8(cell) : typeof cell === "boolean" ? Number(cell) : cell);
    }
  }
  const encoded = builder.finish("k");
  await putIndexes(store, table, { k: encoded }, {}, format);
  const again = await tableOf(store);
  const { indexes, warnings } = await openIndexes(store, again.hierarchy, again.table);
  expect(warnings).toEqual([]);
  return { index: indexes[0] as OrderedIndex, cells, encoded, store };
}

function compare(a: Cell, b: Cell): number {
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array);
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

function within(cell: Cell, range: KeyRange | TextRange): boolean {
  if (cell === null) return false;
  const { low, high } = range as TextRange;
  const inclusive = !(cell instanceof Uint8Array) || (range as TextRange).highInclusive === true;
  if (low !== undefined && compare(cell, low) < 0) return false;
  return high === undefined || (inclusive ? compare(cell, high) <= 0 : compare(cell, high) < 0);
}

/** Everything that the index answers about `ranges`, beside the same by brute force. */
async function check(index: OrderedIndex, cells: Cell[], ranges: KeyRange[] | TextRange[]): Promise<void> {
  const hit = (cell: Cell) => (ranges as (KeyRange | TextRange)[]).some((range) => within(cell, range));
  const wanted = cells.flatMap((cell, row) => (hit(cell) ? [row] : []));
  expect(listed(await index.find(ranges))).toEqual(wanted);
  expect(await index.count(ranges)).toBe(wanted.length);
  for (const descending of [false, true]) {
    const order = [...wanted].sort((a, b) => (descending ? -1 : 1) * compare(cells[a]!, cells[b]!) || a - b);
    const rows: number[] = [];
    for await (const part of index.inOrder({ descending, within: ranges })) rows.push(...part);
    expect(rows).toEqual(order);
  }
}

async function checkAll(
  column: TestColumn,
  chunkRows: number,
  ranges: (KeyRange[] | TextRange[])[],
  format: 2 | 3 = 3,
) {
  const made = await indexed(column, chunkRows, format);
  const { index, cells } = made;
  for (const range of ranges) await check(index, cells, range);
  expect(listed(await index.nullRows())).toEqual(cells.flatMap((cell, row) => (cell === null ? [row] : [])));
  expect(index.nullCount).toBe(cells.filter((cell) => cell === null).length);
  const keys = cells.filter((cell) => cell !== null).sort(compare);
  expect(await index.extremes()).toEqual(keys.length ? { min: keys[0], max: keys.at(-1) } : undefined);
  return made;
}

function numberRanges(random: () => number, low: number, high: number): KeyRange[][] {
  const one = (): KeyRange => {
    const from = low + random() * (high - low);
    return {
      low: random() < 0.1 ? -Infinity : from,
      high: random() < 0.1 ? Infinity : from + random() * random() * (high - low),
    };
  };
  return Array.from({ length: 12 }, () => Array.from({ length: 1 + Math.floor(random() * 4) }, one));
}

describe("a B+tree of numbers", () => {
  it.each([0, 1, 5, 2048, 2049, 9000])(
    "finds in %i unsorted doubles with NaN, ±0 and duplicates what brute force finds",
    async (count) => {
      const random = seeded(count + 1);
      const values = Float64Array.from({ length: count }, () => {
        const kind = random();
        if (kind < 0.05) return Number.NaN;
        if (kind < 0.1) return -0;
        if (kind < 0.15) return 0;
        if (kind < 0.16) return random() < 0.5 ? Infinity : -Infinity;
        return kind < 0.5 ? Math.floor(random() * 40) - 20 : random() * 200 - 100;
      });
      const ranges = [
        ...numberRanges(random, -100, 100),
        [{ low: 0, high: 0 }],
        [{ low: -Infinity, high: Infinity }],
        [{ low: 3, high: 2 }],
        [],
      ];
      const { encoded } = await checkAll({ type: "float64", values }, 1000, ranges);
      if (count > 5) expect(encoded.record.sorted).toBe(false);
    },
  );

  it("leaves rows out where the column is sorted, NULLs first or last", async () => {
    const random = seeded(9);
    const keys = Float64Array.from({ length: 7000 }, () => Math.floor(random() * 500)).sort();
    const nulls = new Float64Array(300).fill(Number.NaN);
    for (const parts of [[keys], [nulls, keys], [keys, nulls], [nulls], [nulls, keys, nulls]]) {
      const values = Float64Array.from(parts.flatMap((part) => Array.from(part)));
      const { encoded } = await checkAll({ type: "float64", values }, 1024, numberRanges(random, -10, 510));
      expect(encoded.record.sorted).toBe(parts.length < 3);
      expect(encoded.arrays.some(({ path }) => path === "k/rows")).toBe(parts.length === 3);
    }
  });

  it("orders 64-bit integers exactly", async () => {
    const random = seeded(4);
    const top = 2n ** 63n - 1n;
    const edges = [
      top,
      top - 1n,
      -top - 1n,
      -top,
      2n ** 53n,
      2n ** 53n + 1n,
      2n ** 53n - 1n,
      -(2n ** 53n) - 1n,
      0n,
      -1n,
      1n,
    ];
    const values = BigInt64Array.from({ length: 6000 }, () =>
      random() < 0.2
        ? edges[Math.floor(random() * edges.length)]!
        : BigInt(Math.floor(random() * 2 ** 40)) * (random() < 0.5 ? -(2n ** 22n) : 2n ** 20n) +
          BigInt(Math.floor(random() * 7)),
    );
    const ranges: KeyRange[][] = edges.map((edge) => [{ low: edge, high: edge }]);
    ranges.push(
      [{ low: 2n ** 53n + 1n, high: top }],
      [
        { low: -Infinity, high: -(2n ** 53n) - 1n },
        { low: 2 ** 53, high: 2 ** 53 },
      ],
    );
    await checkAll({ type: "int64", values }, 2500, ranges);
    const unsigned = BigUint64Array.from(values);
    await checkAll({ type: "uint64", values: unsigned }, 2500, [
      [{ low: 2n ** 63n, high: 2n ** 64n - 1n }],
      [{ low: -5, high: 10 }],
    ]);
  });

  it("keeps times with NaT, small integers, bools and float32 in types that hold them", async () => {
    const random = seeded(5);
    const days = BigInt64Array.from({ length: 3000 }, () =>
      random() < 0.1 ? -(2n ** 63n) : BigInt(Math.floor(random() * 1e12)),
    );
    const time = { name: "numpy.datetime64", configuration: { unit: "ms", scale_factor: 1 } };
    const a = await checkAll({ type: time, values: days }, 700, [[{ low: 10n ** 11n, high: 5e11 }]]);
    expect(a.encoded.arrays[0]!.data).toBeInstanceOf(BigInt64Array);
    const b = await checkAll(
      { type: "int32", values: Int32Array.from({ length: 5000 }, () => Math.floor(random() * 1e4) - 5000) },
      999,
      numberRanges(random, -6000, 6000),
    );
    expect(b.encoded.arrays[0]!.data).toBeInstanceOf(Int32Array);
    await checkAll(
      { type: "uint32", values: Uint32Array.from({ length: 5000 }, () => Math.floor(random() * 2 ** 32)) },
      999,
      numberRanges(random, 0, 2 ** 32),
    );
    await checkAll(
      { type: "bool", values: Uint8Array.from({ length: 5000 }, () => Math.floor(random() * 2)) },
      999,
      [[{ low: 1, high: 1 }]],
    );
    await checkAll(
      { type: "float32", values: Float32Array.from({ length: 9000 }, () => random() * 2 - 1) },
      999,
      [...numberRanges(random, -1, 1), [{ low: Math.fround(0.1), high: 0.2 }]],
    );
  });

  it("works in a v2 source", async () => {
    const random = seeded(6);
    const values = Float64Array.from({ length: 3000 }, () => random());
    await checkAll({ type: "float64", values }, 500, numberRanges(random, 0, 1), 2);
  });

  it("reads the head of an order, and the edges of a range, not the whole", async () => {
    const random = seeded(8);
    const values = Float64Array.from({ length: 50_000 }, random);
    const { cells, store } = await indexed({ type: "float64", values }, 10_000);
    const counted = countRounds(store);
    const { table } = await tableOf(store);
    const { indexes } = await openIndexes(counted, await Hierarchy.open(counted), table);
    const index = indexes[0] as OrderedIndex;
    Object.assign(counted.seen, { requests: 0, bytes: 0, rounds: 0 });
    for await (const rows of index.inOrder({ descending: true })) {
      expect(cells[rows[0]!]).toBe(Math.max(...(cells as number[])));
      break;
    }
    expect(counted.seen.bytes).toBeLessThan(60_000);
    await index.count([{ low: 0.2, high: 0.8 }]);
    expect(counted.seen.bytes).toBeLessThan(100_000);
    expect(counted.seen.rounds).toBeLessThan(8);
    const before = counted.seen.requests;
    expect(await index.estimate([{ low: 0.2, high: 0.2001 }])).toMatchObject({ requests: 1, bytes: 16384 });
    expect(counted.seen.requests).toBe(before);
  });
});

describe("a B+tree of texts", () => {
  const words = (random: () => number, count: number) =>
    Array.from({ length: count }, () => {
      const kind = random();
      if (kind < 0.05) return utf8("");
      if (kind < 0.1) return utf8("a\0");
      if (kind < 0.15) return utf8("a");
      if (kind < 0.3) return utf8(`S2A_MSIL2A_2020${Math.floor(random() * 1000)}`);
      if (kind < 0.4)
        return utf8(["ä", "😀", "\uffff", "Z", "z"][Math.floor(random() * 5)]! + Math.floor(random() * 9));
      return utf8(Math.floor(random() * 36 ** 4).toString(36));
    });

  it.each([0, 3, 1024, 1025, 6000])("finds in %i texts what brute force finds", async (count) => {
    const random = seeded(count + 2);
    const values = words(random, count);
    const pick = () =>
      values.length && random() < 0.7
        ? values[Math.floor(random() * values.length)]!
        : utf8(String.fromCharCode(97 + random() * 26));
    const ranges: TextRange[][] = Array.from({ length: 12 }, () => {
      const [low, high] = [pick(), pick()].sort(Buffer.compare);
      return [
        { low, high, highInclusive: random() < 0.5 },
        ...(random() < 0.3 ? [{ low: pick(), high: undefined }] : []),
      ];
    });
    ranges.push(
      [{ low: utf8("S2A_MSIL2A_2020"), high: utf8("S2A_MSIL2A_2021") }],
      [{ high: utf8("a"), highInclusive: true }],
      [{}],
    );
    ranges.push([
      { low: utf8("a"), high: utf8("a"), highInclusive: true },
      { low: utf8("a\0"), high: utf8("a\0"), highInclusive: true },
    ]);
    await checkAll({ type: "string", values }, 700, ranges);
    await checkAll({ type: "string", values: [...values].sort(Buffer.compare) }, 700, ranges.slice(0, 4));
  });

  it("counts NULLs apart", async () => {
    const values = ["b", "-", "a", "-"].map(utf8);
    await checkAll({ type: "string", values, attributes: { missing_value: "-" } }, 4, [[{ low: utf8("a") }]]);
  });
});

describe("rows added after the build", () => {
  it("are not in it, nor is what stands in a last chunk that grew", async () => {
    const random = seeded(12);
    const values = Float64Array.from({ length: 2500 }, () =>
      random() < 0.1 ? Number.NaN : Math.floor(random() * 100),
    );
    const { store, cells } = await indexed({ type: "float64", values }, 1000);
    const { putColumn } = await import("./source.ts");
    await putColumn(
      store,
      "k",
      { type: "float64", values: Float64Array.from([...values, ...values.subarray(0, 900)]) },
      1000,
    );
    const again = await tableOf(store);
    const { indexes } = await openIndexes(store, again.hierarchy, again.table);
    const index = indexes[0] as OrderedIndex;
    expect(index.covered).toBe(2000);
    expect((await index.state()).state).toBe("verified");
    const old = cells.slice(0, 2000);
    await check(index, old, [{ low: 10, high: 40 }]);
    await check(index, old, [{ low: 0, high: Infinity }]);
    expect(index.nullCount).toBe(old.filter((cell) => cell === null).length);
    expect(listed(await index.nullRows())).toEqual(old.flatMap((cell, row) => (cell === null ? [row] : [])));
  });
});

describe("a long column", () => {
  it("reads only those pages of its fences that it needs", async () => {
    // Every key twice, so that some begin in one page of fences and end in the next: 2048 fences a page, of 2048 keys each.
    const rows = 3 * 2048 * 2048 + 5000;
    const values = Float64Array.from({ length: rows }, (_, i) => Math.floor(i / 2));
    const store = await makeSource({ k: { type: "float64", values } }, rows);
    const { table } = await tableOf(store);
    const column = table.columns.get("k")!;
    const builder = new OrderedBuilder(column.type, rows, rows);
    builder.addVector(await column.read(0));
    const encoded = builder.finish("k", 1);
    expect(encoded.record).toMatchObject({ fenceTops: 4, sorted: true });
    await putIndexes(store, table, { k: encoded });
    const again = await tableOf(store);
    const counted = countRounds(store);
    const hierarchy = await Hierarchy.open(counted);
    const { indexes } = await openIndexes(counted, hierarchy, again.table);
    const index = indexes[0] as OrderedIndex;
    const page = 2048 * 2048;
    for (const [low, high] of [
      [-5, -1],
      [-5, 3],
      [page / 2 - 1, page / 2],
      [page / 2 + 0.25, page / 2 + 0.5],
      [1000.5, page + 7],
      [rows / 2 - 3, rows],
      [rows, rows + 9],
    ] as const) {
      const [from, to] = [Math.max(0, 2 * Math.ceil(low)), Math.min(rows, 2 * (Math.floor(high) + 1))];
      expect(await index.count([{ low, high }]), `${low} to ${high}`).toBe(Math.max(0, to - from));
      if (to > from) expect(await index.find([{ low, high }])).toEqual({ from, to });
    }
    // Of 49 kB of fences and 50 MB of keys.
    const fresh = countRounds(store);
    const set = await openIndexes(fresh, await Hierarchy.open(fresh), again.table);
    const before = fresh.seen.bytes;
    await (set.indexes[0] as OrderedIndex).find([{ low: 5, high: 9 }]);
    expect(fresh.seen.bytes - before).toBeLessThan(16384 * 5);
  });
});
