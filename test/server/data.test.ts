import { gunzipSync } from "node:zlib";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ZarrsiftError } from "../../src/errors.ts";
import { type AppOptions, buildApp } from "../../src/server/index.ts";
import { CannedCollection } from "./canned.ts";

const CHUNK = Buffer.from("0123456789");
const METADATA = Buffer.from(
  JSON.stringify({ zarr_format: 3, items: Array.from({ length: 300 }, (_, i) => `item ${i}`) }),
);

let app: FastifyInstance;
let canned: CannedCollection;
let base: string;
let logged: string[];

async function start(options: Partial<AppOptions> = {}) {
  await app?.close();
  canned = new CannedCollection("meta", {
    "zarr.json": { kind: "metadata", bytes: METADATA },
    "g/zarr.json": { kind: "metadata", bytes: Buffer.from("{}") },
    "g/a/c/0": { kind: "chunk", bytes: CHUNK },
    "g/a/c/missing": { kind: "chunk" },
    "g/a/c/broken": {
      kind: "chunk",
      fail: new ZarrsiftError("source_unreadable", "The source answered 503."),
    },
    "g/a/c/lost": { kind: "chunk", fail: new ZarrsiftError("not_found", "Something was not found.") },
    "g/a/c/bug": { kind: "chunk", fail: new TypeError("secret detail") as ZarrsiftError },
    "g/a/c/hang": { kind: "chunk", hang: true },
    "a b/50%25+ü/c/0": { kind: "chunk", bytes: Buffer.from("odd") },
  });
  logged = [];
  const logger = { level: "warn", stream: { write: (line: string) => void logged.push(line) } };
  app = await buildApp({ collections: [canned.as()], logger, ...options });
  const made = await app.inject({
    method: "POST",
    url: "/collections/meta/views",
    payload: { sql: "SELECT idx" },
  });
  base = new URL(made.json().v3).pathname;
}

const get = (key: string, headers: Record<string, string> = {}) =>
  app.inject({ url: `${base}${key}`, headers });

beforeEach(() => start());
afterEach(async () => {
  await app.close();
  expect(logged.filter((line) => line.includes("FST_"))).toEqual([]);
});

