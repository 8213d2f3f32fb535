import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { isZarrsiftError } from "../../src/errors.ts";
import { parseSelect } from "../../src/sql/parse.ts";
import { printExpr } from "../../src/sql/print.ts";
import { explicit } from "./explicit.ts";
import { random, wildExpression } from "./generate.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const python = process.env.ZARRSIFT_PYTHON ?? `${root}.venv/bin/python`;
const hasDuckdb = existsSync(python) && spawnSync(python, ["-c", "import duckdb"]).status === 0;

/** Whether DuckDB's parser finds the same tree in both texts of each pair. */
function compare(pairs: [string, string][]): string[] {
  const script = fileURLToPath(new URL("trees.py", import.meta.url));
  const input = pairs.map((pair) => JSON.stringify(pair)).join("\n");
  const { stdout, stderr, status } = spawnSync(python, [script], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trimEnd().split("\n");
}

// skipped without Python and its duckdb package (ZARRSIFT_PYTHON names the interpreter)
describe.skipIf(!hasDuckdb)("precedence and associativity, next to DuckDB's parser", () => {
  it("groups thousands of expressions as DuckDB does", { timeout: 120_000 }, () => {
    const next = random(20260101);
    const pairs: [string, string][] = [];
    let refused = 0;
    for (let i = 0; i < 2000; i++) {
      const text = wildExpression(next, 2 + (i % 3));
      try {
        const expr = parseSelect(`SELECT idx FROM meta WHERE ${text}`).where!;
        pairs.push([text, explicit(expr)], [text, printExpr(expr)]);
      } catch (error) {
        if (!isZarrsiftError(error, "sql_syntax")) throw error;
        refused++;
      }
    }
    const verdicts = compare(pairs);
    const wrong = pairs
      .map((pair, i) => [...pair, verdicts[i]])
      .filter(([, , verdict]) => verdict !== "same");
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(verdicts).toHaveLength(pairs.length);
    // what does not associate, as `a < b = c`, is refused; most is not
    expect(pairs.length / 2).toBeGreaterThan(refused);
  });
});
