import { describe, expect, it } from "vitest";
import { distance } from "../../src/geometry/distance.ts";
import { envelope, type Geometry, point } from "../../src/geometry/geometry.ts";
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

describe("ST_Distance, its constant made ready once", () => {
  it.each([1, 2, 3])("answers what each pair alone does, around the globe too (seed %i)", async (seed) => {
    const dice = new Dice(random(seed + 90));
    const empty: Geometry = { type: "MultiPoint", layout: "XY", parts: [] } as never;
    const shapes = Array.from({ length: 120 }, (_, i) => (i % 40 === 7 ? empty : shape(dice)));
    const cells = shapes.map((own, i) => (i % 30 === 5 ? null : writeWkb(own)));
    const table = new MemoryTable({
      g: { type: { kind: "geometry", encoding: "wkb" }, chunkRows: 40, cells },
    });
    let apart = 0;
    for (let q = 0; q < 10; q++) {
      const query = shape(dice);
      const wkt = `ST_GeomFromText('${writeWkt(query)}')`;
      const sql = `SELECT ST_Distance(g, ${wkt}), ST_Distance(${wkt}, g) FROM meta`;
      const { rows } = await answer(planQuery(table, sql));
      for (const [i, own] of shapes.entries()) {
        const wanted = cells[i] === null ? undefined : distance(own, query);
        for (const found of rows[i]!) {
          if (wanted === undefined) expect(found).toBeNull();
          else expect(Math.abs((found as number) - wanted)).toBeLessThanOrEqual(1e-12);
          if (wanted) apart++;
        }
      }
    }
    expect(apart).toBeGreaterThan(1000);
  });
});
