import { describe, expect, it } from "vitest";
import { jsonCell, textCell } from "../../src/format/cell.ts";
import { csvText } from "../../src/format/csv.ts";
import { jsonText } from "../../src/format/json.ts";
import { ndjsonText } from "../../src/format/ndjson.ts";
import { textTable } from "../../src/format/text-table.ts";
import { envelope } from "../../src/geometry/geometry.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { vectorOf } from "../../src/plan/eval/vectors.ts";
import { BOOL, BYTES, FLOAT64, INT64, type SqlType, STRING } from "../../src/table/types.ts";
import type { CellValue } from "../../src/table/vector.ts";

const F32: SqlType = { kind: "float", bits: 32 };
const F16: SqlType = { kind: "float", bits: 16 };
const time = (unit: "s" | "ms" | "us" | "ns"): SqlType => ({ kind: "timestamp", unit });
const span = (unit: "s" | "ms" | "us" | "ns"): SqlType => ({ kind: "duration", unit });
const WKB: SqlType = { kind: "geometry", encoding: "wkb" };
const WKT: SqlType = { kind: "geometry", encoding: "wkt" };

describe("cells as JSON", () => {
  it.each<[CellValue, SqlType, string]>([
    [null, INT64, "null"],
    [true, BOOL, "true"],
    [9007199254740993n, INT64, "9007199254740993"],
    [18446744073709551615n, { kind: "int", bits: 64, signed: false }, "18446744073709551615"],
    [-128, { kind: "int", bits: 8, signed: true }, "-128"],
    [0.1, FLOAT64, "0.1"],
    [Number.NaN, FLOAT64, "null"],
    [Number.POSITIVE_INFINITY, FLOAT64, '"Infinity"'],
    [Number.NEGATIVE_INFINITY, F32, '"-Infinity"'],
    [-0, FLOAT64, "-0.0"],
    [Math.fround(0.1), F32, "0.1"],
    [Math.fround(16777216), F32, "16777216"],
    [Math.fround(3.4028234663852886e38), F32, "3.4028235e+38"],
    [2 ** -149, F32, "1e-45"],
    [0.0999755859375, F16, "0.099975586"],
    ['a"\n😀', STRING, '"a\\"\\n😀"'],
    [Uint8Array.of(0, 255, 16), BYTES, '"AP8Q"'],
    [new Uint8Array(100_000), BYTES, `"${"AAAA".repeat(33333)}AA=="`],
    [1751328000n, time("s"), '"2025-07-01T00:00:00Z"'],
    [1751328000000n, time("ms"), '"2025-07-01T00:00:00.000Z"'],
    [1751328000000001n, time("us"), '"2025-07-01T00:00:00.000001Z"'],
    [-1n, time("ns"), '"1969-12-31T23:59:59.999999999Z"'],
    [-62167219201n, time("s"), '"-000001-12-31T23:59:59Z"'],
    [253402300800n, time("s"), '"+010000-01-01T00:00:00Z"'],
    [951782400n, time("s"), '"2000-02-29T00:00:00Z"'],
    [1500n, span("ms"), '"PT1.5S"'],
    [-90061000000n, span("us"), '"-P1DT1H1M1S"'],
    [0n, span("ns"), '"PT0S"'],
    [writeWkb(envelope(0, 0, 1, 2)), WKB, '"POLYGON((0 0,1 0,1 2,0 2,0 0))"'],
    ["POINT(1 2)", WKT, '"POINT(1 2)"'],
  ])("%s", (value, type, text) => {
    expect(jsonCell(value, type)).toBe(text);
    JSON.parse(text);
  });

  it("agrees with Date on every day of four centuries", () => {
    for (let day = -150_000; day < 150_000; day += 7) {
      const text = textCell(BigInt(day) * 86_400_000n + 3_723_004n, time("ms"));
      const iso = new Date(day * 86_400_000 + 3_723_004).toISOString();
      if (text !== iso) expect(text).toBe(iso);
    }
  });

  it("spells float32 so that it reads back, as short as can be", () => {
    for (let i = 1; i < 5000; i++) {
      const value = Math.fround(Math.sin(i) * 10 ** ((i % 60) - 30));
      const text = textCell(value, F32);
      expect(Math.fround(Number(text))).toBe(value);
      const digits = text
        .replace(/e.*$/, "")
        .replace(/[-.]/g, "")
        .replace(/^0+|0+$/g, "").length;
      if (digits > 1) expect(Math.fround(Number(value.toPrecision(digits - 1)))).not.toBe(value);
    }
  });
});

const COLUMNS = [
  { name: "n", type: INT64 },
  { name: 'odd "name", really', type: STRING },
  { name: "g", type: WKB },
];

