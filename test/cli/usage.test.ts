import { describe, expect, it } from "vitest";
import { built, zarrsift } from "./program.ts";

describe.skipIf(!built)("the command, used wrongly", () => {
  it.each([
    [[], "a COMMAND is needed"],
    [["inspct"], "unknown command inspct; did you mean inspect?"],
    [["--verion"], "unknown option --verion; did you mean --version?"],
    [["query", "a.zarr"], "query needs a SOURCE and a SQL text"],
    [["query", "SELECT idx FROM meta", "a.zarr"], "query takes the SOURCE first, then the SQL"],
    [["query", "a.zarr", "SELECT", "idx"], "query takes one SQL text; quote it"],
    [
      ["query", "a.zarr", "SELECT idx", "--format", "jsn"],
      "expected table, json, ndjson, csv, arrow, geojson; did you mean json?",
    ],
    [["query", "a.zarr", "SELECT idx", "--params", "{}"], "expected a JSON array"],
    [["query", "a.zarr", "SELECT idx", "--explian"], "unknown option --explian; did you mean --explain?"],
    [["query", "a.zarr", "SELECT idx", "--analyze"], "--analyze goes with --explain"],
    [["inspect", "a.zarr", "--absent", "200"], "expected HTTP statuses"],
    [["serve"], "serve needs at least one SOURCE"],
    [["serve", "a.zarr", "--port", "x"], "expected a whole number from 0 to 65535"],
    [["serve", "a.zarr", "b/a.zarr"], "two sources are named a"],
    [["serve", "a.zarr", "--public-url", "example.org"], "expected an http or https URL"],
    [["demo", "more"], "demo takes no more"],
  ])("%j: status 2 and one line", async (words, message) => {
    const { code, stdout, stderr } = await zarrsift(...words);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^zarrsift: .*--help\)\n$/);
    expect([code, stdout]).toEqual([2, ""]);
  });
});

describe.skipIf(!built)("help", () => {
  it("says what there is", async () => {
    const { code, stdout } = await zarrsift("--help");
    expect(code).toBe(0);
    for (const name of ["inspect", "query", "serve", "index", "export", "demo"])
      expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  });

  it.each(["inspect", "query", "serve", "index", "export", "demo"])(
    "of %s has usage and examples",
    async (name) => {
      const { code, stdout } = await zarrsift(name, "--help");
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`^usage: zarrsift ${name}`));
      expect(stdout).toMatch(new RegExp(`^examples:\\n  zarrsift ${name}`, "m"));
      expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(120);
    },
  );

  it("gives the version of the package", async () => {
    const { default: own } = await import("../../package.json", { with: { type: "json" } });
    expect((await zarrsift("--version")).stdout).toBe(`${own.version}\n`);
  });
});
