/** Queries on the real granules, asked of the running server, against the independent catalogue. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Collection, open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { hasPython, pythons, runPython } from "./python.ts";

const data = fileURLToPath(new URL("../../../shared/data/", import.meta.url));

describe.skipIf(!existsSync(data) || !hasPython(pythons.oldest))("queries on real granules", () => {
  const sources = {
    zarr: "granules.zarr",
    icechunk1: "granules-spec1.icechunk#v1",
    icechunk2: "granules-spec2.icechunk",
  };
  let collections: Collection[] = [];
  let app: Awaited<ReturnType<typeof buildApp>>;
  let answers: Record<string, number[]>;

  beforeAll(async () => {
    answers = await runPython(pythons.oldest, "catalog_answers.py", `${data}catalog.json`);
    collections = await Promise.all(
      Object.entries(sources).map(([name, path]) => open(data + path, { name })),
    );
    app = await buildApp({ collections });
  });

  afterAll(async () => {
    await app?.close();
    for (const collection of collections) await collection.close();
  });

  test.each(Object.keys(sources))("%s finds what the catalogue says", async (name) => {
    expect(Object.keys(answers).length).toBeGreaterThan(15);
    for (const [where, idx] of Object.entries(answers)) {
      const payload = { sql: `SELECT idx FROM ${name} WHERE ${where}` };
      const answer = await app.inject({ method: "POST", url: `/collections/${name}/query`, payload });
      expect(answer.statusCode, `${where}: ${answer.body}`).toBe(200);
      const found = answer.json().rows.map((row: { idx: number }) => row.idx);
      expect(found, where).toEqual(idx);
    }
    expect(new Set(Object.values(answers).map(String)).size).toBeGreaterThan(12); // the queries differ
  });
});
