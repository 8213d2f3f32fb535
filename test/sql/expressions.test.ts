import { describe, expect, it } from "vitest";
import type { Expr } from "../../src/sql/ast.ts";
import { parseSelect } from "../../src/sql/parse.ts";
import { explicit } from "./explicit.ts";

const where = (text: string): Expr => parseSelect(`SELECT idx FROM meta WHERE ${text}`).where!;

/** Without positions. */
const bare = (text: string): unknown =>
  JSON.parse(
    JSON.stringify(where(text), (key, value) =>
      key === "at" ? undefined : typeof value === "bigint" ? `${value}n` : value,
    ),
  );

describe("words between arguments", () => {
  it.each([
    ["position(a IN b || c)", "strpos(b || c, a)"],
    ["position(a IN (b)) IN (1, 2)", "strpos(b, a) IN (1, 2)"],
    ["substring(a FROM b)", "substring(a, b)"],
    ["substring(a FROM b + 1 FOR c)", "substring(a, b + 1, c)"],
    ["substring(a FOR c)", "substring(a, 1, c)"],
    ["trim(BOTH a FROM b)", "trim(b, a)"],
    ["trim(a FROM b)", "trim(b, a)"],
    ["trim(LEADING FROM b)", "ltrim(b)"],
    ["trim(TRAILING b, a)", "rtrim(b, a)"],
    ["trim(FROM trim(a FROM b))", "trim(trim(b, a))"],
    ["CURRENT_TIMESTAMP", "now()"],
    ["LOCALTIMESTAMP", "now()"],
    ["current_date - 1", "today() - 1"],
  ])("%s is %s", (written, plain) => {
    expect(bare(written)).toEqual(bare(plain));
  });

  it.each([
    "position(a IN b IN c)",
    "substring(a FOR b FROM c)",
    "substring(a FROM b FROM c)",
    "lower(a FROM b)",
  ])("%s is refused", (text) => {
    expect(() => where(text)).toThrow(/line 1/);
  });
});

describe("precedence", () => {
  it.each([
    ["NOT a = b AND c", "((NOT (a = b)) and c)"],
    ["NOT a LIKE 'x' OR b", "((NOT (a LIKE 'x')) or b)"],
    ["NOT (a) = b", "(NOT (a = b))"],
    ["NOT (a OR b) AND c", "((NOT (a or b)) and c)"],
    ["NOT NOT a", "(NOT (NOT a))"],
    ["NOT a IS NULL", "(NOT (a IS null))"],
    ["NOT x BETWEEN 1 AND 2", "(NOT (x BETWEEN (1) AND (2)))"],
    ["a AND b OR c AND d", "((a and b) or (c and d))"],
    ["a OR b AND c OR d", "((a or (b and c)) or d)"],
    ["a AND (b OR c) AND d", "((a and (b or c)) and d)"],
    ["a - b - c", "((a - b) - c)"],
    ["a - (b - c)", "(a - (b - c))"],
    ["a / b * c % d", "(((a / b) * c) % d)"],
    ["a + b * c", "(a + (b * c))"],
    ["a || b || c", "((a || b) || c)"],
    ["a || b + c", "(a || (b + c))"],
    ["a + b || c", "((a + b) || c)"],
    ["a < b + 1", "(a < (b + (1)))"],
    ["a = b IS NULL", "((a = b) IS null)"],
    ["a = b LIKE c", "(a = (b LIKE c))"],
    ["a LIKE b = c", "((a LIKE b) = c)"],
    ["a LIKE b || c", "(a LIKE (b || c))"],
    ["a IN (1, 2) = TRUE", "((a IN ((1), (2))) = TRUE)"],
    ["x BETWEEN 1 AND 2 AND y", "((x BETWEEN (1) AND (2)) and y)"],
    ["x BETWEEN 1 AND 2 = TRUE", "((x BETWEEN (1) AND (2)) = TRUE)"],
    ["x BETWEEN a + 1 AND b || c OR y", "((x BETWEEN (a + (1)) AND (b || c)) or y)"],
    ["x NOT BETWEEN 1 AND 2", "(x NOT BETWEEN (1) AND (2))"],
    ["- 3 + 2", "((-3) + (2))"],
    ["- a + b", "((- a) + b)"],
    ["- a * b", "((- a) * b)"],
    ["a - - b", "(a - (- b))"],
    ["a*-b", "(a * (- b))"],
    ["-a::int", "(- CAST(a AS int))"],
    ["a::int + 1", "(CAST(a AS int) + (1))"],
    ["a + b::int::text", "(a + CAST(CAST(b AS int) AS text))"],
    ["(a + b)::int", "CAST((a + b) AS int)"],
    ["a IS DISTINCT FROM b + 1 AND c", "((a IS DISTINCT FROM (b + (1))) and c)"],
    ["a IS NOT DISTINCT FROM b = c", "(a IS NOT DISTINCT FROM (b = c))"],
    ["f(a OR b AND c, NOT d) AND e", "(f((a or (b and c)), (NOT d)) and e)"],
    [
      "CASE WHEN a OR b AND c THEN d + 1 ELSE NOT e END = f",
      "(CASE WHEN (a or (b and c)) THEN (d + (1)) ELSE (NOT e) END = f)",
    ],
    ["((((a))))", "a"],
  ])("%s", (text, grouped) => {
    expect(explicit(where(text))).toBe(grouped);
  });

  it.each([
    "a < b = c",
    "a = b = c",
    "a LIKE b LIKE c",
    "a IN (1) * 2",
    "a IS NULL = b",
    "a IS DISTINCT FROM b IS NULL",
  ])("refuses to guess: %s", (text) => {
    expect(() => where(text)).toThrow(/Comparisons cannot be chained: write parentheses/);
  });
});

