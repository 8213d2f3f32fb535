import { type AddressInfo, connect } from "node:net";
import type { FastifyInstance } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { type AppOptions, buildApp } from "../../src/server/index.ts";
import { CannedCollection } from "./canned.ts";

const CHUNK = Buffer.alloc(100_000, "chunk");

let app: FastifyInstance;
let canned: CannedCollection;
let origin: string;

async function listen(limits: AppOptions["limits"] = {}, logger: AppOptions["logger"] = false) {
  canned = new CannedCollection("meta", {
    "zarr.json": { kind: "metadata", bytes: Buffer.from("{}") },
    "a/c/0": { kind: "chunk", bytes: CHUNK },
    "a/c/hang": { kind: "chunk", hang: true },
  });
  app = await buildApp({ collections: [canned.as()], logger, limits });
  origin = await app.listen({ port: 0, host: "127.0.0.1" });
}
afterEach(() => app.close());

const query = (signal?: AbortSignal) =>
  fetch(`${origin}/collections/meta/query?sql=x`, signal ? { signal } : {});
const inPath = (sql: string, rest = "/v3/a/c/0") => `/collections/meta/sql/${encodeURIComponent(sql)}${rest}`;

/** Sends bytes as they are and gives back all that comes; `error` where the connection was reset. */
async function raw(text: string): Promise<{ answer: string; error: string | undefined }> {
  const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
  const parts: Buffer[] = [];
  let error: string | undefined;
  socket.on("data", (part) => parts.push(part));
  socket.on("error", (cause: NodeJS.ErrnoException) => (error = cause.code));
  socket.write(text);
  await new Promise((resolve) => socket.on("close", resolve));
  return { answer: Buffer.concat(parts).toString("latin1"), error };
}

const get = (target: string, headers = "") =>
  raw(`GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${headers}\r\n`);

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}

