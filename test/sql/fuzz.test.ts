import { describe, expect, it } from "vitest";
import { isZarrsiftError } from "../../src/errors.ts";
import { parseSelect } from "../../src/sql/parse.ts";
import { printExpr } from "../../src/sql/print.ts";
import { pick, random, wildExpression } from "./generate.ts";

const CODES = ["sql_syntax", "sql_unsupported", "too_large"];

/** Parses; the only errors may be ours, with a place inside the text. */
function parses(text: string): boolean {
  const started = process.cpuUsage();
  try {
    const { where } = parseSelect(text);
    if (where) printExpr(where);
    return true;
  } catch (error) {
    if (!isZarrsiftError(error) || !error.at) throw new Error(`${error} for ${JSON.stringify(text)}`);
    expect(CODES).toContain(error.code);
    expect(error.at.offset).toBeLessThanOrEqual(text.length);
    expect(error.message, text).not.toContain("cannot be read here"); // the tree and the text disagreed
    return false;
  } finally {
    expect(process.cpuUsage(started).user / 1000, text).toBeLessThan(1000);
  }
}

const WORDS =
  `SELECT DISTINCT ALL FROM WHERE GROUP BY HAVING ORDER ASC DESC NULLS FIRST LAST LIMIT OFFSET FETCH ROWS ROW ONLY
  AS CASE WHEN THEN ELSE END AND OR NOT IN IS NULL TRUE FALSE LIKE ILIKE BETWEEN ESCAPE DISTINCT CAST EXTRACT COUNT DATE
  TIMESTAMP INTERVAL day year WITH TIME ZONE JOIN UNION ON OVER FILTER EXPLAIN ANALYZE meta idx a b "q" 'x' '' 1 2.5 $1 $2 (
  ) ( ) , . ; * + - / % = <> < || :: f( count(* int double precision ISNULL UNKNOWN FOR AT ARRAY`.split(
    /\s+/,
  );

describe("fuzzing", () => {
  it("takes any bytes", { timeout: 60_000 }, () => {
    const next = random(1);
    const alphabet = "'\"()*,;.:$-+/\\%=<>|! \t\r\n\0aE1_xé😀\ud800`[]{}?~^#@&";
    for (let i = 0; i < 2500; i++) {
      const text = Array.from({ length: Math.floor(next() * 40) }, () => pick(next, [...alphabet])).join("");
      parses(text);
      parses(`SELECT ${text} FROM meta WHERE ${text}`);
    }
  });

  it("takes any words in any order", { timeout: 60_000 }, () => {
    const next = random(2);
    let good = 0;
    for (let i = 0; i < 4000; i++) {
      const words = Array.from({ length: 1 + Math.floor(next() * 14) }, () => pick(next, WORDS)).join(" ");
      if (parses(pick(next, ["SELECT a FROM meta WHERE ", "SELECT ", "SELECT a FROM meta ", ""]) + words))
        good++;
    }
    expect(good).toBeGreaterThan(20);
  });

  it("takes queries with a word lost, doubled or changed", { timeout: 60_000 }, () => {
    const next = random(3);
    let good = 0;
    for (let i = 0; i < 2000; i++) {
      const [a, b, c] = [1, 2, 3].map((depth) => wildExpression(next, depth));
      const text = `SELECT ${a} AS x, count(*), b FROM meta m WHERE ${c} GROUP BY ${b}, b ORDER BY ${a} DESC, 2 LIMIT 3 OFFSET $1`;
      const words = text.split(" ");
      const at = Math.floor(next() * words.length);
      words.splice(at, Math.floor(next() * 3), ...(next() < 0.7 ? [pick(next, WORDS)] : []));
      if (parses(words.join(" "))) good++;
    }
    expect(good).toBeGreaterThan(150);
  });
});
