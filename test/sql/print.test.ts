import { describe, expect, it } from "vitest";
import { isZarrsiftError } from "../../src/errors.ts";
import type { Expr } from "../../src/sql/ast.ts";
import { parseSelect } from "../../src/sql/parse.ts";
import { printExpr } from "../../src/sql/print.ts";
import { explicit } from "./explicit.ts";
import { random, wildExpression } from "./generate.ts";

const where = (text: string): Expr => parseSelect(`SELECT idx FROM meta WHERE ${text}`).where!;
const canonical = (text: string): string => printExpr(where(text));

describe("printExpr", () => {
  it.each([
    ["((a) = (1))", "a = 1"],
    ["a AND (b AND c) AND d", "a AND b AND c AND d"],
    ["a OR (b OR (c))", "a OR b OR c"],
    ["(a OR b) AND c", "(a OR b) AND c"],
    ["a - (b - c)", "a - (b - c)"],
    ["a + (b + c)", "a + (b + c)"],
    ["(a = b) = c", "(a = b) = c"],
    ["NOT (a = b)", "NOT a = b"],
    ["(NOT a) = b", "(NOT a) = b"],
    ["(a IS NULL) IS NULL", "(a IS NULL) IS NULL"],
    ["-(a + b)", "-(a + b)"],
    ["- - a", "-(-a)"],
    ["-(-1) - -1", "1 - -1"],
    ["(-1)::int", "CAST(-1 AS int)"],
    ["Date != '''x'''", "date <> '''x'''"],
    ['"Date" = meta.date', '"Date" = date'],
    ['"date" = "a ""b"""', '"date" = "a ""b"""'],
    ["meta.order = 1", '"order" = 1'],
    ["a isnull", "a IS NULL"],
    ["a IS UNKNOWN", "a IS NULL"],
    [
      "x = 1.50 OR x = 5. OR x = 1e30 OR x = 1e-7 OR x = -0.0",
      "x = 1.5 OR x = 5.0 OR x = 1e+30 OR x = 1e-7 OR x = -0.0",
    ],
    ["ST_Within(b, f('x'))", "st_within(b, f('x'))"],
    ["COUNT( * ) > count(distinct A)", "count(*) > count(DISTINCT a)"],
    ["extract('YEAR' from D) = 2020", "EXTRACT(year FROM d) = 2020"],
    ["a like 'b' escape '!'", "a LIKE 'b' ESCAPE '!'"],
    ["a not in (1,2)", "a NOT IN (1, 2)"],
    ["case a when 1 then 2 else 3 end", "CASE a WHEN 1 THEN 2 ELSE 3 END"],
    ["d > timestamp with time zone 'x' - interval '3' day", "d > TIMESTAMP 'x' - INTERVAL '3 day'"],
    ['"extract"(a) = left(b, 1)', '"extract"(a) = left(b, 1)'],
  ])("%s", (text, expected) => {
    expect(canonical(text)).toBe(expected);
    expect(canonical(expected)).toBe(expected);
  });

  it("writes parameters in, each kind in its own way", () => {
    const params = [5n, 5, "it's", true, null, -1.5, Number.NaN, new Uint8Array([1, 255])];
    const list = params.map((_, i) => `$${i + 1}`).join(", ");
    expect(printExpr(where(`a IN (${list}, $9)`), params)).toBe(
      "a IN (5, 5.0, 'it''s', TRUE, NULL, -1.5, CAST('NaN' AS double precision), CAST('\\x01ff' AS bytea), $9)",
    );
    expect(printExpr(where("a - $1 > -$2"), [-3n, -2.5])).toBe("a - -3 > -(-2.5)");
    expect(printExpr(where("a = $1"))).toBe("a = $1");
  });

  it("is read back as the same expression", () => {
    const next = random(7);
    let compared = 0;
    for (let i = 0; i < 1500; i++) {
      const text = wildExpression(next, 2 + (i % 3));
      try {
        const printed = canonical(text);
        expect(canonical(printed)).toBe(printed);
        // fully in parentheses it means the same
        expect(canonical(explicit(where(text)))).toBe(printed);
        compared++;
      } catch (error) {
        if (!isZarrsiftError(error, "sql_syntax")) throw error;
      }
    }
    expect(compared).toBeGreaterThan(750);
  });

  it("tells apart what differs", () => {
    const texts = [
      "a = 1",
      "a = 1.0",
      "a = '1'",
      'a = "1"',
      "a = -1",
      "a = $1",
      "a <> 1",
      "NOT a = 1",
      "(NOT a) = 1",
      '"A" = 1',
    ];
    expect(new Set(texts.map(canonical)).size).toBe(texts.length);
  });
});
