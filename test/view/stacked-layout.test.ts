/** The stacked layout on small collections: axes, coordinates, attributes, refusals, views of views. */
import { describe, expect, test } from "vitest";
import * as zarr from "zarrita";
import { type Collection, cellAt, openCollection, type Store, type View } from "../../src/index.ts";
import { type Granule, tinyCollection } from "./tiny.ts";

const plain: Granule[] = [0, 1, 2, 3].map((i) => ({
  path: i % 2 ? `odd/g${i}` : `g${i}`,
  attributes: { title: `granule ${i}`, platform: "P" },
  arrays: { sst: { units: "K", note: "own", history: `made ${i}` }, wind: {} },
}));
const columns = {
  cloud: [0.5, Number.NaN, 2, 3],
  note: ["same", "same", "same", "same"],
  wind: ["n", "e", "s", "w"],
  y: [1, 2, 3, 4],
};

async function collectionOf(granules = plain, meta: Parameters<typeof tinyCollection>[1] = columns) {
  const store = await tinyCollection(granules, meta);
  return { store, collection: await openCollection(store, { name: "tiny" }) };
}

const stacked = (collection: Collection, sql: string, variables?: string[]) =>
  collection.view(sql, { layout: "stacked", ...(variables && { variables }) });

interface Document {
  attributes: Record<string, unknown>;
  shape: number[];
  dimension_names: string[];
}

async function document(view: View, key: string): Promise<Document> {
  const bytes = await view.store(3).get(`/${key}`);
  if (!bytes) throw new Error(`${key} is not there`);
  return JSON.parse(new TextDecoder().decode(bytes));
}

async function values(view: View, path: string, face: 2 | 3 = 3) {
  const array = await zarr.open(zarr.root(view.store(face)).resolve(path), { kind: "array" });
  return Array.from((await zarr.get(array)).data as Iterable<unknown>);
}

/** What `tinyCollection` puts in granule `row`. */
const cells = (row: number) => [0, 1, 2, 3, 4, 5].map((i) => row * 100 + i);

async function rows(collection: Collection, sql: string) {
  const result = await collection.query(sql);
  const out: unknown[][] = [];
  for await (const batch of result.batches()) {
    for (let i = 0; i < batch.length; i++) out.push(batch.vectors.map((vector) => cellAt(vector, i)));
  }
  return out;
}

