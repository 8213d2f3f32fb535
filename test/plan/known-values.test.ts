import { describe, expect, it } from "vitest";
import { envelope, point } from "../../src/geometry/geometry.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { parseInterval } from "../../src/plan/functions/interval.ts";
import { planQuery } from "../../src/plan/plan.ts";
import { typeName } from "../../src/table/types.ts";
import { answer, MemoryTable } from "./memory-table.ts";

const TRIANGLE = "POLYGON((170 0,190 0,170 30,170 0))";

function table(): MemoryTable {
  const at = (text: string, ns = 0n) => BigInt(Date.parse(text)) * 1_000_000n + ns;
  return new MemoryTable({
    ns: {
      type: { kind: "timestamp", unit: "ns" },
      chunkRows: 2,
      cells: [at("2020-02-29T23:59:59Z", 999_999_999n), at("1969-12-31T00:00:00Z", 1n), null],
    },
    s: { type: { kind: "timestamp", unit: "s" }, chunkRows: 2, cells: [0n, -1n, 8_000_000_000_000n] },
    g: {
      type: { kind: "geometry", encoding: "wkb" },
      chunkRows: 2,
      cells: [writeWkb(parseWkt(TRIANGLE)), writeWkb(point(-175, 10)), null],
    },
    w: {
      type: { kind: "geometry", encoding: "wkt" },
      chunkRows: 2,
      cells: ["POINT Z (1 2 3)", "POLYGON EMPTY", null],
    },
    b: { type: { kind: "bytes" }, chunkRows: 2, cells: [Uint8Array.of(0xc3, 0xa9), new Uint8Array(), null] },
  });
}

async function column(sql: string): Promise<[string, unknown[]]> {
  const query = planQuery(table(), `SELECT ${sql} AS x FROM meta`);
  return [typeName(query.columns[0]!.type), (await answer(query)).rows.map(([value]) => value)];
}

describe("times of all units", () => {
  it.each<[string, string, unknown[]]>([
    ["date_trunc('month', ns)", "timestamp[ns]", [1580515200000000000n, -2678400000000000n, null]],
    ["date_trunc('microsecond', ns) - date_trunc('second', ns)", "duration[ns]", [999_999_000n, 0n, null]],
    ["ns - INTERVAL '1 day'", "timestamp[ns]", [1582934399999999999n, -172799999999999n, null]],
    ["ns - ns", "duration[ns]", [0n, 0n, null]],
    ["extract(microsecond FROM ns)", "int64", [59_999_999n, 0n, null]],
    ["s + INTERVAL '1 day'", "timestamp[s]", [86_400n, 86_399n, 8_000_000_086_400n]],
    ["s + INTERVAL '1.5 seconds'", "timestamp[ms]", [1500n, 500n, 8_000_000_000_001_500n]],
    ["s - TIMESTAMP '1970-01-02'", "duration[s]", [-86_400n, -86_401n, 7_999_999_913_600n]],
    ["year(s)", "int64", [1970n, 1969n, 255479n]],
    ["INTERVAL '1 day' * 1.5", "duration[us]", Array(3).fill(129_600_000_000n)],
    ["INTERVAL '1 day' / 2", "duration[us]", Array(3).fill(43_200_000_000n)],
    ["-INTERVAL '1 day 01:00'", "duration[us]", Array(3).fill(-90_000_000_000n)],
    ["TIMESTAMP '2024-02-29' - INTERVAL '1 year'", "timestamp[us]", Array(3).fill(1677542400000000n)],
    ["DATE '2024-01-31' + INTERVAL '1 month'", "timestamp[s]", Array(3).fill(1709164800n)],
    [
      "INTERVAL '1 month' + DATE '2024-01-31' - INTERVAL '1 month'",
      "timestamp[s]",
      Array(3).fill(1706486400n),
    ],
    ["to_timestamp(1.5)", "timestamp[us]", Array(3).fill(1_500_000n)],
    ["to_timestamp(1751328000)", "timestamp[us]", Array(3).fill(1751328000000000n)],
    ["TIMESTAMP '2020-01-01' + NULL", "null", Array(3).fill(null)],
    ["coalesce(NULL, INTERVAL '1 second', s - s)", "duration[us]", Array(3).fill(1_000_000n)],
    ["nullif(date_part('year', s), 1970)", "int64", [null, 1969n, 255479n]],
    ["date_part('year', '2020-05-05')", "int64", Array(3).fill(2020n)],
    ["CAST('2020-05-05 12:00' AS date)", "timestamp[s]", Array(3).fill(1588636800n)],
  ])("%s", async (sql, type, cells) => {
    expect(await column(sql)).toEqual([type, cells]);
  });

  it("are an error where their type cannot hold them", async () => {
    await expect(column("ns + INTERVAL '300 years'")).rejects.toMatchObject({ code: "sql_type" });
    await expect(column("s + INTERVAL '1 microsecond' * 9000000000000000000")).resolves.toBeDefined();
    await expect(column("CAST(s AS timestamp_ns)")).rejects.toMatchObject({ code: "sql_type" });
    await expect(column("strftime(s, '%Q')")).rejects.toThrow(/does not know %Q/);
  });
});