describe("chunks", () => {
  it("are sent whole, once read from memory", async () => {
    for (let i = 0; i < 3; i++) {
      const answer = await get("/g/a/c/0");
      expect(answer.statusCode).toBe(200);
      expect(answer.rawPayload.equals(CHUNK)).toBe(true);
      expect(answer.headers).toMatchObject({
        "content-length": "10",
        "content-type": "application/octet-stream",
        "accept-ranges": "bytes",
        etag: '"g/a/c/0"',
        "cache-control": "public, max-age=31536000, immutable",
        "access-control-allow-origin": "*",
      });
    }
    expect(canned.reads).toEqual(["g/a/c/0"]);
  });

  it.each(["/g/a/c/0", "/zarr.json"])(
    "are not sent from memory once the source has changed: %s",
    async (key) => {
      const inPath = "/collections/meta/sql/x/v3";
      for (const url of [base, inPath]) expect((await app.inject(url + key)).statusCode).toBe(200);
      canned.changed = true;
      for (const url of [base, inPath]) {
        for (const headers of [{}, { "if-none-match": `"${key.slice(1)}"` }, { range: "bytes=0-1" }]) {
          const answer = await app.inject({ url: url + key, headers });
          expect([answer.statusCode, answer.json().code]).toEqual([503, "source_changed"]);
        }
      }
    },
  );

  it("are measured by HEAD without being read", async () => {
    const head = await app.inject({ method: "HEAD", url: `${base}/g/a/c/0` });
    expect([head.statusCode, head.headers["content-length"], head.body]).toEqual([200, "10", ""]);
    expect(canned.reads).toEqual([]);
    await get("/g/a/c/0");
    const again = await app.inject({ method: "HEAD", url: `${base}/g/a/c/0` });
    expect({ ...again.headers, date: 0, "x-request-id": 0 }).toEqual({
      ...head.headers,
      date: 0,
      "x-request-id": 0,
    });
    expect((await app.inject({ method: "HEAD", url: `${base}/g/a/c/missing` })).statusCode).toBe(404);
    expect((await app.inject({ method: "HEAD", url: `${base}/g/a/c/broken` })).statusCode).toBe(502);
  });

  it.each(["cold", "from memory"])("are sent in parts, %s", async (state) => {
    if (state !== "cold") await get("/g/a/c/0");
    const part = await get("/g/a/c/0", { range: "bytes=2-4", "accept-encoding": "gzip" });
    expect([part.statusCode, part.body]).toEqual([206, "234"]);
    expect(part.headers).toMatchObject({
      "content-range": "bytes 2-4/10",
      "content-length": "3",
      etag: '"g/a/c/0"',
    });
    expect(part.headers["content-encoding"]).toBeUndefined();
    expect((await get("/g/a/c/0", { range: "bytes=-3" })).body).toBe("789");
    const outside = await get("/g/a/c/0", { range: "bytes=10-" });
    expect([outside.statusCode, outside.headers["content-range"], outside.json().code]).toEqual([
      416,
      "bytes */10",
      "bad_range",
    ]);
    expect((await get("/g/a/c/0", { range: "bytes=0-1,4-5" })).statusCode).toBe(200);
    expect((await get("/g/a/c/0", { range: "bytes=0-1", "if-range": '"other"' })).body).toBe("0123456789");
    expect((await get("/g/a/c/0", { range: "bytes=0-1", "if-range": '"g/a/c/0"' })).body).toBe("01");
  });

  it.each(["cold", "from memory"])("are not sent again to who has them, %s", async (state) => {
    if (state !== "cold") await get("/g/a/c/0");
    for (const tag of ['"g/a/c/0"', 'W/"g/a/c/0"', '"x", "g/a/c/0"', "*"]) {
      const answer = await get("/g/a/c/0", { "if-none-match": tag });
      expect([answer.statusCode, answer.body, answer.headers.etag]).toEqual([304, "", '"g/a/c/0"']);
      expect(answer.headers["cache-control"]).toContain("immutable");
    }
    expect((await get("/g/a/c/0", { "if-none-match": '"x"' })).statusCode).toBe(200);
    expect((await get("/g/a/c/missing", { "if-none-match": "*" })).statusCode).toBe(404);
  });

  it("are never compressed", async () => {
    const answer = await get("/g/a/c/0", { "accept-encoding": "gzip" });
    expect([answer.headers["content-encoding"], answer.headers.vary]).toEqual([undefined, undefined]);
  });

  it("are 404 only where they are absent", async () => {
    const statuses = async (...keys: string[]) =>
      Promise.all(keys.map(async (key) => (await get(key)).statusCode));
    expect(await statuses("/g/a/c/9", "/g/a/c/missing", "/nope/zarr.json")).toEqual([404, 404, 404]);
    expect(await statuses("/g/a/c/broken", "/g/a/c/lost", "/g/a/c/bug")).toEqual([502, 502, 500]);
    const bug = await get("/g/a/c/bug");
    expect(bug.json()).toMatchObject({ code: "internal", status: 500 });
    expect(bug.body).not.toContain("secret");
    const line = logged.findLast((text) => text.includes("secret detail"))!;
    expect(JSON.parse(line)).toMatchObject({ level: 50, reqId: bug.headers["x-request-id"] });
    expect(bug.headers["cache-control"]).toBe("no-store");
    const part = await get("/g/a/c/broken", { range: "bytes=0-1" });
    expect([part.statusCode, part.headers["content-range"], part.headers.etag]).toEqual([
      502,
      undefined,
      undefined,
    ]);
  });

  it("time out as errors", async () => {
    await start({ limits: { readMs: 50 } });
    const answer = await get("/g/a/c/hang");
    expect([answer.statusCode, answer.json().code, canned.aborted]).toEqual([504, "timeout", 1]);
  });
});

describe("keys", () => {
  it("are decoded once", async () => {
    expect((await get("/a%20b/50%2525%2B%C3%BC/c/0")).body).toBe("odd");
    expect((await get("/a%20b/50%2525+%C3%BC/c/0")).body).toBe("odd");
    expect((await get("/a%2520b/50%2525+%C3%BC/c/0")).statusCode).toBe(404);
    expect((await get("/a+b/50%2525+%C3%BC/c/0")).statusCode).toBe(404);
  });

  it.each(["//zarr.json", "/g//zarr.json", "/g%2Fzarr.json", "/%zz", "/g/%00"])(
    "are refused where they are none: %s",
    async (key) => {
      const answer = await get(key);
      expect([answer.statusCode, answer.json().code]).toEqual([400, "bad_request"]);
      expect(canned.reads).toEqual([]);
    },
  );
});

