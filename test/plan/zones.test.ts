/** Queries that zone maps narrow, next to the same queries without them. */
import { describe, expect, it } from "vitest";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { buildIndexes } from "../../src/index/build/build.ts";
import { openIndexes } from "../../src/index/open.ts";
import { planQuery } from "../../src/plan/plan.ts";
import { CountingStore } from "../../src/store/count.ts";
import type { MemoryStore } from "../../src/store/memory.ts";
import { openTable } from "../../src/table/open.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { makeSource, putColumn, seeded, type TestColumn, tableOf, utf8 } from "../index/source.ts";
import { answer, random } from "./memory-table.ts";
import { Dice, predicate } from "./naive.ts";
import { groupQuery } from "./naive-groups.ts";
import { storedTable } from "./stored-table.ts";

const ROWS = 4000;
const MS = { name: "numpy.datetime64", configuration: { unit: "ms", scale_factor: 1 } };
const START = 1_750_000_000_000;
const NAT = -(2n ** 63n);

const box = (west: number, south: number, width: number) =>
  writeWkb(
    parseWkt(
      `POLYGON((${west} ${south},${west + width} ${south},${west + width} ${south + 1},${west} ${south + 1},${west} ${south}))`,
    ),
  );

/** Columns whose chunks, of other lengths in each, differ: some of them all NULL, some with a few. */
function clustered(rows: number): Record<string, { column: TestColumn; chunk: number }> {
  const next = seeded(3);
  const all = Array.from({ length: rows }, (_, i) => i);
  const cluster = (i: number, size: number) => Math.floor(i / size) % 20;
  return {
    date: {
      chunk: 250,
      column: {
        type: MS,
        values: BigInt64Array.from(all, (i) =>
          i % 250 === 7 && i > 2000 ? NAT : BigInt(START + i * 60_000),
        ),
      },
    },
    clouds: {
      chunk: 200,
      column: {
        type: "float32",
        values: Float32Array.from(all, (i) =>
          cluster(i, 200) === 5 || (cluster(i, 200) === 6 && next() < 0.1)
            ? Number.NaN
            : cluster(i, 200) * 5 + Math.floor(next() * 5),
        ),
      },
    },
    big: {
      chunk: 400,
      column: {
        type: "int64",
        values: BigInt64Array.from(all, (i) => 2n ** 60n + BigInt(cluster(i, 400) * 10 + (i % 10))),
      },
    },
    name: {
      chunk: 300,
      column: {
        type: "string",
        attributes: { _FillValue: "none" },
        values: all.map((i) => {
          if (cluster(i, 300) === 4 || next() < 0.001) return utf8("none");
          const long = cluster(i, 300) % 3 === 0 ? "é-a-text-longer-than-what-zones-keep-of-it-" : "";
          return utf8(`${"abcdefghijklmnopqrst"[cluster(i, 300)]}${long}${i % 7}`);
        }),
      },
    },
    ok: {
      chunk: 500,
      column: {
        type: "bool",
        values: Uint8Array.from(all, (i) =>
          cluster(i, 500) % 3 === 1 ? i % 2 : cluster(i, 500) % 3 ? 1 : 0,
        ),
      },
    },
    bbox: {
      chunk: 200,
      column: {
        type: "bytes",
        attributes: { "ARROW:extension:name": "geoarrow.wkb" },
        values: all.map((i) => {
          if (cluster(i, 200) === 3 || (cluster(i, 200) === 4 && i % 50 === 0)) return new Uint8Array(0);
          if (cluster(i, 200) === 9 && i % 60 === 0) return box(179.5, 0, 1);
          return box(cluster(i, 200) * 10 - 100 + next() * 8, next() * 4, 1);
        }),
      },
    },
  };
}

async function makeClustered(rows = ROWS): Promise<MemoryStore> {
  const store = await makeSource({}, 100);
  for (const [name, { column, chunk }] of Object.entries(clustered(rows)))
    await putColumn(store, name, column, chunk);
  return store;
}

const iso = (row: number) => new Date(START + row * 60_000).toISOString();