describe("over a socket", () => {
  it("chunks have a length and no transfer encoding", async () => {
    await listen();
    for (let i = 0; i < 2; i++) {
      const { answer } = await get(inPath("x"));
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(answer).toMatch(/\r\ncontent-length: 100000\r\n/i);
      expect(answer).not.toMatch(/transfer-encoding/i);
      expect(answer.slice(answer.indexOf("\r\n\r\n") + 4)).toBe(CHUNK.toString());
    }
  });

  it("keys with dots in them never lead elsewhere", async () => {
    await listen();
    for (const target of [
      inPath("x", "/v3/a/../zarr.json"),
      inPath("x", "/v3/%2e%2e/zarr.json"),
      inPath("x", "/v3//zarr.json"),
    ]) {
      expect((await get(target)).answer).toMatch(/^HTTP\/1\.1 400 /);
    }
  });

  it("targets may name the host, as through a proxy", async () => {
    await listen();
    expect((await get(`http://h${inPath("x", "/v3/zarr.json")}`)).answer).toMatch(
      /^HTTP\/1\.1 200 [\s\S]*\{\}$/,
    );
    expect((await get("http://h/healthz")).answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("8 KiB of SQL fit, whatever its encoding takes; more is 414", async () => {
    await listen();
    const long = "ü".repeat(4096);
    expect((await fetch(origin + inPath(long))).status).toBe(200);
    expect((await fetch(origin + inPath(`${long}x`))).status).toBe(414);
    const { answer } = await get(inPath("x".repeat(100_000)));
    expect(answer).toMatch(/^HTTP\/1\.1 414 /);
    expect(answer).toMatch(/"code":"url_too_long"/);
  });

  it("what is no request is a problem, too", async () => {
    await listen();
    const nonsense = await raw("HELLO\r\n\r\n");
    expect(nonsense.answer).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\nx-request-id: [\w-]{36}\r\nzarrsift-version: /,
    );
    expect(nonsense.answer).toMatch(/application\/problem\+json[\s\S]*"code":"bad_request"/);
    expect((await get("/healthz", `X-Long: ${"x".repeat(100_000)}\r\n`)).answer).toMatch(
      /^HTTP\/1\.1 4(?:31|14) /,
    );
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
  });

  it("a request without Host is a problem with an id; HTTP/1.0 needs none", async () => {
    await listen();
    const { answer } = await raw("GET /healthz HTTP/1.1\r\nConnection: close\r\nX-Request-Id: me-1\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\nx-request-id: me-1\r\n/);
    expect(answer).toMatch(/application\/problem\+json[\s\S]*"code":"bad_request"/);
    expect((await raw("GET /healthz HTTP/1.0\r\n\r\n")).answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("a PUT is refused without its body being read", async () => {
    await listen();
    const answer = await fetch(origin + inPath("x", "/v3/zarr.json"), { method: "PUT", body: CHUNK });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    expect(canned.views).toBe(0);
  });
});

describe("a client that hangs up", () => {
  it("is no error of the server, even in the middle of a body", async () => {
    const logged: string[] = [];
    await listen({}, { level: "warn", stream: { write: (line: string) => void logged.push(line) } });
    const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
    const head = "Host: h\r\nContent-Type: application/json\r\nContent-Length: 100";
    socket.write(`POST /collections/meta/views HTTP/1.1\r\n${head}\r\n\r\n{"sql":`);
    await new Promise((resolve) => app.server.once("request", resolve));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(logged).toEqual([]);
  });

  it("stops the read of its chunk", async () => {
    await listen();
    const controller = new AbortController();
    const answer = fetch(origin + inPath("x", "/v3/a/c/hang"), { signal: controller.signal });
    await until(() => canned.reads.length === 1);
    controller.abort();
    await expect(answer).rejects.toThrow();
    await until(() => canned.aborted === 1);
  });

  it("stops its query, running or waiting", async () => {
    await listen({ queries: 1 });
    canned.queryMs = 10_000;
    const [a, b] = [new AbortController(), new AbortController()];
    const running = query(a.signal);
    await until(() => canned.running === 1);
    const waiting = query(b.signal);
    const waited = async () =>
      (await (await fetch(`${origin}/metrics`)).text()).includes("zarrsift_queries_waiting 1\n");
    for (let i = 0; i < 100 && !(await waited()); i++);
    expect(await waited()).toBe(true);
    b.abort();
    a.abort();
    await expect(running).rejects.toThrow();
    await expect(waiting).rejects.toThrow();
    await until(() => canned.aborted >= 1 && canned.running === 0);
    canned.queryMs = 0;
    expect((await query()).status).toBe(200);
  });

  it("does not fail others who wait for the same query in the path", async () => {
    await listen();
    canned.queryMs = 200;
    const controller = new AbortController();
    const first = fetch(origin + inPath("x"), { signal: controller.signal });
    await until(() => canned.running === 1);
    const second = fetch(origin + inPath("x", "/v3/zarr.json"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    controller.abort();
    await expect(first).rejects.toThrow();
    expect((await second).status).toBe(200);
    expect([canned.views, canned.aborted]).toEqual([1, 0]);
  });
});

describe("limits", () => {
  it("so many queries run, so many wait, the rest are told to come back", async () => {
    await listen({ queries: 2, waiting: 3 });
    canned.queryMs = 300;
    const answers = await Promise.all(Array.from({ length: 7 }, () => query()));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 429, 429]);
    const busy = answers.find(({ status }) => status === 429)!;
    expect(busy.headers.get("retry-after")).toBe("1");
    expect(await busy.json()).toMatchObject({ code: "busy" });
  });

  it("queries take so long and no longer", async () => {
    await listen({ queryMs: 50 });
    canned.queryMs = 5000;
    const answer = await query();
    expect([answer.status, (await answer.json()).code, canned.aborted]).toEqual([504, "timeout", 1]);
    const inUrl = await fetch(origin + inPath("x"));
    expect([inUrl.status, (await inUrl.json()).code]).toEqual([504, "timeout"]);
  });
});

describe("a failure after the first byte", () => {
  const late = async () => {
    await listen({ bufferBytes: 2000 });
    canned.batches = Array.from({ length: 50 }, (_, i) =>
      Array.from({ length: 5000 }, (_, j) => i * 5000 + j),
    );
    canned.lateError = new Error("the source broke");
  };

  it.each(["json", "ndjson", "csv", "arrow", "geojson"])(
    "cuts the answer, which nobody can take for whole: %s",
    async (format) => {
      await late();
      if (format === "geojson")
        canned.geometry = Array.from({ length: 5000 }, (_, i) => `POINT(${i % 90} 1)`);
      const answer = await fetch(`${origin}/collections/meta/query?sql=x&format=${format}`);
      expect(answer.status).toBe(200);
      await expect(answer.text()).rejects.toThrow();
      // HTTP/1.0 marks a body's end by the connection's end alone.
      const old = await raw(`GET /collections/meta/query?sql=x&format=${format} HTTP/1.0\r\nHost: h\r\n\r\n`);
      expect(old.answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*HTTP\/1\.0 cannot stream/);
      expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    },
  );

  it("is a problem while nothing was sent", async () => {
    await late();
    canned.batches = [[1, 2, 3]];
    const answer = await query();
    expect([answer.status, (await answer.json()).code]).toEqual([500, "internal"]);
  });
});

describe("closing", () => {
  it("lets running requests end", async () => {
    await listen();
    canned.queryMs = 200;
    const running = query();
    await until(() => canned.running === 1);
    const closed = app.close();
    const answer = await running;
    expect([answer.status, (await answer.json()).count]).toEqual([200, 3]);
    await closed;
    await expect(fetch(`${origin}/healthz`)).rejects.toThrow();
  });

  it("stops what does not end in time", async () => {
    await listen({ graceMs: 100 });
    canned.queryMs = 60_000;
    const running = query();
    await until(() => canned.running === 1);
    const before = Date.now();
    const closed = app.close();
    const answer = await running;
    expect([answer.status, (await answer.json()).code]).toEqual([503, "shutting_down"]);
    await closed;
    expect(Date.now() - before).toBeLessThan(15_000);
    expect(canned.aborted).toBe(1);
  });
});
