import { tableFromIPC } from "apache-arrow";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ZarrsiftError } from "../../src/errors.ts";
import { type AppOptions, buildApp } from "../../src/server/index.ts";
import { explainOf, parseBody } from "../../src/server/requests.ts";
import { CannedCollection } from "./canned.ts";

let app: FastifyInstance;
let canned: CannedCollection;

async function start(limits: AppOptions["limits"] = {}) {
  await app?.close();
  canned = new CannedCollection("meta", {});
  app = await buildApp({ collections: [canned.as()], logger: false, limits });
}
beforeEach(() => start());
afterEach(() => app.close());

const get = (query: string, headers = {}) => app.inject({ url: `/collections/meta/query?${query}`, headers });
const post = (payload: object) => app.inject({ method: "POST", url: "/collections/meta/query", payload });

describe("rows", () => {
  it("come as JSON, ndjson and CSV", async () => {
    const json = await get("sql=x");
    expect(json.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(json.headers["content-length"]).toBe(String(json.rawPayload.length));
    expect(json.json()).toEqual({
      columns: [{ name: "idx", type: "int64" }],
      rows: [{ idx: 0 }, { idx: 1 }, { idx: 2 }],
      count: 3,
      version: "v1",
    });
    const ndjson = await get("sql=x&format=ndjson");
    expect([ndjson.headers["content-type"], ndjson.body]).toEqual([
      "application/x-ndjson; charset=utf-8",
      '{"idx":0}\n{"idx":1}\n{"idx":2}\n',
    ]);
    const csv = await post({ sql: "x", format: "csv" });
    expect([csv.headers["content-type"], csv.body]).toEqual([
      "text/csv; charset=utf-8; header=present",
      "idx\r\n0\r\n1\r\n2\r\n",
    ]);
  });

  it.each([
    ["text/csv", /^text\/csv/],
    ["application/x-ndjson, */*", /ndjson/],
    ["text/html, application/json;q=0.9", /^application\/json/],
    ["*/*", /^application\/json/],
  ])("come as Accept: %s asks", async (accept, type) => {
    const answer = await get("sql=x", { accept });
    expect(answer.headers["content-type"]).toMatch(type);
    expect(answer.headers.vary).toBe("Accept");
  });

  it("come as an Arrow stream", async () => {
    for (const answer of [
      await get("sql=x&format=arrow"),
      await get("sql=x", { accept: "application/vnd.apache.arrow.stream" }),
      await post({ sql: "x", format: "arrow" }),
    ]) {
      expect(answer.headers["content-type"]).toBe("application/vnd.apache.arrow.stream");
      expect(answer.headers["content-length"]).toBe(String(answer.rawPayload.length));
      const table = tableFromIPC(answer.rawPayload);
      expect(table.schema.fields.map(String)).toEqual(["idx: Int64"]);
      expect([...table.getChild("idx")!]).toEqual([0n, 1n, 2n]);
    }
  });

  it("come as GeoJSON where they have geometry", async () => {
    canned.geometry = ["POINT(1 2)", null];
    for (const answer of [
      await get("sql=x&format=geojson"),
      await get("sql=x", { accept: "application/geo+json" }),
    ]) {
      expect(answer.headers["content-type"]).toBe("application/geo+json; charset=utf-8");
      expect(answer.json()).toEqual({
        type: "FeatureCollection",
        features: [
          { type: "Feature", geometry: { type: "Point", coordinates: [1, 2] }, properties: { idx: 0 } },
          { type: "Feature", geometry: null, properties: { idx: 1 } },
        ],
      });
    }
  });

  it("do not come as GeoJSON where they have none", async () => {
    const answer = await get("sql=x&format=geojson");
    expect([answer.statusCode, answer.json().code, answer.json().detail]).toEqual([
      400,
      "bad_parameter",
      "format geojson needs a geometry column in the answer, which has: idx; select one, or ask for json",
    ]);
  });

  it("do not come as xml", async () => {
    for (const answer of [await get("sql=x&format=xml"), await post({ sql: "x", format: "xml" })]) {
      expect([answer.statusCode, answer.json().detail]).toEqual([
        400,
        'format "xml" is not supported; there are: json, ndjson, csv, arrow, geojson',
      ]);
    }
  });

  it("past the limit are an error before the first byte", async () => {
    await start({ rows: 2 });
    for (const format of ["json", "ndjson", "csv", "arrow"]) {
      const answer = await get(`sql=x&format=${format}`);
      expect([answer.statusCode, answer.json().code]).toEqual([413, "too_large"]);
    }
  });

  it("are streamed where they are many", async () => {
    await start({ bufferBytes: 100_000 });
    canned.batches = [Array.from({ length: 100_000 }, (_, i) => i)];
    const answer = await get("sql=x");
    expect(answer.headers["transfer-encoding"]).toBe("chunked");
    expect(answer.json().rows.at(-1)).toEqual({ idx: 99_999 });
    expect(answer.json().count).toBe(100_000);
    const arrow = await get("sql=x&format=arrow");
    expect(arrow.headers["transfer-encoding"]).toBe("chunked");
    const { numRows, batches } = tableFromIPC(arrow.rawPayload);
    expect([numRows, batches.length]).toEqual([100_000, 2]);
  });
});

describe("plans", () => {
  it.each(["plan", "analyze"])("are answers: %s", async (explain) => {
    expect((await get(`sql=x&explain=${explain}`)).json()).toEqual({
      plan: [{ step: "scan" }],
      version: "v1",
    });
    expect((await post({ sql: "x", explain })).json()).toEqual({ plan: [{ step: "scan" }], version: "v1" });
  });
});

describe("EXPLAIN", () => {
  it.each([
    ["EXPLAIN SELECT idx FROM meta", "plan"],
    [" -- why\n/* a */ explain analyze SELECT idx FROM meta", "analyze"],
    ["EXPLAIN/* a **/ANALYZE--b\nSELECT idx FROM meta", "analyze"],
    ["/***//*/* */explain/**/select", "plan"],
    // Comments that are read in one way only: no hang.
    [`${"/**/".repeat(2000)}SELECT idx FROM meta`, undefined],
    [`${"/* * */ -- x\n".repeat(2000)}explain`, "plan"],
    ["SELECT 'EXPLAIN'", undefined],
    ["EXPLAINED", undefined],
  ])("is seen in front of %j", (sql, expected) => {
    expect(explainOf(sql)).toBe(expected);
  });

  it("asks for the plan", async () => {
    expect((await get("sql=EXPLAIN%20SELECT%201")).json()).toEqual({
      plan: [{ step: "scan" }],
      version: "v1",
    });
  });
});

describe("what a query says", () => {
  const asked = async (request: () => ReturnType<typeof get>) => {
    canned.asked = undefined;
    const answer = await request();
    return canned.asked ?? answer.json();
  };

  it("is the same in a query string and in a body", async () => {
    const expected = {
      params: ["a", 1.5, null, true, 9007199254740993n],
      bbox: [-10, -20.5, 10, 20],
      datetime: "2025-01-01/..",
    };
    const params = '["a", 1.50, null, true, 9007199254740993]';
    const query = `sql=x&params=${encodeURIComponent(params)}&bbox=-10,-20.5,10,20&datetime=2025-01-01/..`;
    expect(await asked(() => get(query))).toEqual(expected);
    const body = `{"sql": "x", "params": ${params}, "bbox": [-10, -20.5, 10, 20], "datetime": "2025-01-01/.."}`;
    const headers = { "content-type": "application/json" };
    expect(
      await asked(() =>
        app.inject({ method: "POST", url: "/collections/meta/query", headers, payload: body }),
      ),
    ).toEqual(expected);
    expect(await asked(() => post({ sql: "x", bbox: "170,-5,-170,5" }))).toEqual({
      bbox: [170, -5, -170, 5],
    });
  });

  it.each([
    "sql=x&bbox=1,2,3",
    "sql=x&bbox=1,2,3,",
    "sql=x&bbox=1,5,3,4",
    "sql=x&bbox=a,b,c,d",
    "sql=x&params=1",
    "sql=x&params=[1,",
    "sql=x&params=[[1]]",
    "sql=x&params=[NaN]",
    "sql=x&explain=maybe",
    "sql=x&limit=3",
    "sql=x&sql=y",
    "sql=",
    "",
  ])("is refused where it is wrong: %s", async (query) => {
    const answer = await get(query);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().code).toMatch(/^bad_(parameter|request)$/);
    expect(canned.asked).toBeUndefined();
  });

  it("is refused where it is too long", async () => {
    const answer = await post({ sql: "ü".repeat(32_769) });
    expect([answer.statusCode, answer.json().code]).toEqual([413, "too_large"]);
    expect((await post({ sql: "ü".repeat(32_768) })).statusCode).toBe(200);
  });

  it("keeps its errors' places", async () => {
    canned.failWith = new ZarrsiftError("unknown_column", "no column dat", {
      at: { offset: 20, line: 2, column: 7 },
      details: { column: "dat" },
    });
    const answer = await post({ sql: "x" });
    expect(answer.json()).toEqual({
      type: "about:blank",
      title: "Bad Request",
      status: 400,
      detail: "no column dat",
      code: "unknown_column",
      line: 2,
      column: 7,
      details: { column: "dat" },
    });
  });
});

describe("bodies", () => {
  it("keep integers exact", () => {
    const text = '{"a": 12345678901234567890, "b": 1.0, "c": -0, "d": [1e3], "__proto__": {"x": 1}}';
    const body = parseBody(text) as Record<string, unknown>;
    expect([body.a, body.b, body.c, body.d]).toEqual([12345678901234567890n, 1, -0, [1000]]);
    expect(Object.keys(body)).toContain("__proto__");
    expect((body as { x?: number }).x).toBeUndefined();
  });
});
