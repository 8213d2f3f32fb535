import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DemoCollection, makeDemoCollection } from "../../src/demo/collection.ts";
import { CONVENTION } from "../../src/table/announcement.ts";

const python = process.env.ZARRSIFT_PYTHON ?? ".venv/bin/python";
const script = fileURLToPath(new URL("./check_collection.py", import.meta.url));
const work = mkdtempSync(join(tmpdir(), "zarrsift-demo-test-"));
afterAll(() => rmSync(work, { recursive: true }));

/** One hash over names and contents of all files below a directory. */
function digest(directory: string): string {
  const hash = createHash("sha256");
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length))
    .sort();
  for (const name of names) hash.update(name).update(readFileSync(join(directory, name)));
  return hash.digest("hex");
}

describe("a demo collection", () => {
  const directory = join(work, "whole");
  let made: DemoCollection;
  const lines: string[] = [];

  beforeAll(async () => {
    made = await makeDemoCollection(directory, { log: (line) => lines.push(line) });
  });

  it("is a few megabytes and says what it does", () => {
    expect(made.granules).toBe(300);
    expect(made.bytes).toBeGreaterThan(500_000);
    expect(made.bytes).toBeLessThan(10_000_000);
    expect(lines).toHaveLength(2);
  });

  it("announces the convention that docs/convention describes", () => {
    const { attributes } = JSON.parse(readFileSync(join(directory, "zarr.json"), "utf8"));
    expect(attributes.zarr_conventions).toEqual([{ ...CONVENTION }]);
    expect(attributes.zarrsift.columns).toContain("array_location");
    expect(attributes.zarrsift.columns.sort()).toEqual(
      readdirSync(join(directory, "meta"))
        .filter((name) => name !== "zarr.json")
        .sort(),
    );
    const docs = new URL("../../docs/convention/", import.meta.url);
    for (const page of ["README.md", "schema.json"]) {
      expect(readFileSync(new URL(page, docs), "utf8")).toContain(CONVENTION.uuid);
    }
  });

  it("is the same, byte for byte, for the same seed", async () => {
    const seeds = { a: 7, b: 7, c: 8 };
    for (const [name, seed] of Object.entries(seeds)) {
      await makeDemoCollection(join(work, name), { seed, granules: 6 });
    }
    expect(digest(join(work, "a"))).toBe(digest(join(work, "b")));
    expect(digest(join(work, "a"))).not.toBe(digest(join(work, "c")));
  });

  describe.skipIf(!existsSync(python))("as Python sees it", () => {
    let looked: Promise<Record<string, unknown>> | undefined;
    const look = () => {
      looked ??= promisify(execFile)(python, [script, directory]).then(({ stdout }) => JSON.parse(stdout));
      return looked;
    };

    it("opens, masks, and decodes times", { timeout: 120_000 }, async () => {
      const seen = await look();
      expect(seen).toMatchObject({ rows: 300, problems: [], units: "kelvin" });
      expect(seen.sst_dtype).toMatch(/^float/);
      expect(seen.dtypes).toMatchObject({ date: "datetime64[ms]", orbit: "int32", cloud_cover: "float32" });
      expect(seen.day_night).toEqual(["both", "day", "night"]);
      expect(seen.nan_clouds).toBeGreaterThan(3);
    });

    it("has valid outlines around all cells, over the antimeridian and the poles", async () => {
      const seen = await look();
      expect(seen).toMatchObject({ outside: [], invalid: [] });
      expect((seen.kinds as Record<string, number>).MultiPolygon).toBeGreaterThan(5);
      expect(seen.beyond).toBeGreaterThan(5);
      expect(seen.polar).toBeGreaterThan(5);
    });

    it("gives the founding query a handful of answers, neither condition passing all", async () => {
      const { founding, early, touching } = (await look()) as {
        founding: number[];
        early: number;
        touching: number;
      };
      expect(founding.length).toBeGreaterThanOrEqual(3);
      expect(founding.length).toBeLessThanOrEqual(12);
      expect(early).toBeGreaterThan(founding.length);
      expect(early).toBeLessThan(300);
      expect(touching).toBeGreaterThan(founding.length);
    });
  });
});
