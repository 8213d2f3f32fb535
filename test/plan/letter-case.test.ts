import { describe, expect, it } from "vitest";
import { lowerCase, upperCase } from "../../src/plan/functions/letter-case.ts";
import { planQuery } from "../../src/plan/plan.ts";
import { answer, MemoryTable } from "./memory-table.ts";

/** What DuckDB 1.5.5 answers. */
const LOWER: [string, string][] = [
  ["İ", "i"],
  ["ΑΣ", "ασ"],
  ["ΌΔΟΣ ΣΑΣ", "όδοσ σασ"],
  ["ẞ", "ß"],
  ["ÅNGSTRÖM 😀 K", "ångström 😀 k"],
  ["ᾈ", "ᾀ"],
];
const UPPER: [string, string][] = [
  ["ß", "ẞ"],
  ["straße ŉ ﬁ", "STRAẞE ŉ ﬁ"],
  ["ᾀ ᾗ ᾠ ᾳ ῃ ῳ", "ᾈ ᾟ ᾨ ᾼ ῌ ῼ"],
  ["ᾈ ᾶ ΐ և", "ᾈ ᾶ ΐ և"],
  ["ı ſ µ ÿ ǆ", "I S Μ Ÿ Ǆ"],
  ["𐐨 ångström", "𐐀 ÅNGSTRÖM"],
];
const ILIKE: [string, string, boolean][] = [
  ["STRASSE", "straße", false],
  ["STRAẞE", "straße", true],
  ["İstanbul", "i%", true],
  ["İstanbul", "is%", true],
  ["İs", "__", true],
  ["ΑΣ", "ας", false],
  ["ΑΣ", "ασ", true],
  ["K", "k", true],
  ["ſ", "s", false],
  ["ﬁ", "FI", false],
];

describe("upper and lower case are DuckDB's", () => {
  it("letter by letter", () => {
    expect(LOWER.map(([text]) => lowerCase(text))).toEqual(LOWER.map(([, lower]) => lower));
    expect(UPPER.map(([text]) => upperCase(text))).toEqual(UPPER.map(([, upper]) => upper));
  });

  it("so that one letter stays one, whichever it is", () => {
    const wrong: string[] = [];
    for (let code = 1; code <= 0x10ffff; code++) {
      if (code >= 0xd800 && code <= 0xdfff) continue;
      const letter = String.fromCodePoint(code);
      const [lower, upper] = [lowerCase(letter), upperCase(letter)];
      const plain = [letter.toLowerCase(), letter.toUpperCase()];
      const isRight = [lower, upper].every(
        (changed, i) =>
          changed === plain[i] || (plain[i]!.length > changed.length && [...changed].length === 1),
      );
      if (!isRight) wrong.push(`${letter}: ${lower} ${upper}`);
    }
    expect(wrong).toEqual([]);
  });

  it("in queries, ILIKE too", async () => {
    const cells = [...LOWER, ...UPPER, ...ILIKE].map(([text]) => text);
    const table = new MemoryTable({ s: { type: { kind: "string" }, cells, chunkRows: 5 } });
    const { rows } = await answer(planQuery(table, "SELECT lower(s), upper(s) FROM meta"));
    expect(rows).toEqual(cells.map((text) => [lowerCase(text), upperCase(text)]));
    for (const [text, pattern, matches] of ILIKE) {
      const sql = "SELECT DISTINCT s ILIKE $1 FROM meta WHERE s = $2";
      const found = await answer(planQuery(table, sql, { params: [pattern, text] }));
      expect([text, pattern, found.rows]).toEqual([text, pattern, [[matches]]]);
    }
  });
});
