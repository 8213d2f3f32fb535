/** Which columns are recorded as those that hold the boxes of an R-tree, and what keeps that true. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeWkb } from "../../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../../src/geometry/wkt-read.ts";
import type { BuildOptions } from "../../../src/index/build/api.ts";
import { buildIndexes } from "../../../src/index/build/build.ts";
import { checkIndexes } from "../../../src/index/build/check.ts";
import { dropIndexes } from "../../../src/index/build/drop.ts";
import { openIndexes } from "../../../src/index/open.ts";
import { WritableDirectory } from "../../../src/store/file-write.ts";
import { loadIcechunk } from "../../../src/store/icechunk/load.ts";
import { createIcechunk, ICECHUNK_TEMPORARY } from "../../../src/store/icechunk/write.ts";
import { MemoryStore } from "../../../src/store/memory.ts";
import { openSource } from "../../../src/store/open.ts";
import { openWritable } from "../../../src/store/open-writable.ts";
import type { Store } from "../../../src/store/store.ts";
import { openTable } from "../../../src/table/open.ts";
import { Hierarchy } from "../../../src/zarr/hierarchy.ts";
import { type JsonObject, parseJsonObject, writeJson } from "../../../src/zarr/json.ts";
import { BOX_CHUNK, type BoxOptions, boxColumns, boxSource, lengthenBoxes } from "../boxes.ts";
import { makeSource, putColumn, type TestColumn, utf8 } from "../source.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-covering-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const hasIcechunk = await loadIcechunk().then(
  () => true,
  () => false,
);

const ROWS = 1800;
const NAMES = ["xmin", "ymin", "xmax", "ymax"];

/** The covering that is found, and its answer to a box. */
async function coveringOf(source: Store, store = source) {
  const table = await openTable(await Hierarchy.open(source), source);
  const { indexes, warnings } = await openIndexes(store, await Hierarchy.open(store), table, { source });
  expect(warnings).toEqual([]);
  const tree = indexes.find(({ column }) => column === "bbox");
  return tree?.kind === "rtree" ? tree.covering : undefined;
}

async function build(store: MemoryStore, options: BuildOptions = {}) {
  const reports = await buildIndexes(store, store, options);
  return reports.find(({ column }) => column === "bbox")!;
}

const problems = async (source: MemoryStore, store = source) =>
  (await checkIndexes(source, store)).flatMap(({ column, problem }) => (problem ? [[column, problem]] : []));

const QUERY = [
  [{ low: Number.NEGATIVE_INFINITY, high: 60 }],
  [{ low: Number.NEGATIVE_INFINITY, high: 20 }],
  [{ low: -10, high: Number.POSITIVE_INFINITY }],
  [{ low: -20, high: Number.POSITIVE_INFINITY }],
] as const;

/** A repository with the columns of a source. */
async function repositoryOf(store: MemoryStore): Promise<string> {
  const path = mkdtempSync(join(folder, "repository-"));
  const repository = await createIcechunk(new WritableDirectory(path, ICECHUNK_TEMPORARY));
  for (const key of inTreeOrder(store.keys())) await repository.set(key, (await store.get(key))!);
  await repository.commit!("made");
  return path;
}

/** Documents before chunks, outer ones first. */
const inTreeOrder = (keys: Iterable<string>) =>
  [...keys].sort(
    (a, b) => Number(b.endsWith("zarr.json")) - Number(a.endsWith("zarr.json")) || a.length - b.length,
  );

/** Rows of the columns themselves. */
function truth(rows: number, options?: BoxOptions): number[] {
  const columns = boxColumns(rows, options);
  const sides = (options?.names ?? NAMES).map((name) => columns[name]!.values as Float64Array);
  return Array.from({ length: rows }, (_, row) => row).filter((row) =>
    QUERY.every(([{ low, high }], side) => sides[side]![row]! >= low && sides[side]![row]! <= high),
  );
}

/** A column that has a zone map alone. */
const notes = (rows: number): TestColumn => ({
  type: "bytes",
  values: Array.from({ length: rows }, (_, i) => utf8(`${(i * 7919) % 1009}`.repeat(1 + (i % 20)))),
});

const coveringKeys = (store: MemoryStore) => [...store.keys()].filter((key) => key.includes("/covering/"));

