/** The granules layout on small collections: attributes, collisions, order, missing and conflicting granules. */
import { describe, expect, test } from "vitest";
import * as zarr from "zarrita";
import { type Collection, openCollection, type View } from "../../src/index.ts";
import { type Granule, tinyCollection } from "./tiny.ts";

const plain: Granule[] = [0, 1, 2, 3].map((i) => ({
  path: i % 2 ? `odd/g${i}` : `g${i}`,
  attributes: { title: `granule ${i}`, cloud: 99 },
  arrays: { sst: { units: "K", note: "own" }, wind: {} },
}));
const columns = { cloud: [0.5, Number.NaN, 2, 3], note: ["a", "b", "c", "d"], units: ["m", "m", "m", "m"] };

async function collectionOf(
  granules = plain,
  meta: Parameters<typeof tinyCollection>[1] = columns,
): Promise<Collection> {
  return openCollection(await tinyCollection(granules, meta), { name: "tiny" });
}

async function document(view: View, key: string, face: 2 | 3 = 3): Promise<Record<string, unknown>> {
  const bytes = await view.store(face).get(`/${key}`);
  if (!bytes) throw new Error(`${key} is not there`);
  return JSON.parse(new TextDecoder().decode(bytes));
}

describe("attributes", () => {
  test("fields are flat, a node's own win, reserved names are prefixed, NULL is left out", async () => {
    const view = await (await collectionOf()).view("SELECT cloud, note, units FROM meta ORDER BY idx");
    expect(view.fields).toEqual(["idx", "cloud", "note", "units"]);
    const group = await document(view, "g0/zarr.json");
    expect(group.attributes).toEqual({
      title: "granule 0",
      cloud: 99,
      idx: 0,
      meta_cloud: 0.5,
      note: "a",
      meta_units: "m",
    });
    const sst = await document(view, "odd/g1/sst/zarr.json");
    expect(sst.attributes).toEqual({ units: "K", note: "own", idx: 1, meta_note: "b", meta_units: "m" });
    const v2 = await document(view, "odd/g1/sst/.zattrs", 2);
    expect(v2).toEqual({
      units: "K",
      note: "own",
      idx: 1,
      meta_note: "b",
      meta_units: "m",
      _ARRAY_DIMENSIONS: ["y", "x"],
    });
  });

  test("a view whose field finds its place and its prefixed place taken is refused, naming it", async () => {
    const granules = structuredClone(plain);
    granules[2]!.arrays.sst!.meta_note = "taken";
    const collection = await collectionOf(granules);
    await expect(collection.view("SELECT note FROM meta")).rejects.toMatchObject({
      code: "field_collision",
      details: { field: "note" },
    });
    await expect(collection.view("SELECT note FROM meta WHERE idx <> 2")).resolves.toMatchObject({
      count: 3,
    });
  });

  test("two fields that would be one attribute are refused", async () => {
    const collection = await collectionOf();
    await expect(collection.view('SELECT units, note AS "meta_units" FROM meta')).rejects.toMatchObject({
      code: "field_collision",
    });
  });

  test("expressions are fields under their alias", async () => {
    const view = await (await collectionOf()).view("SELECT cloud * 2 AS twice FROM meta WHERE idx = 2");
    expect((await document(view, "g2/wind/zarr.json")).attributes).toEqual({ idx: 2, twice: 4 });
  });

  test("a view of a view has its own fields, and all that is the source's", async () => {
    const first = await (await collectionOf()).view("SELECT note, cloud FROM meta");
    const again = await openCollection(first.asStore(3), { name: "again" });
    const second = await again.view("SELECT cloud FROM meta WHERE note = 'c'");
    expect((await document(second, "g2/sst/zarr.json")).attributes).toEqual({
      units: "K",
      note: "own",
      idx: 2,
      cloud: 2,
    });
    expect((await document(second, "g2/zarr.json")).attributes).toEqual({
      title: "granule 2",
      cloud: 99,
      idx: 2,
      meta_cloud: 2,
    });
    const third = await openCollection(second.asStore(2), { name: "third" });
    const last = await third.view([0]);
    expect((await document(last, "g2/sst/zarr.json")).attributes).toMatchObject({
      note: "own",
      idx: 0,
      cloud: 2,
    });
  });

  test.each([
    "cloud / 2",
    'note AS ".."',
    'note AS "a#b"',
    'note AS "__proto__"',
    "idx + 1 AS idx",
    "1 AS source_idx",
  ])("%s is no name of a field", async (item) => {
    await expect((await collectionOf()).view(`SELECT ${item} FROM meta`)).rejects.toMatchObject({
      code: "bad_request",
    });
  });

  test("the root says where the view comes from", async () => {
    const sql = "SELECT note FROM meta WHERE idx = 3";
    const view = await (await collectionOf()).view(sql);
    const { attributes } = (await document(view, "zarr.json")) as { attributes: Record<string, unknown> };
    expect(attributes.zarrsift).toMatchObject({ sql, version: view.version, collection: "tiny" });
    expect(attributes.zarr_conventions).toEqual([
      expect.objectContaining({ name: "zarrsift", uuid: expect.any(String) }),
    ]);
  });
});

