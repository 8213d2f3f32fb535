import { describe, expect, it } from "vitest";
import { tokenize } from "../../src/sql/tokens.ts";

const values = (text: string): string[] => tokenize(text).map((token) => token.value);

function thrown(text: string): { code: string; message: string; at: { line: number; column: number } } {
  try {
    tokenize(text);
  } catch (error) {
    return error as never;
  }
  throw new Error(`no error for ${text}`);
}

describe("tokens", () => {
  it("reads strings literally, with '' for a quote", () => {
    expect(values(`''`)).toEqual([""]);
    expect(values(`''''`)).toEqual(["'"]);
    expect(values(`'it''s'`)).toEqual(["it's"]);
    expect(values(String.raw`'a\' 'b\n'`)).toEqual(["a\\", "b\\n"]);
    expect(values(`'-- no comment /* nor here'`)).toEqual(["-- no comment /* nor here"]);
    expect(values(`'two\nlines'`)).toEqual(["two\nlines"]);
  });

  it('reads quoted names, with "" for a quote', () => {
    expect(values('"quoted ""names""" "eo:cloud_cover"')).toEqual(['quoted "names"', "eo:cloud_cover"]);
  });

  it("reads ASCII words in upper case and leaves others alone", () => {
    expect(values("Select höhe ſelect lımit _a1$")).toEqual(["SELECT", "höhe", "ſelect", "lımit", "_a1$"]);
  });

  it("reads numbers in every spelling", () => {
    expect(values("1 1.5 .5 5. 1e5 1.5E-3 2.e+4")).toEqual([
      "1",
      "1.5",
      ".5",
      "5.",
      "1e5",
      "1.5E-3",
      "2.e+4",
    ]);
  });

  it.each(["0x1F", "1_000", "1abc", "1.2.3", "1e", "$1a", "5..6"])("refuses the number %s", (text) => {
    expect(thrown(text)).toMatchObject({
      code: "sql_syntax",
      message: expect.stringContaining("is not a number"),
    });
  });

  it("reads operators as PostgreSQL does: the longest, without a sign at its end", () => {
    expect(values("a<-1")).toEqual(["A", "<", "-", "1"]);
    expect(values("a>=-b")).toEqual(["A", ">=", "-", "B"]);
    expect(values("a||-b")).toEqual(["A", "||", "-", "B"]);
    expect(values("a!=b<>c")).toEqual(["A", "!=", "B", "<>", "C"]);
    expect(values("a*/* x */b")).toEqual(["A", "*", "B"]);
    expect(values("a---1\n")).toEqual(["A"]);
    expect(values("x::int")).toEqual(["X", "::", "INT"]);
  });

  it("skips comments, nested ones too", () => {
    expect(values("a -- x\nb /* c /* d */ e */ f --")).toEqual(["A", "B", "F"]);
    expect(values("a--b\r\nc")).toEqual(["A", "C"]);
  });

  it("counts offsets in UTF-16 units, columns in characters, CRLF as one line end", () => {
    const tokens = tokenize("'😀' a\r\n  '\r\n😀' b\rc");
    expect(tokens.map(({ at, end }) => [at.offset, at.line, at.column, end])).toEqual([
      [0, 1, 1, 4],
      [5, 1, 5, 6],
      [10, 2, 3, 16],
      [17, 3, 4, 18],
      [19, 4, 1, 20],
    ]);
  });

  it.each([
    ["'abc", "never closed", 1],
    ["a 'it's'", "write ' inside a text twice", 8],
    ['a "b', "never closed", 3],
    ["a /* b /* c */", "never closed: add */", 3],
    ["a \0 b", "U+0000", 3],
    ["'\ud800'", "U+D800", 2],
    ["a = “x”", 'names stand in plain "..."', 5],
    ["a = ‘x’", "texts stand in plain '...'", 5],
    ["a\u00a0= b", "U+00A0: use a plain space", 2],
    ["a = `x`", 'names stand in plain "..."', 5],
    ["a = {x}", "Unexpected character {", 5],
  ])("says what is wrong with %j", (text, message, column) => {
    expect(thrown(text)).toMatchObject({
      code: "sql_syntax",
      message: expect.stringContaining(message),
      at: { line: 1, column },
    });
  });

  it.each([
    ["a == b", "write ="],
    ["a !== b", "write <>"],
    ["a ~* 'x'", "write ILIKE"],
    ["a ^ 2", "write power(x, y)"],
    ["a // 2", "write floor(a / b)"],
    ["a -> 'b'", "no JSON"],
    ["a @> b", "The operator @> is not supported"],
    ["a && b", "ST_Intersects"],
    ["a = ?", "parameters are $1, $2"],
    ["a = :name", "parameters are $1, $2"],
    ["f(x => 1)", "arguments without names"],
    ["E'a'", "write a plain '...'"],
    ["x'FF'", "write a plain '...'"],
    ["U&'a'", "write the characters themselves"],
    ["$$a$$", "Dollar quoting"],
    ["$tag$a$tag$", "Dollar quoting"],
    ["a[1]", "Arrays"],
  ])("refuses %s", (text, message) => {
    expect(thrown(text)).toMatchObject({
      code: "sql_unsupported",
      message: expect.stringContaining(message),
    });
  });
});
