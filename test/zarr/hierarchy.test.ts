import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { DirectoryStore } from "./directory.ts";

const base = mkdtempSync(join(tmpdir(), "zarrsift-hierarchy-"));
afterAll(() => rmSync(base, { recursive: true }));
let directory = "";
let count = 0;
beforeEach(() => {
  directory = join(base, String(count++));
});

function put(documents: Record<string, unknown>): void {
  for (const [key, document] of Object.entries(documents)) {
    mkdirSync(dirname(join(directory, key)), { recursive: true });
    writeFileSync(join(directory, key), typeof document === "string" ? document : JSON.stringify(document));
  }
}

const array = {
  zarr_format: 3,
  node_type: "array",
  shape: [4],
  data_type: "int32",
  fill_value: 0,
  attributes: {},
  chunk_grid: { name: "regular", configuration: { chunk_shape: [4] } },
  chunk_key_encoding: { name: "default" },
  codecs: [{ name: "bytes", configuration: { endian: "little" } }],
};
const group = (metadata?: Record<string, unknown>) => ({
  zarr_format: 3,
  node_type: "group",
  attributes: {},
  ...(metadata ? { consolidated_metadata: { kind: "inline", must_understand: false, metadata } } : {}),
});
const zarray = {
  zarr_format: 2,
  shape: [4],
  chunks: [4],
  dtype: "<i4",
  fill_value: 0,
  order: "C",
  filters: null,
  compressor: null,
};
const zgroup = { zarr_format: 2 };
const open = async (lists: boolean) => {
  const store = new DirectoryStore(directory, { lists });
  const hierarchy = await Hierarchy.open(store);
  store.reads.length = 0;
  return { store, hierarchy };
};

describe("v3", () => {
  it("reads a node once, however often and at once it is asked for", async () => {
    put({ "zarr.json": group(), "g/zarr.json": group(), "g/a/zarr.json": array });
    const { hierarchy, store } = await open(true);
    const nodes = await Promise.all([1, 2, 3].map(() => hierarchy.node("g/a")));
    expect(nodes.every((node) => node === nodes[0] && node?.nodeType === "array")).toBe(true);
    expect(await hierarchy.node("nothing")).toBeUndefined();
    await hierarchy.node("nothing");
    expect(store.reads).toEqual(["g/a/zarr.json", "nothing/zarr.json"]);
  });

  it("lists where the store can, and says when nothing tells", async () => {
    put({ "zarr.json": group(), "g/zarr.json": group(), "a/zarr.json": array, "a/c/0": "", ".git/x": "" });
    const listing = (await open(true)).hierarchy;
    expect(await listing.children("")).toEqual(["a", "g"]);
    expect(await listing.children("a")).toEqual([]);
    expect(await (await open(false)).hierarchy.children("")).toBeUndefined();
  });

  it("believes the root's consolidated metadata, with no further reads", async () => {
    put({ "zarr.json": group({ g: group({}), "g/a": array, "g/b/c": array }) });
    const { hierarchy, store } = await open(false);
    expect(await hierarchy.children("")).toEqual(["g"]);
    expect(await hierarchy.children("g")).toEqual(["a", "b"]);
    expect(await hierarchy.children("g/b")).toEqual(["c"]);
    expect(await hierarchy.children("g/a")).toEqual([]);
    expect((await hierarchy.node("g/b/c"))?.nodeType).toBe("array");
    expect(store.reads).toEqual(["g/b/zarr.json"]);
  });

  it("uses a group's own consolidated metadata below it", async () => {
    put({ "zarr.json": group(), "meta/zarr.json": group({ date: array, bbox: array }) });
    const { hierarchy, store } = await open(false);
    expect(await hierarchy.children("")).toBeUndefined();
    expect(await hierarchy.children("meta")).toEqual(["bbox", "date"]);
    expect((await hierarchy.node("meta/date"))?.nodeType).toBe("array");
    expect(store.reads).toEqual(["meta/zarr.json"]);
  });

  it("does not let partial consolidated metadata hide anything", async () => {
    put({ "zarr.json": group({ a: array }), "a/zarr.json": array, "b/zarr.json": array });
    const { hierarchy } = await open(true);
    expect(await hierarchy.children("")).toEqual(["a", "b"]);
    expect((await (await open(false)).hierarchy.node("b"))?.nodeType).toBe("array");
  });

  it("can be an array alone", async () => {
    put({ "zarr.json": array });
    const { hierarchy } = await open(true);
    expect((await hierarchy.node(""))?.nodeType).toBe("array");
    expect(await hierarchy.children("")).toEqual([]);
  });

  it("names the damaged document, and reads it again when asked again", async () => {
    put({ "zarr.json": group(), "a/zarr.json": '{"zarr_format": 3,' });
    const { hierarchy } = await open(true);
    await expect(hierarchy.node("a")).rejects.toMatchObject({
      code: "corrupt_metadata",
      message: expect.stringContaining("a/zarr.json"),
    });
    put({ "a/zarr.json": array });
    expect((await hierarchy.node("a"))?.nodeType).toBe("array");
  });

  it("keeps no more nodes than it may", async () => {
    put({
      "zarr.json": group(),
      ...Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`a${i}/zarr.json`, array])),
    });
    const store = new DirectoryStore(directory);
    const hierarchy = await Hierarchy.open(store, { nodesKept: 3 });
    for (const i of [0, 1, 2, 3, 4, 5]) await hierarchy.node(`a${i}`);
    store.reads.length = 0;
    await hierarchy.node("a5");
    await hierarchy.node("a0");
    expect(store.reads).toEqual(["a0/zarr.json"]);
  });

  it("stops waiting when aborted, while others go on", async () => {
    put({ "zarr.json": group(), "a/zarr.json": array });
    const { hierarchy } = await open(true);
    const abort = new AbortController();
    const [first, second] = [hierarchy.node("a", { signal: abort.signal }), hierarchy.node("a")];
    abort.abort();
    await expect(first).rejects.toThrow("abort");
    expect((await second)?.nodeType).toBe("array");
  });
});

