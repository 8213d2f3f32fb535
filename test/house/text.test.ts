import { describe, expect, it } from "vitest";
import { filesBelow, textOf } from "./sources.ts";

const binary = /\.(zarr|icechunk|png|jpg|gz|wasm|parquet|zip|bin)\b/;
const files = filesBelow(".").filter((path) => !binary.test(path));

// Spelt in parts, so that this file does not name them either.
const HOSTS = [
  ["registry", "npmjs", "org"],
  ["registry", "yarnpkg", "com"],
  ["npm", "pkg", "github", "com"],
  ["pypi", "org"],
  ["pythonhosted", "org"],
  ["proxy", "golang", "org"],
  ["static", "crates", "io"],
].map((parts) => parts.join("."));

const ABSOLUTE = new RegExp(
  ["/root/[.a-z]", "/home/[a-z]", "/Users/[A-Za-z]", "/work/(main|shared)"].join("|"),
);

describe("every file", () => {
  it("names no package registry", () => {
    expect(files.filter((path) => HOSTS.some((host) => textOf(path).includes(host)))).toEqual([]);
  });

  it("names no absolute path of one machine", () => {
    const self = "test/house/text.test.ts";
    expect(files.filter((path) => path !== self && ABSOLUTE.test(textOf(path)))).toEqual([]);
  });
});

describe("every exported function and class in src", () => {
  it("has a doc comment", () => {
    const sources = files.filter((path) => path.startsWith("src/") && path.endsWith(".ts"));
    expect(sources.flatMap(undocumented)).toEqual([]);
  });
});

/** `file:line` of exported functions and classes whose line before is no end of a comment. */
function undocumented(path: string): string[] {
  const lines = textOf(path).split("\n");
  const opening = /^export (default )?(abstract )?(async )?(function\*?|class) /;
  // Further overloads of one function stand right below the first.
  const described = (line = "") =>
    line.trimEnd().endsWith("*/") || /^export (async )?function .*;$/.test(line);
  return lines.flatMap((line, i) =>
    opening.test(line) && !described(lines[i - 1]) ? [`${path}:${i + 1}`] : [],
  );
}
