import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AppOptions, buildApp } from "../../src/server/index.ts";
import { CannedCollection } from "./canned.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-app-"));
afterAll(() => rmSync(folder, { recursive: true }));

let app: FastifyInstance;

function build(options: Partial<AppOptions> = {}) {
  const canned = new CannedCollection("meta", {
    "zarr.json": { kind: "metadata", bytes: Buffer.from("{}") },
  });
  return buildApp({ collections: [canned.as()], logger: false, ...options });
}

const post = (payload: object, headers = {}) =>
  app.inject({
    method: "POST",
    url: "/collections/meta/views",
    payload,
    headers: { host: "h:1", ...headers },
  });

beforeEach(async () => {
  app = await build();
});
afterEach(() => app.close());

describe("making a view", () => {
  it("tells how to open it", async () => {
    const made = await post({ sql: "SELECT idx FROM meta" });
    expect(made.statusCode).toBe(201);
    const view = made.json();
    const base = `http://h:1/views/${view.id}`;
    expect(made.headers.location).toBe(base);
    expect(view).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      count: 3,
      skipped: 0,
      fields: ["idx"],
      layout: "granules",
      version: "v1",
      v3: `${base}/v3`,
      v2: `${base}/v2`,
      python: `import zarr\nroot = zarr.open_group("${base}/v3", mode="r", zarr_format=3)`,
      javascript: expect.stringContaining(`new zarr.FetchStore("${base}/v3")`),
      expires: null,
    });
    const again = await post({ sql: "SELECT idx FROM meta", ttl: 60 });
    expect([again.statusCode, again.json()]).toEqual([201, view]);
  });

  it("may be for a time", async () => {
    const { expires } = (await post({ sql: "x", ttl: 60 })).json();
    expect(Math.abs(Date.parse(expires) - Date.now() - 60_000)).toBeLessThan(5000);
  });

  it.each([
    [{}, "either sql or idx"],
    [{ sql: "x", idx: [1] }, "either sql or idx"],
    [{ idx: [1], bbox: [0, 0, 1, 1] }, "narrow sql"],
    [{ idx: [1.5] }, "must be integer"],
    [{ idx: [-1] }, "must be >= 0"],
    [{ sql: "x", ttl: 0 }, "must be > 0"],
    [{ sql: "x", layout: "flat" }, "granules, stacked"],
    [{ sql: "x", filds: ["a"] }, 'no parameter "filds"'],
    [{ sql: "x", bbox: "1,2,3" }, "bbox"],
    [{ sql: "x", bbox: [0, 5, 1, 1] }, "south <= north"],
    [{ sql: 5 }, "must be string"],
    [{ sql: "x", params: [{}] }, "params"],
  ])("refuses %j", async (payload, detail) => {
    const answer = await post(payload);
    expect([answer.statusCode, answer.json().code]).toEqual([400, "bad_parameter"]);
    expect(answer.json().detail).toContain(detail);
  });

  it("refuses bodies that are no JSON, and long ones", async () => {
    const send = (type: string, payload: string) =>
      app.inject({
        method: "POST",
        url: "/collections/meta/views",
        headers: { "content-type": type },
        payload,
      });
    expect((await send("application/json", '{"sql": ')).json().code).toBe("bad_request");
    expect((await send("application/json", "")).statusCode).toBe(400);
    const text = await send("text/plain", "SELECT");
    expect([text.statusCode, text.json().detail]).toEqual([415, expect.stringContaining("application/json")]);
    expect((await post({ sql: "x".repeat(65_537) })).json().code).toBe("too_large");
    expect((await send("application/json", `{"sql":"${"x".repeat(17 * 1024 * 1024)}"}`)).statusCode).toBe(
      413,
    );
  });

  it("of an unknown collection is 404", async () => {
    const answer = await app.inject({
      method: "POST",
      url: "/collections/nope/views",
      payload: { sql: "x" },
    });
    expect(answer.statusCode).toBe(404);
  });
});