describe("intervals", () => {
  it.each<[string, number, bigint]>([
    ["3 days", 0, 259_200_000_000n],
    ["1 year 6 mons -2 days", 18, -172_800_000_000n],
    ["1.5 years", 18, 0n],
    ["0.000001 s", 0, 1n],
    ["2 days 12:30:00.25", 0, 217_800_250_000n],
    ["-00:00:01", 0, -1_000_000n],
    ["1 century ago", -1200, 0n],
    ["1h30m", 0, 5_400_000_000n],
  ])("%s", (text, months, us) => {
    expect(parseInterval(text)).toEqual({ months, us });
  });

  it.each(["", "days", "3", "1 fortnight", "1.5 months", "12:61", "1 day ago 2", "99999999999999 days"])(
    "not %j",
    (text) => {
      expect(parseInterval(text)).toBeUndefined();
    },
  );
});

describe("geometry as stored", () => {
  it.each<[string, string, unknown[]]>([
    ["ST_AsText(g)", "string", [TRIANGLE, "POINT(-175 10)", null]],
    ["ST_AsText(w)", "string", ["POINT Z (1 2 3)", "POLYGON EMPTY", null]],
    [
      "ST_AsGeoJSON(g)",
      "string",
      [
        '{"type":"Polygon","coordinates":[[[170,0],[190,0],[170,30],[170,0]]]}',
        '{"type":"Point","coordinates":[-175,10]}',
        null,
      ],
    ],
    ["ST_AsBinary(g)", "bytes", [writeWkb(parseWkt(TRIANGLE)), writeWkb(point(-175, 10)), null]],
    [
      "ST_AsWKB(w)",
      "bytes",
      [writeWkb(parseWkt("POINT Z (1 2 3)")), writeWkb(parseWkt("POLYGON EMPTY")), null],
    ],
    ["ST_Area(g)", "float64", [300, 0, null]],
    ["ST_XMin(g)", "float64", [170, -175, null]],
    ["ST_XMax(g)", "float64", [190, -175, null]],
    ["ST_YMin(w)", "float64", [2, null, null]],
    ["ST_YMax(g)", "float64", [30, 10, null]],
    ["ST_X(ST_Centroid(g))", "float64", [530 / 3, -175, null]],
    ["ST_Y(ST_Centroid(g))", "float64", [10, 10, null]],
    ["ST_Envelope(g)", "geometry", [writeWkb(envelope(170, 0, 190, 30)), writeWkb(point(-175, 10)), null]],
    ["ST_IsEmpty(w)", "bool", [false, true, null]],
    ["ST_GeometryType(g)", "string", ["POLYGON", "POINT", null]],
    ["ST_Distance(g, ST_Point(-160, 10))", "float64", [expect.closeTo(500 / Math.sqrt(1300), 12), 15, null]],
    ["ST_Distance(w, ST_Point(1, 5))", "float64", [3, null, null]],
    ["ST_DWithin(g, ST_Point(-160, 10), 14)", "bool", [true, false, null]],
    ["ST_DWithin(g, g, 0)", "bool", [true, true, null]],
    ["ST_Area(ST_MakeEnvelope(0, 0, 2, 3))", "float64", [6, 6, 6]],
    ["ST_Intersects(ST_Envelope(g), ST_Point(-171, 29))", "bool", [true, false, null]],
    ["octet_length(b)", "int64", [2n, 0n, null]],
    ["octet_length('é')", "int64", [2n, 2n, 2n]],
  ])("%s", async (sql, type, cells) => {
    expect(await column(sql)).toEqual([type, cells]);
  });

  it("is named by its row where a function is not for it", async () => {
    await expect(column("ST_X(g)")).rejects.toThrow(/ST_X\(\) and ST_Y\(\) take points, not a POLYGON/);
  });
});

describe("types of results", () => {
  it.each([
    ["sign(-2.5)", "int8"],
    ["power(2, 3)", "float64"],
    ["round(CAST(2.5 AS real))", "float32"],
    ["strpos('a', 'a')", "int64"],
    ["greatest(1, 2.5)", "float64"],
    ["least('a', NULL)", "string"],
    ["concat(NULL)", "string"],
    ["epoch(s)", "float64"],
    ["starts_with('a', 'b')", "bool"],
    ["pi()", "float64"],
    ["mod(5, 3)", "int64"],
    ["lower(NULL)", "null"],
  ])("%s is %s", async (sql, type) => {
    expect((await column(sql))[0]).toBe(type);
  });
});