describe("metadata", () => {
  it("is compressed where asked, with a tag of its own", async () => {
    const plain = await get("/zarr.json");
    const small = await get("/zarr.json", { "accept-encoding": "gzip, deflate" });
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(small.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(small.rawPayload).equals(plain.rawPayload)).toBe(true);
    expect(small.headers["content-length"]).toBe(String(small.rawPayload.length));
    expect(small.headers.etag).not.toBe(plain.headers.etag);
    expect([plain.headers.vary, small.headers.vary]).toEqual(["Accept-Encoding", "Accept-Encoding"]);
    const again = await get("/zarr.json", {
      "accept-encoding": "gzip",
      "if-none-match": small.headers.etag as string,
    });
    expect([again.statusCode, again.headers.vary]).toEqual([304, "Accept-Encoding"]);
    const head = await app.inject({
      method: "HEAD",
      url: `${base}/zarr.json`,
      headers: { "accept-encoding": "gzip" },
    });
    expect(head.headers["content-length"]).toBe(small.headers["content-length"]);
    const part = await get("/zarr.json", { "accept-encoding": "gzip", range: "bytes=0-9" });
    expect([part.statusCode, part.headers["content-encoding"], part.body]).toEqual([
      206,
      undefined,
      METADATA.toString().slice(0, 10),
    ]);
    expect(canned.reads).toEqual(["zarr.json"]);
  });
});

describe("groups", () => {
  it.each(["", "/", "/g", "/g/"])("list their children as links: %s", async (path) => {
    const answer = await get(path);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(answer.body).toContain('<a href="zarr.json">');
    const head = await app.inject({ method: "HEAD", url: `${base}${path}` });
    expect(head.headers["content-length"]).toBe(answer.headers["content-length"]);
    expect((await get(path, { "if-none-match": answer.headers.etag as string })).statusCode).toBe(304);
  });

  it("that are absent are 404", async () => {
    expect((await get("/nope/")).statusCode).toBe(404);
  });
});

describe("views that are not there", () => {
  it.each([
    "/views/nope/v3/zarr.json",
    "/views/nope/v2/.zgroup",
    "/views/nope/v3/",
    "/views/nope/v3/g/a/c/0",
  ])("are gone: %s", async (url) => {
    const answer = await app.inject(url);
    expect([answer.statusCode, answer.json().code]).toEqual([410, "gone"]);
  });

  it("are gone once deleted, from memory too", async () => {
    await get("/g/a/c/0");
    expect((await app.inject({ method: "DELETE", url: base.replace("/v3", "") })).statusCode).toBe(204);
    expect((await get("/g/a/c/0")).statusCode).toBe(410);
  });

  it("are gone once expired, from memory too", async () => {
    const made = await app.inject({
      method: "POST",
      url: "/collections/meta/views",
      payload: { sql: "soon", ttl: 100 },
    });
    const url = `${new URL(made.json().v3).pathname}/g/a/c/0`;
    expect((await app.inject(url)).statusCode).toBe(200);
    const later = Date.now() + 101_000;
    vi.spyOn(Date, "now").mockReturnValue(later);
    try {
      expect((await app.inject(url)).statusCode).toBe(410);
      expect((await app.inject(`/views/${made.json().id}`)).statusCode).toBe(404);
    } finally {
      vi.restoreAllMocks();
    }
  });
});

describe("methods", () => {
  it.each(["PUT", "POST", "DELETE", "PATCH", "PROPFIND"])(
    "%s is not possible below a view",
    async (method) => {
      for (const key of ["/zarr.json", "/nope/zarr.json", ""]) {
        const answer = await app.inject({
          method: method as "PUT",
          url: `${base}${key}`,
          headers: { "content-type": "application/octet-stream" },
          payload: "x",
        });
        expect([answer.statusCode, answer.headers.allow, answer.json().code]).toEqual([
          405,
          "GET, HEAD, OPTIONS",
          "method_not_allowed",
        ]);
      }
    },
  );

  it("are told to browsers", async () => {
    const answer = await app.inject({
      method: "OPTIONS",
      url: `${base}/zarr.json`,
      headers: {
        origin: "http://x",
        "access-control-request-method": "GET",
        "access-control-request-headers": "range",
      },
    });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
    expect(answer.headers["access-control-allow-methods"]).toBe("GET, HEAD, OPTIONS");
    expect(answer.headers["access-control-allow-headers"]).toMatch(/Range, If-None-Match, .*Content-Type/);
    expect((await get("/zarr.json")).headers["access-control-expose-headers"]).toMatch(
      /^ETag, Content-Range, Content-Length, Accept-Ranges,/,
    );
  });
});

