import { describe, expect, it } from "vitest";
import { absentStatuses, choice, integer, parse, suggest, UsageError } from "../../src/cli/args.ts";

const options = {
  format: { type: "string" },
  explain: { type: "boolean" },
  port: { type: "string" },
} as const;

describe("parse", () => {
  it("keeps positionals and options apart", () => {
    const args = parse(["a.zarr", "--format", "csv", "SELECT 1", "--explain"], options);
    expect(args.positionals).toEqual(["a.zarr", "SELECT 1"]);
    expect(args.text("format")).toBe("csv");
    expect([args.flag("explain"), args.flag("help")]).toEqual([true, false]);
  });

  it("names the nearest option for one it does not know", () => {
    expect(() => parse(["--fromat", "csv"], options)).toThrow(
      new UsageError("unknown option --fromat; did you mean --format?"),
    );
    expect(() => parse(["--zzzzzz"], options)).toThrow(new UsageError("unknown option --zzzzzz"));
    expect(() => parse(["-q"], options)).toThrow(/^unknown option -q$/);
  });

  it("refuses a missing and a surplus value", () => {
    expect(() => parse(["--format"], options)).toThrow(/^option '--format <value>' argument missing/);
    expect(() => parse(["--explain=yes"], options)).toThrow(UsageError);
    expect(() => parse(["--format", "--explain"], options)).toThrow(UsageError);
  });
});

describe("values", () => {
  const given = (...words: string[]) => parse(words, { ...options, absent: { type: "string" } });

  it("are whole numbers within bounds", () => {
    expect(integer(given("--port", "8000"), "port", 0, 65535)).toBe(8000);
    expect(integer(given(), "port", 0, 65535)).toBeUndefined();
    for (const bad of ["65536", "-1", "8e3", "", "0x10"]) {
      expect(() => integer(given(`--port=${bad}`), "port", 0, 65535)).toThrow(/from 0 to 65535/);
    }
  });

  it("are one of the choices, the first by default", () => {
    expect(choice(given(), "format", ["table", "json"])).toBe("table");
    expect(choice(given("--format", "json"), "format", ["table", "json"])).toBe("json");
    expect(() => choice(given("--format", "jsn"), "format", ["table", "json"])).toThrow(
      /did you mean json\?/,
    );
  });

  it("are lists of HTTP statuses", () => {
    expect(absentStatuses(given("--absent", "404,403"))).toEqual([404, 403]);
    expect(absentStatuses(given())).toBeUndefined();
    for (const bad of ["200", "500", "404;403", "", "4040"]) {
      expect(() => absentStatuses(given(`--absent=${bad}`))).toThrow(UsageError);
    }
  });
});

describe("suggest", () => {
  it("stays silent where nothing is near", () => {
    expect(suggest("inspct", ["inspect", "query"])).toBe("; did you mean inspect?");
    expect(suggest("serv", ["inspect", "serve"])).toBe("; did you mean serve?");
    expect(suggest("abc", ["inspect", "query"])).toBe("");
    expect(suggest("x", [])).toBe("");
  });
});
