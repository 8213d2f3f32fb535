import { describe, expect, it } from "vitest";
import { isZarrsiftError, type ZarrsiftError } from "../../src/errors.ts";
import { envelope } from "../../src/geometry/geometry.ts";
import { parseWkb } from "../../src/geometry/wkb-read.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { writeWkt } from "../../src/geometry/wkt-write.ts";
import { planQuery } from "../../src/plan/plan.ts";
import { Budget, TextSet, WordSet } from "../../src/plan/run/key-sets.ts";
import { type SqlType, typeName } from "../../src/table/types.ts";
import type { CellValue } from "../../src/table/vector.ts";
import { wildExpression } from "../sql/generate.ts";
import { answer, MemoryTable, random } from "./memory-table.ts";
import { Dice, randomTable } from "./naive.ts";
import { groupQuery, valueIn } from "./naive-groups.ts";

const INT32: SqlType = { kind: "int", bits: 32, signed: true };
const INT64: SqlType = { kind: "int", bits: 64, signed: true };
const UINT64: SqlType = { kind: "int", bits: 64, signed: false };
const WKB: SqlType = { kind: "geometry", encoding: "wkb" };

function scenes(): MemoryTable {
  const box = (w: number, s: number, e: number, n: number) => writeWkb(envelope(w, s, e, n));
  return new MemoryTable({
    n: { type: INT32, cells: [1, 2, null, 2, 5, 1], chunkRows: 2 },
    s: { type: { kind: "string" }, cells: ["a", "b", "a", null, "b", null], chunkRows: 4 },
    f: { type: { kind: "float", bits: 32 }, cells: [0.5, null, 1.5, 2, 3, 4], chunkRows: 3 },
    big: { type: INT64, cells: [1n, 2n ** 62n, 2n ** 62n - 1n, null, -5n, 1n], chunkRows: 1 },
    u: { type: UINT64, cells: [2n ** 63n, 1n, 2n, null, 3n, 4n], chunkRows: 2 },
    t: { type: { kind: "timestamp", unit: "ms" }, cells: [5n, 3n, null, 4n, 9n, 1n], chunkRows: 2 },
    g: {
      type: WKB,
      cells: [box(0, 0, 1, 1), null, box(-5, 2, 0, 3), box(10, 10, 11, 11), null, null],
      chunkRows: 2,
    },
  });
}

const rowsOf = async (sql: string, table = scenes()): Promise<CellValue[][]> =>
  (await answer(planQuery(table, sql))).rows;

async function failure(sql: string): Promise<ZarrsiftError> {
  try {
    await answer(planQuery(scenes(), sql));
  } catch (error) {
    if (isZarrsiftError(error)) return error;
    throw error;
  }
  throw new Error(`no error for ${sql}`);
}

describe("random groups of random tables", () => {
  it.each(Array.from({ length: 20 }, (_, i) => i + 1))("answer as group by group (seed %i)", async (seed) => {
    const dice = new Dice(random(seed + 4000));
    const { table, rows } = randomTable(dice, 1 + dice.below(150));
    rows.forEach((row, i) => {
      row.idx = i;
    });
    for (let q = 0; q < 25; q++) {
      const { sql, answer: naive } = groupQuery(dice);
      const wanted = naive(rows);
      table.reads.length = 0;
      if (wanted === undefined) {
        await expect(answer(planQuery(table, sql)), sql).rejects.toMatchObject({ code: "sql_type" });
        continue;
      }
      const query = planQuery(table, sql);
      const found = await answer(query);
      const kinds = query.columns.map(({ type }) => type.kind);
      expect(
        found.rows.map((row) => row.map((cell, k) => valueIn(cell, kinds[k]!))),
        sql,
      ).toEqual(wanted);
      expect(found.idx, sql).toEqual(wanted.map((_, i) => i));
      expect(new Set(table.reads).size, `${sql} reads no chunk twice`).toBe(table.reads.length);
    }
  });
});

