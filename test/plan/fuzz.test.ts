/** Whatever is asked, by the grammar or by chance, is answered or refused in words, soon, and with its place. */
import { describe, expect, it } from "vitest";
import { isZarrsiftError } from "../../src/errors.ts";
import { planQuery } from "../../src/plan/plan.ts";
import { answer, random } from "./memory-table.ts";
import { Dice, randomTable } from "./naive.ts";
import { damaged, statement } from "./statements.ts";

const { table } = randomTable(new Dice(random(77)), 30);

/** Codes that a query can be refused with. */
const CODES =
  "sql_syntax sql_unsupported sql_type unknown_column unknown_function unknown_table bad_parameter bad_request too_large bad_geometry".split(
    " ",
  );

/** What a person cannot use. */
const UNCLEAR = /undefined|\[object|NaN|cannot be read here|is not a function|\bat \w+ \(/;

async function outcome(sql: string): Promise<"answered" | "refused"> {
  const started = process.cpuUsage();
  try {
    const query = planQuery(table, sql, {
      params: /\$2/.test(sql) ? [3n, "a"] : /\$1/.test(sql) ? [2n] : [],
    });
    query.explain();
    await answer(query);
    return "answered";
  } catch (error) {
    const what = `${JSON.stringify(sql)}: ${error}`;
    if (!isZarrsiftError(error)) throw new Error(what, { cause: error });
    expect(CODES, what).toContain(error.code);
    expect(error.message, what).not.toMatch(UNCLEAR);
    expect(error.message.length, what).toBeLessThan(1000);
    if (error.at) expect(error.at.offset, what).toBeLessThanOrEqual(sql.length);
    else expect(error.code, what).toMatch(/bad_parameter|bad_geometry|too_large|sql_type/);
    return "refused";
  } finally {
    expect(process.cpuUsage(started).user / 1000, sql).toBeLessThan(3000);
  }
}

async function share(count: number, make: () => string): Promise<number> {
  let answered = 0;
  for (let i = 0; i < count; i++) if ((await outcome(make())) === "answered") answered++;
  return answered / count;
}

describe("random statements", () => {
  it.each([1, 2, 3, 4])("by the grammar (seed %i)", { timeout: 120_000 }, async (seed) => {
    const dice = new Dice(random(seed + 31_000));
    expect(await share(1500, () => statement(dice))).toBeGreaterThan(0.05);
  });

  it.each([1, 2])("damaged (seed %i)", { timeout: 120_000 }, async (seed) => {
    const dice = new Dice(random(seed + 32_000));
    expect(await share(1500, () => damaged(statement(dice), dice))).toBeLessThan(0.5);
  });

  it("of bytes", { timeout: 120_000 }, async () => {
    const dice = new Dice(random(33_000));
    const bytes = () => Uint8Array.from({ length: dice.below(60) }, () => dice.below(256));
    const decoders = ["utf-8", "latin1", "utf-16le"].map((name) => new TextDecoder(name));
    const text = () => dice.of(decoders).decode(bytes());
    expect(
      await share(1500, () => dice.of([text(), `SELECT ${text()}`, `SELECT n FROM meta WHERE ${text()}`])),
    ).toBeLessThan(0.1);
  });

  it("of one piece repeated", { timeout: 120_000 }, async () => {
    const pieces = [
      "(",
      ")",
      "NOT ",
      "-",
      "CASE WHEN ",
      "n = ",
      "n, ",
      "n AND ",
      "lower(",
      "'",
      '"',
      "/*",
      "n::int",
      ".",
    ];
    const many = [
      ...pieces,
      "trim(BOTH FROM ",
      "position(n IN ",
      "INTERVAL ",
      "1 + ",
      "BETWEEN ",
      "IS NULL ",
      "\u0000",
      "+",
    ];
    for (const piece of many) {
      for (const times of [3, 300, 9000 / piece.length]) {
        await outcome(`SELECT n FROM meta WHERE ${piece.repeat(times)}`);
        await outcome(`SELECT ${piece.repeat(times)}n FROM meta`);
        await outcome(piece.repeat(times));
      }
    }
  });
});