describe("hierarchy", () => {
  test("holds the matching granules, their ancestors and /meta, nothing else", async () => {
    const view = await (await collectionOf()).view("SELECT idx FROM meta WHERE idx IN (3, 0)");
    const face = view.face(3);
    expect(await face.children("")).toEqual(["zarr.json", "g0/", "meta/", "odd/"]);
    expect(await face.children("odd")).toEqual(["zarr.json", "g3/"]);
    expect(await face.children("g2")).toBeUndefined();
    for (const gone of [
      "g2/zarr.json",
      "odd/g1/sst/c/0/0",
      "meta/nothing/zarr.json",
      "g0/sst/c/0/1",
      "g0/sst/c/00/0",
      "g0/sst/c/0",
    ]) {
      expect(await face.resource(gone)).toBeUndefined();
    }
    await expect(face.resource("g0/../g2/zarr.json")).rejects.toMatchObject({ code: "bad_request" });
  });

  test("consolidated metadata lists every node, in both faces", async () => {
    const view = await (await collectionOf()).view("SELECT idx FROM meta WHERE idx IN (3, 0)");
    const nodes = ["g0", "g0/sst", "g0/wind", "odd", "odd/g3", "odd/g3/sst", "odd/g3/wind"];
    const meta = ["array_location", "cloud", "note", "source_idx", "units"].map((name) => `meta/${name}`);
    const v3 = (await document(view, "zarr.json")) as { consolidated_metadata: { metadata: object } };
    expect(Object.keys(v3.consolidated_metadata.metadata).sort()).toEqual([...nodes, "meta", ...meta].sort());
    const v2 = (await document(view, ".zmetadata", 2)) as { metadata: object };
    const named = new Set(Object.keys(v2.metadata).map((key) => key.replace(/\/?\.z\w+$/, "")));
    expect([...named].sort()).toEqual(["", ...nodes, "meta", ...meta].sort());
  });

  test("past a number of nodes it is listed, and each granule has its own consolidated metadata", async () => {
    const store = await tinyCollection(plain, columns);
    // 4 granules of 3 nodes, odd/, meta/ and its 3 arrays
    for (const [consolidatedNodes, whole] of [
      [17, true],
      [16, false],
    ] as const) {
      const collection = await openCollection(store, { name: "tiny", consolidatedNodes });
      const view = await collection.view("SELECT note FROM meta");
      expect("consolidated_metadata" in (await document(view, "zarr.json"))).toBe(whole);
      expect((await view.face(2).resource(".zmetadata")) !== undefined).toBe(whole);
      expect(await view.face(3).children("")).toEqual(["zarr.json", "g0/", "g2/", "meta/", "odd/"]);
      expect(await view.face(3).children("odd")).toEqual(["zarr.json", "g1/", "g3/"]);
      const own = (await document(view, "odd/g3/zarr.json")).consolidated_metadata as { metadata: object };
      expect(Object.keys(own.metadata)).toEqual(["sst", "wind"]);
    }
  });

  test("variables restrict the arrays of each granule", async () => {
    const view = await (await collectionOf()).view("SELECT idx FROM meta", { variables: ["wind"] });
    expect(await view.face(3).children("g0")).toEqual(["zarr.json", "wind/"]);
    expect(await view.face(3).resource("g0/sst/zarr.json")).toBeUndefined();
    expect(await view.face(3).resource("g0/sst/c/0/0")).toBeUndefined();
  });

  test("variables that are not there are told what is", async () => {
    const view = (await collectionOf()).view("SELECT idx FROM meta WHERE idx > 1", {
      variables: ["wind", "sts"],
    });
    await expect(view).rejects.toThrow(/an array "sts"; .*; row 2 has sst, wind$/);
  });

  test("an empty result is a valid, empty view", async () => {
    const view = await (await collectionOf()).view("SELECT note FROM meta WHERE cloud > 1000");
    expect(view.count).toBe(0);
    expect(await view.face(3).children("")).toEqual(["zarr.json", "meta/"]);
    const note = await zarr.open(zarr.root(view.store(3)).resolve("/meta/note"), { kind: "array" });
    expect(note.shape).toEqual([0]);
  });
});