describe("aggregates", () => {
  it("have the types of DuckDB, sums in 64 bits", () => {
    const sql = `SELECT count(*), count(s), sum(n), sum(u), sum(f), avg(n), avg(f), min(n), max(f), min(t), max(s), sum(n > 1),
      ST_Extent(g) FROM meta`;
    expect(planQuery(scenes(), sql).columns.map(({ type }) => typeName(type))).toEqual(
      "int64 int64 int64 uint64 float64 float64 float64 int32 float32 timestamp[ms] string int64 geometry".split(
        " ",
      ),
    );
  });

  it("leave out NULL, and are NULL where nothing is left, but for count", async () => {
    expect(await rowsOf("SELECT count(*), count(n), sum(n), min(s), max(t), avg(f) FROM meta")).toEqual([
      [6n, 5n, 11n, "a", 9n, 2.2],
    ]);
    const nothing =
      "count(*), count(n), count(DISTINCT n), sum(n), sum(f), avg(n), min(s), max(t), min(u), ST_Extent(g)";
    expect(await rowsOf(`SELECT ${nothing} FROM meta WHERE n > 99`)).toEqual([
      [0n, 0n, 0n, null, null, null, null, null, null, null],
    ]);
    expect(await rowsOf(`SELECT s, ${nothing} FROM meta WHERE n > 99 GROUP BY s`)).toEqual([]);
    expect(await rowsOf("SELECT sum(NULL), count(NULL), max(NULL), avg(NULL) FROM meta")).toEqual([
      [null, 0n, null, null],
    ]);
  });

  it("are exact beyond 2^53, and an overflow is an error, not another number", async () => {
    expect(
      await rowsOf("SELECT sum(big), max(big), min(big), max(u), sum(u) FROM meta WHERE idx <> 0"),
    ).toEqual([[2n ** 63n - 5n, 2n ** 62n, -5n, 4n, 10n]]);
    expect(await rowsOf("SELECT max(u), sum(u), sum(big + 0) FROM meta WHERE idx IN (0, 1)")).toEqual([
      [2n ** 63n, 2n ** 63n + 1n, 2n ** 62n + 1n],
    ]);
    const error = await failure("SELECT n, sum(big * 2) FROM meta WHERE idx IN (1, 2) GROUP BY n % 1, n");
    expect(error.code).toBe("sql_type");
    const total = await failure("SELECT count(*), sum(big) FROM meta WHERE idx < 3");
    expect([total.code, total.at?.column]).toEqual(["sql_type", 18]);
    expect(total.message).toMatch(
      /sum\(big\) is 9223372036854775808, which int64 cannot hold; CAST to double/,
    );
    expect(
      await rowsOf("SELECT sum(CAST(big AS double precision)), avg(big) FROM meta WHERE idx < 3"),
    ).toEqual([[2 ** 63, 2 ** 63 / 3]]);
  });

  it("of many small numbers stay exact where doubles would not", async () => {
    const cells = [2n ** 53n - 1n, ...Array.from({ length: 1001 }, () => 1n), -(2n ** 52n), 2n ** 53n - 1n];
    const table = new MemoryTable({ n: { type: INT64, cells, chunkRows: 100 } });
    const total = cells.reduce((a, b) => a + b, 0n);
    expect(await rowsOf("SELECT sum(n), avg(n) FROM meta", table)).toEqual([
      [total, Number(total) / cells.length],
    ]);
  });

  it("ST_Extent is the box around all, as a polygon", async () => {
    const [[all], ...rest] = (await rowsOf("SELECT ST_Extent(g) FROM meta")) as [[Uint8Array]];
    expect(writeWkt(parseWkb(all))).toBe(writeWkt(envelope(-5, 0, 11, 11)));
    expect(rest).toEqual([]);
    const wkt = { type: { kind: "geometry", encoding: "wkt" } as const, chunkRows: 2 };
    const table = new MemoryTable({ g: { ...wkt, cells: ["POINT(1 2)", "LINESTRING(0 0, 5 1)", null] } });
    const [[own]] = (await rowsOf("SELECT ST_Extent(g) FROM meta", table)) as [[Uint8Array]];
    expect(writeWkt(parseWkb(own))).toBe(writeWkt(envelope(0, 0, 5, 2)));
    const broken = new MemoryTable({ g: { type: WKB, cells: [null, new Uint8Array([1, 9])], chunkRows: 5 } });
    await expect(answer(planQuery(broken, "SELECT ST_Extent(g) FROM meta"))).rejects.toMatchObject({
      code: "bad_geometry",
      details: { row: 1, column: "g" },
    });
  });

  it("count(*) reads nothing, other counts and filters no more than they name", async () => {
    const table = scenes();
    expect(await rowsOf("SELECT count(*) FROM meta", table)).toEqual([[6n]]);
    expect(await rowsOf("SELECT count(*) FROM meta WHERE idx > 3", table)).toEqual([[2n]]);
    expect(table.reads).toEqual([]);
    expect(await rowsOf("SELECT count(*), max(idx) FROM meta WHERE n = 2", table)).toEqual([[2n, 3n]]);
    expect(new Set(table.reads.map((read) => read.split("/")[0]))).toEqual(new Set(["n"]));
  });
});