function condition(next: () => number, depth = 0): string {
  const kind = Math.floor(next() * 16);
  const number = (most: number) => Math.floor(next() * most);
  const op = ["<", "<=", ">", ">=", "=", "<>"][number(6)];
  const letter = "abcdefghijklmnopqrst"[number(20)];
  const west = number(240) - 120;
  const envelope = `ST_MakeEnvelope(${west}, -5, ${west + number(60) + 1}, ${number(12)})`;
  const conditions = [
    () => `date ${op} TIMESTAMP '${iso(number(ROWS))}'`,
    () => `date BETWEEN TIMESTAMP '${iso(number(ROWS))}' AND TIMESTAMP '${iso(number(ROWS))}'`,
    () => `clouds ${op} ${number(100)}`,
    () => `clouds IN (${number(100)}, ${number(100)}${next() < 0.3 ? ", NULL" : ""})`,
    () => `big ${op} 1152921504606846976 + ${number(120)}`,
    () => `name ${op} '${letter}${number(7)}'`,
    () => `'${letter}é-a' ${op} name`,
    () => `name LIKE '${letter}${["%", "_", "é%", "%1", "3"][number(5)]}'`,
    () => `name ${next() < 0.5 ? "NOT " : ""}IN ('${letter}1', '${letter}2', 'q3')`,
    () => `${["clouds", "date", "name", "bbox", "ok"][number(5)]} IS ${next() < 0.5 ? "NOT " : ""}NULL`,
    () => (next() < 0.5 ? "ok" : `ok IS ${next() < 0.5 ? "NOT " : ""}TRUE`),
    () => `ST_${["Intersects", "Within", "Disjoint", "CoveredBy", "Equals"][number(5)]}(bbox, ${envelope})`,
    () => `ST_${["Contains", "Covers"][number(2)]}(${envelope}, bbox)`,
    () => `(${condition(next, depth + 1)} OR ${condition(next, depth + 1)})`,
    () => `NOT (${condition(next, depth + 1)} AND ${condition(next, depth + 1)})`,
    () => `(clouds > ${number(100)}) IS ${["", "NOT "][number(2)]}${["TRUE", "FALSE", "NULL"][number(3)]}`,
  ];
  return conditions[depth > 2 ? kind % 13 : kind]!();
}

function rowSql(dice: Dice): string {
  const key = () =>
    dice.of(["idx", "date", "n", "s", "d", "u", "f"]) + dice.of(["", " DESC", " NULLS FIRST"]);
  const order = dice.chance(0.5) ? ` ORDER BY ${key()}, ${key()}` : "";
  const limit = dice.chance(0.7) ? ` LIMIT ${dice.below(30)} OFFSET ${dice.of([0, 0, 5])}` : "";
  return `SELECT idx, n FROM meta WHERE ${predicate(dice, dice.below(4)).sql}${order}${limit}`;
}

function totals(dice: Dice): string {
  const item = () =>
    dice.of(["count(*)", "count(s)", "min(d)", "max(f)", "min(s)", "max(date)", "max(n)", "min(ok)"]);
  const where = dice.chance(0.7) ? ` WHERE ${predicate(dice, dice.below(3)).sql}` : "";
  return `SELECT ${item()} AS a, ${item()} AS b FROM meta${where}`;
}

async function zoned(store: MemoryStore, sql: string) {
  const counting = new CountingStore(store);
  const hierarchy = await Hierarchy.open(counting);
  const table = await openTable(hierarchy, counting);
  const { zones, warnings } = await openIndexes(counting, hierarchy, table);
  return planQuery(table, sql, { indexes: async () => ({ indexes: [], zones, warnings }) });
}

async function rowsOf(store: MemoryStore, sql: string) {
  const { table } = await tableOf(store);
  const { rows } = await answer(planQuery(table, sql, { asWritten: true }));
  return rows;
}