describe("nodes", () => {
  it("reads numbers exactly", () => {
    const value = (text: string): unknown => (where(text) as Expr & { type: "literal" }).value;
    expect(value("9223372036854775807")).toBe(9223372036854775807n);
    expect(value("-9223372036854775808")).toBe(-9223372036854775808n);
    expect(value("99999999999999999999")).toBe(99999999999999999999n);
    expect(value("007")).toBe(7n);
    expect(value("1e5")).toBe(1e5);
    expect(value(".5")).toBe(0.5);
    expect(value("5.")).toBe(5);
    expect(value("0.1")).toBe(0.1);
    expect(value("- 0.1")).toBe(-0.1);
    expect(value("+ 3")).toBe(3n);
    expect(value("-(-3)")).toBe(3n);
    expect(() => where("9007199254740993.0")).toThrow(/not exact/);
    expect(() => where("1e400")).toThrow(/beyond the range/);
    expect(() => where("1".repeat(39))).toThrow(/more than 38 digits/);
  });

  it("reads constants and strings", () => {
    expect(bare("true")).toEqual({ type: "literal", value: true });
    expect(bare("FALSE")).toEqual({ type: "literal", value: false });
    expect(bare("NULL")).toEqual({ type: "literal", value: null });
    expect(bare("''''")).toEqual({ type: "literal", value: "'" });
    expect(bare("'😀'")).toEqual({ type: "literal", value: "😀" });
  });

  it.each([
    ["TIMESTAMP '2020-01-01'", "timestamp", "2020-01-01"],
    ["timestamp with time zone '2020-01-01+02'", "timestamp", "2020-01-01+02"],
    ["TIMESTAMP WITHOUT TIME ZONE 'x'", "timestamp", "x"],
    ["timestamptz 'x'", "timestamp", "x"],
    ["DATE '2020-01-01'", "date", "2020-01-01"],
    ["INTERVAL '3 days'", "interval", "3 days"],
    ["INTERVAL '3' DAY", "interval", "3 day"],
    ["interval 3 months", "interval", "3 months"],
    ["INTERVAL '-1.5' hour", "interval", "-1.5 hour"],
  ])("reads %s", (text, of, value) => {
    expect(bare(text)).toEqual({ type: "typed_literal", of, value });
  });

  it("reads columns as written", () => {
    expect(bare("Date")).toEqual({ type: "column", name: "Date", quoted: false });
    expect(bare('"eo:cloud_cover"')).toEqual({ type: "column", name: "eo:cloud_cover", quoted: true });
    expect(bare('meta."idx"')).toEqual({ type: "column", name: "idx", table: "meta", quoted: true });
    expect(bare('"meta.idx"')).toEqual({ type: "column", name: "meta.idx", quoted: true });
    expect(bare("m . order")).toEqual({ type: "column", name: "order", table: "m", quoted: false });
  });

  it("takes words that PostgreSQL does not reserve as columns", () => {
    const words =
      `date time year month day hour timestamp interval location platform type status name position
      collection orbit day_night rows row cells created key value values index level text zone first last extract escape
      over filter by nulls at explain language source version region station month set coalesce substring trim`.split(
        /\s+/,
      );
    for (const word of words) {
      expect(bare(`${word} = 1`), word).toMatchObject({
        type: "binary",
        left: { type: "column", name: word },
      });
      expect(bare(`1 < ${word} AND ${word} IS NULL`), word).toMatchObject({ op: "and" });
      const select = parseSelect(
        `SELECT ${word}, ${word} AS x FROM meta GROUP BY ${word} ORDER BY ${word} DESC`,
      );
      expect(select.items[0], word).toMatchObject({ expr: { type: "column", name: word }, alias: undefined });
    }
  });

  it.each(["order", "user", "desc", "end", "table", "group", "limit", "check"])(
    "says how the column %s is written",
    (word) => {
      expect(() => where(`${word} = 1`)).toThrow(`"${word}"`);
      expect(bare(`"${word}" = 1`)).toMatchObject({ left: { name: word } });
    },
  );

  it("reads calls", () => {
    expect(bare("ST_Intersects(bbox, 'x')")).toEqual({
      type: "call",
      name: "st_intersects",
      args: [
        { type: "column", name: "bbox", quoted: false },
        { type: "literal", value: "x" },
      ],
      distinct: false,
      star: false,
    });
    expect(bare("now()")).toEqual({ type: "call", name: "now", args: [], distinct: false, star: false });
    expect(bare("count(*)")).toEqual({ type: "call", name: "count", args: [], distinct: false, star: true });
    expect(bare("count(DISTINCT a)")).toMatchObject({
      name: "count",
      distinct: true,
      star: false,
      args: [{ name: "a" }],
    });
    expect(bare("count(ALL a)")).toMatchObject({ name: "count", distinct: false, args: [{ name: "a" }] });
    expect(bare("left(a, 1)")).toMatchObject({ type: "call", name: "left" });
    expect(bare('"Lower"(a)')).toMatchObject({ type: "call", name: "lower" });
  });

  it("reads casts and types", () => {
    const to = (text: string): unknown => (where(text) as Expr & { type: "cast" }).to;
    expect(to("CAST(x AS DOUBLE PRECISION)")).toBe("double precision");
    expect(to("x::Varchar(10)")).toBe("varchar(10)");
    expect(to("x::numeric( 10 , 2 )")).toBe("numeric(10,2)");
    expect(to("x::timestamp with time zone")).toBe("timestamp with time zone");
    expect(to("cast(x as timestamp(3) without time zone)")).toBe("timestamp(3) without time zone");
    expect(to('x::"text"')).toBe("text");
    expect(bare("CAST(a OR b AS bool)")).toMatchObject({ type: "cast", operand: { op: "or" } });
  });

  it("reads extract", () => {
    const year = { type: "extract", field: "year", operand: { type: "column", name: "date", quoted: false } };
    expect(bare("EXTRACT(YEAR FROM date)")).toEqual(year);
    expect(bare("extract('year' from (date))")).toEqual(year);
  });

  it("reads CASE in both forms", () => {
    expect(bare("CASE WHEN a THEN 1 WHEN b THEN 2 END")).toMatchObject({
      type: "case",
      when: [{ condition: { name: "a" }, result: { value: "1n" } }, { condition: { name: "b" } }],
    });
    expect(bare("CASE a WHEN 1 THEN 'x' ELSE CASE WHEN c THEN 'y' END END")).toMatchObject({
      operand: { name: "a" },
      when: [{ condition: { value: "1n" } }],
      otherwise: { type: "case", when: [{ condition: { name: "c" } }] },
    });
    expect(where("CASE WHEN a THEN 1 END")).toMatchObject({ operand: undefined, otherwise: undefined });
  });

  it("reads LIKE with ESCAPE, and ILIKE", () => {
    expect(bare("a NOT ILIKE 'b' AND c")).toMatchObject({
      op: "and",
      left: { type: "like", insensitive: true, negated: true },
    });
    expect(bare("a LIKE 'x' || b ESCAPE '!' AND c")).toMatchObject({
      op: "and",
      left: {
        type: "like",
        pattern: { op: "||" },
        escape: { value: "!" },
        insensitive: false,
        negated: false,
      },
    });
    expect(where("a LIKE 'x'")).toMatchObject({ escape: undefined });
  });

  it("reads tests", () => {
    expect(bare("a IS NOT NULL")).toMatchObject({ type: "is", test: "null", negated: true });
    expect(bare("a ISNULL")).toMatchObject({ type: "is", test: "null", negated: false });
    expect(bare("a IS NOT TRUE")).toMatchObject({ type: "is", test: "true", negated: true });
    expect(bare("a IS UNKNOWN")).toMatchObject({ type: "is", test: "null", negated: false });
    expect(bare("a NOT IN (1, b + 1, f('x'))")).toMatchObject({
      type: "in",
      negated: true,
      list: [{ value: "1n" }, { op: "+" }, { type: "call" }],
    });
  });

  it("knows where each node stands", () => {
    const text =
      "SELECT idx FROM meta\nWHERE  (a + 1) > f( b ) AND NOT CASE WHEN c THEN d END\r\n OR - e < 2";
    const found: Record<string, string> = {};
    const visit = (expr: unknown): void => {
      if (typeof expr !== "object" || expr === null) return;
      const node = expr as {
        type?: string;
        op?: string;
        name?: string;
        at?: { offset: number; line: number; column: number };
      };
      if (node.at && node.type) {
        const { offset, line, column } = node.at;
        expect(text.split(/\r?\n/)[line - 1]!.slice(column - 1, column + 2), node.type).toBe(
          text.slice(offset, offset + 3).replace(/\r?\n.*/s, ""),
        );
        found[`${node.type} ${node.op ?? node.name ?? ""}`] = text.slice(offset).split(/\s/)[0]!;
      }
      for (const part of Object.values(expr)) visit(part);
    };
    visit(parseSelect(text).where);
    expect(found).toMatchObject({
      "binary +": "a",
      "call f": "f(",
      "column b": "b",
      "not ": "NOT",
      "case ": "CASE",
      "negate ": "-",
      "column e": "e",
    });
  });
});