describe("means of times", () => {
  const type = (unit: "ms" | "us" | "ns"): SqlType => ({ kind: "timestamp", unit });
  const mean = async (unit: "ms" | "us" | "ns", cells: CellValue[], sql = "avg(t)") => {
    const query = planQuery(
      new MemoryTable({ t: { type: type(unit), cells, chunkRows: 2 } }),
      `SELECT ${sql} AS x FROM meta`,
    );
    return [typeName(query.columns[0]!.type), (await answer(query)).rows[0]![0]];
  };

  // the values are DuckDB 2.0's
  it.each<["ms" | "us" | "ns", CellValue[], string, bigint | null]>([
    ["us", [1n, 2n], "timestamp[us]", 1n],
    ["us", [1n, 1n, null, 3n], "timestamp[us]", 2n],
    ["us", [-1n, -2n], "timestamp[us]", -1n],
    ["us", [-1n, -1n, -3n], "timestamp[us]", -1n],
    ["us", [253402300799999999n, 253402300799999999n], "timestamp[us]", 253402300799999999n],
    ["ms", [0n, 1n], "timestamp[us]", 500n],
    ["ns", [0n, 3n], "timestamp[ns]", 1n],
    ["ms", [null], "timestamp[us]", null],
  ])("%s %o", async (unit, cells, name, value) => {
    expect(await mean(unit, cells)).toEqual([name, value]);
  });

  it("are of durations and days, too", async () => {
    const day = 86_400_000n;
    expect(await mean("ms", [0n, day], "avg(t - TIMESTAMP '1970-01-01')")).toEqual([
      "duration[us]",
      day * 500n,
    ]);
    expect(await mean("ms", [1n, day + 1n], "avg(t::date)")).toEqual(["timestamp[us]", day * 500n]);
    expect(await mean("ms", [0n, 0n, day], "avg(DISTINCT t)")).toEqual(["timestamp[us]", day * 500n]);
  });
});