describe("queries in the path", () => {
  const path = (sql: string, rest = "/v3/g/a/c/0", name = "meta") =>
    `/collections/${name}/sql/${encodeURIComponent(sql)}${rest}`;

  it("are answered once, for all who ask", async () => {
    const before = canned.views;
    canned.queryMs = 30;
    const answers = await Promise.all(
      ["/v3/g/a/c/0", "/v3/zarr.json", "/v2/zarr.json"].map((rest) => app.inject(path("a / b", rest))),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
    expect(answers[0]!.headers["cache-control"]).toBe("no-cache");
    expect(canned.views - before).toBe(1);
    const code = Buffer.from("a / b").toString("base64url");
    expect((await app.inject(`/collections/meta/sql64/${code}/v3/g/a/c/0`)).body).toBe("0123456789");
    expect(canned.views - before).toBe(1);
  });

  it("are kept while they are in use, and no longer", async () => {
    const before = canned.views;
    const clock = vi.spyOn(Date, "now");
    const start = Date.now();
    try {
      for (const minutes of [0, 9, 18, 27]) {
        clock.mockReturnValue(start + minutes * 60_000);
        expect((await app.inject(path("kept"))).statusCode).toBe(200);
      }
      expect(canned.views - before).toBe(1);
      clock.mockReturnValue(start + 38 * 60_000);
      await app.inject(path("kept"));
      expect(canned.views - before).toBe(2);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it("do not keep a failure", async () => {
    canned.failWith = new ZarrsiftError("source_unreadable", "not now");
    expect((await app.inject(path("x"))).statusCode).toBe(502);
    canned.failWith = undefined;
    expect((await app.inject(path("x"))).statusCode).toBe(200);
  });

  it("have the errors of their SQL", async () => {
    canned.failWith = new ZarrsiftError("sql_syntax", "no", { at: { offset: 3, line: 1, column: 4 } });
    const answer = await app.inject(path("x"));
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: "sql_syntax", line: 1, column: 4 });
    canned.failWith = undefined;
    expect((await app.inject(path("SELECT idx WHERE date < now()"))).json().code).toBe("sql_unsupported");
  });

  it("of unknown collections are gone", async () => {
    for (const rest of ["/v3/zarr.json", "/v2/.zgroup", "/v3"]) {
      expect((await app.inject(path("x", rest, "nope"))).statusCode).toBe(410);
    }
  });

  it("are turned away where there is no room left", async () => {
    await start({ limits: { pinnedRows: 100_010 } });
    expect((await app.inject(path("one"))).statusCode).toBe(200);
    expect((await app.inject(path("two"))).statusCode).toBe(200);
    const third = await app.inject(path("three"));
    expect([third.statusCode, third.headers["retry-after"]]).toEqual([429, "1"]);
    expect((await app.inject(path("one"))).statusCode).toBe(200);
  });

  it("pin a ref where the server opens refs", async () => {
    expect((await app.inject(path("x", "/v3/zarr.json", "meta@r"))).json().code).toBe("bad_parameter");
    const opened: string[] = [];
    const openRef = async (name: string, ref: string) => {
      opened.push(`${name} ${ref}`);
      if (ref === "nope") throw new ZarrsiftError("not_found", "no such ref");
      return canned.as();
    };
    await start({ openRef });
    expect((await app.inject(path("x", "/v3/zarr.json", "meta@feature%2Fa"))).headers["cache-control"]).toBe(
      "no-cache",
    );
    expect((await app.inject(path("x", "/v3/zarr.json", "meta@v1"))).headers["cache-control"]).toContain(
      "immutable",
    );
    expect((await app.inject(path("y", "/v3/zarr.json", "meta@v1"))).statusCode).toBe(200);
    expect((await app.inject(path("x", "/v3/zarr.json", "meta@nope"))).statusCode).toBe(410);
    expect((await app.inject("/collections/meta@v1")).statusCode).toBe(200);
    expect((await app.inject("/collections/meta@nope")).statusCode).toBe(404);
    expect(opened).toEqual(["meta feature/a", "meta v1", "meta nope", "meta nope"]);
  });

  it("may be 8 KiB long and no longer", async () => {
    expect((await app.inject(path("ü".repeat(4096)))).statusCode).toBe(200);
    const long = await app.inject(path("x".repeat(8193)));
    expect([long.statusCode, long.json().code]).toEqual([414, "url_too_long"]);
  });
});
