import { describe, expect, it } from "vitest";
import { grid, line, shareWidth } from "../../src/cli/grid.ts";
import { records, tooWide } from "../../src/cli/records.ts";
import { inOptions, pointAt } from "../../src/cli/report.ts";
import { namedSource, namedSources } from "../../src/cli/source.ts";
import { INT64, STRING } from "../../src/table/types.ts";

describe("grid", () => {
  it("sets text to the left, numbers to the right", () => {
    expect(
      grid(
        ["name", "n"],
        [
          ["a", "1"],
          ["bcdef", "200"],
        ],
        [false, true],
      ),
    ).toBe(["name     n", "─────  ───", "a        1", "bcdef  200", ""].join("\n"));
  });

  it("shortens the widest columns first, down to the width of the terminal", () => {
    expect(shareWidth([4, 100, 30], 60)).toEqual([4, 26, 26]);
    expect(shareWidth([4, 10], 80)).toEqual([4, 10]);
    expect(shareWidth([50, 50], undefined)).toEqual([50, 50]);
    const rows = [["x".repeat(100), "y".repeat(100)]];
    const lines = grid(["a", "b"], rows, [false, false], 40).split("\n");
    expect(Math.max(...lines.map((text) => text.length))).toBe(40);
    expect(lines[2]).toContain("…");
  });

  it("keeps a cell on its line, and its control sequences off the terminal", () => {
    expect(line(["a\nb\x1b[31m", "c"], [10, 1], [false, false])).toBe("a b [31m    c\n");
  });
});

describe("pointAt", () => {
  it("puts a caret under the place", () => {
    const sql = "SELECT idx\nFROM meta WHERE dat > 1";
    expect(pointAt(sql, { offset: 27, line: 2, column: 17 })).toBe(
      "  FROM meta WHERE dat > 1\n                  ^\n",
    );
  });

  it("shows the part of a long line that matters", () => {
    const sql = `SELECT ${"a + ".repeat(100)}dat FROM meta`;
    const [shown, caret] = pointAt(sql, { offset: 407, line: 1, column: 408 }).split("\n");
    expect(shown!.length).toBeLessThan(80);
    expect(shown!.slice(caret!.indexOf("^"), caret!.indexOf("^") + 3)).toBe("dat");
  });

  it("points behind the end where the text stops too early", () => {
    expect(pointAt("SELECT", { offset: 6, line: 1, column: 7 })).toBe("  SELECT\n        ^\n");
  });
});

describe("a message in the words of the command line", () => {
  const options = { layout: { type: "string" }, "group-by": { type: "string" } } as const;

  it.each([
    [
      'one stack each (group_by: "encoding"), or (layout: "concatenated")',
      "(--group-by encoding), or (--layout concat",
    ],
    ['or ask for layout "stacked" or "granules"', "or ask for --layout stacked or granules"],
    ["leave it out with variables, or use the granules layout", "with --variables, or use --layout granules"],
    ['ask for missing: "skip" to leave', "ask for --missing skip to leave"],
  ])("%s", (message, said) => {
    const all = { ...options, variables: { type: "string" }, missing: { type: "string" } } as const;
    expect(inOptions(message, all)).toContain(said);
    expect(inOptions(message, {})).toBe(message);
  });

  it("leaves options alone that a command does not have, and names of columns", () => {
    for (const message of [
      'ask for missing: "skip"',
      "with variables",
      'the column "layout" is missing, "x"',
    ])
      expect(inOptions(message, options)).toBe(message);
  });
});

describe("named sources", () => {
  it.each([
    ["granules.zarr", "granules", "granules.zarr"],
    ["/data/sea surface.zarr/", "sea-surface", "/data/sea surface.zarr/"],
    ["https://example.org/a/b.icechunk#v1.0", "b", "https://example.org/a/b.icechunk#v1.0"],
    ["https://example.org/a/b?x=/y", "b", "https://example.org/a/b?x=/y"],
    ["sst=https://example.org/x", "sst", "https://example.org/x"],
    ["./a=b.zarr", "a-b", "./a=b.zarr"],
    ["v1.2.zarr", "v1-2", "v1.2.zarr"],
  ])("%s is %s", (word, name, source) => {
    expect(namedSource(word)).toEqual({ name, source });
  });

  it("needs a name where none can be made", () => {
    expect(() => namedSource("/")).toThrow(/write NAME=\//);
  });

  it("are not served two under one name", () => {
    expect(() => namedSources(["a/x.zarr", "b/x.zarr"])).toThrow(
      /two sources are named x: a\/x.zarr and b\/x.zarr/,
    );
    expect(namedSources(["a/x.zarr", "y=b/x.zarr"]).map(({ name }) => name)).toEqual(["x", "y"]);
  });
});

describe("records", () => {
  const columns = [
    { name: "granule", type: STRING },
    { name: "n", type: INT64 },
  ];
  async function* batches() {
    for (const from of [0, 2]) {
      const data = new TextEncoder().encode("abcdefghijklmnop");
      const starts = Uint32Array.of(0, 0);
      const text = {
        kind: "bytes" as const,
        type: STRING,
        length: 2,
        data,
        starts,
        ends: Uint32Array.of(3, 16),
        nulls: undefined,
      };
      const nulls = Uint8Array.of(0, 1);
      const number = {
        kind: "number" as const,
        type: INT64,
        length: 2,
        values: Float64Array.of(from, from + 1),
        nulls,
      };
      yield { length: 2, vectors: [text, number] };
    }
  }

  it("take the place of a table that cannot fit", async () => {
    expect([tooWide(8, 80), tooWide(9, 80)]).toEqual([false, true]);
    let shown = "";
    for await (const part of records(columns, batches(), 20)) shown += part;
    const lines = shown.split("\n");
    expect(lines.slice(0, 6)).toEqual([
      "── row 1 ──",
      "granule  abc",
      "n        0",
      "── row 2 ──",
      "granule  abcdefghij…",
      "n",
    ]);
    expect(lines.slice(-3)).toEqual(["granule  abcdefghij…", "n", "(4 rows)", ""].slice(1));
    expect(Math.max(...lines.map((one) => one.length))).toBe(20);
  });
});
