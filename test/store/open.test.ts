import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSource } from "../../src/store/open.ts";
import { directoryHandler, TestServer } from "./server.ts";

const base = mkdtempSync(join(tmpdir(), "zarrsift-open-"));
const plain = join(base, "plain.zarr");
const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);
let server: TestServer;

beforeAll(async () => {
  mkdirSync(join(plain, "meta"), { recursive: true });
  writeFileSync(join(plain, "zarr.json"), "{}");
  writeFileSync(join(plain, "meta/zarr.json"), "meta");
  for (const copy of ["with#hash.zarr", "100% ü.zarr"]) cpSync(plain, join(base, copy), { recursive: true });
  for (const [name, sign] of [
    ["v2", ".zgroup"],
    ["implicit", "meta/zarr.json"],
    ["other", "readme.txt"],
  ] as const) {
    mkdirSync(join(base, name, "meta"), { recursive: true });
    writeFileSync(join(base, name, sign), "meta");
  }
  server = await TestServer.start(directoryHandler(base));
});
afterAll(async () => {
  await server.stop();
  rmSync(base, { recursive: true });
});

describe("a source", () => {
  it("is a path, a file: or an http: URL", async () => {
    for (const source of [
      plain,
      `${plain}/`,
      pathToFileURL(plain).href,
      `${server.url}/plain.zarr`,
      `${server.url}/plain.zarr/`,
    ]) {
      const store = await openSource(source);
      expect(text(await store.get("meta/zarr.json")), source).toBe("meta");
      expect(store.snapshot).toBeUndefined();
    }
  });

  it("may have strange characters in its path", async () => {
    for (const name of ["with#hash.zarr", "100% ü.zarr"]) {
      expect(text(await (await openSource(join(base, name))).get("meta/zarr.json"))).toBe("meta");
      expect(text(await (await openSource(pathToFileURL(join(base, name)).href)).get("meta/zarr.json"))).toBe(
        "meta",
      );
      const url = `${server.url}/${encodeURIComponent(name)}`;
      expect(text(await (await openSource(url)).get("meta/zarr.json"))).toBe("meta");
    }
  });

  it("may be of format 2, or have no root group of its own", async () => {
    for (const name of ["v2", "implicit"]) {
      await openSource(join(base, name));
      await openSource(`${server.url}/${name}`);
    }
  });

  it("that is not there is an error that says what was looked for", async () => {
    await expect(openSource(join(base, "nope"))).rejects.toMatchObject({ code: "source_not_found" });
    await expect(openSource(join(plain, "zarr.json"))).rejects.toThrow("is a file");
    for (const source of [join(base, "other"), `${server.url}/other`, `${server.url}/nope`]) {
      await expect(openSource(source)).rejects.toMatchObject({
        code: "source_not_found",
        message: expect.stringContaining("zarr.json, .zgroup"),
      });
    }
  });

  it("that is plain has no versions", async () => {
    for (const source of [
      `${plain}#main`,
      `${server.url}/plain.zarr#main`,
      `${join(base, "with#hash.zarr")}#main`,
    ]) {
      await expect(openSource(source)).rejects.toMatchObject({
        code: "bad_request",
        message: expect.stringContaining("#main"),
      });
    }
    await openSource(`${plain}#`);
    await openSource(`${server.url}/plain.zarr#`);
  });

  it("of another kind is refused by name", async () => {
    await expect(openSource("gs://bucket/x.zarr")).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringContaining("gs: sources are not supported"),
    });
    await expect(openSource("gs://bucket/x.zarr")).rejects.toMatchObject({ code: "bad_request" });
    await expect(openSource("http://[bad/x.zarr")).rejects.toMatchObject({ code: "bad_request" });
    await expect(openSource("file://host/%ZZ")).rejects.toMatchObject({ code: "bad_request" });
  });

  it("is read through cache and coalescing, and counted", async () => {
    const total = { requests: 0, bytes: 0 };
    const store = await openSource(`${server.url}/plain.zarr`, { total });
    const before = server.log.length;
    await Promise.all([store.get("meta/zarr.json"), store.get("meta/zarr.json")]);
    await store.get("zarr.json");
    expect(server.log.slice(before)).toEqual(["GET /plain.zarr/meta/zarr.json"]);
    expect(total).toEqual({ requests: 2, bytes: 6 });
  });

  it("in a bucket that answers 403 opens with absent: [404, 403] only", async () => {
    const inner = directoryHandler(base);
    const bucket = await TestServer.start((request, response) => {
      if (/\.zgroup|zarr\.json$/.test(request.url!) && request.url!.includes("implicit/meta"))
        inner(request, response);
      else response.writeHead(403).end();
    });
    try {
      await expect(openSource(`${bucket.url}/implicit`)).rejects.toThrow("--absent 404,403");
      const store = await openSource(`${bucket.url}/implicit`, { absent: [404, 403] });
      expect(text(await store.get("meta/zarr.json"))).toBe("meta");
    } finally {
      await bucket.stop();
    }
  });
});