async function* batches(...lengths: number[]) {
  let row = 0;
  for (const length of lengths) {
    const numbers = Array.from({ length }, () => BigInt(row++));
    yield {
      length,
      vectors: [
        vectorOf(INT64, numbers),
        vectorOf(
          STRING,
          numbers.map((n) => [null, "", 'say "hi"', "a,b", "line\r\nbreak", " pad"][Number(n) % 6]!),
        ),
        vectorOf(
          WKB,
          numbers.map((n) => (n % 2n ? null : writeWkb(envelope(0, 0, Number(n) + 1, 1)))),
        ),
      ],
    };
  }
}

async function text(pieces: AsyncIterable<string>): Promise<string> {
  let all = "";
  for await (const piece of pieces) all += piece;
  return all;
}

describe("whole answers", () => {
  it("as JSON", async () => {
    const document = JSON.parse(await text(jsonText(COLUMNS, batches(2, 0, 1), "v1")));
    expect(document).toEqual({
      columns: [
        { name: "n", type: "int64" },
        { name: 'odd "name", really', type: "string" },
        { name: "g", type: "geometry" },
      ],
      rows: [
        { n: 0, 'odd "name", really': null, g: "POLYGON((0 0,1 0,1 1,0 1,0 0))" },
        { n: 1, 'odd "name", really': "", g: null },
        { n: 2, 'odd "name", really': 'say "hi"', g: "POLYGON((0 0,3 0,3 1,0 1,0 0))" },
      ],
      count: 3,
      version: "v1",
    });
    expect(JSON.parse(await text(jsonText(COLUMNS, batches(), "v1")))).toMatchObject({ rows: [], count: 0 });
  });

  it("as NDJSON", async () => {
    const lines = (await text(ndjsonText(COLUMNS, batches(3)))).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).n)).toEqual([0, 1, 2]);
    expect(await text(ndjsonText(COLUMNS, batches()))).toBe("");
  });

  it("as CSV", async () => {
    expect(await text(csvText(COLUMNS, batches(6)))).toBe(
      [
        'n,"odd ""name"", really",g',
        '0,,"POLYGON((0 0,1 0,1 1,0 1,0 0))"',
        '1,"",',
        '2,"say ""hi""","POLYGON((0 0,3 0,3 1,0 1,0 0))"',
        '3,"a,b",',
        '4,"line\r\nbreak","POLYGON((0 0,5 0,5 1,0 1,0 0))"',
        '5," pad",',
        "",
      ].join("\r\n"),
    );
  });

  it("fail past a limit, JSON before its first byte", async () => {
    const pieces: string[] = [];
    const reading = (async () => {
      for await (const piece of jsonText(COLUMNS, batches(500, 600), "v", { maxRows: 1000 }))
        pieces.push(piece);
    })();
    await expect(reading).rejects.toMatchObject({ code: "too_large" });
    expect(pieces).toEqual([]);
    await expect(text(csvText(COLUMNS, batches(500), { maxLength: 1000 }))).rejects.toMatchObject({
      code: "too_large",
    });
    expect(
      (await text(csvText(COLUMNS, batches(500), { maxRows: 500 }))).split("\r\n").length,
    ).toBeGreaterThan(501);
  });

  it("come in pieces, whatever their size", async () => {
    const pieces: string[] = [];
    for await (const piece of ndjsonText(COLUMNS, batches(5000, 5000))) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(5);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(70_000);
    expect(pieces.join("").trimEnd().split("\n")).toHaveLength(10_000);
  });
});

describe("a table for people", () => {
  it("fits its width, numbers to the right, and counts what it leaves out", async () => {
    const table = await text(
      textTable([COLUMNS[0]!, { name: "text", type: STRING }, COLUMNS[2]!], batches(12), {
        width: 40,
        maxRows: 3,
      }),
    );
    const lines = table.trimEnd().split("\n");
    expect(lines).toHaveLength(6);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(40);
    expect(lines[2]).toMatch(/^0 {2}.*POLYGON\(\(0 0.*…$/);
    expect(lines[5]).toBe("… 9 more; 12 rows in all");
    expect((await text(textTable(COLUMNS, batches(1)))).trimEnd().endsWith("(1 row)")).toBe(true);
  });

  it("keeps control characters from the terminal", async () => {
    const evil = { length: 1, vectors: [vectorOf(STRING, ["a\u001b[2Jb\nc"])] };
    const one = (async function* () {
      yield evil;
    })();
    expect(await text(textTable([{ name: "s", type: STRING }], one))).toContain("a [2Jb c");
  });
});