describe("granules of equal shape", () => {
  test("are one array along a new axis, in the query's order, their bytes untouched", async () => {
    const { store, collection } = await collectionOf();
    const view = await stacked(collection, "SELECT cloud FROM meta WHERE idx <> 1 ORDER BY cloud DESC");
    expect([view.layout, view.count, view.fields]).toEqual(["stacked", 3, ["idx", "cloud"]]);
    const sst = await document(view, "sst/zarr.json");
    expect([sst.shape, sst.dimension_names]).toEqual([
      [3, 2, 3],
      ["granule", "y", "x"],
    ]);
    for (const face of [3, 2] as const) {
      expect(await values(view, "/sst", face)).toEqual([3, 2, 0].flatMap(cells));
      expect(await values(view, "/idx", face)).toEqual([3n, 2n, 0n]);
    }
    expect(await view.store(3).get("/sst/c/0/0/0")).toEqual(await store.get("odd/g3/sst/c/0/0"));
    expect(await view.store(2).get("/sst/2.0.0")).toEqual(await store.get("g0/sst/c/0/0"));
    expect(await view.face(3).resource("sst/c/3/0/0")).toBeUndefined();
    expect(await view.face(3).children("")).toEqual([
      ...["zarr.json", "cloud/", "idx/", "meta/", "sst/", "wind/"],
    ]);
  });

  test("keep the attributes they share; a field of one value is one of them, where nothing has its name", async () => {
    const { collection } = await collectionOf();
    const view = await stacked(collection, "SELECT note, cloud FROM meta");
    expect((await document(view, "sst/zarr.json")).attributes).toEqual({
      units: "K",
      note: "own",
      meta_note: "same",
    });
    expect((await document(view, "wind/zarr.json")).attributes).toEqual({ note: "same" });
    const root = await document(view, "zarr.json");
    expect(root.attributes).toMatchObject({ platform: "P", coordinates: "idx note cloud" });
    expect(root.attributes).not.toHaveProperty("title");
    const one = await stacked(collection, "SELECT cloud FROM meta WHERE idx = 2");
    expect((await document(one, "wind/zarr.json")).attributes).toEqual({ idx: 2, cloud: 2 });
  });

  test("are looked at once: made again from its definition, the view reads one of them", async () => {
    const { store, collection } = await collectionOf();
    const view = await stacked(collection, "SELECT cloud FROM meta");
    const keys: string[] = [];
    const watched: Store = {
      url: "memory:watched",
      get: (key) => {
        keys.push(key);
        return store.get(key);
      },
      getRange: (key, range) => store.getRange(key, range),
      stat: (key) => store.stat(key),
      list: (prefix) => store.list(prefix),
    };
    const again = await openCollection(watched, { name: "tiny" });
    const made = await again.restore(JSON.parse(JSON.stringify(view.definition)));
    expect(keys.filter((key) => /g\d\/.*zarr\.json/.test(key)).sort()).toEqual([
      ...["g0/sst/zarr.json", "g0/wind/zarr.json", "g0/zarr.json"],
    ]);
    expect(made.definition).toEqual(view.definition);
    for (const key of ["zarr.json", "sst/zarr.json"]) {
      const { zarrsift: _, ...attributes } = (await document(made, key)).attributes;
      expect((await document(view, key)).attributes).toMatchObject(attributes);
    }
    expect(await values(made, "/sst")).toEqual([0, 1, 2, 3].flatMap(cells));
  });

  test("that consolidated metadata describes are stacked without a request for each", async () => {
    const { store, collection } = await collectionOf();
    const whole = await collection.view("SELECT cloud FROM meta");
    const root = JSON.parse(new TextDecoder().decode(await whole.store(3).get("/zarr.json")));
    const { kind, metadata } = root.consolidated_metadata;
    const granules = Object.entries(metadata).filter(([path]) => !path.startsWith("meta"));
    const own = { kind, metadata: Object.fromEntries(granules) };
    const consolidated = { zarr_format: 3, node_type: "group", consolidated_metadata: own };
    store.set("zarr.json", new TextEncoder().encode(JSON.stringify(consolidated)));
    const asked: string[] = [];
    const note = <T>(key: string, answer: T): T => {
      asked.push(key);
      return answer;
    };
    const source = await openCollection({
      url: "memory:consolidated",
      get: (key) => note(key, store.get(key)),
      getRange: (key, range) => store.getRange(key, range),
      stat: (key) => store.stat(key),
      list: (prefix) => note(prefix, store.list(prefix)),
    });
    asked.length = 0;
    const view = await stacked(source, "SELECT note FROM meta");
    expect(asked.filter((key) => /g\d/.test(key))).toEqual([]);
    expect(await values(view, "/wind")).toEqual([0, 1, 2, 3].flatMap(cells));
  });

  test("fields named like a variable or dimension are coordinates under another name", async () => {
    const { collection } = await collectionOf();
    const view = await stacked(collection, "SELECT wind, y, cloud AS granule FROM meta WHERE idx < 2");
    expect((await document(view, "zarr.json")).attributes.coordinates).toBe(
      "idx meta_wind meta_y meta_granule",
    );
    expect((await document(view, "sst/zarr.json")).dimension_names[0]).toBe("granule");
    expect(await values(view, "/meta_wind")).toEqual(["n", "e"]);
    await expect(stacked(collection, "SELECT wind, cloud AS meta_wind FROM meta")).rejects.toMatchObject({
      code: "field_collision",
      details: { field: "wind" },
    });
  });

  test("variables that are not there are told what is, a dozen of them", async () => {
    const names = Array.from({ length: 15 }, (_, i) => `a${String(i).padStart(2, "0")}`);
    const many = [{ path: "g", arrays: Object.fromEntries(names.map((name) => [name, {}])) }];
    const { collection } = await collectionOf(many as Granule[], { cloud: [1] });
    await expect(stacked(collection, "SELECT idx FROM meta", ["a1"])).rejects.toThrow(
      /an array "a1"; .*; row 0 has a00, a01, .*, a11 and 3 more$/,
    );
  });

  test("a chosen set of variables, and no other", async () => {
    const { collection } = await collectionOf();
    const view = await stacked(collection, "SELECT cloud FROM meta", ["wind"]);
    expect(await view.face(3).children("")).toEqual(["zarr.json", "cloud/", "idx/", "meta/", "wind/"]);
    await expect(stacked(collection, "SELECT cloud FROM meta", ["win"])).rejects.toMatchObject({
      code: "bad_request",
      details: { variable: "win" },
    });
  });

  test("no rows at all are a valid view", async () => {
    const { collection } = await collectionOf();
    const view = await stacked(collection, "SELECT cloud FROM meta WHERE idx > 9");
    expect(view.count).toBe(0);
    expect((await document(view, "idx/zarr.json")).shape).toEqual([0]);
  });
});

