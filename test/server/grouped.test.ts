/** Queries whose answer is no rows of the table, through the library and the server, on a real collection. */
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Collection, openCollection } from "../../src/collection.ts";
import { buildApp } from "../../src/server/app.ts";
import { tinyCollection } from "../view/tiny.ts";

const GROUPS = "SELECT keep, count(*) AS c, max(x) FROM meta GROUP BY keep HAVING count(*) > 1";

describe("groups", () => {
  let collection: Collection;
  let app: FastifyInstance;

  beforeAll(async () => {
    const granules = [0, 1, 2].map((i) => ({ path: `g${i}`, arrays: { sst: {} } }));
    const columns = { x: [1, Number.NaN, -2], keep: ["y", "n", "y"] };
    collection = await openCollection(await tinyCollection(granules, columns), { name: "tiny" });
    app = await buildApp({ collections: [collection], logger: false });
  });
  afterAll(() => app.close());

  const query = async (sql: string, more = "") => {
    const answer = await app.inject(`/collections/tiny/query?sql=${encodeURIComponent(sql)}${more}`);
    return { status: answer.statusCode, body: answer.json() };
  };

  it("are answers", async () => {
    const { status, body } = await query(GROUPS);
    expect([status, body]).toEqual([
      200,
      {
        columns: [
          { name: "keep", type: "string" },
          { name: "c", type: "int64" },
          { name: "max(x)", type: "float64" },
        ],
        rows: [{ keep: "y", c: 2, "max(x)": 1 }],
        count: 1,
        version: await collection.version(),
      },
    ]);
  });

  it("make no view", async () => {
    const payload = { sql: GROUPS };
    const made = await app.inject({ method: "POST", url: "/collections/tiny/views", payload });
    expect([made.statusCode, made.json().code]).toEqual([400, "not_a_row_query"]);
    await expect(collection.view("SELECT DISTINCT keep FROM meta")).rejects.toMatchObject({
      code: "not_a_row_query",
    });
  });

  it("are explained, by EXPLAIN in front of the SQL too", async () => {
    const { plan } = await collection.explain(GROUPS);
    expect(plan.map(({ step }) => step)).toEqual(["scan", "aggregate", "having", "output"]);
    expect((await collection.explain(`EXPLAIN ${GROUPS}`)).plan).toEqual(plan);
    expect((await query(`EXPLAIN ${GROUPS}`)).body.plan).toEqual(plan);
    expect((await query(GROUPS, "&explain=plan")).body.plan).toEqual(plan);
    const counts = (steps: typeof plan) => steps.map(({ rows_in, rows_out }) => [rows_in, rows_out]);
    const analyzed = counts((await collection.explain(GROUPS, "analyze")).plan);
    expect(analyzed[1]).toEqual([3, 1]);
    expect(counts((await collection.explain(`EXPLAIN ANALYZE ${GROUPS}`)).plan)).toEqual(analyzed);
    expect(counts((await query(`EXPLAIN ANALYZE ${GROUPS}`)).body.plan)).toEqual(analyzed);
    await expect(collection.query(`EXPLAIN ${GROUPS}`)).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringMatching(/collection\.explain\(sql\)/),
    });
  });
});
