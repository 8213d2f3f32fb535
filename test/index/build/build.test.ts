import { describe, expect, it } from "vitest";
import { writeWkb } from "../../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../../src/geometry/wkt-read.ts";
import { buildIndexes } from "../../../src/index/build/build.ts";
import { checkIndexes } from "../../../src/index/build/check.ts";
import { dropIndexes } from "../../../src/index/build/drop.ts";
import { openIndexes } from "../../../src/index/open.ts";
import { MemoryStore } from "../../../src/store/memory.ts";
import type { Store } from "../../../src/store/store.ts";
import { announce } from "../../../src/table/announcement.ts";
import { openTable } from "../../../src/table/open.ts";
import { Hierarchy } from "../../../src/zarr/hierarchy.ts";
import { type JsonObject, parseJsonObject, writeJson } from "../../../src/zarr/json.ts";
import { makeSource, putColumn } from "../source.ts";
import { askAll, columnsOf, cut, lengthen, sourceOf } from "./kit.ts";

const KINDS = { bbox: "rtree", date: "btree", clouds: "btree", platform: "category", id: "btree" };
const ALL = ["bbox", "clouds", "date", "id", "platform"];

const what = (reports: Awaited<ReturnType<typeof buildIndexes>>) =>
  Object.fromEntries(reports.map((report) => [report.column, report.what]));
const each = (word: string) => Object.fromEntries(ALL.map((name) => [name, word]));

async function copyAll(from: MemoryStore, to: MemoryStore, which: (key: string) => boolean): Promise<void> {
  for (const key of from.keys()) if (which(key)) to.set(key, (await from.get(key))!);
}

