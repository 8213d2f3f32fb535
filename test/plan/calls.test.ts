import { describe, expect, it } from "vitest";
import { isZarrsiftError } from "../../src/errors.ts";
import { ALIASES, FUNCTIONS } from "../../src/plan/functions/functions.ts";
import { CONSTRUCTORS } from "../../src/plan/functions/geometry-values.ts";
import { MEASURES } from "../../src/plan/functions/measures.ts";
import { planQuery } from "../../src/plan/plan.ts";
import { answer, random } from "./memory-table.ts";
import { Dice, randomTable } from "./naive.ts";

const NAMES = [
  ...FUNCTIONS.keys(),
  ...ALIASES.keys(),
  ...MEASURES.keys(),
  ...CONSTRUCTORS.keys(),
  ..."coalesce nullif now today date_part mod pi greatest least concat concat_ws st_intersects st_dwithin".split(
    " ",
  ),
].filter((name) => /^\w+$/.test(name));

const ARGUMENTS = [
  ..."date stamp n u f d s ok g idx".split(" "),
  ..."NULL 0 1 -1 2.5 1e300 99999999999999999999 TRUE '' 'year' 'a😀' 'POINT(1 2)' '%Y' '2020-02-30'".split(
    " ",
  ),
  "TIMESTAMP '2020-02-29 12:00'",
  "DATE '0001-01-01'",
  "INTERVAL '1 day'",
  "INTERVAL '1 month'",
  "stamp - date",
  "CAST(NULL AS timestamp)",
  "CAST(NULL AS varchar)",
  "ST_Point(1, 2)",
  "ST_GeomFromText('POLYGON EMPTY')",
];

function expression(dice: Dice, depth: number): string {
  if (depth === 0 || dice.chance(0.2)) return dice.of(ARGUMENTS);
  const inner = () => expression(dice, depth - 1);
  if (dice.chance(0.2))
    return `(${inner()} ${dice.of(["+", "-", "*", "/", "%", "||", "=", "<"])} ${inner()})`;
  const args = Array.from({ length: dice.of([0, 1, 1, 2, 2, 3]) }, inner);
  return `${dice.of(NAMES)}(${args.join(", ")})`;
}

/** Whether it runs; whatever else it throws but our own errors is a fault. */
async function runs(sql: string): Promise<boolean> {
  const { table } = randomTable(new Dice(random(5)), 12);
  try {
    await answer(planQuery(table, sql));
    return true;
  } catch (error) {
    if (!isZarrsiftError(error) || error.code === "internal") throw new Error(sql, { cause: error });
    return false;
  }
}

describe("any call with any arguments", () => {
  it.each([1, 2, 3, 4])("answers or says what is wrong (seed %i)", { timeout: 60_000 }, async (seed) => {
    const dice = new Dice(random(seed + 900));
    let ran = 0;
    for (let i = 0; i < 600; i++) {
      const made = expression(dice, 2);
      const sql = dice.chance(0.3)
        ? `SELECT idx FROM meta WHERE ${made} = ${dice.of(ARGUMENTS)}`
        : `SELECT ${made} AS x FROM meta`;
      if (await runs(sql)) ran++;
    }
    expect(ran).toBeGreaterThan(30);
  });

  it("runs for every name with the right arguments somewhere", async () => {
    const failed: string[] = [];
    for (const name of NAMES) {
      const lists = [
        "",
        ...ARGUMENTS,
        ...ARGUMENTS.flatMap((a) => ["2.5", "1", "'year'", "'%Y'", "g", "s"].map((b) => `${a}, ${b}`)),
      ];
      const more = [
        "s, 'a', 'b'",
        "s, 1, 'b'",
        "'year', date",
        "date, '%Y'",
        "g, g, 1",
        "0, 0, 1, 1",
        "s, 1",
      ];
      let ok = false;
      for (const list of [...more, ...lists]) {
        ok = await runs(`SELECT ${name}(${list}) AS x FROM meta WHERE idx < 1`);
        if (ok) break;
      }
      if (!ok) failed.push(name);
    }
    expect(failed).toEqual([]);
  });
});
