/** Views through the running server, read by real zarr-python and xarray, against their sources. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Collection, cellAt, open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { hasPython, pythons, runPython } from "./python.ts";

const data = fileURLToPath(new URL("../../../shared/data/", import.meta.url));

interface Case {
  name: string;
  /** Path of the source, below the real data or below the made one. */
  source: string;
  sql: string;
  /** Fields that every array must have. */
  fields: string[];
  count: number;
  /** Of cases alike, one is enough with the newest clients. */
  oldestOnly?: true;
}

const real: Case[] = [
  {
    name: "plain Zarr, by time and across the antimeridian",
    source: "granules.zarr",
    sql: "SELECT date, day_night, bbox FROM meta WHERE ST_Intersects(bbox, ST_MakeEnvelope(150, -60, -150, 60)) AND date < TIMESTAMP '2016-01-01'",
    fields: ["idx", "date", "day_night", "bbox"],
    count: 9,
    oldestOnly: true,
  },
  {
    name: "plain Zarr, nested groups and ragged shapes, in the query's order",
    source: "granules.zarr",
    sql: "SELECT granule_id, rows FROM meta WHERE collection <> 'ASCATA-L2-25km' ORDER BY date DESC",
    fields: ["idx", "granule_id", "rows"],
    count: 6,
  },
  {
    name: "Icechunk format 1",
    source: "granules-spec1.icechunk#main",
    sql: "SELECT idx, platform FROM meta WHERE platform = 'GCOM-W1' OR idx IN (47, 3)",
    fields: ["idx", "platform"],
    count: 6,
    oldestOnly: true,
  },
  {
    name: "Icechunk format 2",
    source: "granules-spec2.icechunk#main",
    sql: "SELECT idx FROM meta WHERE collection LIKE 'AMSR2%'",
    fields: ["idx", "granule_id", "cells"],
    count: 4,
  },
];

/** Sources with every awkward array: see make_sources.py. */
const made: Case[] = ["v2", "v3", "xarray2", "xarray3"].map((name) => ({
  name: `awkward arrays, ${name}`,
  source: `${name}.zarr`,
  sql: "SELECT idx FROM meta WHERE ST_Intersects(bbox, ST_MakeEnvelope(0, 0, 44, 5)) OR idx = 5 ORDER BY date DESC",
  fields: ["idx", "cloud", "units", "date"].filter(
    (field) => field !== "cloud" || !name.startsWith("xarray"),
  ),
  count: 6,
  ...(name.startsWith("xarray") && { oldestOnly: true }),
}));

const work = mkdtempSync(join(tmpdir(), "zarrsift-interop-"));
const collections = new Map<string, Collection>();
let app: Awaited<ReturnType<typeof buildApp>>;
let base = "";

function pathOf({ source, name }: Case): string {
  return name.startsWith("awkward") ? join(work, "sources", source) : `${data}${source}`;
}

beforeAll(async () => {
  const cases = [...(existsSync(data) ? real : [])];
  if (hasPython(pythons.oldest)) {
    await runPython(pythons.oldest, "make_sources.py", join(work, "sources"));
    cases.push(...made);
  }
  for (const [i, each] of cases.entries()) {
    if (!collections.has(each.source))
      collections.set(each.source, await open(pathOf(each), { name: `c${i}` }));
  }
  if (existsSync(data))
    collections.set("stacked.zarr", await open(`${data}stacked.zarr`, { name: "stacked" }));
  app = await buildApp({ collections: [...collections.values()] });
  base = await app.listen({ host: "127.0.0.1", port: 0 });
}, 120_000);

afterAll(async () => {
  await app?.close();
  for (const collection of collections.values()) await collection.close();
  rmSync(work, { recursive: true });
});

describe.each(Object.entries(pythons))("with the %s zarr-python", (which, python) => {
  const cannotRun = (each: Case) =>
    !hasPython(python) ||
    (real.includes(each) && !existsSync(data)) ||
    (which === "oldest" && each.source.includes("spec2")); // icechunk 1 cannot open format 2

  const cases = real.concat(made).filter(({ oldestOnly }) => which === "oldest" || !oldestOnly);

  test.for(cases)("$name", { timeout: 300_000 }, async (each, { skip }) => {
    skip(cannotRun(each), "needs Python with zarr, the shared data, and icechunk 2 for format 2");
    const collection = collections.get(each.source)!;
    const answer = await post(collection.name, { sql: each.sql });
    expect(answer.count).toBe(each.count);
    const expected = join(work, "expected.json");
    writeFileSync(expected, JSON.stringify(await expectation(collection, each.sql, each.fields)));
    type Seen = { granules: number; arrays: number; masked: number };
    const seen = await runPython<Seen>(
      python,
      "check_view.py",
      answer.v3.replace(/\/v3$/, ""),
      pythonSource(each),
      expected,
    );
    expect(seen.granules).toBe(2 * each.count);
    expect(seen.arrays).toBeGreaterThan(2 * each.count);
    expect(seen.masked).toBeGreaterThan(0);
  });

  test.skipIf(!hasPython(python) || !existsSync(data))(
    "granules of a stacked source",
    { timeout: 120_000 },
    async () => {
      const { v3 } = await post("stacked", { idx: [38, 5, 0, 17] });
      type Seen = { arrays: number };
      const args = [v3.replace(/\/v3$/, ""), `${data}stacked.zarr`, "38,5,0,17"];
      expect((await runPython<Seen>(python, "check_sliced.py", ...args)).arrays).toBe(2 * 4 * 10);
    },
  );
});

async function post(collection: string, body: object): Promise<{ v3: string; count: number }> {
  const response = await fetch(`${base}/collections/${collection}/views`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(201);
  return (await response.json()) as { v3: string; count: number };
}

/** How the Python side names the same source. */
function pythonSource(each: Case): string {
  const [path, ref] = pathOf(each).split("#");
  return ref ? `${path}#branch.${ref}` : path!;
}

/** Rows and paths by asking the collection for them, not the view. */
async function expectation(collection: Collection, sql: string, fields: string[]) {
  const result = await collection.query(`SELECT array_location ${sql.slice(sql.indexOf("FROM"))}`);
  const expected = { idx: [] as number[], paths: [] as string[], fields };
  for await (const batch of result.batches()) {
    for (let i = 0; i < batch.length; i++) {
      expected.idx.push(batch.idx[i]!);
      expected.paths.push(String(cellAt(batch.vectors[0]!, i)).slice(1));
    }
  }
  return expected;
}