describe("columns that hold the boxes of an R-tree", () => {
  it.each([
    [["xmin", "ymin", "xmax", "ymax"]],
    [["MinX", "MinY", "MaxX", "MaxY"]],
    [["west", "south", "east", "north"]],
    [["bbox_xmin", "bbox_ymin", "bbox_xmax", "bbox_ymax"]],
    [["bbox.xmin", "bbox.ymin", "bbox.xmax", "bbox.ymax"]],
    [["bbox_west", "bbox_south", "bbox_east", "bbox_north"]],
  ])("are known by their names: %j", async (names) => {
    const store = await boxSource(ROWS, { names });
    expect((await build(store)).covering).toEqual(names);
    const covering = (await coveringOf(store))!;
    expect(covering).toMatchObject({ column: "bbox", columns: names, path: "/indexes/bbox", covered: ROWS });
    expect((await covering.state()).state).toBe("verified");
    expect([...(await covering.find(QUERY))]).toEqual(truth(ROWS, { names }));
    expect(await problems(store)).toEqual([]);
  });

  it("are named where their names say nothing", async () => {
    const names = ["a", "b", "c", "d"] as const;
    const store = await boxSource(ROWS, { names });
    expect((await build(store)).covering).toBeUndefined();
    const renewed = await build(store, { covering: names });
    expect(renewed).toMatchObject({ what: "extended", covering: names });
    expect([...(await (await coveringOf(store))!.find(QUERY))]).toEqual(truth(ROWS, { names }));
    expect(await problems(store)).toEqual([]);
    expect((await build(store, { covering: names })).what).toBe("unchanged");
    await expect(build(store, { covering: ["a", "b", "c", "e"] })).rejects.toThrow("no column e");
    await expect(build(store, { covering: ["a", "b", "c", "platform"] })).rejects.toThrow("is string");
  });

  it("may be two columns that hold points", async () => {
    const { bbox, xmin, ymin } = boxColumns(ROWS, { odd: 0 });
    const [x, y] = [xmin!.values as Float64Array, ymin!.values as Float64Array];
    const points = Array.from(x, (lon, i) =>
      Number.isNaN(lon) ? new Uint8Array(0) : writeWkb(parseWkt(`POINT(${lon} ${y[i]})`)),
    );
    const store = await makeSource({ bbox: { ...bbox!, values: points }, lon: xmin!, lat: ymin! }, BOX_CHUNK);
    expect((await build(store)).covering).toBeUndefined();
    await build(store, { covering: ["lon", "lat", "lon", "lat"] });
    const box = [[{ low: -20, high: 30.25 }], [{ low: -10, high: 40 }]] as const;
    const found = await (await coveringOf(store))!.find([...box, ...box]);
    const wanted = [...x.keys()].filter((i) => x[i]! >= -20 && x[i]! <= 30.25 && y[i]! >= -10 && y[i]! <= 40);
    expect([...found]).toEqual(wanted);
    expect(wanted.length).toBeGreaterThan(50);
    // What was named is kept, though no name says so.
    expect(await build(store)).toMatchObject({ what: "unchanged", covering: ["lon", "lat", "lon", "lat"] });
  });

  it.each<[string, BoxOptions]>([
    ["too many rows differ", { odd: 0.2 }],
    ["float32 holds other numbers", { type: "float32", step: 0 }],
  ])("are not recorded where %s", async (_, options) => {
    const store = await boxSource(ROWS, options);
    expect((await build(store)).covering).toBeUndefined();
    expect(await coveringOf(store)).toBeUndefined();
    expect(coveringKeys(store)).toEqual([]);
    expect((await build(store)).what).toBe("unchanged");
  });

  it("have indexes of their own where they do not hold the boxes, and else zone maps", async () => {
    const kinds = async (store: MemoryStore) => {
      const reports = await buildIndexes(store, store);
      expect(reports.map(({ column }) => column).sort()).toEqual(
        [...NAMES, "bbox", "date", "platform"].sort(),
      );
      return NAMES.map((name) => reports.find(({ column }) => column === name)!.kind);
    };
    const store = await boxSource(ROWS);
    expect(await kinds(store)).toEqual(NAMES.map(() => undefined));
    expect(await kinds(store)).toEqual(NAMES.map(() => undefined));
    const { ymax } = boxColumns(ROWS);
    const values = (ymax!.values as Float64Array).map((side) => side + 1);
    await putColumn(store, "ymax", { ...ymax!, values }, BOX_CHUNK);
    expect(await kinds(store)).toEqual(NAMES.map(() => "btree"));
    expect(await kinds(await boxSource(ROWS, { odd: 0.2 }))).toEqual(NAMES.map(() => "btree"));
    // Ended before they had their own.
    const ended = await boxSource(ROWS, { odd: 0.2 });
    const stop = new AbortController();
    const left = new Set(NAMES);
    const onColumn = ({ column }: { column: string }) => {
      if (left.delete(column) && left.size === 0) stop.abort(new Error("ended"));
    };
    await expect(buildIndexes(ended, ended, { onColumn, signal: stop.signal })).rejects.toThrow("ended");
    expect(await kinds(ended)).toEqual(NAMES.map(() => "btree"));
    expect(await problems(ended)).toEqual([]);
    // Columns that were indexed after the tree was.
    const later = await boxSource(ROWS);
    await build(later, { columns: ["bbox"] });
    expect(await kinds(later)).toEqual(NAMES.map(() => undefined));
    expect((await coveringOf(later))!.columns).toEqual(NAMES);
  });

  it("are not recorded where they are in another order, or texts", async () => {
    const swapped = await boxSource(ROWS, { names: ["xmin", "ymin", "ymax", "xmax"] });
    expect((await build(swapped)).covering).toBeUndefined();
    const { xmin: _, ...others } = boxColumns(ROWS);
    const texts = boxColumns(ROWS).platform!;
    const store = await makeSource({ ...others, xmin: texts }, BOX_CHUNK);
    expect((await build(store)).covering).toBeUndefined();
  });

  it("take the second set of columns where the first is in another unit", async () => {
    const { bbox, xmin, ymin, xmax, ymax } = boxColumns(ROWS);
    const meters = (column: typeof xmin) => ({
      ...column!,
      values: Float64Array.from(column!.values as Float64Array, (side) => side * 111_195),
    });
    const projected = { xmin: meters(xmin), ymin: meters(ymin), xmax: meters(xmax), ymax: meters(ymax) };
    const degrees = { west: xmin!, south: ymin!, east: xmax!, north: ymax! };
    const store = await makeSource({ bbox: bbox!, ...projected, ...degrees }, BOX_CHUNK);
    expect((await build(store)).covering).toEqual(["west", "south", "east", "north"]);
  });

  it("may have chunks of other lengths than the geometry", async () => {
    const store = await boxSource(ROWS);
    for (const [i, name] of NAMES.entries())
      await putColumn(store, name, boxColumns(ROWS)[name]!, 37 + 400 * i);
    expect((await build(store)).covering).toEqual(NAMES);
    expect([...(await (await coveringOf(store))!.find(QUERY))]).toEqual(truth(ROWS));
    expect(await problems(store)).toEqual([]);
    for (const [i, name] of NAMES.entries())
      await putColumn(store, name, boxColumns(ROWS + 1)[name]!, 37 + 400 * i);
    for (const name of ["bbox", "date", "platform"])
      await putColumn(store, name, boxColumns(ROWS + 1)[name]!, BOX_CHUNK);
    // Whole chunks of ymax, of 1237 rows.
    expect((await coveringOf(store))!.covered).toBe(1237);
  });

  it.each([2, 3] as const)("are true after rows were appended, in v%i too", async (format) => {
    const store = await makeSource(boxColumns(ROWS), BOX_CHUNK, format);
    await build(store);
    const keys = coveringKeys(store).length;
    for (const [name, column] of Object.entries(boxColumns(ROWS + 600)))
      await putColumn(store, name, column, BOX_CHUNK, format);
    // The last chunk grew: what is before it counts.
    expect((await coveringOf(store))!.covered).toBe(1500);
    expect(await build(store)).toMatchObject({ what: "extended", covering: NAMES });
    const covering = (await coveringOf(store))!;
    expect(covering.covered).toBe(ROWS + 600);
    expect([...(await covering.find(QUERY))]).toEqual(truth(ROWS + 600));
    expect(await problems(store)).toEqual([]);
    expect(coveringKeys(store).length).toBe(keys);
  });

  it.each<[number, number[]]>([
    [1500, [500, 500, 500, 500]],
    [1800, [500, 500, 500, 500]],
    [1800, [400, 1700, 500, 90]],
  ])("are not read again when rows are appended to %i, in chunks of %j", async (rows, lengths) => {
    const more = rows + 900;
    const put = async (store: MemoryStore, count: number) => {
      for (const [name, column] of Object.entries({ ...boxColumns(count), note: notes(count) })) {
        const length = lengths[NAMES.indexOf(name)] ?? BOX_CHUNK;
        const keep = Math.floor(rows / length);
        const old = await Promise.all(
          Array.from({ length: keep }, (_, i) => store.get(`meta/${name}/c/${i}`)),
        );
        const one = await makeSource({ [name]: column }, length);
        for (const key of one.keys())
          if (key.startsWith("meta/") && !old[Number(/\d+$/.exec(key)?.[0])])
            store.set(key, (await one.get(key))!);
      }
    };
    const store = await boxSource(rows);
    for (const key of [...store.keys()]) if (key.startsWith("meta/")) store.delete(key);
    await put(store, rows);
    expect((await build(store)).covering).toEqual(NAMES);
    await put(store, more);
    const read: [string, number][] = [];
    const get: Store["get"] = (key, options) => {
      const [, name, chunk] = /^meta\/(\w+)\/c\/(\d+)$/.exec(key) ?? [];
      if (name) read.push([name, Number(chunk)]);
      return store.get(key, options);
    };
    const watched: Store = {
      url: store.url,
      get,
      getRange: (key, range, options) => store.getRange(key, range, options),
      stat: (key, options) => store.stat(key, options),
      list: (prefix, options) => store.list(prefix, options),
    };
    const reports = await buildIndexes(watched, store);
    expect(new Set(reports.map(({ what }) => what))).toEqual(new Set(["extended"]));
    // Rows are compared from where a chunk of each of the columns ends.
    const from = Math.min(...[500, ...lengths].map((length) => Math.floor(rows / length) * length));
    for (const [i, name] of [...NAMES, "bbox", "note"].entries()) {
      const length = lengths[i] ?? BOX_CHUNK;
      const first = Math.floor((i < 4 ? from : rows) / length);
      const chunks = read.filter(([of]) => of === name).map(([, chunk]) => chunk);
      expect(Math.min(...chunks), name).toBe(first);
      // For the tree and for the zone map.
      expect(chunks.length, name).toBeLessThanOrEqual((i < 4 ? 2 : 1) * (Math.ceil(more / length) - first));
    }
    const record = async (of: MemoryStore) => {
      const { attributes } = parseJsonObject((await of.get("indexes/zarr.json"))!, "indexes");
      const { zarrsift } = attributes as { zarrsift: { indexes: { bbox: { covering: JsonObject } } } };
      const { exceptions, ...covering } = zarrsift.indexes.bbox.covering;
      return { ...covering, exceptions: { ...(exceptions as JsonObject), path: "" } };
    };
    const anew = new MemoryStore([], { url: "memory:anew" });
    await buildIndexes(store, anew);
    expect(await record(store)).toEqual(await record(anew));
    const covering = (await coveringOf(store))!;
    expect((await covering.state()).state).toBe("verified");
    expect([...(await covering.find(QUERY))]).toEqual(truth(more));
    expect(await problems(store)).toEqual([]);
    expect((await buildIndexes(store, store)).map(({ what }) => what)).toEqual(
      reports.map(() => "unchanged"),
    );
  });

  it("are dropped when appended rows are others, and come back", async () => {
    const store = await boxSource(ROWS);
    await build(store);
    const rows = ROWS + 200;
    for (const [name, column] of Object.entries(boxColumns(rows))) {
      const values =
        name === "ymax"
          ? (column.values as Float64Array).map((v, i) => (i < ROWS ? v : v + 1))
          : column.values;
      await putColumn(store, name, { ...column, values }, BOX_CHUNK);
    }
    expect((await build(store)).covering).toBeUndefined();
    expect(coveringKeys(store)).toEqual([]);
    await lengthenBoxes(store, rows);
    const report = await build(store);
    expect(report).toMatchObject({ what: "extended", covering: NAMES, why: "columns hold its boxes" });
    expect([...(await (await coveringOf(store))!.find(QUERY))]).toEqual(truth(rows));
    expect(await problems(store)).toEqual([]);
  });

  it("are found in an index that was made before, and gone with the tree", async () => {
    const store = await boxSource(ROWS);
    await build(store, { columns: ["bbox"] });
    // Nobody knows whether columns that were not indexed change.
    expect(await coveringOf(store)).toBeUndefined();
    await build(store);
    expect((await coveringOf(store))!.columns).toEqual(NAMES);
    await dropIndexes(store, { columns: ["bbox"] });
    expect(await coveringOf(store)).toBeUndefined();
    expect(coveringKeys(store)).toEqual([]);
    expect((await build(store)).covering).toEqual(NAMES);
    await dropIndexes(store);
    expect([...store.keys()].filter((key) => key.startsWith("indexes/"))).toEqual([]);
  });

  it("hold them no more once they are scaled, without a chunk that changed", async () => {
    const store = await boxSource(ROWS, { type: "int16", step: 1, odd: 0 });
    await build(store);
    const key = "meta/ymax/zarr.json";
    const document = parseJsonObject((await store.get(key))!, key);
    const attributes = { ...(document.attributes as JsonObject), scale_factor: 0.5 };
    store.set(key, writeJson({ ...document, attributes }));
    expect(await (await coveringOf(store))!.state()).toMatchObject({ state: "stale" });
    await build(store, { columns: ["ymax"] });
    const now = await (await coveringOf(store))!.state();
    expect(now).toEqual({ state: "stale", why: "ymax is not what it was compared as; index again" });
    expect((await build(store)).covering).toBeUndefined();
    // The same in another spelling is the same.
    store.set(key, writeJson(Object.fromEntries(Object.entries(document).reverse())));
    expect((await build(store)).covering).toEqual(NAMES);
    expect((await build(store)).what).toBe("unchanged");
  });

  it("have no covering once one of them has no index", async () => {
    const store = await boxSource(ROWS);
    await build(store);
    await dropIndexes(store, { columns: ["xmax"] });
    const table = await openTable(await Hierarchy.open(store), store);
    const { indexes, warnings } = await openIndexes(store, await Hierarchy.open(store), table);
    expect(warnings).toEqual([
      expect.stringMatching(/covering of bbox is not used: nothing says what xmax was/),
    ]);
    expect(indexes.find(({ column }) => column === "bbox")).toMatchObject({ covering: undefined });
  });

  it("may be beside the source", async () => {
    const source = await boxSource(ROWS);
    const beside = new MemoryStore([], { url: "memory:beside" });
    await buildIndexes(source, beside);
    const covering = (await coveringOf(source, beside))!;
    expect((await covering.state()).state).toBe("verified");
    expect([...(await covering.find(QUERY))]).toEqual(truth(ROWS));
    expect(await problems(source, beside)).toEqual([]);
  });

  it.skipIf(!hasIcechunk)("are verified in a repository until a commit changes one of them", async () => {
    const path = await repositoryOf(await boxSource(ROWS));
    const state = async () => {
      const store = await openSource(path);
      const covering = await coveringOf(store);
      if (!covering) return "none";
      expect([...(await covering.find(QUERY))]).toEqual(truth(ROWS));
      return (await covering.state()).state;
    };
    expect(await state()).toBe("none");
    await buildIndexes(await openSource(path), await openWritable(path));
    expect(await state()).toBe("verified");
    const commit = async (name: string, by: number) => {
      const changed = boxColumns(ROWS)[name]!;
      const values = (changed.values as Float64Array).map((side) => side + by);
      const memory = await makeSource({ [name]: { ...changed, values } }, BOX_CHUNK);
      const writable = await openWritable(path);
      for (let chunk = 0; chunk * BOX_CHUNK < ROWS; chunk++)
        await writable.set(`meta/${name}/c/${chunk}`, (await memory.get(`meta/${name}/c/${chunk}`))!);
      await writable.commit!(`other ${name}`);
    };
    const writable = await openWritable(path);
    await writable.set("meta/platform/c/0", (await (await openSource(path)).get("meta/platform/c/1"))!);
    await writable.commit!("other platforms");
    expect(await state()).toBe("verified");
    await commit("ymax", 1);
    expect(await state()).toBe("stale");
    await buildIndexes(await openSource(path), await openWritable(path));
    expect(await state()).toBe("none");
    await commit("ymax", 0);
    await buildIndexes(await openSource(path), await openWritable(path));
    expect(await state()).toBe("verified");
    const found = await openSource(path);
    expect((await checkIndexes(found, found)).filter(({ problem }) => problem)).toEqual([]);
  });

  it("are compared row by row by --check", async () => {
    const store = await boxSource(ROWS);
    await build(store);
    const key = coveringKeys(store).find((one) => one.endsWith("/values/c/0"))!;
    const bytes = (await store.get(key))!.slice();
    for (let at = 0; at < bytes.length; at += 8) {
      const broken = bytes.slice();
      broken[at]! ^= 1;
      store.set(key, broken);
      const [found, ...more] = await problems(store);
      expect(more).toEqual([]);
      expect(found).toEqual([
        "bbox",
        expect.stringMatching(/covering.*values differs from its column in byte/),
      ]);
      if (at > 80) break;
    }
    store.set(key, bytes);
    expect(await problems(store)).toEqual([]);
    const changed = boxColumns(ROWS).ymin!;
    (changed.values as Float64Array)[700]! += 1;
    await putColumn(store, "ymin", changed, BOX_CHUNK);
    expect((await problems(store)).map(([column]) => column)).toEqual(["bbox", "ymin"]);
  });
});