describe("rows", () => {
  test("order is the query's, and a list keeps its own", async () => {
    const collection = await collectionOf();
    const indexes = async (view: View) => {
      const array = await zarr.open(zarr.root(view.store(3)).resolve("/meta/source_idx"), { kind: "array" });
      return Array.from((await zarr.get(array)).data as BigInt64Array, Number);
    };
    expect(await indexes(await collection.view("SELECT idx FROM meta ORDER BY note DESC"))).toEqual([
      3, 2, 1, 0,
    ]);
    expect(await indexes(await collection.view([2, 0, 3]))).toEqual([2, 0, 3]);
    expect(await indexes(await collection.view("SELECT idx FROM meta WHERE cloud >= 0"))).toEqual([0, 2, 3]);
  });

  test("the same makes the same id, anything else another", async () => {
    const [a, b] = [await collectionOf(), await collectionOf()];
    const id = async (collection: Collection, ...args: Parameters<Collection["view"]>) =>
      (await collection.view(...args)).id;
    const first = await id(a, "SELECT note FROM meta WHERE idx < 2");
    expect(await id(b, "SELECT note FROM meta WHERE NOT idx >= 2")).toBe(first);
    expect(await id(a, [0, 1], { fields: ["note"] })).toBe(first);
    const c = await openCollection(await tinyCollection(plain, columns), { name: "tiny", fields: ["note"] });
    expect(await id(c, [0, 1])).toBe(first);
    expect(await id(c, "SELECT * FROM meta WHERE idx < 2")).toBe(first);
    const others = [
      await id(a, [1, 0], { fields: ["note"] }),
      await id(a, [0, 1], { fields: ["cloud"] }),
      await id(a, [0, 1], { fields: ["note"], variables: ["sst"] }),
      await id(a, [0], { fields: ["note"] }),
    ];
    expect(new Set([first, ...others]).size).toBe(5);
  });

  test("default fields give way to those that are named, and stay with the view", async () => {
    const store = await tinyCollection(plain, columns);
    const other = await openCollection(store, { name: "tiny" });
    const own = await openCollection(store, { name: "tiny", fields: ["note"] });
    expect((await own.view("SELECT cloud FROM meta")).fields).toEqual(["idx", "cloud"]);
    expect((await own.view([0], { fields: ["units"] })).fields).toEqual(["idx", "units"]);
    const view = await own.view("SELECT idx FROM meta WHERE idx = 1");
    expect(view.fields).toEqual(["idx", "note"]);
    expect((await other.restore(view.definition)).fields).toEqual(["idx", "note"]);
    const unknown = await openCollection(store, { fields: ["nope"] });
    await expect(unknown.view([0])).rejects.toMatchObject({ code: "unknown_column" });
  });

  test.each([
    [[0, 0], "named twice"],
    [[4], "out of range"],
    [[-1], "out of range"],
    [[0.5], "out of range"],
  ])("idx %j is refused", async (idx, why) => {
    await expect((await collectionOf()).view(idx)).rejects.toMatchObject({
      code: "bad_idx",
      message: expect.stringContaining(why),
    });
  });

  test("queries without rows make no view", async () => {
    const collection = await collectionOf();
    for (const sql of [
      "SELECT count(*) FROM meta",
      "SELECT DISTINCT note FROM meta",
      "SELECT note FROM meta GROUP BY note",
    ]) {
      await expect(collection.view(sql)).rejects.toMatchObject({ code: "not_a_row_query" });
    }
  });
});