describe("granules that differ", () => {
  test.each([
    ["scale_factor", { sst: { units: "K", scale_factor: 0.5 }, wind: {} }, '"sst" has no scale_factor (0.5)'],
    ["units", { sst: { units: "C" }, wind: {} }, 'the units of "sst" is "C", not "K"'],
    ["variables", { sst: { units: "K" } }, 'it has no array "wind"'],
    ["more variables", { sst: { units: "K" }, wind: {}, ice: {} }, 'an array "ice" that the others lack'],
  ])("in %s are refused, naming the first and the SQL that leaves them out", async (_, arrays, why) => {
    const packed = { sst: { units: "K", scale_factor: 0.5 }, wind: {} };
    const usual = why.includes("has no scale_factor") ? packed : { sst: { units: "K" }, wind: {} };
    const odd = usual === packed ? { sst: { units: "K" }, wind: {} } : arrays;
    const granules = [0, 1, 2, 3, 4, 5].map((i) => ({
      path: `g${i}`,
      arrays: [0, 3, 4, 5].includes(i) ? usual : odd,
    })) as Granule[];
    const { collection } = await collectionOf(granules, {});
    const refused = await stacked(collection, "SELECT idx FROM meta").catch((error) => error);
    expect(refused).toMatchObject({ code: "layout_unsupported", details: { idx: 1, path: "/g1" } });
    expect(refused.message).toContain(why);
    const condition = /WHERE (.*)$/.exec(refused.message)![1];
    const view = await stacked(collection, `SELECT idx FROM meta WHERE ${condition}`);
    expect(await values(view, "/idx")).toEqual([0n, 3n, 4n, 5n]);
  });

  test.each([
    [["/g0/sst", "/g1"], "it is a group, not an array"],
    [["/g0", "/g1/sst"], "it is an array, not a group"],
  ])("in kind are told apart: %j", async (array_location, why) => {
    const granules = [0, 1].map((i) => ({ path: `g${i}`, arrays: { sst: {} } }));
    const { collection } = await collectionOf(granules, { array_location });
    await expect(stacked(collection, "SELECT idx FROM meta")).rejects.toThrow(why);
  });
});

describe("what is said to do about granules that differ", () => {
  const advice = async (
    lines: (number | undefined)[],
    units: string[],
    layout: "stacked" | "concatenated",
  ) => {
    const granules = lines.map((n, i) => ({
      path: `g${i}`,
      arrays: { sst: { units: units[i]! } },
      ...(n !== undefined && { lines: n }),
    }));
    const { collection } = await collectionOf(granules, {});
    const error = await collection.view("SELECT idx FROM meta", { layout }).catch((thrown) => thrown);
    expect(error.code).toBe("layout_unsupported");
    const said = Array.from(error.message.matchAll(/(layout|group_by): "(\w+)"/g), ([, name, value]) => [
      name === "layout" ? name : "groupBy",
      value,
    ]);
    return { collection, said };
  };

  test.each([
    [
      "stacked",
      [2, 4, 2],
      ["K", "K", "K"],
      [
        ["groupBy", "encoding"],
        ["layout", "concatenated"],
      ],
    ],
    ["stacked", [2, 2, 2], ["K", "C", "K"], [["groupBy", "encoding"]]],
    [
      "concatenated",
      [2, 4, 2],
      ["K", "C", "K"],
      [
        ["layout", "stacked"],
        ["groupBy", "encoding"],
      ],
    ],
  ] as const)("works: %s, lines %j, units %j", async (layout, lines, units, expected) => {
    const { collection, said } = await advice([...lines], [...units], layout);
    expect(said).toEqual(expected);
    const ways =
      layout === "stacked"
        ? said.map((way) => ({ layout, ...Object.fromEntries([way]) }))
        : [Object.fromEntries(said)];
    for (const way of ways)
      expect((await collection.view("SELECT idx FROM meta", way as never)).count).toBe(3);
  });
});

