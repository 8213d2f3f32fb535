/** A stacked view computed on by several Dask worker processes, each reading the view by itself. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Collection, open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { hasPython, madeBy, pythons, runPython } from "./python.ts";

/** Untouched chunks, chunks of several granules, and shards. */
const VARIABLES = ["zstd_1", "none_3", "gzip_4", "big_11", "shards_2"];
const IDX = [9, 0, 5, 4, 10, 2];

let source = "";
let collection: Collection | undefined;
let app: Awaited<ReturnType<typeof buildApp>> | undefined;
let base = "";

beforeAll(async () => {
  if (!hasPython(pythons.oldest)) return;
  source = join(await madeBy("make_stacks.py"), "stacked3.zarr");
  collection = await open(source, { name: "stacked" });
  app = await buildApp({ collections: [collection] });
  base = await app.listen({ host: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  await app?.close();
  await collection?.close();
});

describe.each(Object.entries(pythons))("with the %s Dask", (_, python) => {
  test("worker processes compute the mean of the source", { timeout: 180_000 }, async ({ skip }) => {
    skip(!hasPython(python) || !hasPython(pythons.oldest), "needs Python with zarr, xarray and dask");
    const answer = await fetch(`${base}/collections/stacked/views`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ idx: IDX, layout: "stacked" }),
    });
    const { v3 } = (await answer.json()) as { v3: string };
    type Seen = { workers: number; chunks: number; means: number[]; wanted: number[] };
    const args = [v3, source, JSON.stringify(IDX), ...VARIABLES];
    const seen = await runPython<Seen>(python, "check_dask.py", ...args);
    expect(seen.workers).toBe(2);
    expect(seen.chunks).toBeGreaterThan(20);
    for (const [i, mean] of seen.wanted.entries()) {
      expect(seen.means[i], VARIABLES[i]).toBeCloseTo(mean, 6);
    }
  });
});
