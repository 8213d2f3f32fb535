import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DirectoryStore } from "../../src/store/file.ts";
import { memberTexts } from "../../src/store/kerchunk/json-members.ts";
import { resolveLocation } from "../../src/store/kerchunk/references.ts";
import { generated, templated, templatesOf } from "../../src/store/kerchunk/templates.ts";
import { openSource } from "../../src/store/open.ts";
import type { Store } from "../../src/store/store.ts";
import { PYTHON, python } from "../zarr/python.ts";
import { directoryHandler, TestServer } from "./server.ts";

const base = mkdtempSync(join(tmpdir(), "zarrsift-references-"));
const folder = join(base, "made");
const expected = new DirectoryStore(join(folder, "expected"));
const decoder = new TextDecoder();
let server: TestServer;
beforeAll(async () => {
  mkdirSync(folder);
  if (PYTHON) python("make_references.py", folder);
  server = await TestServer.start(directoryHandler(folder));
}, 60_000);
afterAll(async () => {
  await server.stop();
  rmSync(base, { recursive: true });
});

const local = (path: string) => openSource(path, { virtualChunks: [{ prefix: `file://${folder}` }] });

/** All keys of a store. */
async function keysOf(store: Store, prefix = ""): Promise<string[]> {
  const { keys, prefixes } = (await store.list(prefix))!;
  const join = (name: string) => (prefix === "" ? name : `${prefix}/${name}`);
  const below = await Promise.all(prefixes.map((name) => keysOf(store, join(name))));
  return [...keys.map(join), ...below.flat()].sort();
}

const suite = PYTHON
  ? "references that kerchunk made"
  : "references that kerchunk made (needs ZARRSIFT_PYTHON)";
