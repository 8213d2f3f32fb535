/** Real satellite footprints, ten of which cross the antimeridian. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { envelope } from "../../src/geometry/geometry.ts";
import { rowBoxes } from "../../src/geometry/longitude.ts";
import { prepare } from "../../src/geometry/prepare.ts";
import { parseWkb } from "../../src/geometry/wkb-read.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";

const catalog = fileURLToPath(new URL("../../../shared/data/catalog.json", import.meta.url));
const python = process.env.ZARRSIFT_PYTHON ?? ".venv/bin/python";

interface Granule {
  wkb: string;
  crosses_antimeridian: boolean;
}

const QUERIES = [
  "POLYGON((0 0,40 40,40 0,0 0))",
  "POLYGON((-20 -20,30 -20,30 40,-20 40,-20 -20))",
  "POLYGON((-170 -60,170 -60,170 60,-170 60,-170 -60),(-100 -50,100 -50,100 50,-100 50,-100 -50))",
  "LINESTRING(-80 -80,20 70,160 10)",
  "MULTIPOINT((146.7 5),(0 0),(-110 20))",
];

describe.skipIf(!existsSync(catalog))("footprints of the shared data", () => {
  const granules: Granule[] = existsSync(catalog) ? JSON.parse(readFileSync(catalog, "utf8")) : [];
  const rows = granules.map(({ wkb }) => Uint8Array.from(Buffer.from(wkb, "hex")));

  it("has two boxes for each that crosses the antimeridian, and one for each other", () => {
    for (const [i, row] of rows.entries()) {
      expect(rowBoxes(parseWkb(row)).length).toBe(granules[i]!.crosses_antimeridian ? 2 : 1);
    }
  });

  it("finds what lies about the antimeridian, whichever way the query is written", () => {
    const boxes = [envelope(175, -90, -175, 90), envelope(175, -90, 185, 90), envelope(-185, -90, -175, 90)];
    for (const box of boxes) {
      const prepared = prepare(box);
      const found = rows.flatMap((row, i) => (prepared.test("intersects", row) ? [granules[i]!] : []));
      expect(found.filter((granule) => granule.crosses_antimeridian).length).toBe(10);
    }
  });

  it.skipIf(!existsSync(python))("meets what shapely says it meets (queries away from ±180)", () => {
    const script = `import json,sys,shapely
wkbs,queries=json.load(sys.stdin)
rows=shapely.from_wkb([bytes.fromhex(w) for w in wkbs])
print(json.dumps([[f(rows,shapely.from_wkt(q)).tolist() for f in (shapely.intersects,shapely.within,shapely.overlaps,shapely.crosses,shapely.contains)] for q in queries]))`;
    const input = JSON.stringify([granules.map(({ wkb }) => wkb), QUERIES]);
    const expected: boolean[][][] = JSON.parse(
      execFileSync(python, ["-c", script], { input, encoding: "utf8" }),
    );
    for (const [q, wkt] of QUERIES.entries()) {
      const prepared = prepare(parseWkt(wkt));
      for (const [k, predicate] of (
        ["intersects", "within", "overlaps", "crosses", "contains"] as const
      ).entries()) {
        expect([wkt, predicate, rows.map((row) => prepared.test(predicate, row))]).toEqual([
          wkt,
          predicate,
          expected[q]![k],
        ]);
      }
    }
    expect(expected.flat(2).filter(Boolean).length).toBeGreaterThan(40);
  });
});
