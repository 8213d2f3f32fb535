import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildApp } from "../../src/server/index.ts";
import { VERSION } from "../../src/server/version.ts";
import { CannedCollection } from "./canned.ts";

let app: FastifyInstance;
const canned = new CannedCollection("ascat winds", {
  "zarr.json": { kind: "metadata", bytes: Buffer.from("{}") },
});

beforeEach(async () => {
  const sourceCounts = () => [{ collection: "ascat winds", requests: 7, bytes: 1234 }];
  app = await buildApp({ collections: [canned.as()], logger: false, sourceCounts });
});
afterEach(() => app.close());

describe("every answer", () => {
  it.each([
    ["GET", "/"],
    ["GET", "/nope"],
    ["GET", "/%zz"],
    ["GET", "/views/nope/v3/zarr.json"],
    ["PUT", "/healthz"],
    ["OPTIONS", "/views"],
    ["POST", "/collections/ascat%20winds/query"],
    ["GET", `/views/${"a".repeat(2000)}`],
  ])("says which request and which version: %s %s", async (method, url) => {
    const answer = await app.inject({
      method: method as "GET",
      url,
      headers: { "x-request-id": "client-1" },
    });
    expect(answer.headers).toMatchObject({
      "x-request-id": "client-1",
      "zarrsift-version": VERSION,
      "access-control-allow-origin": "*",
    });
    if (answer.statusCode >= 400) {
      expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
      expect(answer.json()).toMatchObject({
        type: "about:blank",
        status: answer.statusCode,
        title: expect.any(String),
        code: expect.any(String),
      });
    }
  });

  it("gets an id of its own where the client's is not sane", async () => {
    const ids = await Promise.all(
      ["x".repeat(200), "a b", "ok-1", undefined].map(
        async (id) =>
          (await app.inject({ url: "/healthz", headers: id === undefined ? {} : { "x-request-id": id } }))
            .headers["x-request-id"],
      ),
    );
    expect(ids[2]).toBe("ok-1");
    for (const i of [0, 1, 3]) expect(ids[i]).toMatch(/^[\w-]{36}$/);
  });
});

describe("the service", () => {
  it("describes itself", async () => {
    const answer = await app.inject({ url: "/", headers: { host: "data.example.org:81" } });
    expect(answer.json()).toMatchObject({
      name: "zarrsift",
      version: VERSION,
      collections: "http://data.example.org:81/collections",
    });
  });

  it("is alive and ready", async () => {
    expect((await app.inject("/healthz")).json()).toEqual({ status: "ok" });
    expect((await app.inject("/readyz")).json()).toEqual({ status: "ready", collections: 1 });
  });

  it("lists collections, and describes one", async () => {
    const list = (await app.inject({ url: "/collections", headers: { host: "h" } })).json();
    expect(list).toEqual({
      collections: [{ name: "ascat winds", rows: 10, url: "http://h/collections/ascat%20winds" }],
    });
    expect((await app.inject(new URL(list.collections[0].url).pathname)).json()).toMatchObject({
      name: "ascat winds",
      version: "v1",
    });
    const unknown = await app.inject("/collections/nope");
    expect([unknown.statusCode, unknown.json().detail]).toEqual([
      404,
      'There is no collection "nope"; there are: ascat winds',
    ]);
  });

  it("keeps /t/ free", async () => {
    const answer = await app.inject("/t/secret/views/x/v3/zarr.json");
    expect([answer.statusCode, answer.json().detail]).toEqual([410, expect.stringContaining("reserved")]);
  });

  it.each([
    "/views//v3/zarr.json",
    "//views/x/v3/zarr.json",
    "/collections//sql/a/v3/zarr.json",
    "/%76iews/x/v3/zarr.json",
    "/views//v2",
    "/views//%76%33/zarr.json",
    "/VIEWS/x/V3/zarr.json?a=1",
    "/zarr/v2/.zgroup",
    "/t/x/views/y/v3/a/c/0",
    "/t/x/zarr.json",
  ])("never takes for absent what may be a key: %s", async (url) => {
    for (const method of ["GET", "HEAD"] as const) {
      const answer = await app.inject({ method, url });
      expect([answer.statusCode, answer.headers["content-type"]]).toEqual([
        410,
        "application/problem+json; charset=utf-8",
      ]);
    }
    expect((await app.inject(url)).json()).toMatchObject({ code: "gone", status: 410 });
  });

  it.each(["/nothing", "/v33/x", "/x?path=/v3/"])("has nothing at %s", async (url) => {
    expect((await app.inject(url)).statusCode).toBe(404);
  });

  it("answers with and without a slash, and knows case", async () => {
    const statuses = ["/views/", "/collections/", "/healthz/", "/Views", "//views"].map(
      async (url) => (await app.inject(url)).statusCode,
    );
    expect(await Promise.all(statuses)).toEqual([200, 200, 200, 404, 404]);
  });

  it.each([
    ["PUT", "/collections/x/query", "GET, HEAD, POST, OPTIONS"],
    ["DELETE", "/", "GET, HEAD, OPTIONS"],
    ["POST", "/views", "GET, HEAD, OPTIONS"],
    ["PATCH", "/views/x/", "DELETE, GET, HEAD, OPTIONS"],
    ["GET", "/collections/x/views", "POST, OPTIONS"],
  ])("answers %s %s with 405", async (method, url, allow) => {
    const answer = await app.inject({ method: method as "GET", url });
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, allow]);
  });

  it("refuses names that URLs cannot tell apart", async () => {
    const two = [new CannedCollection("a", {}).as(), new CannedCollection("a", {}).as()];
    await expect(buildApp({ collections: two, logger: false })).rejects.toMatchObject({
      code: "bad_parameter",
    });
    await expect(
      buildApp({ collections: [new CannedCollection("a@b", {}).as()], logger: false }),
    ).rejects.toMatchObject({ code: "bad_parameter" });
  });
});

