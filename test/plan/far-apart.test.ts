import { describe, expect, it } from "vitest";
import { envelope, type Geometry, point } from "../../src/geometry/geometry.ts";
import { distance } from "../../src/geometry/measure.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { writeWkt } from "../../src/geometry/wkt-write.ts";
import { planQuery } from "../../src/plan/plan.ts";
import { answer, MemoryTable, random } from "./memory-table.ts";
import { Dice } from "./naive.ts";

function shape(dice: Dice): Geometry {
  const [x, y] = [
    dice.of([-185, -180, -170, -10, 0, 170, 175, 180, 190, 350, 540]),
    dice.below(19) * 10 - 90,
  ];
  return dice.chance(0.4) ? point(x, y) : envelope(x, y, x + 1 + dice.below(30), y + dice.below(3) + 1);
}

describe("ST_DWithin, boxes first", () => {
  it.each([1, 2, 3])("finds what the exact distance says, around the globe too (seed %i)", async (seed) => {
    const dice = new Dice(random(seed + 60));
    const shapes = Array.from({ length: 150 }, () => shape(dice));
    const g = {
      type: { kind: "geometry", encoding: "wkb" } as const,
      chunkRows: 40,
      cells: shapes.map(writeWkb),
    };
    const table = new MemoryTable({ g });
    let found = 0;
    for (let q = 0; q < 25; q++) {
      const [query, limit] = [shape(dice), dice.of([0, 1, 9, 10, 25.5, 200])];
      const wkt = `ST_GeomFromText('${writeWkt(query)}')`;
      const call = dice.chance(0.5) ? `g, ${wkt}` : `${wkt}, g`;
      const wanted = shapes.flatMap((own, i) => (distance(own, query)! <= limit ? [i] : []));
      const sql = `SELECT idx FROM meta WHERE ST_DWithin(${call}, ${limit})`;
      expect((await answer(planQuery(table, sql))).idx, sql).toEqual(wanted);
      found += wanted.length;
    }
    expect(found).toBeGreaterThan(100);
  });
});