describe("zone maps", () => {
  it("change no answer: columns whose chunks differ", { timeout: 120_000 }, async () => {
    const store = await makeClustered();
    await buildIndexes(store, store);
    const next = seeded(77);
    const spared = { none: 0, all: 0 };
    for (let i = 0; i < 500; i++) {
      const where = Array.from({ length: 1 + Math.floor(next() * 2) }, () => condition(next)).join(" AND ");
      const tail = ["", " ORDER BY idx DESC", " LIMIT 17 OFFSET 3", " ORDER BY clouds DESC, idx LIMIT 9"][
        i % 4
      ];
      const sql = `SELECT idx FROM meta WHERE ${where}${tail}`;
      const query = await zoned(store, sql);
      expect((await answer(query)).rows, sql).toEqual(await rowsOf(store, sql));
      for (const { step, why } of await query.explain()) {
        if (step === "zones" && /no row of [1-9]/.test(why)) spared.none++;
        if (step === "zones" && /all (rows )?of/.test(why)) spared.all++;
      }
    }
    expect(spared.none).toBeGreaterThan(200);
    expect(spared.all).toBeGreaterThan(50);
  });

  it.each([1, 2, 3, 4, 5, 6])("change no answer: random stores and conditions (seed %i)", async (seed) => {
    const dice = new Dice(random(seed + 80_000));
    const stored = await storedTable(dice, 1 + dice.below(seed > 3 ? 2500 : 300));
    await buildIndexes(stored.store, stored.store);
    // Opened once: what is read of indexes stays at hand, and makes them worth more.
    const { table, indexes } = await stored.open();
    for (let q = 0; q < 30; q++) {
      const sql = dice.of([rowSql, rowSql, totals, () => groupQuery(dice, { total: true }).sql])(dice);
      const opened = seed % 2 === 0 ? indexes : { ...indexes, indexes: [] };
      const plain = await answer(planQuery(table, sql)).catch((error: Error) => error.message);
      const found = await answer(planQuery(table, sql, { indexes: async () => opened })).catch(
        (error: Error) => error.message,
      );
      expect(found, sql).toEqual(plain);
    }
  });

  it("leave out chunks without a match, and columns whose chunks match whole", async () => {
    const store = await makeClustered();
    await buildIndexes(store, store);
    const read = async (sql: string) => {
      const steps = await (await zoned(store, sql)).analyze();
      return steps
        .filter(({ step }) => step === "filter" || step === "zones" || step === "scan")
        .map(({ step, rows_out, requests, why }) => ({ step, rows_out, requests, why }));
    };
    const [zones, scan, filter] = await read("SELECT idx FROM meta WHERE clouds BETWEEN 53 AND 62");
    expect(zones).toMatchObject({ step: "zones", rows_out: 600 });
    expect(zones!.why).toMatch(/no row of 17 of 20 chunks meets it, all rows of 1 do/);
    expect(scan).toMatchObject({ rows_out: 600, why: "600 rows that zone maps have left" });
    expect(filter).toMatchObject({ step: "filter", requests: 2 });
    // All chunks match whole or not at all: nothing is read.
    const whole = await read("SELECT idx FROM meta WHERE clouds >= 50 AND clouds < 60");
    expect(whole.map(({ step, rows_out }) => [step, rows_out])).toEqual([
      ["zones", 400],
      ["scan", 400],
    ]);
    expect(whole[0]!.why).toMatch(/all of the others do/);
    const [, first] = await read("SELECT idx FROM meta WHERE name LIKE 'b%'");
    expect(first).toMatchObject({ step: "scan", rows_out: 300 });
  });

  it("say nothing of chunks that came later, and nothing at all of a column that changed", async () => {
    const store = await makeClustered(ROWS - 170);
    await buildIndexes(store, store);
    for (const [name, { column, chunk }] of Object.entries(clustered(ROWS)))
      await putColumn(store, name, column, chunk);
    const next = seeded(12);
    for (let i = 0; i < 80; i++) {
      const sql = `SELECT idx FROM meta WHERE ${condition(next)}`;
      expect((await answer(await zoned(store, sql))).rows, sql).toEqual(await rowsOf(store, sql));
    }
    const changed = clustered(ROWS).clouds!;
    changed.column.values = Float32Array.from(changed.column.values as Float32Array, (value) => 99 - value);
    await putColumn(store, "clouds", changed.column, changed.chunk);
    const sql = "SELECT idx FROM meta WHERE clouds > 90";
    const query = await zoned(store, sql);
    expect((await query.explain())[0]).toMatchObject({ step: "zones", state: "stale", rows_out: null });
    expect((await answer(query)).rows).toEqual(await rowsOf(store, sql));
  });

  it("are done without where one is damaged", async () => {
    const store = await makeClustered();
    await buildIndexes(store, store);
    const key = [...store.keys()].find((one) => /zones\/clouds\/.*max\/c\/0$/.test(one))!;
    const bytes = (await store.get(key))!.slice();
    bytes[3]! ^= 0x40;
    store.set(key, bytes);
    const sql = "SELECT idx FROM meta WHERE clouds > 90";
    const query = await zoned(store, sql);
    const [step] = await query.explain();
    expect(step).toMatchObject({ step: "zones", state: "stale" });
    expect((await answer(query)).rows).toEqual(await rowsOf(store, sql));
  });
});