describe.skipIf(!PYTHON)(suite, () => {
  const files = ["refs.json", "version0.json", "templates.json", "refs.parq", "arrow.parq"];

  it.each(files)("%s: read as fsspec reads them", async (file) => {
    const store = await local(join(folder, file));
    const keys = await keysOf(expected);
    expect(keys.length).toBe(100);
    const lists = (await keysOf(store)).filter((key) => key !== ".zmetadata");
    expect(lists).toEqual(keys);
    for (const key of keys) {
      const [value, truth] = await Promise.all([store.get(key), expected.get(key)]);
      if (/\.z\w+$/.test(key)) {
        const [a, b] = [value, truth].map((bytes) => decoder.decode(bytes).replace(/\s/g, ""));
        expect(JSON.parse(a!), key).toEqual(JSON.parse(b!));
        if (key.endsWith("time/.zarray")) expect(a).toContain(":-9223372036854775805");
        continue;
      }
      expect(Buffer.compare(value!, truth!), key).toBe(0);
      const part = await store.getRange(key, { offset: 2, length: 3 });
      expect(Buffer.compare(part!, truth!.subarray(2, 5)), key).toBe(0);
      expect(await store.getRange(key, { suffixLength: 4 })).toEqual(truth!.slice(-4));
      expect((await store.stat(key))?.size, key).toBe(truth!.length);
    }
    for (const key of ["swath/g0/sst/3.0", "swath/g0/sst/0", "nope", "swath/g9/.zarray"])
      expect(await store.get(key), key).toBeUndefined();
  });

  it("over HTTP, relative paths starting at the file's URL", async () => {
    const virtualChunks = [{ prefix: server.url }];
    const store = await openSource(`${server.url}/version0.json`, { virtualChunks });
    const key = "swath/g1/sst/1.0";
    expect(await store.get(key)).toEqual(await expected.get(key));
    const before = server.log.length;
    await Promise.all([store.getRange(key, { offset: 0, length: 2 }), store.get("swath/g1/sst/0.0")]);
    expect(server.log.slice(before).filter((line) => line.startsWith("HEAD"))).toEqual([]);
    const parquet = await openSource(`${server.url}/refs.parq`, {
      virtualChunks: [{ prefix: `file://${folder}` }],
    });
    expect(await parquet.get(key)).toEqual(await expected.get(key));
  });

  it("are read nowhere but where it is allowed", async () => {
    const source = join(folder, "refs.json");
    const denied = {
      code: "source_forbidden",
      message: expect.stringContaining(`file://${folder}/data/g0.h5`),
    };
    for (const prefix of [
      undefined,
      `file://${folder}/dat`,
      `file://${folder}/data/g1.h5`,
      "https://example.org/",
    ]) {
      const store = await openSource(source, { virtualChunks: prefix === undefined ? [] : [{ prefix }] });
      expect(await store.get("swath/g0/sst/2.0")).toEqual(await expected.get("swath/g0/sst/2.0"));
      await expect(store.get("swath/g0/sst/0.0")).rejects.toMatchObject(denied);
      await expect(store.stat("swath/g0/sst/0.0")).rejects.toMatchObject(denied);
    }
  });

  it("fail when their object changes after it was read, until the references are made again", async () => {
    const copy = join(base, "copy");
    cpSync(folder, copy, { recursive: true });
    const store = await openSource(join(copy, "version0.json"), {
      virtualChunks: [{ prefix: `file://${copy}` }],
    });
    await store.get("swath/g0/sst/0.0");
    const stamp = await store.stat("meta/date/0");
    copyFileSync(join(copy, "data/g1.h5"), join(copy, "data/g0.h5"));
    await expect(store.get("swath/g0/time/0")).rejects.toMatchObject({ code: "source_changed" });
    expect(await store.stat("meta/date/0")).toEqual(stamp);
    writeFileSync(
      join(copy, "version0.json"),
      readFileSync(join(copy, "version0.json"), "utf8").replace(/$/, " "),
    );
    expect(await store.stat("meta/date/0")).not.toEqual(stamp);
    store.clear?.();
    await store.get("swath/g0/time/0");
    rmSync(join(copy, "data/g3.h5"));
    await expect(store.get("swath/g3/sst/0.0")).rejects.toMatchObject({ code: "source_unreadable" });
  });

  it("change their stamp where the table's references do", async () => {
    const copy = join(base, "parquet");
    cpSync(join(folder, "refs.parq"), copy, { recursive: true });
    const store = await local(copy);
    const stamp = await store.stat("meta/date/0");
    const columns = ["cloud", "date"].map((name) => join(copy, `meta/${name}/refs.0.parq`));
    copyFileSync(columns[0]!, columns[1]!);
    expect(await store.stat("meta/date/0")).not.toEqual(stamp);
  });
});

describe("a reference file that cannot be used", () => {
  const opened = async (content: unknown, name = "bad.json") => {
    writeFileSync(join(base, name), typeof content === "string" ? content : JSON.stringify(content));
    return openSource(join(base, name), { virtualChunks: [{ prefix: `file://${base}/open/` }] });
  };
  it.each([
    ["{", /Unexpected|Expected/],
    [{ version: 2, refs: {} }, /versions 0 and 1 are known, not 2/],
    [{ version: 1, refs: [] }, /"refs" is no object/],
    [{ refs: { ".zgroup": ["x", 1] } }, /\[URL, offset, length\] is expected \(\["x",1\] at \.zgroup\)/],
    [{ refs: { ".zgroup": 5 } }, /is expected/],
    [{ refs: { ".zgroup": ["{{u}}"] } }, /\{\{u\}\} is not understood/],
    [{ refs: {}, gen: [{ key: "a{{i|j}}", url: "u", dimensions: { i: [1] } }] }, /understood at "\|j"/],
  ])("%j says why", async (content, message) => {
    await expect(opened(content)).rejects.toMatchObject({ code: "source_unreadable", message });
  });

  it("holds no hierarchy, or is no reference file", async () => {
    await expect(opened({ refs: { "a/b": "x" } })).rejects.toMatchObject({ code: "source_not_found" });
    await expect(opened("[1]", "list.json")).rejects.toMatchObject({ code: "source_not_found" });
  });

  it("never leads out of what is allowed", async () => {
    mkdirSync(join(base, "open"));
    writeFileSync(join(base, "secret"), "secret");
    symlinkSync(join(base, "secret"), join(base, "open/link"));
    const places = [
      "open/../secret",
      `${base}/open/../secret`,
      `file://${base}/open/../secret`,
      "./open/link",
    ];
    const refs = Object.fromEntries(places.map((place, i) => [`a/${i}`, [place, 0, 6]]));
    const store = await opened({
      version: 1,
      refs: { ".zgroup": "{}", ...refs, "a/9": ["gs://bucket/x", 0, 1] },
    });
    for (const key of [...Object.keys(refs), "a/9"])
      await expect(store.get(key), key).rejects.toMatchObject({ code: "source_forbidden" });
  });
});

