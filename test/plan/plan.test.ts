import { describe, expect, it } from "vitest";
import { isZarrsiftError, type ZarrsiftError } from "../../src/errors.ts";
import { envelope } from "../../src/geometry/geometry.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import type { QueryOptions } from "../../src/plan/api.ts";
import { isRowQuery } from "../../src/plan/bind/select.ts";
import { planQuery, projectColumns } from "../../src/plan/plan.ts";
import { parseSelect } from "../../src/sql/parse.ts";
import { cellAt } from "../../src/table/vector.ts";
import { answer, type ColumnData, MemoryTable } from "./memory-table.ts";

const START = 1751328000000n;

/** 1000 rows: dates a minute apart, `n` = idx, a box of half a degree per row going round the equator. */
function granules(): MemoryTable {
  const all = Array.from({ length: 1000 }, (_, i) => i);
  const column = (
    kind: ColumnData["type"],
    chunkRows: number,
    cell: (i: number) => ColumnData["cells"][number],
  ) => ({
    type: kind,
    chunkRows,
    cells: all.map(cell),
  });
  return new MemoryTable(
    {
      date: column({ kind: "timestamp", unit: "ms" }, 100, (i) => START + BigInt(i) * 60_000n),
      n: column({ kind: "int", bits: 32, signed: true }, 50, (i) => i),
      cloud_cover: column({ kind: "float", bits: 32 }, 64, (i) => Math.fround(i / 10)),
      Platform: column({ kind: "string" }, 100, (i) => `p${i % 3}`),
      "eo:gsd": column({ kind: "float", bits: 64 }, 100, (i) => i),
      bbox: column({ kind: "geometry", encoding: "wkb" }, 100, (i) =>
        writeWkb(envelope((i % 720) / 2 - 180, 0, (i % 720) / 2 - 179.5, 1)),
      ),
    },
    { geometry: "bbox", time: "date" },
  );
}

async function find(sql: string, options: QueryOptions = {}, table = granules()): Promise<number[]> {
  return (await answer(planQuery(table, sql, options))).idx;
}

function failure(sql: string, options: QueryOptions & { rowsOnly?: boolean } = {}): ZarrsiftError {
  const table = granules();
  try {
    planQuery(table, sql, options);
  } catch (error) {
    expect(table.reads).toEqual([]);
    if (isZarrsiftError(error)) return error;
    throw error;
  }
  throw new Error(`no error for ${sql}`);
}