describe("v2", () => {
  it("reads groups and arrays, with and without .zmetadata", async () => {
    put({
      ".zgroup": zgroup,
      ".zattrs": { title: "t" },
      "g/.zgroup": zgroup,
      "g/a/.zarray": zarray,
      "g/a/.zattrs": { u: 1 },
    });
    const { hierarchy } = await open(true);
    expect(hierarchy.format).toBe(2);
    expect((await hierarchy.node(""))?.attributes).toEqual({ title: "t" });
    expect(await hierarchy.children("g")).toEqual(["a"]);
    expect(await hierarchy.node("g/a")).toMatchObject({ nodeType: "array", attributes: { u: 1 } });
    expect(await (await open(false)).hierarchy.children("g")).toBeUndefined();

    const metadata = {
      ".zgroup": zgroup,
      "g/.zgroup": zgroup,
      "g/a/.zarray": zarray,
      "g/a/.zattrs": { u: 2 },
    };
    put({ ".zmetadata": { zarr_consolidated_format: 1, metadata } });
    const consolidated = await open(false);
    expect(await consolidated.hierarchy.children("g")).toEqual(["a"]);
    expect(await consolidated.hierarchy.node("g/a")).toMatchObject({ attributes: { u: 2 } });
    expect(consolidated.store.reads).toEqual([]);
  });

  it("uses a group's own .zmetadata where nothing else tells", async () => {
    put({
      ".zgroup": zgroup,
      "meta/.zgroup": zgroup,
      "meta/.zmetadata": { metadata: { "date/.zarray": zarray } },
    });
    const { hierarchy } = await open(false);
    expect(await hierarchy.children("meta")).toEqual(["date"]);
    expect((await hierarchy.node("meta/date"))?.nodeType).toBe("array");
  });
});

it("says what it looked for where there is no Zarr", async () => {
  put({ "readme.txt": "" });
  await expect(Hierarchy.open(new DirectoryStore(directory))).rejects.toMatchObject({
    code: "source_not_found",
    message: expect.stringContaining("no zarr.json, .zgroup or .zarray at its root"),
  });
});

const DATA = new URL("../../../shared/data/granules.zarr/", import.meta.url);

describe.skipIf(!existsSync(DATA))("granules.zarr (needs ../shared/data)", () => {
  it("opens every node", async () => {
    const hierarchy = await Hierarchy.open(new DirectoryStore(DATA.pathname));
    let [arrays, groups] = [0, 0];
    const visit = async (path: string): Promise<void> => {
      for (const name of (await hierarchy.children(path))!) {
        const child = path ? `${path}/${name}` : name;
        const node = await hierarchy.node(child);
        if (node?.nodeType === "array") arrays++;
        else if (node) {
          groups++;
          await visit(child);
        }
      }
    };
    await visit("");
    expect(arrays).toBe(523);
    expect(groups).toBe(55);
  });
});
