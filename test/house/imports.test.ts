import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesBelow, importsOf, partOf, ROOT } from "./sources.ts";

/** Single files right in src that need nothing but errors: anyone's. */
const LEAVES = ["errors", "abort", "flight", "hash", "joined", "lru"];
const TABLE = [...LEAVES, "store", "zarr", "geometry"];
const PLAN = [...TABLE, "table", "index", "format"];
const CORE = [...PLAN, "options", "checks", "plan", "view", "describe", "source", "collection"];

/** Which parts of src a part may need. What is not named here does not exist yet: name it before adding it. */
const MAY_NEED: Record<string, readonly string[]> = {
  errors: [],
  abort: ["errors"],
  flight: ["errors", "abort"],
  hash: ["errors"],
  joined: [],
  lru: ["errors", "flight"],
  options: ["errors", "sql"],
  checks: [...LEAVES, "store"],
  sql: ["errors"],
  geometry: ["errors"],
  store: LEAVES,
  zarr: [...LEAVES, "store"],
  table: TABLE,
  format: ["errors", "joined", "table", "geometry", "zarr"],
  index: [...TABLE, "table"],
  plan: [...PLAN, "sql"],
  view: [...PLAN, "checks", "plan"],
  describe: [...PLAN, "plan", "view"],
  source: [...PLAN, "checks", "plan", "view"],
  collection: CORE,
  export: CORE,
  main: [...CORE, "export"],
  server: [...CORE, "export"],
  demo: [...CORE, "server", "main"],
  cli: [...CORE, "export", "server", "demo", "main"],
};

/** The only places that may import Node's own modules: the rest runs in a browser. */
const NODE_PLACES = /^src\/(store\/file(-write)?\.ts$|server\/|cli\/|demo\/)/;

const files = filesBelow("src").filter((path) => path.endsWith(".ts"));

/** Parts of src with the parts each imports from. */
function graph(): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>();
  for (const file of files) {
    const needs = edges.get(partOf(file)) ?? new Set();
    for (const target of importsOf(file)) if (target.startsWith("src/")) needs.add(partOf(target));
    edges.set(partOf(file), needs);
  }
  return edges;
}

/** A path that leads from `start` back to it, if there is one. */
function cycleThrough(edges: ReadonlyMap<string, Iterable<string>>, start: string): string[] | undefined {
  const seen = new Set<string>();
  const walk = (part: string, path: string[]): string[] | undefined => {
    for (const next of edges.get(part) ?? []) {
      if (next === part) continue;
      if (next === start) return [...path, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = walk(next, [...path, next]);
      if (found) return found;
    }
    return undefined;
  };
  return walk(start, [start]);
}

describe("imports in src", () => {
  it("are found at all", () => {
    expect(importsOf("src/plan/api.ts").sort()).toEqual(["src/table/types.ts", "src/table/vector.ts"]);
  });

  it("name files that are there, with their ending", () => {
    const own = files.flatMap((file) => importsOf(file).filter((target) => target.startsWith("src")));
    expect(own.filter((target) => !existsSync(join(ROOT, target)))).toEqual([]);
  });

  it("go one way", () => {
    const wrong = files.flatMap((file) => {
      const part = partOf(file);
      const targets = importsOf(file).filter(
        (target) => target.startsWith("src/") && partOf(target) !== part,
      );
      const allowed = MAY_NEED[part] ?? [];
      return targets
        .filter((target) => !allowed.includes(partOf(target)))
        .map((target) => `${file} → ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    ["folders", graph()],
    ["files", new Map(files.map((file) => [file, importsOf(file)]))],
  ])("make no cycles between %s", (_, edges) => {
    const cycles = [...edges.keys()].map((part) => cycleThrough(edges, part)?.join(" → "));
    expect(cycles.filter((cycle) => cycle !== undefined)).toEqual([]);
  });

  it("reach Node's modules from the edges only", () => {
    const places = files.filter((file) => importsOf(file).some((target) => target.startsWith("node:")));
    expect(places.filter((file) => !NODE_PLACES.test(file))).toEqual([]);
    expect(places).not.toEqual([]);
  });
});