describe("a stacked view is a collection", () => {
  test("its rows are queried, and viewed again in both layouts, as often as one likes", async () => {
    const { store, collection } = await collectionOf();
    const first = await stacked(collection, "SELECT cloud, note FROM meta ORDER BY idx DESC");
    const second = await openCollection(first.asStore(3), { name: "second" });
    expect(second.layout).toBe("stacked");
    expect(await rows(second, "SELECT idx, source_idx, cloud, note FROM meta")).toEqual([
      [0n, 3n, 3, "same"],
      [1n, 2n, 2, "same"],
      [2n, 1n, null, "same"],
      [3n, 0n, 0.5, "same"],
    ]);
    const again = await stacked(second, "SELECT cloud FROM meta WHERE source_idx IN (0, 2)");
    expect(await values(again, "/sst")).toEqual([2, 0].flatMap(cells));
    expect((await document(again, "zarr.json")).attributes.coordinates).toBe("idx cloud");
    expect((await document(again, "sst/zarr.json")).attributes).toEqual({ units: "K", note: "own" });
    const third = await openCollection(again.asStore(2), { name: "third" });
    const apart = await third.view("SELECT cloud FROM meta WHERE cloud > 1");
    expect(await apart.face(3).children("granules/0")).toEqual(["zarr.json", "sst/", "wind/"]);
    expect(await values(apart, "/granules/0/sst")).toEqual(cells(2));
    expect((await document(apart, "granules/0/wind/zarr.json")).attributes).toEqual({ idx: 0, cloud: 2 });
    expect((await document(apart, "zarr.json")).attributes).not.toHaveProperty("coordinates");
    const last = await openCollection(apart.asStore(3), { name: "last" });
    const whole = await stacked(last, "SELECT idx FROM meta");
    expect(await values(whole, "/sst")).toEqual(cells(2));
    expect(await whole.store(3).get("/sst/c/0/0/0")).toEqual(await store.get("g2/sst/c/0/0"));
  });

  test("and made again from its definition", async () => {
    const { collection } = await collectionOf();
    const view = await stacked(collection, "SELECT cloud * 2 AS twice FROM meta WHERE idx <> 2");
    const again = await collection.restore(JSON.parse(JSON.stringify(view.definition)));
    expect([again.id, again.layout, again.count]).toEqual([view.id, "stacked", 3]);
    for (const key of ["/zarr.json", "/twice/c/0", "/sst/zarr.json", "/sst/c/1/0/0"] as const) {
      expect(await again.store(3).get(key)).toEqual(await view.store(3).get(key));
    }
    expect((await collection.view("SELECT cloud * 2 AS twice FROM meta WHERE idx <> 2")).id).not.toBe(
      view.id,
    );
  });
});

describe("group_by encoding", () => {
  test("gives one stack for each encoding, with the coordinates of its own rows", async () => {
    const granules = [0, 1, 2, 3].map((i) => ({
      path: `g${i}`,
      attributes: { kind: i % 2 ? "odd" : "even" },
      arrays: i % 2 ? { sst: { units: "C" } } : { sst: { units: "K" }, wind: {} },
    })) as Granule[];
    const { store, collection } = await collectionOf(granules);
    const view = await collection.view("SELECT cloud, note FROM meta ORDER BY idx DESC", {
      layout: "stacked",
      groupBy: "encoding",
    });
    expect(await view.face(3).children("")).toEqual(["zarr.json", "meta/", "stack_0/", "stack_1/"]);
    expect(await view.face(3).children("stack_0")).toEqual([
      ...["zarr.json", "cloud/", "idx/", "note/", "sst/"],
    ]);
    expect((await document(view, "stack_0/zarr.json")).attributes).toEqual({
      kind: "odd",
      coordinates: "idx cloud note",
    });
    expect((await document(view, "stack_1/sst/zarr.json")).attributes).toEqual({ units: "K", note: "same" });
    expect(await values(view, "/stack_0/idx")).toEqual([3n, 1n]);
    expect(await values(view, "/stack_1/sst", 2)).toEqual([2, 0].flatMap(cells));
    expect(await view.store(3).get("/stack_0/sst/c/1/0/0")).toEqual(await store.get("g1/sst/c/0/0"));
    const again = await collection.restore(JSON.parse(JSON.stringify(view.definition)));
    expect([again.id, await values(again, "/stack_0/idx")]).toEqual([view.id, [3n, 1n]]);
    const rowsOfIt = await openCollection(view.asStore(3), { name: "rows" });
    expect(await rows(rowsOfIt, "SELECT source_idx FROM meta")).toEqual([[3n], [2n], [1n], [0n]]);
    await expect(collection.view([0], { groupBy: "encoding" })).rejects.toMatchObject({
      code: "bad_request",
    });
  });
});

describe("the concatenated layout", () => {
  test("puts granules end to end, and says which rows are whose", async () => {
    const { store, collection } = await collectionOf();
    const view = await collection.view("SELECT cloud FROM meta WHERE idx <> 1 ORDER BY idx DESC", {
      layout: "concatenated",
    });
    const sst = await document(view, "sst/zarr.json");
    expect([sst.shape, sst.dimension_names]).toEqual([
      [6, 3],
      ["y", "x"],
    ]);
    expect(await values(view, "/sst", 2)).toEqual([3, 2, 0].flatMap(cells));
    expect(await view.store(3).get("/sst/c/1/0")).toEqual(await store.get("g2/sst/c/0/0"));
    expect(await values(view, "/granule")).toEqual([0n, 0n, 1n, 1n, 2n, 2n]);
    expect(await values(view, "/row_count")).toEqual([2n, 2n, 2n]);
    expect((await document(view, "idx/zarr.json")).dimension_names).toEqual(["meta_row"]);
    expect((await document(view, "zarr.json")).attributes.coordinates).toBe("idx cloud granule row_count");
    const again = await collection.restore(JSON.parse(JSON.stringify(view.definition)));
    expect([again.id, await values(again, "/sst")]).toEqual([view.id, await values(view, "/sst")]);
  });
});
