import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plainCrc32 } from "../../src/store/crc32.ts";
import { DirectoryStore } from "../../src/store/file.ts";
import { HttpStore } from "../../src/store/http/http.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { openSource } from "../../src/store/open.ts";
import { openWritable } from "../../src/store/open-writable.ts";
import { inflateRaw, inflateStreamed } from "../../src/store/zip/inflate-raw.ts";
import { ZipStore } from "../../src/store/zip/zip.ts";
import { PYTHON, python } from "../zarr/python.ts";
import { directoryHandler, TestServer } from "./server.ts";
import { zipOf } from "./zip-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-zip-"));
const text = (value: string) => new TextEncoder().encode(value);
const VALUES: [string, Uint8Array][] = [
  ["zarr.json", text("{}")],
  ["a/c/0", Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) % 256)],
  ["a/c/1", text("one")],
];
let server: TestServer;
beforeAll(async () => {
  if (PYTHON) python("make_zips.py", folder);
  writeFileSync(join(folder, "small.zip"), zipOf(VALUES));
  server = await TestServer.start(directoryHandler(folder));
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

describe.skipIf(!PYTHON)(`archives that Python wrote${PYTHON ? "" : " (needs ZARRSIFT_PYTHON)"}`, () => {
  const KEYS = ["zarr.json", "a/c/0", "a/c/1", "a/zarr.json", "empty", "ä ü/∂"];
  const ways = ["stored", "deflated", "zip64", "comment", "twice", "streamed", "longer"];

  it.each(ways)("%s: every member, whole and in parts, from a file and over HTTP", async (name) => {
    const expected = new DirectoryStore(join(folder, "expected"));
    for (const source of [join(folder, `${name}.zip`), `${server.url}/${name}.zip`]) {
      const store = await openSource(source);
      for (const key of KEYS) {
        const value = (await expected.get(key))!;
        expect(Buffer.compare((await store.get(key))!, value), key).toBe(0);
        const fresh = await openSource(source);
        const half = value.length >> 1;
        const range = { offset: half, length: value.length - half };
        expect(Buffer.compare((await fresh.getRange(key, range))!, value.subarray(half)), key).toBe(0);
        const suffix = (await fresh.getRange(key, { suffixLength: 5 }))!;
        expect(Buffer.compare(suffix, value.subarray(-5)), key).toBe(0);
        expect((await store.stat(key))?.size).toBe(value.length);
      }
      expect(await store.list("")).toEqual(await expected.list(""));
      expect(await store.list("a/c")).toEqual({ keys: ["0", "1"], prefixes: [] });
      expect(await store.get("a/c/2")).toBeUndefined();
      expect(await store.list("b")).toEqual({ keys: [], prefixes: [] });
    }
  });

  it("70,000 members, more than a plain end record counts", async () => {
    const store = new ZipStore(new DirectoryStore(folder), "many.zip");
    for (const i of [0, 9, 65_535, 65_536, 69_999])
      expect(new TextDecoder().decode(await store.get(`x/c/${i}`))).toBe(String(i));
    expect(await store.get("x/c/70000")).toBeUndefined();
    expect((await store.list("x/c")).keys).toHaveLength(70_000);
    expect(await store.list("x")).toEqual({ keys: [], prefixes: ["c"] });
  });

  it("says so where members are compressed by another method", async () => {
    await expect(openSource(join(folder, "bzip2.zip"))).rejects.toMatchObject({
      code: "encoding_unsupported",
      message: expect.stringContaining("bzip2.zip/zarr.json is compressed by method 12"),
    });
  });
});

describe("an archive", () => {
  it("is read by ranges: its end, then what is asked for", async () => {
    const before = server.log.length;
    const store = new ZipStore(new HttpStore(server.url), "small.zip");
    await store.getRange("a/c/0", { offset: 1000, length: 10 });
    await store.getRange("a/c/0", { offset: 2000, length: 10 });
    const size = readFileSync(join(folder, "small.zip")).length;
    const data = 30 + 9 + 2 + 30 + 5; // behind zarr.json and the header of a/c/0
    expect(server.log.slice(before)).toEqual([
      "HEAD /small.zip",
      `GET /small.zip bytes=0-${size - 1}`,
      "GET /small.zip bytes=41-75",
      `GET /small.zip bytes=${data + 1000}-${data + 1009}`,
      `GET /small.zip bytes=${data + 2000}-${data + 2009}`,
    ]);
    await store.get("a/c/1");
    expect(server.log).toHaveLength(before + 6);
  });

  it("that was replaced is noticed, never mixed", async () => {
    const path = join(folder, "changing.zip");
    writeFileSync(path, zipOf(VALUES));
    const store = await openSource(path);
    expect(await store.get("zarr.json")).toEqual(text("{}"));
    const stat = await store.stat("a/c/1");
    writeFileSync(path, zipOf([...VALUES].reverse().map(([key, value]) => [key, value.slice().reverse()])));
    expect(await store.stat("a/c/1")).not.toEqual(stat);
    await expect(store.get("a/c/0")).rejects.toMatchObject({ code: "source_changed" });
    await expect(store.getRange("a/c/1", { offset: 0, length: 2 })).rejects.toMatchObject({
      code: "source_changed",
    });
    store.clear?.();
    expect(await store.get("a/c/1")).toEqual(text("eno"));
  });

  it("that holds no hierarchy says what it holds", async () => {
    writeFileSync(join(folder, "below.zip"), zipOf(VALUES.map(([key, value]) => [`x.zarr/${key}`, value])));
    await expect(openSource(join(folder, "below.zip"))).rejects.toMatchObject({
      code: "source_not_found",
      message: expect.stringContaining("all of it is below x.zarr/"),
    });
    await expect(openSource(`${server.url}/nope.zip`)).rejects.toMatchObject({ code: "source_not_found" });
  });

  it("has no versions, and cannot be written", async () => {
    await expect(openSource(`${join(folder, "small.zip")}#main`)).rejects.toMatchObject({
      code: "bad_request",
    });
    await expect(openWritable(join(folder, "small.zip"))).rejects.toMatchObject({ code: "source_forbidden" });
  });
});

describe("a damaged archive is an error that says how:", () => {
  const good = zipOf(VALUES);
  const directory = Buffer.from(good).indexOf("PK\x01\x02", 0, "latin1");
  const archive = (bytes: Uint8Array) => new ZipStore(new MemoryStore([["x.zip", bytes]]), "x.zip");
  const damaged = (at: number, ...bytes: number[]) => {
    const copy = good.slice();
    copy.set(bytes, at < 0 ? at + good.length : at);
    return archive(copy);
  };
  it.each<[string, RegExp, ZipStore]>([
    ["cut short", /cut short/, archive(good.slice(0, -5))],
    ["a broken entry", /entry 0 of its directory is broken/, damaged(directory, 0)],
    ["a wrong count", /3 entries where its end record says 4/, damaged(-12, 4)],
    ["a directory beyond", /beyond/, damaged(-6, 0, 0, 1)],
    ["a moved member", /a\/c\/0 is not where/, damaged(41, 80, 81)],
    ["other bytes", /a\/c\/0 do not match their checksum/, damaged(500, 0, 0, 0)],
    ["several disks", /one part of an archive in several/, damaged(-18, 1)],
    ["two sizes", /two sizes/, damaged(directory + 55 + 20, 1)],
  ])("%s", async (_, message, store) => {
    await expect(store.get("a/c/0")).rejects.toMatchObject({ code: "source_unreadable", message });
  });

  it("or fails otherwise than with wrong bytes, wherever a byte is wrong", async () => {
    let failed = 0;
    for (let at = 0; at < good.length; at += 3) {
      const store = damaged(at, good[at]! ^ 0x41);
      for (const [key, value] of VALUES) {
        const got = await store.get(key).catch((error) => {
          expect(error.code).toMatch(/^(source_unreadable|encoding_unsupported)$/);
          return undefined;
        });
        if (got) expect(Buffer.compare(got, value), `${key}, byte ${at}`).toBe(0);
        else failed++;
      }
    }
    expect(failed).toBeGreaterThan(1000);
  });
});

describe("what a browser does by itself", () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => (i * i) % 251);
  const packed = new Uint8Array(deflateRawSync(bytes));

  it("has the same checksums", () => {
    for (const part of [bytes, bytes.subarray(3, 10), new Uint8Array(0)])
      expect(plainCrc32(part)).toBe(crc32(part));
  });

  it.each([inflateRaw, inflateStreamed])("inflates the same: %o", async (inflate) => {
    expect(Buffer.compare(await inflate(packed, bytes.length), bytes)).toBe(0);
    await expect(inflate(packed, bytes.length - 1)).rejects.toThrow();
    await expect(inflate(packed.subarray(0, 100), bytes.length)).rejects.toThrow();
  });
});