describe("metrics", () => {
  it("count requests, bytes, views and reads of sources", async () => {
    const made = await app.inject({
      method: "POST",
      url: "/collections/ascat%20winds/views",
      payload: { sql: "x" },
    });
    const path = new URL(made.json().v3).pathname;
    await app.inject(`${path}/zarr.json`);
    await app.inject(`${path}/zarr.json`);
    await app.inject(`${path}/nope`);
    const answer = await app.inject("/metrics");
    expect(answer.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const line of [
      'zarrsift_http_requests_total{route="/views/:id/data",status="2xx"} 2',
      'zarrsift_http_requests_total{route="/views/:id/data",status="4xx"} 1',
      'zarrsift_cache_lookups_total{result="hit"} 1',
      'zarrsift_cache_lookups_total{result="miss"} 1',
      'zarrsift_http_request_duration_seconds_count{route="/views/:id/data"} 3',
      "zarrsift_views 1",
      "zarrsift_queries_running 0",
      "zarrsift_queries_waiting 0",
      'zarrsift_source_requests{collection="ascat winds"} 7',
      'zarrsift_source_bytes{collection="ascat winds"} 1234',
    ]) {
      expect(answer.body).toContain(`${line}\n`);
    }
    expect(answer.body).toMatch(/zarrsift_http_response_bytes_total\{route="\/views\/:id\/data"\} \d{3}\n/);
  });
});

describe("documentation", () => {
  it("describes every route with its errors", async () => {
    const api = (await app.inject("/openapi.json")).json();
    expect(api.openapi).toBe("3.1.0");
    expect(Object.keys(api.paths).sort()).toEqual([
      "/",
      "/collections",
      "/collections/{name}",
      "/collections/{name}/query",
      "/collections/{name}/sql/{sql}/{face}/{key}",
      "/collections/{name}/sql64/{sql}/{face}/{key}",
      "/collections/{name}/views",
      "/docs",
      "/healthz",
      "/metrics",
      "/readyz",
      "/views",
      "/views/{id}",
      "/views/{id}/kerchunk.json",
      "/views/{id}/{face}/{key}",
    ]);
    for (const methods of Object.values<object>(api.paths)) {
      for (const operation of Object.values<{
        summary: string;
        responses: Record<string, { content: object }>;
      }>(methods as never)) {
        expect(operation.summary).toBeTruthy();
        expect(operation.responses.default!.content).toEqual({
          "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } },
        });
      }
    }
    expect(api.components.schemas.Problem.properties.code.enum).toContain("granule_missing");
  });

  it("is a page that loads nothing from elsewhere", async () => {
    const page = await app.inject("/docs");
    expect(page.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(page.headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'sha256-/);
    expect(page.body).not.toMatch(/(?:src|href)=|https?:/);
    const script = /<script>([\s\S]*)<\/script>/.exec(page.body)![1]!;
    const digest = createHash("sha256").update(script).digest("base64");
    expect(page.headers["content-security-policy"]).toContain(`'sha256-${digest}'`);
    expect(() => new Function(script)).not.toThrow();
  });
});