describe("what reference files are made of", () => {
  it("JSON members, as they are written", () => {
    const text =
      ' {"a\\"}": [1, {"x": "]\\\\"}], "b" :-9223372036854775805 , "c":"{,", "d":{"e":{}} ,"f":null}';
    expect([...memberTexts(text)]).toEqual([
      ['a"}', '[1, {"x": "]\\\\"}]'],
      ["b", "-9223372036854775805"],
      ["c", '"{,"'],
      ["d", '{"e":{}}'],
      ["f", "null"],
    ]);
    expect([...memberTexts("{ }")]).toEqual([]);
  });

  it("templates, as in the specification's example", () => {
    const templates = templatesOf({ u: "server.domain/path", f: "{{c}}" });
    expect(templated("http://{{u}}", templates)).toBe("http://server.domain/path");
    expect(templated("http://{{f(c='text')}}", templates)).toBe("http://text");
    const gen = {
      key: "gen_key{{i}}",
      url: "http://{{u}}_{{i}}",
      offset: "{{(i + 1) * 1000}}",
      length: "1000",
      dimensions: { i: { stop: 5 } },
    };
    expect(generated([gen], templates).slice(3)).toEqual([
      ["gen_key3", ["http://server.domain/path_3", 4000, 1000]],
      ["gen_key4", ["http://server.domain/path_4", 5000, 1000]],
    ]);
    const two = {
      key: "{{i}}.{{j}}",
      url: "x",
      dimensions: { i: [4, 2], j: { start: 1, stop: 6, step: 3 } },
    };
    expect(generated([two], templates).map(([key]) => key)).toEqual(["4.1", "4.4", "2.1", "2.4"]);
    expect(templated("{{-7 // 2}} {{-7 % 3}} {{2*(3-1)}}", new Map())).toBe("-4 2 4");
  });

  it("templates, that end however they call one another", () => {
    const names = [..."abcdefghijklmnopqrst"];
    const tenfold = names.map((name, i) => [name, `{{${names[i + 1] ?? "a"}()}}`.repeat(10)]);
    const leaf = [...tenfold.slice(0, -1), ["t", ""]];
    for (const templates of [tenfold, leaf])
      expect(() => templated("{{a()}}", templatesOf(Object.fromEntries(templates)))).toThrow(/more than 256/);
  });

  it("locations", () => {
    const at = (location: string, folder = "file:///a/b/") => resolveLocation(location, folder);
    expect(at("x.nc")).toBe("file:///a/b/x.nc");
    expect(at("./../x.nc")).toBe("file:///a/x.nc");
    expect(at("../../../x.nc")).toBe("file:///x.nc");
    expect(at("/x/y.nc")).toBe("file:///x/y.nc");
    expect(at("file:///x/y.nc")).toBe("file:///x/y.nc");
    expect(at("/x/./w/../y.nc")).toBe("file:///x/y.nc");
    expect(at("local:///x.nc")).toBe("file:///x.nc");
    expect(at("s3://bucket/x.nc")).toBe("s3://bucket/x.nc");
    expect(at("x.nc", "s3://bucket/")).toBe("s3://bucket/x.nc");
    expect(at("../x.nc", "https://host:80/a/b/")).toBe("https://host:80/a/x.nc");
  });
});