describe("names", () => {
  it("match exactly, else in any case where that is unique and not quoted", async () => {
    expect(
      planQuery(
        granules(),
        "SELECT platform, PLATFORM AS p2, meta.n, granules.n AS n2, IDX FROM Granules",
      ).columns.map(({ name, column }) => [name, column]),
    ).toEqual([
      ["Platform", "Platform"],
      ["p2", "Platform"],
      ["n", "n"],
      ["n2", "n"],
      ["idx", "idx"],
    ]);
    expect(await find('SELECT idx FROM meta AS m WHERE m."eo:gsd" < 2')).toEqual([0, 1]);
    expect(failure('SELECT "platform" FROM meta').code).toBe("unknown_column");
  });

  it("that are unknown say what there is, and where", () => {
    const error = failure("SELECT idx\nFROM meta WHERE dat < '2025-07-01'");
    expect(error.code).toBe("unknown_column");
    expect(error.message).toBe(
      'Unknown column "dat"; meta has: date, n, cloud_cover, Platform, eo:gsd, bbox. Did you mean "date"? (line 2, column 17)',
    );
    expect(error.at).toEqual({ offset: 27, line: 2, column: 17 });
    expect(failure("SELECT x.n FROM meta").code).toBe("unknown_table");
    expect(failure("SELECT n FROM other").message).toMatch(/"other".*meta or granules/);
  });

  it.each([
    "Platform = landsat",
    "landsat <> Platform",
    "Platform IN ('x', landsat)",
    "Platform LIKE landsat",
    "date BETWEEN '2025-07-01' AND landsat",
    'Platform = "landsat"',
    'n = length("landsat")',
  ])("are perhaps texts without their quotes: %s", (condition) => {
    expect(failure(`SELECT n FROM meta WHERE ${condition}`).message).toMatch(
      /"landsat".*bbox\. A text stands in single quotes: 'landsat' \(line 1, column \d+\)$/,
    );
  });

  it("are not texts to LIKE: the message says what they are compared with", () => {
    expect(failure("SELECT n FROM meta WHERE date LIKE '2021%'").message).toMatch(
      /LIKE needs text, not timestamp\[ms\]; a year is >= '2021-01-01' AND < '2022-01-01'/,
    );
    expect(failure("SELECT n FROM meta WHERE n LIKE '1%'").message).toMatch(
      /; CAST\(… AS varchar\) makes text/,
    );
    expect(failure("SELECT n FROM meta WHERE bbox LIKE '1%'").message).toMatch(/not geometry \(line/);
  });

  it("are no texts beside numbers, nor beside the text itself", () => {
    expect(failure("SELECT n FROM meta WHERE n = landsat").message).not.toMatch(/quotes/);
    expect(failure("SELECT n FROM meta WHERE landsat = 'x'").message).not.toMatch(/quotes/);
    expect(failure('SELECT n FROM meta WHERE "it\'s" = 1').message).toMatch(/quotes: 'it''s'/);
  });

  it("leave idx to the row number; a stored idx is meta.idx", async () => {
    const stored = {
      type: { kind: "int", bits: 32, signed: true } as const,
      cells: [30, 20, 10],
      chunkRows: 2,
    };
    const table = new MemoryTable({ idx: stored });
    const { rows } = await answer(
      planQuery(table, 'SELECT idx, "meta.idx", meta.idx + 0 AS t FROM meta ORDER BY meta.idx'),
    );
    expect(rows).toEqual([
      [2n, 10, 10n],
      [1n, 20, 20n],
      [0n, 30, 30n],
    ]);
    expect(planQuery(table, "SELECT * FROM meta").columns.map(({ name }) => name)).toEqual(["meta.idx"]);
    expect(projectColumns(table, ["idx", "meta.idx"]).columns.map(({ column }) => column)).toEqual([
      "idx",
      "meta.idx",
    ]);
  });

  it("may be aliases where there is no such column, in WHERE as in DuckDB", async () => {
    expect(await find("SELECT n * 2 AS twice FROM meta WHERE twice < 6")).toEqual([0, 1, 2]);
    expect(await find("SELECT n AS cloud_cover, idx FROM meta WHERE cloud_cover < 0.15")).toEqual([0, 1]);
  });

  it("of output columns are different", () => {
    expect(failure("SELECT n, date AS n FROM meta").message).toMatch(/Two output columns are called "n"/);
    expect(failure("SELECT *, n FROM meta").code).toBe("bad_request");
  });
});

describe("times that do not exist", () => {
  it.each([
    ["date > '2025-06-31'", /'2025-06-31' is not a timestamp: June has 30 days \(line 1, column 33\)/],
    ["date > DATE '2025-2-29'", /: February 2025 has 28 days/],
    ["date > TIMESTAMP '1900-02-29 10:00'", /: February 1900 has 28 days/],
    ["date > '2025-13-01'", /: there is no month 13/],
    ["date > '0000-01-01'", /: years are 0001-9999/],
    ["date > '2025-01-01 24:00:01'", /: there is no time 24:00:01/],
    ["date > '2025-01-01T12:00+25:00'", /: there is no offset \+25:00/],
    ["date > CAST('2025-04-31' AS timestamp)", /: April has 30 days/],
    ["date > 'last week'", /: write 2025-07-01, /],
    ["date > 2025-07-01", /Cannot compare .*; a time is written '2025-07-01 12:30:00'/],
  ])("say why: %s", (condition, message) => {
    expect(failure(`SELECT n FROM meta WHERE ${condition}`).message).toMatch(message);
  });

  it("say why in the datetime option", () => {
    expect(failure("SELECT n FROM meta", { datetime: "../2025-06-31T00:00:00Z" }).message).toMatch(
      /RFC 3339 time .*, not \.\.\/2025-06-31T00:00:00Z: June has 30 days/,
    );
  });
});

describe("types are checked before anything is read", () => {
  it.each([
    ["date < 5", "sql_type", 28],
    ["date < 'yesterday'", "sql_type", 35],
    ["date = '2025-02-30'", "sql_type", 35],
    ["date > TIMESTAMP '-0044-03-15'", "sql_type", 35],
    ["n = Platform", "sql_type", 28],
    ["n < 'x'", "sql_type", 32],
    ["bbox = bbox", "sql_type", 28],
    ["ST_Within(Platform, bbox)", "sql_type", 38],
    ["ST_Intersects(bbox, ST_GeomFromText('POLYGON((0 0, 1 1))'))", "sql_type", 48],
    ["n", "sql_type", 28],
    ["Platform LIKE 5", "sql_type", 42],
    ["Platform LIKE 'a!' ESCAPE '!'", "sql_type", 42],
    ["Platform + 1 = 2", "sql_type", 28],
    ["9223372036854775807 + 1 > n", "sql_type", 28],
    ["lower(n) = 'a'", "sql_type", 34],
    ["lowerr(Platform) = 'a'", "unknown_function", 28],
    ["CAST(n AS nonsense) = 1", "sql_unsupported", 28],
    ["now() - date < INTERVAL '1 month'", "sql_unsupported", 43],
    ["date > now() - INTERVAL '3 dayz'", "sql_type", 43],
    ["date + date > now()", "sql_type", 28],
    ["date + 1 > now()", "sql_type", 28],
    ["INTERVAL '1 day' - date > now()", "sql_type", 28],
    ["extract(yeer FROM date) = 2020", "sql_type", 28],
    ["date_trunc('dow', date) = date", "sql_type", 39],
    ["date_trunc(Platform, date) = date", "sql_type", 39],
    ["year(Platform) = 2020", "sql_type", 33],
    ["left(Platform, 1.5) = 'a'", "sql_type", 43],
    ["substr(Platform) = 'a'", "sql_type", 28],
    ["greatest(n, Platform) = 1", "sql_type", 28],
    ["ST_Area(n) > 1", "sql_type", 36],
    ["ST_Aera(bbox) > 1", "unknown_function", 28],
    ["extract(year FROM date - now()) = 1", "sql_type", 46],
    ["$1 = n", "bad_parameter", 28],
  ])("%s", (condition, code, column) => {
    const error = failure(`SELECT idx FROM meta WHERE ${condition}`);
    expect([error.code, column && error.at?.column]).toEqual([code, column]);
  });

  it("counts parameters", () => {
    expect(failure("SELECT idx FROM meta WHERE n = $2", { params: [1] }).message).toMatch(
      /\$2 has no value: 1 parameter was given/,
    );
    expect(failure("SELECT idx FROM meta WHERE n = $1", { params: [1, 2] }).message).toMatch(
      /2 parameters.*\$1 to \$1/,
    );
  });

  it("knows which queries have rows of the table", () => {
    expect(
      [
        "SELECT n FROM meta",
        "SELECT max(n) FROM meta",
        "SELECT DISTINCT n FROM meta",
        "SELECT n FROM meta GROUP BY n",
      ].map((sql) => isRowQuery(parseSelect(sql))),
    ).toEqual([true, false, false, false]);
    expect(failure("SELECT count(*) FROM meta", { rowsOnly: true }).code).toBe("not_a_row_query");
    expect(failure("SELECT now() AS t FROM meta", { allowNow: false }).code).toBe("sql_unsupported");
  });
});

describe("values", () => {
  it("of float32 columns compare with literals as float32", async () => {
    expect(await find("SELECT idx FROM meta WHERE cloud_cover = 0.1")).toEqual([1]);
    expect(await find("SELECT idx FROM meta WHERE cloud_cover <= 0.1")).toEqual([0, 1]);
    expect(await find("SELECT idx FROM meta WHERE cloud_cover = $1", { params: [0.1] })).toEqual([1]);
    expect(await find("SELECT idx FROM meta WHERE cloud_cover = CAST(0.1 AS double precision)")).toEqual([]);
  });

  it("of parameters are as if written there", async () => {
    expect(
      await find("SELECT idx FROM meta WHERE date = $1 OR n = $2 LIMIT $3", {
        params: ["2025-07-01T00:01:00Z", 3n, 5],
      }),
    ).toEqual([1, 3]);
    expect(planQuery(granules(), "SELECT n + $1 AS m FROM meta", { params: [5] }).columns[0]!.text).toBe(
      planQuery(granules(), "SELECT n + 5 AS m FROM meta").columns[0]!.text,
    );
  });

  it("of folded and computed items have types", async () => {
    const query = planQuery(
      granules(),
      "SELECT 7/2 AS a, 7%4 AS b, cloud_cover*2 AS c, 1=1 AS d, DATE '2025-07-01' AS e, 'x'||n AS f, abs(-n) AS g, NULL AS h FROM meta LIMIT 1 OFFSET 3",
    );
    expect(query.columns.map(({ type }) => type)).toMatchObject([
      { kind: "float", bits: 64 },
      { kind: "int", bits: 64 },
      { kind: "float", bits: 32 },
      { kind: "bool" },
      { kind: "timestamp", unit: "s" },
      { kind: "string" },
      { kind: "int", bits: 64 },
      { kind: "null" },
    ]);
    expect((await answer(query)).rows).toEqual([
      [3.5, 3n, Math.fround(Math.fround(0.3) * 2), true, 1751328000n, "x3", 3n, null],
    ]);
  });

  it("that overflow are an error at the operator, not a wrong number", async () => {
    const query = planQuery(granules(), "SELECT n * 9223372036854775807 AS x FROM meta WHERE n > 1 LIMIT 1");
    await expect(answer(query)).rejects.toMatchObject({ code: "sql_type", at: { column: 8 } });
  });
});

describe("reading", () => {
  it("follows the survivors: later columns only where rows are left", async () => {
    const table = granules();
    expect(
      await find(
        "SELECT Platform FROM meta WHERE n BETWEEN 120 AND 130 AND date < '2025-07-01 02:05:00' AND cloud_cover > 12.2",
        {},
        table,
      ),
    ).toEqual([123, 124]);
    expect(table.readsOf("n")).toHaveLength(20);
    expect(table.readsOf("date")).toEqual(["date/1"]);
    expect(table.readsOf("cloud_cover")).toEqual(["cloud_cover/1"]);
    expect(table.readsOf("Platform")).toEqual(["Platform/1"]);
    expect(table.readsOf("bbox")).toEqual([]);
  });

  it("needs nothing for idx, and only the rows asked for without WHERE", async () => {
    const table = granules();
    expect(await find("SELECT idx FROM meta WHERE idx >= 998 OR FALSE", {}, table)).toEqual([998, 999]);
    expect(await find("SELECT idx FROM meta WHERE n > 3 AND 1 = 2", {}, table)).toEqual([]);
    expect(await find("SELECT idx FROM meta WHERE n > NULL", {}, table)).toEqual([]);
    expect(table.reads).toEqual([]);
    expect(await find("SELECT date FROM meta LIMIT 3 OFFSET 250", {}, table)).toEqual([250, 251, 252]);
    expect(table.reads).toEqual(["date/2"]);
    expect(await find("SELECT n FROM meta ORDER BY idx DESC LIMIT 2", {}, table)).toEqual([999, 998]);
    expect(table.reads).toEqual(["date/2", "n/19"]);
    expect(await find("SELECT n FROM meta LIMIT 0", {}, table)).toEqual([]);
  });

  it("stops at LIMIT, from either end", async () => {
    const table = granules();
    expect(await find("SELECT idx FROM meta WHERE n % 2 = 1 LIMIT 2", {}, table)).toEqual([1, 3]);
    expect(table.reads).toEqual(["n/0"]);
    table.reads.length = 0;
    expect(
      await find("SELECT idx FROM meta WHERE n % 2 = 1 ORDER BY idx DESC LIMIT 2 OFFSET 1", {}, table),
    ).toEqual([997, 995]);
    expect(table.reads).toEqual(["n/19"]);
  });

  it("goes on while rows are computed: several windows are under way", async () => {
    const rows = 600_000;
    const cells = Array.from({ length: rows }, (_, i) => i % 1000);
    const table = new MemoryTable({
      n: { type: { kind: "int", bits: 32, signed: true }, cells, chunkRows: 100_000 },
    });
    table.delay = 100;
    expect(await find("SELECT idx FROM meta WHERE n = 5 AND idx > 599000", {}, table)).toEqual([599_005]);
    expect(table.reads).toEqual(["n/5"]);
    expect(table.mostAtOnce).toBe(1);
    expect((await find("SELECT idx FROM meta WHERE n = 5", {}, table)).length).toBe(600);
    expect(table.mostAtOnce).toBeGreaterThan(1);
  });

  it("stops when it is cancelled, and reports nothing twice", async () => {
    const table = granules();
    table.delay = 20;
    const controller = new AbortController();
    const rows = planQuery(table, "SELECT bbox FROM meta WHERE n >= 0 ORDER BY date").run({
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 30);
    await expect(drain(rows)).rejects.toThrow(/abort/i);
    const before = table.reads.length;
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(table.reads.length).toBe(before);
  });

  it("gives way to others while it computes", async () => {
    const rows = 300_000;
    const shape = writeWkb(envelope(0, 0, 1, 1));
    const cells = Array.from({ length: rows }, () => shape);
    const table = new MemoryTable({
      g: { type: { kind: "geometry", encoding: "wkb" }, cells, chunkRows: rows },
    });
    const ring = Array.from(
      { length: 400 },
      (_, i) => `${Math.cos(i / 63.66) * 2} ${Math.sin(i / 63.66) * 2}`,
    );
    const sql = `SELECT idx FROM meta WHERE ST_Within(g, ST_GeomFromText('POLYGON((${ring.join(",")},${ring[0]}))'))`;
    const controller = new AbortController();
    const query = planQuery(table, sql);
    await table.columns.get("g")!.read(0);
    const computed = () => process.cpuUsage().user / 1000; // not what other processes take
    let [last, longest] = [computed(), 0];
    const timer = setInterval(() => {
      longest = Math.max(longest, computed() - last);
      last = computed();
      if (performance.now() - start > 700) controller.abort();
    }, 1);
    const start = performance.now();
    await drain(query.run({ signal: controller.signal })).catch(() => {});
    clearInterval(timer);
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(longest).toBeLessThan(500);
  });
});

async function drain(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of rows);
}

describe("geometry", () => {
  it("that is broken fails, naming row and column", async () => {
    const cells = [writeWkb(envelope(0, 0, 1, 1)), new Uint8Array([1, 3, 0, 0, 0, 9]), null];
    const table = new MemoryTable({
      bbox: { type: { kind: "geometry", encoding: "wkb" }, cells, chunkRows: 2 },
    });
    const query = planQuery(table, "SELECT idx FROM meta WHERE ST_Intersects(bbox, ST_Point(0, 0))");
    await expect(answer(query)).rejects.toMatchObject({
      code: "bad_geometry",
      message: expect.stringMatching(/Row 1 of column bbox/),
      details: { row: 1, column: "bbox" },
    });
    expect(
      await find("SELECT idx FROM meta WHERE idx <> 1 AND ST_Intersects(bbox, ST_Point(0, 0))", {}, table),
    ).toEqual([0]);
  });

  it("crosses the antimeridian", async () => {
    const near = [...Array(3).keys(), 716, 717, 718, 719].map((i) => i);
    const found = await find(
      "SELECT idx FROM meta WHERE ST_Intersects(bbox, ST_MakeEnvelope(178.1, 0.2, -178.9, 0.5))",
    );
    expect(found.filter((i) => i < 720)).toEqual(near);
    expect(found.filter((i) => i >= 720)).toEqual([720, 721, 722]);
    expect(await find("SELECT idx FROM meta", { bbox: [178.1, 0.2, -178.9, 0.5] })).toEqual(found);
  });

  it("stored as WKT and given as WKT, WKB or GeoJSON is the same", async () => {
    const wkt = ["POLYGON((0 0,4 0,4 4,0 4,0 0))", "POINT(9 9)", null, "LINESTRING(-1 -1,1 1)"];
    const table = new MemoryTable({
      g: { type: { kind: "geometry", encoding: "wkt" }, cells: wkt, chunkRows: 2 },
      t: { type: { kind: "string" }, cells: wkt, chunkRows: 3 },
    });
    const json = '{"type":"Point","coordinates":[1,1]}';
    for (const [column, shape, params] of [
      ["g", "ST_GeomFromText('POINT(1 1)')", undefined],
      ["g", `ST_GeomFromGeoJSON('${json}')`, undefined],
      [
        "g",
        "ST_GeomFromWKB($1)",
        [writeWkb({ type: "Point", layout: "XY", coordinates: Float64Array.of(1, 1) })],
      ],
      ["ST_GeomFromText(t)", "ST_MakePoint(1, 1)", undefined],
    ] as const) {
      expect(
        await find(
          `SELECT idx FROM meta WHERE ST_Intersects(${column}, ${shape})`,
          params ? { params } : {},
          table,
        ),
        shape,
      ).toEqual([0, 3]);
    }
    expect(
      await find(
        "SELECT idx FROM meta WHERE ST_Touches(g, ST_GeomFromText(t)) OR ST_Equals(g, ST_GeomFromText(t))",
        {},
        table,
      ),
    ).toEqual([0, 1, 3]);
  });
});

describe("the datetime option", () => {
  it.each([
    ["2025-07-01T00:02:00Z", [2]],
    ["2025-07-01T02:02:00+02:00", [2]],
    ["../2025-07-01T00:01:00Z", [0, 1]],
    ["2025-07-01T16:38:00Z/..", [998, 999]],
    ["2025-07-01T00:00:30Z/2025-07-01T00:02:00Z", [1, 2]],
  ])("%s", async (datetime, wanted) => {
    expect(await find("SELECT idx FROM meta", { datetime })).toEqual(wanted);
  });

  it("finds rows whose time span overlaps", async () => {
    const type = { kind: "timestamp", unit: "s" } as const;
    const column = (cells: bigint[]) => ({ type, cells, chunkRows: 2 });
    const table = new MemoryTable(
      { a: column([0n, 100n, 200n]), b: column([50n, 150n, 250n]) },
      { time: { start: "a", end: "b" } },
    );
    expect(
      await find("SELECT idx FROM meta", { datetime: "1970-01-01T00:00:50Z/1970-01-01T00:01:40Z" }, table),
    ).toEqual([0, 1]);
  });

  it.each(["2025-07-01", "yesterday", "../..", "a/b/c", "2025-07-02T00:00:00Z/2025-07-01T00:00:00Z"])(
    "refuses %s",
    (datetime) => {
      expect(failure("SELECT idx FROM meta", { datetime }).code).toBe("bad_parameter");
    },
  );
});

describe("projection", () => {
  it("gives rows in the order asked for", async () => {
    const table = granules();
    const query = planQuery(table, "SELECT n, Platform, n * 2 AS twice FROM meta WHERE n < 5");
    const batch = await query.project(Float64Array.of(999, 3, 500));
    expect([...batch.idx]).toEqual([999, 3, 500]);
    expect(batch.vectors.map((vector) => [0, 1, 2].map((i) => cellAt(vector, i)))).toEqual([
      [999, 3, 500],
      ["p0", "p0", "p2"],
      [1998n, 6n, 1000n],
    ]);
    expect(new Set(table.reads)).toEqual(
      new Set(["n/19", "n/0", "n/10", "Platform/9", "Platform/0", "Platform/5"]),
    );
    await expect(query.project(Float64Array.of(1000))).rejects.toMatchObject({ code: "bad_idx" });
  });

  it("says what columns are", () => {
    expect(planQuery(granules(), "SELECT * FROM meta").columns.every(({ named }) => !named)).toBe(true);
    const { columns, selects } = planQuery(granules(), "SELECT idx AS i FROM meta");
    expect(columns).toMatchObject([{ name: "i", column: "idx", named: true, text: "idx" }]);
    expect(selects).toBe("idx");
    expect(() => projectColumns(granules(), ["nope"])).toThrow(/Unknown column "nope"/);
  });
});

describe("explain", () => {
  const sql =
    "SELECT Platform FROM meta WHERE n < 10 AND ST_Intersects(bbox, ST_Point(-177, 0.5)) ORDER BY date DESC LIMIT 3";

  it("shows the cheapest condition first, and what is read late", async () => {
    const steps = await planQuery(granules(), sql).explain();
    expect(steps.map(({ step, column }) => [step, column])).toEqual([
      ["scan", null],
      ["filter", "n"],
      ["filter", "bbox"],
      ["sort", "date"],
      ["limit", null],
      ["output", "Platform"],
    ]);
    expect(steps[1]).toMatchObject({ why: expect.stringContaining("n < 10"), rows_in: null, ms: null });
  });

  it("analyzes: rows in and out, requests and bytes as counted", async () => {
    const steps = await planQuery(granules(), sql).analyze();
    expect(
      steps.map(({ step, rows_in, rows_out, requests, bytes }) => [step, rows_in, rows_out, requests, bytes]),
    ).toEqual([
      ["scan", 1000, 1000, null, null],
      ["filter", 1000, 10, 20, 200],
      ["filter", 10, 2, 1, 10],
      ["sort", 2, 2, 1, 10],
      ["limit", null, null, null, null],
      ["output", 2, 2, 1, 10],
    ]);
    expect(steps.filter(({ step }) => step === "filter").every(({ ms }) => ms! >= 0)).toBe(true);
  });
});
