import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { messageOf } from "../../src/errors.ts";
import { HttpStore } from "../../src/store/http/http.ts";
import { type Handler, sendBytes, TestServer } from "./server.ts";

const body = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
const list = (value: Uint8Array | undefined) => value && [...value];
const patience = { retries: 3, backoffMs: 1, timeoutMs: 10_000 };
const servers: TestServer[] = [];

async function serve(handler: Handler): Promise<TestServer> {
  const server = await TestServer.start(handler);
  servers.push(server);
  return server;
}

/** A store whose server does this; `then` from the second request on. */
async function storeOf(handler: Handler, then: Handler = handler, timeoutMs = patience.timeoutMs) {
  let count = 0;
  const server = await serve((request, response) => (count++ === 0 ? handler : then)(request, response));
  return { server, store: new HttpStore(server.url, { ...patience, timeoutMs }) };
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const ok: Handler = (request, response) => sendBytes(request, response, body);
const status =
  (code: number, headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    response.writeHead(code, headers).end("<html>some page</html>");
  };
const cut: Handler = (_, response) => {
  response.writeHead(200, { "content-length": "1000" });
  response.write(body.subarray(0, 400));
  setTimeout(() => response.destroy(), 10);
};
const hang: Handler = () => {};

describe("statuses", () => {
  it("403 is an error that names --absent, at once", async () => {
    const { server, store } = await storeOf(status(403));
    await expect(store.get("c/0")).rejects.toMatchObject({ code: "source_forbidden" });
    expect(messageOf(await store.get("c/0").catch((error) => error))).toContain("--absent 404,403");
    await expect(store.getRange("c/0", { offset: 0, length: 1 })).rejects.toMatchObject({
      code: "source_forbidden",
    });
    await expect(store.getRange("c/0", { suffixLength: 1 })).rejects.toMatchObject({
      code: "source_forbidden",
    });
    await expect(store.stat("c/0")).rejects.toMatchObject({ code: "source_forbidden" });
    expect(server.log.filter((line) => line === "GET /c/0")).toHaveLength(2);
  });

  it("403 is absent where that was said, and 404 no more", async () => {
    const { server } = await storeOf(status(403));
    const store = new HttpStore(server.url, { ...patience, absent: [403] });
    expect(await store.get("c/0")).toBeUndefined();
    expect(await store.stat("c/0")).toBeUndefined();
    const other = new HttpStore((await storeOf(status(404))).server.url, { ...patience, absent: [403] });
    await expect(other.get("c/0")).rejects.toMatchObject({ code: "source_unreadable" });
  });

  it("404 is absent; 401, 410, 400, 204 are errors", async () => {
    expect(await (await storeOf(status(404))).store.get("c/0")).toBeUndefined();
    for (const [code, expected] of [
      [401, "source_forbidden"],
      [410, "source_unreadable"],
      [400, "source_unreadable"],
      [204, "source_unreadable"],
    ] as const) {
      const { server, store } = await storeOf(status(code));
      await expect(store.get("c/0"), String(code)).rejects.toMatchObject({ code: expected });
      expect(server.log).toHaveLength(1);
    }
  });

  it("500 then 200 is bytes", async () => {
    const { server, store } = await storeOf(status(500), ok);
    expect(list(await store.get("c/0"))).toEqual(list(body));
    expect(server.log).toHaveLength(2);
  });

  it("500 for ever ends as an error that says how often", async () => {
    const { server, store } = await storeOf(status(500));
    await expect(store.get("c/0")).rejects.toThrow("answered 500 4 times");
    expect(server.log).toHaveLength(4);
  });

  it("429 waits as long as Retry-After says", async () => {
    const { store } = await storeOf(status(429, { "retry-after": "1" }), ok);
    const start = Date.now();
    expect(list(await store.get("c/0"))).toEqual(list(body));
    expect(Date.now() - start).toBeGreaterThanOrEqual(990);
  });

  it("503 with a Retry-After of an hour fails now", async () => {
    const { server, store } = await storeOf(status(503, { "retry-after": "3600" }), ok);
    await expect(store.get("c/0")).rejects.toMatchObject({ code: "source_unreadable" });
    expect(server.log).toHaveLength(1);
  });

  it("redirects are followed", async () => {
    const { server, store } = await storeOf(status(302, { location: "/elsewhere/c/0" }), ok);
    expect(list(await store.get("c/0"))).toEqual(list(body));
    expect(server.log.at(-1)).toBe("GET /elsewhere/c/0");
  });
});

describe("broken answers", () => {
  it("a body cut short is asked for again", async () => {
    const { server, store } = await storeOf(cut, ok);
    expect(list(await store.get("c/0"))).toEqual(list(body));
    expect(server.log).toHaveLength(2);
  });

  it("a body always cut short is an error, whole and in ranges", async () => {
    const { store } = await storeOf(cut);
    await expect(store.get("c/0")).rejects.toMatchObject({ code: "source_unreadable" });
    await expect(store.getRange("c/0", { offset: 0, length: 10 })).rejects.toMatchObject({
      code: "source_unreadable",
    });
  });

  it("a chunked body cut short is an error", async () => {
    const { store } = await storeOf((_, response) => {
      response.writeHead(200);
      response.write(body.subarray(0, 400));
      setTimeout(() => response.destroy(), 10);
    });
    await expect(store.get("c/0")).rejects.toMatchObject({ code: "source_unreadable" });
  });

  it("a server that is not there is an error", async () => {
    const server = await serve(ok);
    await server.stop();
    await expect(new HttpStore(server.url, patience).get("c/0")).rejects.toMatchObject({
      code: "source_unreadable",
    });
  });

  it("a server that hangs is a timeout, before headers and amid a body, after one more try", async () => {
    const { server, store } = await storeOf(hang, hang, 200);
    await expect(store.get("c/0")).rejects.toMatchObject({ code: "timeout" });
    expect(server.log).toHaveLength(2);
    const half: Handler = (_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write(body.subarray(0, 400));
    };
    const midway = await storeOf(half, half, 200);
    await expect(midway.store.get("c/0")).rejects.toMatchObject({ code: "timeout" });
    await expect((await storeOf(hang, hang, 200)).store.stat("c/0")).rejects.toMatchObject({
      code: "timeout",
    });
  });

  it("a slow body is waited for as long as it comes", async () => {
    const slow: Handler = (_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      let at = 0;
      const more = setInterval(() => {
        response.write(body.subarray(at, at + 100));
        at += 100;
        if (at === 1000) {
          clearInterval(more);
          response.end();
        }
      }, 200);
    };
    const { server, store } = await storeOf(slow, slow, 1500);
    expect(list(await store.get("c/0"))).toEqual(list(body));
    expect(server.log).toHaveLength(1);
  });

  it("a gzip'ed answer is undone, and asked not to be", async () => {
    const gzip: Handler = (_, response) => {
      const packed = gzipSync(body);
      response
        .writeHead(200, { "content-encoding": "gzip", "content-length": String(packed.length) })
        .end(packed);
    };
    const { server, store } = await storeOf(gzip);
    expect(list(await store.get("c/0"))).toEqual(list(body));
    expect(list(await store.getRange("c/0", { offset: 5, length: 3 }))).toEqual([5, 6, 7]);
    expect((await store.stat("c/0"))?.size).toBe(1000);
    expect(server.requests[0]!.headers["accept-encoding"]).toBe("identity");
  });
});

describe("ranges", () => {
  const range = { offset: 100, length: 10 };
  const expected = list(body.subarray(100, 110));

  it("are asked for as such", async () => {
    const { server, store } = await storeOf(ok);
    expect(list(await store.getRange("c/0", range))).toEqual(expected);
    expect(list(await store.getRange("c/0", { suffixLength: 4 }))).toEqual(list(body.subarray(996)));
    expect(server.log).toEqual(["GET /c/0 bytes=100-109", "GET /c/0 bytes=-4"]);
  });

  it("that the server ignores are cut here", async () => {
    const { store } = await storeOf((request, response) => {
      delete request.headers.range;
      sendBytes(request, response, body);
    });
    expect(list(await store.getRange("c/0", range))).toEqual(expected);
    expect(list(await store.getRange("c/0", { suffixLength: 4 }))).toEqual(list(body.subarray(996)));
    await expect(store.getRange("c/0", { offset: 995, length: 6 })).rejects.toMatchObject({
      code: "source_unreadable",
    });
  });

  it("with another Content-Range, or of another length, are errors", async () => {
    const answers: [string | undefined, number][] = [
      ["bytes 0-9/1000", 10],
      ["bytes 100-104/1000", 5],
      ["bytes 100-119/1000", 20],
      [undefined, 11],
    ];
    for (const [header, length] of answers) {
      const { store } = await storeOf((_, response) => {
        response.writeHead(206, header === undefined ? {} : { "content-range": header });
        response.end(body.subarray(0, length));
      });
      await expect(store.getRange("c/0", range), header).rejects.toMatchObject({ code: "source_unreadable" });
    }
  });

  it("without Content-Range, as browsers may show them, count if the length is right", async () => {
    const { store } = await storeOf((_, response) => {
      response.writeHead(206).end(body.subarray(100, 110));
    });
    expect(list(await store.getRange("c/0", range))).toEqual(expected);
  });

  it("a 206 that nobody asked for is no value, unless it is all of it", async () => {
    const part = await storeOf((_, response) => {
      response.writeHead(206, { "content-range": "bytes 0-9/1000" }).end(body.subarray(0, 10));
    });
    await expect(part.store.get("c/0")).rejects.toMatchObject({ code: "source_unreadable" });
    const whole = await storeOf((_, response) => {
      response.writeHead(206, { "content-range": "bytes 0-999/1000" }).end(body);
    });
    expect(list(await whole.store.get("c/0"))).toEqual(list(body));
  });

  it("from the end work where the server knows none: refused, or taken for something else", async () => {
    const last = list(body.subarray(996));
    const unlike: Handler[] = [
      status(416),
      status(501),
      (_, response) => {
        response.writeHead(206, { "content-range": "bytes 0-4/1000" }).end(body.subarray(0, 5));
      },
    ];
    for (const handler of unlike) {
      const { server, store } = await storeOf((request, response) => {
        (request.headers.range === "bytes=-4" ? handler : ok)(request, response);
      });
      expect(list(await store.getRange("c/0", { suffixLength: 4 }))).toEqual(last);
      expect(server.log).toEqual(["GET /c/0 bytes=-4", "HEAD /c/0", "GET /c/0 bytes=996-999"]);
    }
  });
});

describe("stat", () => {
  it("is one HEAD; the stamp is the ETag, else the time", async () => {
    const etag = await storeOf((q, r) =>
      sendBytes(q, r, body, { etag: '"v1"', "last-modified": "yesterday" }),
    );
    expect(await etag.store.stat("c/0")).toEqual({ size: 1000, stamp: '"v1"' });
    expect(etag.server.log).toEqual(["HEAD /c/0"]);
    const time = await storeOf((q, r) => sendBytes(q, r, body, { "last-modified": "yesterday" }));
    expect(await time.store.stat("c/0")).toEqual({ size: 1000, stamp: "yesterday" });
  });

  it("asks for one byte where HEAD is not answered, or without a length", async () => {
    const headers = { etag: '"v1"' };
    for (const head of [status(405), status(403), ((_, r) => r.writeHead(200).end()) as Handler]) {
      const { server, store } = await storeOf((request, response) => {
        if (request.method === "HEAD") head(request, response);
        else sendBytes(request, response, body, headers);
      });
      expect(await store.stat("c/0")).toEqual({ size: 1000, stamp: '"v1"' });
      expect(server.log).toEqual(["HEAD /c/0", "GET /c/0 bytes=0-0"]);
    }
  });

  it("is right for an empty value that HEAD says nothing of", async () => {
    const { store } = await storeOf((request, response) => {
      if (request.method === "HEAD") response.writeHead(405).end();
      else sendBytes(request, response, new Uint8Array(0));
    });
    expect((await store.stat("c/0"))?.size).toBe(0);
  });
});

describe("lists", () => {
  it("are none where the answer is no page, or refused", async () => {
    const json = status(200, { "content-type": "application/json" });
    for (const handler of [json, status(404), status(403), status(405)]) {
      expect(await (await storeOf(handler)).store.list("a")).toBeUndefined();
    }
  });

  it("fail where the server does", async () => {
    await expect((await storeOf(status(500))).store.list("a")).rejects.toMatchObject({
      code: "source_unreadable",
    });
  });
});

describe("the URL", () => {
  it("sends credentials as a header, and shows them nowhere", async () => {
    const { server } = await storeOf(status(403));
    const store = new HttpStore(server.url.replace("//", "//ann:s%C3%A9cret@"), patience);
    const error = await store.get("c/0").catch((thrown) => thrown);
    const sent = server.requests[0]!.headers.authorization;
    expect(sent).toBe(`Basic ${Buffer.from("ann:sécret").toString("base64")}`);
    expect(store.url).toBe(server.url);
    expect(JSON.stringify([error.message, error.details, error.stack])).not.toMatch(/s%C3%A9cret|sécret|ann/);
    await server.stop();
    const lost = await store.get("c/0").catch((thrown) => thrown);
    expect(messageOf(lost)).not.toMatch(/cret/);
  });

  it("keeps a query for every request, and shows it nowhere", async () => {
    const { server } = await storeOf(ok);
    const store = new HttpStore(`${server.url}/data.zarr/?sig=abc`, patience);
    await store.get("a b/c#0");
    expect(server.log).toEqual(["GET /data.zarr/a%20b/c%230?sig=abc"]);
    expect(store.url).toBe(`${server.url}/data.zarr`);
  });

  it("must be http or https", () => {
    for (const url of ["ftp://host/x", "not a url", "http://"]) {
      expect(() => new HttpStore(url)).toThrow(expect.objectContaining({ code: "bad_request" }));
    }
  });
});

describe("abort", () => {
  it("ends a request that hangs, and one that waits to be tried again", async () => {
    for (const handler of [hang, status(503, { "retry-after": "10" })]) {
      const { store } = await storeOf(handler);
      const controller = new AbortController();
      const reading = store.get("c/0", { signal: controller.signal });
      setTimeout(() => controller.abort(new Error("enough")), 50);
      const start = Date.now();
      await expect(reading).rejects.toThrow("enough");
      expect(Date.now() - start).toBeLessThan(5000);
    }
  });
});