describe("groups", () => {
  it("are made by columns, expressions, positions and aliases, in order of their first rows", async () => {
    expect(await rowsOf("SELECT s, count(*) FROM meta GROUP BY s")).toEqual([
      ["a", 2n],
      ["b", 2n],
      [null, 2n],
    ]);
    const odd = [
      [1n, 3n],
      [0n, 2n],
      [null, 1n],
    ];
    for (const by of ["n % 2", "N % 2", "1", "odd", "meta.n % 2"])
      expect(await rowsOf(`SELECT n % 2 AS odd, count(*) FROM meta GROUP BY ${by}`), by).toEqual(odd);
    expect(
      await rowsOf("SELECT (n % 2) * 10 AS x, count(*) AS c FROM meta GROUP BY n % 2 ORDER BY c, x"),
    ).toEqual([
      [null, 1n],
      [0n, 2n],
      [10n, 3n],
    ]);
    expect(
      await rowsOf("SELECT n AS s, count(*) FROM meta GROUP BY s, n HAVING n = 2 AND s IS NULL"),
    ).toEqual([[2, 1n]]);
  });

  it("take HAVING and ORDER BY of aggregates that are not selected, and aliases", async () => {
    expect(await rowsOf("SELECT n FROM meta GROUP BY n HAVING count(*) > 1 ORDER BY max(f) DESC")).toEqual([
      [1],
      [2],
    ]);
    expect(
      await rowsOf("SELECT n, count(*) AS c FROM meta GROUP BY n HAVING c > 1 ORDER BY c + n DESC"),
    ).toEqual([
      [2, 2n],
      [1, 2n],
    ]);
    expect(await rowsOf("SELECT 1 AS one FROM meta HAVING count(*) > 99")).toEqual([]);
    expect(await rowsOf("SELECT count(*) FROM meta LIMIT 1 OFFSET 1")).toEqual([]);
  });

  it("keep 64-bit integers apart, and values together however they are held", async () => {
    const cells = [2n ** 53n, 2n ** 53n + 1n, 5n, -1n, 2n ** 53n, null, 5n, -1n, -(2n ** 63n)];
    const table = new MemoryTable({ n: { type: INT64, cells, chunkRows: 2 } });
    expect(await rowsOf("SELECT n, count(*) FROM meta GROUP BY n", table)).toEqual([
      [2n ** 53n, 2n],
      [2n ** 53n + 1n, 1n],
      [5n, 2n],
      [-1n, 2n],
      [null, 1n],
      [-(2n ** 63n), 1n],
    ]);
    expect(
      await rowsOf("SELECT count(DISTINCT n), count(DISTINCT -n) FROM meta WHERE idx < 8", table),
    ).toEqual([[4n, 4n]]);
    const zeros = new MemoryTable({
      d: { type: { kind: "float", bits: 64 }, cells: [0, -0, 1], chunkRows: 9 },
    });
    expect(await rowsOf("SELECT count(*) FROM meta GROUP BY d", zeros)).toEqual([[2n], [1n]]);
  });

  it("tell more than 32 keys with NULL apart", async () => {
    const keys = Array.from({ length: 40 }, (_, k) => `nullif(n, ${k + 100 === 139 ? 2 : k + 100}) AS k${k}`);
    const sql = `SELECT DISTINCT ${keys.join(", ")} FROM meta WHERE n IN (1, 2) OR n IS NULL`;
    expect(await rowsOf(sql)).toHaveLength(3);
  });

  it("of a table whose names differ in case alone stay apart", async () => {
    const column = (cells: number[]) => ({ type: INT32, cells, chunkRows: 2 });
    const table = new MemoryTable({ a: column([1, 1, 2]), A: column([7, 8, 8]) });
    expect(await rowsOf("SELECT a, A, sum(a) AS x, sum(A) AS y FROM meta GROUP BY a, A", table)).toEqual([
      [1, 7, 1n, 7n],
      [1, 8, 1n, 8n],
      [2, 8, 2n, 8n],
    ]);
  });
});

describe("DISTINCT", () => {
  it("is over what is selected, also of groups", async () => {
    expect(await rowsOf("SELECT DISTINCT s FROM meta")).toEqual([["a"], ["b"], [null]]);
    expect(await rowsOf("SELECT DISTINCT n % 2 AS odd, 1 FROM meta ORDER BY n % 2 DESC")).toEqual(
      [
        [1n, 1n],
        [0n, 1n],
        [null, 1n],
      ].map(([odd]) => [odd!, 1n]),
    );
    expect(await rowsOf("SELECT DISTINCT count(*) AS c FROM meta GROUP BY n ORDER BY count(*) DESC")).toEqual(
      [[2n], [1n]],
    );
    expect(await rowsOf("SELECT DISTINCT * FROM meta")).toHaveLength(6);
  });

  it("stops at LIMIT", async () => {
    const table = scenes();
    expect(await rowsOf("SELECT DISTINCT n FROM meta LIMIT 1 OFFSET 1", table)).toEqual([[2]]);
    expect(table.reads).toEqual(["n/0"]);
  });
});