describe("URLs in answers", () => {
  const v3 = async (headers = {}) => (await post({ sql: "x" }, headers)).json().v3;

  it("are the client's own, by its Host header alone", async () => {
    expect(
      await v3({ host: "a.example:8080", "x-forwarded-host": "evil.example", "x-forwarded-proto": "https" }),
    ).toMatch(/^http:\/\/a\.example:8080\/views\//);
    expect(await v3({ host: "a.example", "x-forwarded-host": "evil.example, a.example" })).toMatch(
      /^http:\/\/a\.example\/views\//,
    );
    expect(await v3({ host: "[::1]:80" })).toMatch(/^http:\/\/\[::1\]:80\/views\//);
  });

  it.each(['x"y', "a/b", "user@h", "h:port", "a b"])(
    "are not made of a Host that is none: %s",
    async (host) => {
      expect((await post({ sql: "x" }, { host })).statusCode).toBe(400);
    },
  );

  it("are a trusted proxy's", async () => {
    await app.close();
    app = await build({ trustProxy: true });
    expect(await v3({ "x-forwarded-host": "data.example", "x-forwarded-proto": "https" })).toMatch(
      /^https:\/\/data\.example\/views\//,
    );
    expect(
      await v3({ "x-forwarded-host": "a.example, b.example", "x-forwarded-proto": "https, http" }),
    ).toMatch(/^https:\/\/a\.example\/views\//);
  });

  it("are the operator's, whatever the headers say", async () => {
    await app.close();
    app = await build({ publicUrl: "https://data.example/zarr/", trustProxy: true });
    expect(await v3({ host: 'x"y', "x-forwarded-host": "evil.example" })).toMatch(
      /^https:\/\/data\.example\/zarr\/views\/[0-9a-f]+\/v3$/,
    );
    await expect(build({ publicUrl: "data.example" })).rejects.toMatchObject({ code: "bad_parameter" });
  });
});

describe("views kept", () => {
  it("are described, listed in pages, and deleted", async () => {
    const ids: string[] = [];
    for (const sql of ["a", "b", "c", "d", "e"]) ids.push((await post({ sql })).json().id);
    const one = (await app.inject({ url: `/views/${ids[0]}`, headers: { host: "h:1" } })).json();
    expect(one).toMatchObject({
      id: ids[0],
      collection: "meta",
      sql: "a",
      count: 3,
      v3: `http://h:1/views/${ids[0]}/v3`,
      expires: null,
    });
    expect(Date.parse(one.created)).toBeGreaterThan(Date.now() - 60_000);

    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: { views: { id: string }[]; next: string | null } = (
        await app.inject(`/views?limit=2${cursor && `&cursor=${cursor}`}`)
      ).json();
      seen.push(...page.views.map(({ id }) => id));
      cursor = page.next;
    }
    expect(seen).toEqual(ids);

    expect((await app.inject({ method: "DELETE", url: `/views/${ids[1]}` })).statusCode).toBe(204);
    const gone = await app.inject(`/views/${ids[1]}`);
    expect([gone.statusCode, gone.json().code]).toEqual([404, "not_found"]);
    expect((await app.inject({ method: "DELETE", url: `/views/${ids[1]}` })).statusCode).toBe(404);
    expect((await app.inject("/views")).json().views).toHaveLength(4);
  });

  it.each(["limit=0", "limit=1001", "limit=x", "cursor=x", "page=2"])(
    "are not listed by %s",
    async (query) => {
      expect((await app.inject(`/views?${query}`)).statusCode).toBe(400);
    },
  );

  it("are not forgotten by a restart", async () => {
    const views = join(folder, "views.sqlite");
    const first = await build({ views });
    const made = await first.inject({
      method: "POST",
      url: "/collections/meta/views",
      payload: { sql: "x" },
    });
    await first.close();
    const second = await build({ views });
    expect((await second.inject(`${new URL(made.json().v3).pathname}/zarr.json`)).body).toBe("{}");
    await second.close();
    const other = await buildApp({
      collections: [new CannedCollection("other", {}).as()],
      logger: false,
      views,
    });
    const answer = await other.inject(`${new URL(made.json().v3).pathname}/zarr.json`);
    expect([answer.statusCode, answer.json().code]).toEqual([502, "source_not_found"]);
    await other.close();
  });
});