describe.each([2, 3] as const)("indexes of a v%i source", (format) => {
  it("are chosen by column, and answer as its rows do", async () => {
    const store = await sourceOf(230, { format });
    const reports = await buildIndexes(store, store);
    expect(Object.fromEntries(reports.map(({ column, kind }) => [column, kind]))).toEqual(KINDS);
    const answers = await askAll(store);
    expect(answers.kinds).toEqual(KINDS);
    expect(answers.states).toEqual(each("verified"));
    expect(answers.zones).toEqual(ALL);
    expect(answers.warnings).toEqual([]);
    expect(await checkIndexes(store, store)).toEqual(
      reports.map(({ column, kind }) => ({ column, kind, rows: 230, added: 0, problem: undefined })),
    );
  });

  it("stay where nothing changed", async () => {
    const store = await sourceOf(230, { format });
    await buildIndexes(store, store);
    const before = new Map(await valuesOf(store));
    expect(what(await buildIndexes(store, store))).toEqual(each("unchanged"));
    expect(new Map(await valuesOf(store))).toEqual(before);
  });

  it("take in rows that were added, and leave nothing of the older ones", async () => {
    const store = await sourceOf(230, { format });
    await buildIndexes(store, store);
    const names = keyCount(store);
    await lengthen(store, 250, { format });
    expect((await askAll(store)).covered).toEqual(Object.fromEntries(ALL.map((name) => [name, 200])));
    expect(what(await buildIndexes(store, store))).toEqual(each("extended"));
    const answers = await askAll(store);
    expect(answers.covered).toEqual(Object.fromEntries(ALL.map((name) => [name, 250])));
    expect(answers.states).toEqual(each("verified"));
    expect(keyCount(store)).toBe(names);
  });

  it.each([230, 240])("read nothing again of %i rows when others are appended", async (rows) => {
    const store = await sourceOf(rows, { format });
    await buildIndexes(store, store);
    const whole = Math.floor(rows / 40);
    const chunkOf = (key: string) => Number(/^meta\/\w+\/(?:c\/)?(\d+)$/.exec(key)?.[1] ?? Number.NaN);
    await copyAll(await sourceOf(900, { format }), store, (key) => !(chunkOf(key) < whole));
    const read: string[] = [];
    const watched: Store = {
      url: store.url,
      get(key, options) {
        read.push(key);
        return store.get(key, options);
      },
      getRange: (key, range, options) => store.getRange(key, range, options),
      stat: (key, options) => store.stat(key, options),
      list: (prefix, options) => store.list(prefix, options),
    };
    expect(what(await buildIndexes(watched, store))).toEqual(each("extended"));
    const chunks = read.filter((key) => chunkOf(key) >= 0);
    expect(chunks.filter((key) => chunkOf(key) < whole)).toEqual([]);
    expect(new Set(chunks).size).toBe(ALL.length * (Math.ceil(900 / 40) - whole));
    const answers = await askAll(store);
    expect(answers.covered).toEqual(Object.fromEntries(ALL.map((name) => [name, 900])));
    expect(answers.states).toEqual(each("verified"));
    // Byte for byte what is made of the whole column.
    const checked = await checkIndexes(store, store);
    expect(checked.map(({ problem }) => problem)).toEqual(ALL.map(() => undefined));
    expect(what(await buildIndexes(store, store))).toEqual(each("unchanged"));
  });

  it("know that all shapes are boxes, NULLs among them, when others are appended", async () => {
    const box = (west: number) => `POLYGON((${west} 0, ${west + 9} 0, ${west + 9} 8, ${west} 8, ${west} 0))`;
    const values = Array.from({ length: 500 }, (_, i) =>
      i % 7 === 3 ? new Uint8Array(0) : writeWkb(parseWkt(box((i % 300) - 150))),
    );
    const attributes = { "ARROW:extension:name": "geoarrow.wkb" };
    const columns = { bbox: { type: "bytes", values, attributes } };
    const store = await makeSource(cut(columns, 230), 40, format);
    await buildIndexes(store, store);
    const longer = await makeSource(columns, 40, format);
    await copyAll(longer, store, (key) => !/^meta\/\w+\/(?:c\/)?[0-4]$/.test(key));
    expect(what(await buildIndexes(store, store))).toEqual({ bbox: "extended" });
    const checked = await checkIndexes(store, store);
    expect(checked).toMatchObject([{ column: "bbox", rows: 500, problem: undefined }]);
  });

  it("are made from the columns where the older ones are damaged", async () => {
    const store = await sourceOf(240, { format });
    await buildIndexes(store, store);
    for (const key of [...store.keys()])
      if (/^indexes\/(?!_zarrsift)\w+\/.*\/(?:c\/)?0$/.test(key)) {
        const bytes = (await store.get(key))!.slice();
        bytes[Math.floor(bytes.length / 2)]! ^= 64;
        store.set(key, bytes);
      }
    await copyAll(await sourceOf(500, { format }), store, (key) => !/^meta\/\w+\/(?:c\/)?[0-5]$/.test(key));
    await buildIndexes(store, store);
    expect((await checkIndexes(store, store)).map(({ problem }) => problem)).toEqual(
      ALL.map(() => undefined),
    );
  });

  it("are made anew where a column changed, and only there", async () => {
    const store = await sourceOf(230, { format });
    await buildIndexes(store, store);
    const { clouds, bbox } = cut(columnsOf(1000, 7), 230);
    await putColumn(store, "clouds", clouds!, 40, format);
    await putColumn(store, "bbox", bbox!, 40, format);
    expect((await askAll(store)).states).toEqual({ ...each("verified"), clouds: "stale", bbox: "stale" });
    const reports = await buildIndexes(store, store);
    expect(what(reports)).toEqual({ ...each("unchanged"), clouds: "rebuilt", bbox: "rebuilt" });
    expect((await askAll(store)).states).toEqual(each("verified"));
    expect((await checkIndexes(store, store)).map(({ problem }) => problem)).toEqual(
      ALL.map(() => undefined),
    );
  });

  it("can be kept beside a source", async () => {
    const source = await sourceOf(230, { format });
    const before = [...source.keys()];
    const beside = new MemoryStore();
    await buildIndexes(source, beside);
    expect([...source.keys()]).toEqual(before);
    const answers = await askAll(source, beside);
    expect(answers.states).toEqual(each("verified"));
    expect((await checkIndexes(source, beside)).filter(({ problem }) => problem)).toEqual([]);
    expect(what(await buildIndexes(source, beside))).toEqual(each("unchanged"));
  });

  it("are dropped by column, or all, and leave no trace", async () => {
    const store = await sourceOf(230, { format });
    const before = new Map(await valuesOf(store));
    await buildIndexes(store, store);
    expect(await dropIndexes(store, { columns: ["bbox", "id", "nothing"] })).toEqual(["bbox", "id"]);
    const { bbox: _, id: __, ...kinds } = KINDS;
    expect((await askAll(store)).kinds).toEqual(kinds);
    expect([...store.keys()].filter((key) => /^indexes\/(.*\/)?(bbox|id)\//.test(key))).toEqual([]);
    await buildIndexes(store, store);
    expect((await askAll(store)).kinds).toEqual(KINDS);
    expect(await dropIndexes(store)).toEqual(ALL);
    expect(new Map(await valuesOf(store))).toEqual(before);
  });
});

describe("a check", () => {
  it("finds a byte that is not as it should be, in whatever array", async () => {
    const store = await sourceOf(230);
    await buildIndexes(store, store);
    const chunks = [...store.keys()].filter(
      (key) => /^indexes\/.*\/c[/.]\d+$/.test(key) && !/stamps/.test(key),
    );
    expect(chunks.length).toBeGreaterThan(25);
    for (const key of chunks) {
      const bytes = (await store.get(key))!;
      if (bytes.length === 0) continue;
      const damaged = bytes.slice();
      damaged[damaged.length >> 1]! ^= 4;
      store.set(key, damaged);
      const problems = (await checkIndexes(store, store)).filter(({ problem }) => problem);
      expect(problems.length, key).toBe(1);
      store.set(key, bytes);
    }
  });

  it("finds rows that changed, and compares those that were there before others came", async () => {
    const store = await sourceOf(230);
    await buildIndexes(store, store);
    await lengthen(store, 250);
    const grown = await checkIndexes(store, store);
    expect(grown.map(({ rows, added, problem }) => [rows, added, problem])).toEqual(
      ALL.map(() => [230, 20, undefined]),
    );
    await putColumn(store, "platform", cut(columnsOf(1000, 7), 250).platform!, 40);
    const [problem] = (await checkIndexes(store, store)).filter((report) => report.problem);
    expect(problem).toMatchObject({ column: "platform", problem: expect.stringContaining("chunk") });
  });
});

describe("in a copy", () => {
  it("bytes tell, and once the copy was indexed, times do", async () => {
    const store = await sourceOf(230);
    await buildIndexes(store, store);
    const copy = new MemoryStore();
    for (const [key, value] of (await valuesOf(store)).reverse()) copy.set(key, value);
    const why = async () => {
      const table = await openTable(await Hierarchy.open(copy), copy);
      const { indexes } = await openIndexes(copy, await Hierarchy.open(copy), table);
      return Promise.all(indexes.map(async (index) => (await index.state()).why));
    };
    expect(await why()).toEqual(ALL.map(() => "checksums of 6 chunks are as they were"));
    expect(what(await buildIndexes(copy, copy))).toEqual(each("unchanged"));
    expect(await why()).toEqual(ALL.map(() => "sizes and times of all chunks are as they were"));
    expect(keyCount(copy)).toBe(keyCount(store));
    expect((await checkIndexes(copy, copy)).map(({ problem }) => problem)).toEqual(ALL.map(() => undefined));
  });
});

describe("the root of a source", () => {
  const paths = (store: MemoryStore) =>
    [...store.keys()].flatMap((key) =>
      /^indexes\/(.*\/)?(zarr.json|\.z(array|group))$/.test(key) ? [key.replace(/\/[^/]*$/, "")] : [],
    );

  it("has consolidated metadata of v3 completed, and its announcement kept true", async () => {
    const store = await sourceOf(230);
    const meta = parseJsonObject((await store.get("meta/zarr.json"))!, "");
    const attributes = announce({ title: "t" }, { columns: ALL });
    const consolidated = { kind: "inline", must_understand: false, metadata: { meta } };
    store.set(
      "zarr.json",
      writeJson({ zarr_format: 3, node_type: "group", attributes, consolidated_metadata: consolidated }),
    );
    const root = async () => parseJsonObject((await store.get("zarr.json"))!, "") as never as RootV3;
    await buildIndexes(store, store);
    expect(Object.keys((await root()).consolidated_metadata.metadata).sort()).toEqual(
      [...paths(store), "meta"].sort(),
    );
    expect((await root()).attributes).toMatchObject({ title: "t", zarrsift: { columns: ALL, indexes: ALL } });
    expect((await askAll(store)).states).toEqual(each("verified"));
    await lengthen(store, 250);
    store.set("zarr.json", writeJson((await root()) as never));
    await buildIndexes(store, store);
    expect(Object.values((await askAll(store)).covered)).toEqual(Array(5).fill(250));
    expect(Object.keys((await root()).consolidated_metadata.metadata).sort()).toEqual(
      [...paths(store), "meta"].sort(),
    );
    await dropIndexes(store, { columns: ["bbox"] });
    expect((await root()).attributes).toMatchObject({ zarrsift: { indexes: ALL.slice(1) } });
    await dropIndexes(store);
    expect((await root()).attributes).toMatchObject({ zarrsift: { indexes: [] } });
    expect(Object.keys((await root()).consolidated_metadata.metadata)).toEqual(["meta"]);
  });

  it("has .zmetadata of v2 completed", async () => {
    const store = await sourceOf(230, { format: 2 });
    const metadata = { ".zgroup": { zarr_format: 2 }, "meta/.zgroup": { zarr_format: 2 } };
    store.set(".zmetadata", writeJson({ zarr_consolidated_format: 1, metadata }));
    await buildIndexes(store, store);
    const after = parseJsonObject((await store.get(".zmetadata"))!, "").metadata as JsonObject;
    const documents = [...store.keys()].filter((key) => /^indexes\/.*\.z(array|group|attrs)$/.test(key));
    expect(Object.keys(after).sort()).toEqual([...documents, ...Object.keys(metadata)].sort());
    expect((await askAll(store)).states).toEqual(each("verified"));
  });
});

interface RootV3 {
  attributes: JsonObject;
  consolidated_metadata: { metadata: JsonObject };
}

describe("a builder", () => {
  it("does the columns it is told to, whatever they hold", async () => {
    const store = await sourceOf(230);
    await buildIndexes(store, store, { columns: ["date", "id"] });
    expect((await askAll(store)).kinds).toEqual({ date: "btree", id: "btree" });
    await expect(buildIndexes(store, store, { columns: ["dat"] })).rejects.toMatchObject({
      code: "unknown_column",
      message: expect.stringContaining("no column dat"),
    });
  });

  it("leaves a column out whose geometry cannot be read, and says which row", async () => {
    const store = await sourceOf(230);
    const columns = cut(columnsOf(1000, 1), 230);
    (columns.bbox!.values as Uint8Array[])[100] = Uint8Array.of(1, 2, 3);
    await putColumn(store, "bbox", columns.bbox!, 40);
    const [report] = await buildIndexes(store, store);
    expect(report).toMatchObject({
      column: "bbox",
      what: "left",
      why: expect.stringContaining("Row 100 of column bbox"),
    });
    await expect(buildIndexes(store, store, { columns: ["bbox"] })).rejects.toMatchObject({
      code: "bad_geometry",
    });
  });

  it("keeps a second one out", async () => {
    const store = await sourceOf(230);
    const first = buildIndexes(store, store);
    await expect(buildIndexes(store, store)).rejects.toMatchObject({ code: "busy" });
    await first;
    await buildIndexes(store, store);
  });

  it("stops when it is told to, and goes on later", async () => {
    const store = await sourceOf(230);
    const controller = new AbortController();
    const onColumn = () => controller.abort(new Error("enough"));
    await expect(buildIndexes(store, store, { signal: controller.signal, onColumn })).rejects.toThrow(
      "enough",
    );
    expect((await askAll(store)).kinds).toEqual({ bbox: "rtree" });
    expect(what(await buildIndexes(store, store))).toEqual({ ...each("built"), bbox: "unchanged" });
  });

  it("drops what belonged to a column that is no more", async () => {
    const store = await sourceOf(230);
    await buildIndexes(store, store);
    for (const key of [...store.keys()]) if (key.startsWith("meta/bbox/")) store.delete(key);
    await buildIndexes(store, store);
    expect([...store.keys()].filter((key) => key.includes("bbox"))).toEqual([]);
  });
});

async function valuesOf(store: MemoryStore): Promise<[string, Uint8Array][]> {
  return Promise.all(
    [...store.keys()].map(async (key) => [key, (await store.get(key))!] as [string, Uint8Array]),
  );
}

const keyCount = (store: MemoryStore) => [...store.keys()].filter((key) => key.startsWith("indexes/")).length;