describe("what cannot be is an error with its place", () => {
  it.each([
    ["SELECT n, s FROM meta GROUP BY s", "sql_syntax", 8, /n has many values in a group: add it to GROUP BY/],
    ["SELECT *, count(*) FROM meta", "sql_syntax", 8, /add it to GROUP BY/],
    ["SELECT idx, count(*) FROM meta", "sql_syntax", 8, /idx has many values/],
    ["SELECT count(*) FROM meta ORDER BY n", "sql_syntax", 36, /n has many values/],
    ["SELECT s FROM meta GROUP BY s HAVING f > 1", "sql_syntax", 38, /f has many values/],
    ["SELECT n FROM meta WHERE count(*) > 1", "sql_syntax", 26, /not in WHERE/],
    ["SELECT count(*) AS c FROM meta WHERE c > 1", "sql_syntax", 8, /not in WHERE/],
    ["SELECT count(*) FROM meta GROUP BY 1", "sql_syntax", 8, /not in WHERE, GROUP BY/],
    ["SELECT n FROM meta GROUP BY 2", "sql_type", 29, /there is no such output column, they are 1 to 1/],
    ["SELECT sum(max(n)) FROM meta", "sql_syntax", 12, /sum\(\) cannot hold another aggregate/],
    ["SELECT sum(s) FROM meta", "sql_type", 12, /sum\(\) does not take string/],
    ["SELECT min(g) FROM meta", "sql_type", 12, /min\(\) does not take geometry/],
    ["SELECT ST_Extent(n) FROM meta", "sql_type", 18, /does not take int32/],
    ["SELECT count(n, s) FROM meta", "sql_type", 8, /count\(\) takes \* or one argument, not 2/],
    ["SELECT abs(DISTINCT n) FROM meta", "sql_syntax", 8, /abs\(\) is no aggregate/],
    ["SELECT n FROM meta HAVING n", "sql_syntax", 8, /many values/],
    ["SELECT s FROM meta GROUP BY s HAVING count(*)", "sql_type", 38, /HAVING needs a condition/],
    ["SELECT DISTINCT s FROM meta ORDER BY n", "sql_syntax", 38, /ordered only by what it selects/],
    [
      "SELECT s, median(n) FROM meta GROUP BY s",
      "unknown_function",
      11,
      /median\(\); aggregates are count, min,/,
    ],
    [
      "SELECT s, aveg(n) FROM meta GROUP BY s",
      "unknown_function",
      11,
      /aveg\(\), did you mean avg\(\)\? Aggregates/,
    ],
    ["SELECT s FROM meta GROUP BY s HAVING foo(f) > 1", "unknown_function", 38, /foo\(\); aggregates are/],
    ["SELECT s FROM meta GROUP BY s ORDER BY foo(f)", "unknown_function", 40, /foo\(\); aggregates are/],
    ["SELECT median(n) FROM meta", "unknown_function", 8, /median\(\); aggregates are/],
    ["SELECT foo(n) FROM meta", "unknown_function", 8, /foo\(\) \(line/],
    ["SELECT nope FROM meta GROUP BY nope", "unknown_column", undefined, /nope/],
  ])("%s", async (sql, code, column, message) => {
    const error = await failure(sql);
    expect([error.code, column && error.at?.column]).toEqual([code, column]);
    expect(error.message).toMatch(message);
  });

  it("so is more than memory should hold", () => {
    const words = new WordSet(2, new Budget(2 ** 20));
    const texts = new TextSet(new Budget(2 ** 20));
    const number = Uint32Array.of(0, 0);
    const add = (i: number) => {
      number[0] = i;
      words.add(number, 0);
    };
    expect(() => Array.from({ length: 100_000 }, (_, i) => add(i))).toThrow(/at most 1 MiB of groups/);
    expect(words.size).toBeGreaterThan(10_000);
    const bytes = new Uint8Array(1000);
    const longer = () => {
      for (let i = 0; i < 2000; i++) {
        bytes[i % 1000]!++;
        texts.add(bytes, 0, 1000);
      }
    };
    expect(longer).toThrow(/at most 1 MiB/);
  });

  it("so are matches and projections of what is no row of the table", async () => {
    const query = planQuery(scenes(), "SELECT s, count(*) FROM meta GROUP BY s");
    expect(query.rowQuery).toBe(false);
    expect(() => query.matches()).toThrow(/No view can be made/);
    await expect(query.project(Float64Array.of(0))).rejects.toMatchObject({ code: "not_a_row_query" });
  });
});

describe("whatever is asked", () => {
  it.each([1, 2, 3, 4])("is answered, or refused with an error of ours (seed %i)", async (seed) => {
    const next = random(seed + 500);
    const dice = new Dice(next);
    const column = (cells: CellValue[], type: SqlType) => ({ type, cells, chunkRows: 2 });
    const table = new MemoryTable({
      a: column([1, 2, null, 2, 1], INT32),
      b: column(["x", "", null, "x", "y"], { kind: "string" }),
      c: column([true, null, false, true, true], { kind: "bool" }),
      "d e": column([0.5, 1, 2, null, -1], { kind: "float", bits: 64 }),
    });
    const functions = ["max(a + 1)", "count(*)", "count(DISTINCT b)", "sum(a)", "min(b)"];
    const expression = () =>
      wildExpression(next, dice.below(3)).replace(/f\([^)]*\)/g, () => dice.of(functions));
    let answered = 0;
    for (let q = 0; q < 400; q++) {
      const by = Array.from({ length: dice.below(3) }, expression);
      const items = [...by.filter(() => dice.chance(0.7)), dice.of([...functions, expression()])];
      const sql = [
        `SELECT ${dice.chance(0.3) ? "DISTINCT " : ""}${items.map((item, i) => `${item} AS k${i}`).join(", ")} FROM meta`,
        by.length > 0 ? ` GROUP BY ${by.join(", ")}` : "",
        dice.chance(0.2) ? ` HAVING ${expression()}` : "",
        dice.chance(0.5) ? ` ORDER BY ${dice.of([...items, expression(), "k0"])}` : "",
      ].join("");
      try {
        await answer(planQuery(table, sql));
        answered++;
      } catch (error) {
        expect(isZarrsiftError(error), `${sql}: ${(error as Error).stack}`).toBe(true);
      }
    }
    expect(answered).toBeGreaterThan(20);
  });

  it("deep expressions in every clause take no time", async () => {
    const deep = Array.from({ length: 900 }, () => "n").join(" + ");
    const start = process.cpuUsage();
    const sql = `SELECT DISTINCT ${deep} + 1 AS x FROM meta GROUP BY ${deep} ORDER BY ${deep} + 1 + 0`;
    expect(await rowsOf(sql)).toHaveLength(4);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(3000);
  });
});

describe("explain", () => {
  it("shows the grouping with what it reads, and counts rows and groups", async () => {
    const sql =
      "SELECT DISTINCT count(*) AS c, avg(f) AS mean FROM meta WHERE idx > 0 GROUP BY n HAVING count(*) > 0 ORDER BY c LIMIT 2";
    const steps = await planQuery(scenes(), sql).analyze();
    expect(steps.map(({ step, column, rows_in, rows_out }) => [step, column, rows_in, rows_out])).toEqual([
      ["scan", null, 6, 5],
      ["aggregate", "n, f", 5, 4],
      ["having", null, null, null],
      ["distinct", null, 4, 4],
      ["sort", null, 4, 4],
      ["limit", null, null, null],
      ["output", null, 2, 2],
    ]);
    expect(steps[1]!.why).toBe("count(*), avg(f) by n");
    const first = await planQuery(scenes(), "SELECT DISTINCT n FROM meta LIMIT 2").explain();
    expect(first.map(({ step, why }) => [step, why])[1]).toEqual([
      "distinct",
      "n; the scan stops when 2 are found",
    ]);
  });
});