describe("granules that are not there", () => {
  const gone = (location: string) =>
    collectionOf(plain, { ...columns, array_location: ["/g0", "/odd/g1", location, "/odd/g3"] });

  /** A view without the one row whose granule is missing, which is an error where nobody asked to skip it. */
  const without = async (collection: Collection, idx: number) => {
    await expect(collection.view("SELECT idx FROM meta")).rejects.toMatchObject({
      code: "granule_missing",
      details: { idx },
    });
    const view = await collection.view("SELECT idx FROM meta", { missing: "skip" });
    expect([view.count, view.skipped]).toEqual([collection.rows - 1, 1]);
    return view;
  };

  test.each(["/gone", "/odd/gone", ""])(
    "the location %j is an error naming the row, or left out and counted",
    async (location) => {
      const collection = await gone(location);
      expect((await without(collection, 2)).count).toBe(3);
      await expect(collection.view("SELECT idx FROM meta WHERE idx <> 2")).resolves.toMatchObject({
        count: 3,
        skipped: 0,
      });
    },
  );

  test("that consolidated metadata still tells of are missing too, and a part of one says what to do", async () => {
    const store = await tinyCollection(
      [0, 1, 2].map((i) => ({ path: `g${i}`, arrays: { sst: {}, ice: {} } })),
    );
    const read = async (key: string) => JSON.parse(new TextDecoder().decode(await store.get(key)));
    const metadata: Record<string, unknown> = {};
    for (const key of [...store.keys()].filter((each) => each.endsWith("/zarr.json")))
      metadata[key.replace("/zarr.json", "")] = await read(key);
    const consolidated_metadata = { kind: "inline", must_understand: false, metadata };
    store.set("zarr.json", JSON.stringify({ ...(await read("zarr.json")), consolidated_metadata }));
    for (const key of [...store.keys()].filter(
      (each) => each.startsWith("g1/") || each.startsWith("g2/ice/"),
    ))
      store.delete(key);
    const collection = await openCollection(store);
    const view = await without(collection, 1);
    expect(view.count).toBe(2);
    expect(await view.asStore(3).get("g2/sst/c/0/0")).toBeDefined();
    await expect(view.asStore(3).get("g2/ice/c/0/0")).rejects.toThrow(
      /g2\/ice\/zarr.json has gone since .* or consolidate them again/,
    );
  });

  test.each(["/../other", "/meta", "/meta/note", "/indexes/x", "/a//b", "/a/./b"])(
    "the location %j leaves the source and is refused",
    async (location) => {
      const collection = await gone(location);
      await expect(collection.view("SELECT idx FROM meta", { missing: "skip" })).rejects.toMatchObject({
        code: "meta_invalid",
      });
    },
  );

  test.each([
    ["/g0", "both name"],
    ["/odd", "lies inside"],
  ])("the location %j clashes with another row's", async (location, why) => {
    const collection = await gone(location);
    await expect(collection.view("SELECT idx FROM meta")).rejects.toMatchObject({
      code: "granule_conflict",
      message: expect.stringContaining(why),
    });
  });
});
