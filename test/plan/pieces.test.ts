/** Whatever is slow for each row gives way to others, and ends soon after it was cancelled. */
import { expect, it } from "vitest";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { planQuery } from "../../src/plan/plan.ts";
import { answer, MemoryTable } from "./memory-table.ts";

function star(points: number, x: number): string {
  const at = (i: number) => {
    const [angle, size] = [(2 * Math.PI * i) / points, i % 2 ? 20 : 30];
    return `${x + size * Math.cos(angle)} ${size * Math.sin(angle)}`;
  };
  return `POLYGON((${Array.from({ length: points + 1 }, (_, i) => at(i % points)).join(",")}))`;
}

const shape = writeWkb(parseWkt(star(300, -100)));
const rows = (count: number) =>
  new MemoryTable({
    g: { type: { kind: "geometry", encoding: "wkb" }, chunkRows: 8192, cells: new Array(count).fill(shape) },
  });
const DISTANCE = `ST_Distance(g, ST_GeomFromText('${star(1000, 60)}'))`;

it.each([
  ["selecting", `SELECT ${DISTANCE} AS d FROM meta`],
  ["sorting", `SELECT idx FROM meta ORDER BY ${DISTANCE} LIMIT 3`],
  ["grouping", `SELECT avg(${DISTANCE}) AS d FROM meta`],
  ["filtering", `SELECT idx FROM meta WHERE ${DISTANCE} < 1`],
])("is cancelled while it computes: %s", { timeout: 60_000 }, async (_, sql) => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 50);
  const start = performance.now();
  const all = async () => {
    for await (const _ of planQuery(rows(8192), sql).run({ signal: stop.signal }));
  };
  await expect(all()).rejects.toThrow();
  expect(performance.now() - start).toBeLessThan(10_000);
});

it("is the same in pieces, in the order of the rows", async () => {
  const points = Array.from({ length: 100 }, (_, i) =>
    i % 7 === 0 ? null : writeWkb(parseWkt(`POINT(${i} 0)`)),
  );
  const table = new MemoryTable({
    g: { type: { kind: "geometry", encoding: "wkb" }, chunkRows: 30, cells: points },
  });
  const sql = "SELECT ST_X(g) AS x, ST_AsText(g) AS t, idx FROM meta ORDER BY idx DESC";
  const found = (await answer(planQuery(table, sql))).rows;
  expect(found).toEqual(
    Array.from({ length: 100 }, (_, k) => 99 - k).map((i) =>
      i % 7 === 0 ? [null, null, BigInt(i)] : [i, `POINT(${i} 0)`, BigInt(i)],
    ),
  );
});
