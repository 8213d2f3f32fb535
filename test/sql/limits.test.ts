import { describe, expect, it } from "vitest";
import type { Expr } from "../../src/sql/ast.ts";
import { MAX_DEPTH, parseSelect } from "../../src/sql/parse.ts";
import { printExpr } from "../../src/sql/print.ts";
import { children } from "../../src/sql/walk.ts";

const query = (where: string): string => `SELECT idx FROM meta WHERE ${where}`;
const depth = (expr: Expr): number => 1 + Math.max(0, ...children(expr).map(depth));

describe("limits", () => {
  it("takes 64 KiB of UTF-8 and no more", () => {
    const fill = (n: number): string => `${query("a = '")}${"é".repeat(n)}'`;
    expect(parseSelect(fill(32_750)).where).toBeDefined();
    expect(() => parseSelect(fill(32_760))).toThrow(/longer than 64 KiB/);
    expect(() => parseSelect(" ".repeat(1e7))).toThrow(/longer than 64 KiB/);
  });

  it.each([
    ["parentheses", (n: number) => `${"(".repeat(n)}a${")".repeat(n)}`],
    ["calls", (n: number) => `${"f(".repeat(n)}a${")".repeat(n)}`],
    ["NOT", (n: number) => `${"NOT ".repeat(n)}a`],
    ["signs", (n: number) => `${"- ".repeat(n)}a`],
    ["CASE", (n: number) => `${"CASE WHEN a THEN ".repeat(n)}b${" END".repeat(n)}`],
    ["IN", (n: number) => `${"a IN (".repeat(n)}b${")".repeat(n)}`],
    ["CAST", (n: number) => `${"CAST(".repeat(n)}b${" AS int)".repeat(n)}`],
  ])("takes %s nested 200 deep, not 201", (_, nested) => {
    const started = process.cpuUsage();
    expect(parseSelect(query(nested(200))).where).toBeDefined();
    expect(() => parseSelect(query(nested(201)))).toThrow(/nested more than 200 deep/);
    expect(() => parseSelect(query(nested(3000)))).toThrow(/nested more than 200 deep/);
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(2000);
  });

  it.each(["AND", "OR"])("makes thousands of terms with %s a shallow tree, in order", (op) => {
    const terms = Array.from({ length: 5000 }, (_, i) => `a=${i}`);
    const { where } = parseSelect(query(terms.join(` ${op} `)));
    expect(depth(where!)).toBeLessThan(20);
    expect(printExpr(where!)).toBe(terms.map((term) => term.replace("=", " = ")).join(` ${op} `));
  });

  it("limits the depth of what does not associate", () => {
    expect(depth(parseSelect(query(`a${"+1".repeat(MAX_DEPTH - 1)}`)).where!)).toBe(MAX_DEPTH);
    expect(() => parseSelect(query(`a${"+1".repeat(MAX_DEPTH)}`))).toThrow(/more than 1000 operators deep/);
    const mixed = `${"(".repeat(150)}a${`${"+1".repeat(100)})`.repeat(150)}`;
    expect(() => parseSelect(query(mixed))).toThrow(/more than 1000 operators deep/);
  });

  it("takes long lists", () => {
    const list = Array.from({ length: 10_000 }, (_, i) => i);
    const { where } = parseSelect(query(`a IN (${list.join(",")})`));
    expect(where).toMatchObject({ type: "in", list: { length: 10_000 } });
    const when = "WHEN a THEN b ".repeat(4000);
    expect(parseSelect(query(`CASE ${when} END`)).where).toMatchObject({ when: { length: 4000 } });
    const items = Array.from({ length: 5000 }, () => "a").join(",");
    expect(parseSelect(`SELECT ${items} FROM meta`).items).toHaveLength(5000);
    expect(() => parseSelect(`SELECT ${items},a FROM meta`)).toThrow(/more than 5000 items/);
  });

  it.each(["+", "+-", "=+", "a.", "::", "f(", "'", "/**/", "a ", "1 ", "a,", "a+"])(
    "looks at 64 KiB of %s in less than two seconds of its own",
    (piece) => {
      const started = process.cpuUsage();
      try {
        parseSelect(query(piece.repeat(Math.floor(65_000 / piece.length))));
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/sql_syntax|sql_unsupported|too_large/) });
      }
      expect(process.cpuUsage(started).user / 1000).toBeLessThan(2000);
    },
  );

  it("fails clearly where the stack is nearly used up", () => {
    const deep = query(`${"a OR b AND c = d || e * (".repeat(190)}1${")".repeat(190)}`);
    const recurse = (n: number): unknown => (n === 0 ? parseSelect(deep) : recurse(n - 1));
    const outcomes = new Set<string>();
    for (let n = 1000; n <= 12_000; n += 500) {
      try {
        recurse(n);
        outcomes.add("parsed");
      } catch (error) {
        outcomes.add((error as { code?: string }).code ?? String(error));
      }
    }
    outcomes.delete("RangeError: Maximum call stack size exceeded"); // of `recurse` itself
    expect([...outcomes].sort()).toEqual(["parsed", "too_large"]);
  });
});
