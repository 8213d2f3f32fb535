/** Every column type, written by zarr-python and by xarray, as the query endpoint answers it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { parseJson } from "../../src/zarr/json.ts";
import { hasPython, pythons, runPython } from "./python.ts";

interface Expected {
  types: Record<string, string>;
  rows: Record<string, unknown>[];
}

describe.each(Object.entries(pythons))("columns by the %s zarr-python", (which, python) => {
  const work = mkdtempSync(join(tmpdir(), `zarrsift-columns-${which}-`));
  let expected: Record<string, Expected> = {};
  beforeAll(async () => {
    if (hasPython(python)) expected = await runPython(python, "make_columns.py", work);
  }, 120_000);
  afterAll(() => rmSync(work, { recursive: true }));

  test.skipIf(!hasPython(python)).each(["types2", "types3", "cf2", "cf3"])("%s", async (name) => {
    const collection = await open(join(work, `${name}.zarr`), { name: "t" });
    const app = await buildApp({ collections: [collection], logger: false });
    const { types, rows } = expected[name]!;
    const names = Object.keys(types);
    const sql = `SELECT ${names.map((column) => `"${column}"`).join(", ")} FROM meta`;
    const answer = await app.inject({ method: "POST", url: "/collections/t/query", payload: { sql } });
    expect(answer.statusCode, answer.body).toBe(200);
    // Integers beyond 2^53 are compared in their spelling.
    const { columns, rows: found } = exact(answer.body) as {
      columns: { name: string; type: string }[];
      rows: unknown[];
    };
    expect(Object.fromEntries(columns.map((column) => [column.name, column.type]))).toEqual(types);
    expect(found).toEqual(exact(JSON.stringify(rows)));
    await app.close();
    await collection.close();
  });

  test.skipIf(!hasPython(python)).each(["cf2", "cf3"])(
    "%s: a calendar that is not ours is an error naming the column",
    async (name) => {
      const collection = await open(join(work, `${name}.zarr`));
      await expect(collection.query("SELECT model_day FROM meta")).rejects.toMatchObject({
        code: "meta_invalid",
        message: expect.stringContaining('"model_day"'),
      });
      await expect(collection.query("SELECT * FROM meta")).rejects.toMatchObject({ code: "meta_invalid" });
      await expect(collection.query("SELECT level FROM meta")).resolves.toBeDefined();
      await collection.close();
    },
  );
});

/** JSON with numbers that a double cannot hold as text. */
function exact(text: string): unknown {
  return JSON.parse(
    JSON.stringify(parseJson(text, "answer"), (_, value) =>
      value && typeof value === "object" && "text" in value ? value.text : value,
    ),
  );
}
