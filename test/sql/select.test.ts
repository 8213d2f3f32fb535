import { describe, expect, it } from "vitest";
import type { Select } from "../../src/sql/ast.ts";
import { parseSelect } from "../../src/sql/parse.ts";

/** Queries without anything unsupported: every clause, item and spelling. */
describe("SELECT", () => {
  it("reads every clause", () => {
    const select = parseSelect(
      `SELECT DISTINCT a, b + 1 AS "B b", count(DISTINCT c) n FROM "my-collection" AS m WHERE m.x > $2
       GROUP BY a, 2 HAVING count(*) > 3 ORDER BY 2 DESC NULLS LAST, a ASC, b NULLS FIRST, c LIMIT 10 OFFSET $1;`,
    );
    expect(select).toMatchObject({
      explain: undefined,
      distinct: true,
      items: [
        { type: "expr", expr: { name: "a" }, alias: undefined, text: "a" },
        { type: "expr", expr: { op: "+" }, alias: "B b", text: "b + 1" },
        { type: "expr", expr: { name: "count", distinct: true }, alias: "n", text: "count(DISTINCT c)" },
      ],
      from: { name: "my-collection", alias: "m" },
      where: { op: ">", left: { name: "x", table: "m" }, right: { type: "parameter", index: 2 } },
      groupBy: [{ name: "a" }, { value: 2n }],
      having: { op: ">" },
      orderBy: [
        { expr: { value: 2n }, descending: true, nulls: "last" },
        { expr: { name: "a" }, descending: false, nulls: undefined },
        { expr: { name: "b" }, descending: false, nulls: "first" },
        { expr: { name: "c" }, descending: false, nulls: undefined },
      ],
      limit: { type: "literal", value: 10n },
      offset: { type: "parameter", index: 1 },
    });
  });

  it("leaves out what is not there", () => {
    expect(parseSelect("select * from META")).toEqual<Select>({
      at: { offset: 0, line: 1, column: 1 },
      explain: undefined,
      distinct: false,
      items: [{ type: "star", at: { offset: 7, line: 1, column: 8 } }],
      from: { name: "META", alias: undefined, at: { offset: 14, line: 1, column: 15 } },
      where: undefined,
      groupBy: [],
      having: undefined,
      orderBy: [],
      limit: undefined,
      offset: undefined,
    });
  });

  it("keeps items as they are written", () => {
    const { items } = parseSelect(
      "SELECT *, a  +  1 , (  b ) x, lower( c )AS c2, 'é''😀' || \"d\"\n, idx FROM meta",
    );
    expect(items.map((item) => (item.type === "star" ? "*" : item.text))).toEqual([
      "*",
      "a  +  1",
      "(  b )",
      "lower( c )",
      "'é''😀' || \"d\"",
      "idx",
    ]);
  });

  it("takes any word as an alias behind AS", () => {
    const { items } = parseSelect("SELECT a AS order, b AS date, c AS select, d AS null FROM meta");
    expect(items.map((item) => item.type === "expr" && item.alias)).toEqual([
      "order",
      "date",
      "select",
      "null",
    ]);
  });

  it.each([
    ["LIMIT 5", 5n, undefined],
    ["LIMIT 5 OFFSET 6", 5n, 6n],
    ["OFFSET 6 LIMIT 5", 5n, 6n],
    ["OFFSET 6", undefined, 6n],
    ["OFFSET 6 ROWS FETCH NEXT 5 ROWS ONLY", 5n, 6n],
    ["FETCH FIRST 5 ROW ONLY", 5n, undefined],
    ["LIMIT ALL", undefined, undefined],
    ["LIMIT ALL OFFSET 6", undefined, 6n],
    ["ORDER BY a LIMIT 0", 0n, undefined],
  ])("reads %s", (clause, limit, offset) => {
    const select = parseSelect(`SELECT a FROM meta ${clause}`);
    expect(select.limit && "value" in select.limit ? select.limit.value : undefined).toBe(limit);
    expect(select.offset && "value" in select.offset ? select.offset.value : undefined).toBe(offset);
  });

  it.each([
    ["EXPLAIN SELECT a FROM meta", "plan"],
    ["explain analyze\nselect a FROM meta;", "analyze"],
    ["/* why? */ EXPLAIN -- plan\nSELECT a FROM meta", "plan"],
    ["SELECT explain FROM meta", undefined],
  ])("reads %s", (text, explain) => {
    expect(parseSelect(text).explain).toBe(explain);
  });

  it.each([
    "SELECT a FROM meta;",
    "SELECT a FROM meta ; ; -- end",
    " \t\r\nSELECT\r\na\r\nFROM\r\nmeta\r\n",
    "SELECT ALL a FROM meta",
  ])("takes %j", (text) => {
    expect(parseSelect(text)).toMatchObject({ items: [{ expr: { name: "a" } }], from: { name: "meta" } });
  });
});
