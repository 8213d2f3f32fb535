import { describe, expect, it } from "vitest";
import { isZarrsiftError } from "../../src/errors.ts";
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import type { CategoryIndex, Index, OrderedIndex, SpatialIndex, ZoneMap } from "../../src/index/api.ts";
import { OrderedBuilder } from "../../src/index/btree-build.ts";
import { CategoryBuilder } from "../../src/index/category-build.ts";
import { openIndexes } from "../../src/index/open.ts";
import { RTreeBuilder } from "../../src/index/rtree-build.ts";
import { ZonesBuilder } from "../../src/index/zones-build.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { Hierarchy } from "../../src/zarr/hierarchy.ts";
import { addTo, makeSource, putColumn, putIndexes, seeded, tableOf, utf8 } from "./source.ts";

const CHUNK = 1500;

async function source(): Promise<MemoryStore> {
  const random = seeded(77);
  const count = 4000;
  const shapes = Array.from({ length: count }, () => {
    const [x, y] = [Math.round(random() * 3600) / 10 - 180, Math.round(random() * 1500) / 10 - 75];
    const kind = random();
    if (kind < 0.1) return new Uint8Array(0);
    return writeWkb(
      parseWkt(
        kind < 0.5
          ? `POINT(${x} ${y})`
          : `POLYGON((${x} ${y},${x + 3} ${y},${x + 3} ${y + 2},${x} ${y + 2},${x} ${y}))`,
      ),
    );
  });
  const store = await makeSource(
    {
      bbox: {
        type: "variable_length_bytes",
        values: shapes,
        attributes: { "ARROW:extension:name": "geoarrow.wkb" },
      },
      cloud: { type: "float64", values: Float64Array.from({ length: count }, random) },
      id: { type: "string", values: Array.from({ length: count }, (_, i) => utf8(`G${(i * 7919) % count}`)) },
      kind: {
        type: "string",
        values: Array.from({ length: count }, () =>
          utf8(random() < 0.6 ? "a" : `b${Math.floor(random() * 40)}`),
        ),
      },
    },
    CHUNK,
  );
  const { table } = await tableOf(store);
  const builders = {
    bbox: new RTreeBuilder(count),
    cloud: new OrderedBuilder({ kind: "float", bits: 64 }, count, CHUNK),
    id: new OrderedBuilder({ kind: "string" }, count, CHUNK),
    kind: new CategoryBuilder({ kind: "string" }, count, CHUNK),
  };
  const zones = new ZonesBuilder({ kind: "float", bits: 64 });
  for (let chunk = 0; chunk * CHUNK < count; chunk++) {
    for (const [name, builder] of Object.entries(builders)) {
      const column = table.columns.get(name)!;
      addTo(builder, column, await column.read(chunk));
    }
    zones.addChunk(await table.columns.get("cloud")!.read(chunk));
  }
  const encoded = Object.fromEntries(
    Object.entries(builders).map(([name, builder]) => [name, builder.finish(name)]),
  );
  await putIndexes(store, table, encoded, { cloud: zones.finish("cloud", CHUNK) });
  return store;
}

const PROBES: Record<string, (index: never) => Promise<unknown>> = {
  bbox: (index: SpatialIndex) => index.find([[-20, -20, 30, 25]]),
  cloud: async (index: OrderedIndex) => [
    await index.find([
      { low: 0.2, high: 0.25 },
      { low: 0.9, high: Infinity },
    ]),
    await index.count([{ low: 0.3, high: 0.7 }]),
    await index.extremes(),
  ],
  id: (index: OrderedIndex) => index.find([{ low: utf8("G1"), high: utf8("G14") }]),
  kind: (index: CategoryIndex) => index.find(["a", "b3"].map(utf8)),
};

/** What every index and zone map answers; an error's code where it cannot. */
async function answers(store: MemoryStore): Promise<Record<string, unknown>> {
  const { hierarchy, table } = await tableOf(store);
  const set = await openIndexes(store, hierarchy, table);
  const out: Record<string, unknown> = {};
  const attempt = async (name: string, work: () => Promise<unknown>) => {
    out[name] = await work().catch((error) => {
      if (!isZarrsiftError(error)) throw error;
      return error.code;
    });
  };
  for (const index of set.indexes as Index[])
    await attempt(index.column, () => PROBES[index.column]!(index as never));
  for (const [name, zones] of set.zones as ReadonlyMap<string, ZoneMap>)
    await attempt(`zones ${name}`, () => zones.load());
  return out;
}

describe("damaged indexes", () => {
  it("say that they cannot be used, and never answer wrongly", async () => {
    const whole = await source();
    const good = await answers(whole);
    expect(Object.keys(good).sort()).toEqual(["bbox", "cloud", "id", "kind", "zones cloud"]);
    const keys = [...whole.keys()].filter(
      (key) => key.startsWith("indexes/") && /\/c\/\d+$/.test(key) && !key.includes("/truth/"),
    );
    expect(keys.length).toBeGreaterThan(20);
    const random = seeded(5);
    let noticed = 0;
    for (let round = 0; round < 300; round++) {
      const key = keys[round % keys.length]!;
      const bytes = (await whole.get(key))!.slice();
      const store = new MemoryStore();
      for (const other of whole.keys()) store.set(other, (await whole.get(other))!);
      const kind = Math.floor(random() * 4);
      if (kind === 0) store.delete(key);
      else if (kind === 1) store.set(key, bytes.slice(0, Math.floor(random() * bytes.length)));
      else {
        for (let flips = kind === 2 ? 1 : 20; flips > 0; flips--)
          bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
        store.set(key, bytes);
      }
      for (const [name, answer] of Object.entries(await answers(store))) {
        if (answer === "index_unusable") noticed++;
        else expect(answer, `${key}, damage ${kind}`).toEqual(good[name]);
      }
    }
    expect(noticed).toBeGreaterThan(150);
  });

  it("say so where it is the metadata of an array that is damaged", async () => {
    const whole = await source();
    const good = await answers(whole);
    const documents = [...whole.keys()].filter(
      (key) => /^indexes\/.+\/zarr\.json$/.test(key) && !key.includes("/truth/"),
    );
    let noticed = 0;
    for (const key of documents) {
      const text = new TextDecoder().decode((await whole.get(key))!);
      const changes = [
        () => whole.delete(key),
        () => whole.set(key, text.slice(0, 40)),
        () => whole.set(key, text.replace(/"shape":\[\d+/, '"shape":[7')),
        () => whole.set(key, text.replace(/"data_type":"[^"]+"/, '"data_type":"complex64"')),
        () => whole.set(key, text.replace('"name":"bytes"', '"name":"unheard"')),
      ];
      for (const change of changes) {
        change();
        for (const [name, answer] of Object.entries(await answers(whole))) {
          if (answer === "index_unusable") noticed++;
          else expect(answer, key).toEqual(good[name]);
        }
        whole.set(key, text);
      }
    }
    expect(noticed).toBeGreaterThan(50);
  });

  it("are left out with a warning where their metadata make no sense", async () => {
    const store = await source();
    const text = new TextDecoder().decode((await store.get("indexes/zarr.json"))!);
    for (const [from, to] of [
      ['"version":1', '"version":9'],
      ['"kind":"btree"', '"kind":"hash"'],
      ['"path":"indexes/cloud"', '"path":"../x"'],
      ['"keys":4000', '"keys":5'],
      ['"sums":{', '"sums":[],"x":{'],
    ]) {
      expect(text).toContain(from);
      store.set("indexes/zarr.json", text.replace(from!, to!));
      const { hierarchy, table } = await tableOf(store);
      const { warnings } = await openIndexes(store, hierarchy, table);
      expect(warnings.length).toBeGreaterThan(0);
    }
    store.set("indexes/zarr.json", "{");
    const { hierarchy, table } = await tableOf(store);
    expect((await openIndexes(store, hierarchy, table)).warnings).toHaveLength(1);
  });
});

describe("the state of an index", () => {
  const stateOf = async (store: MemoryStore, name = "cloud", options = {}) => {
    const { hierarchy, table } = await tableOf(store);
    const set = await openIndexes(store, hierarchy, table, options);
    return { state: await set.indexes.find(({ column }) => column === name)!.state(), set, table };
  };

  it("is verified while nothing changed, and after a copy with other times", async () => {
    const store = await source();
    expect((await stateOf(store)).state.state).toBe("verified");
    const copy = new MemoryStore([["zarr.json", "x"]]);
    for (const key of [...store.keys()].reverse()) copy.set(key, (await store.get(key))!);
    const { state } = await stateOf(copy);
    expect(state).toEqual({ state: "verified", why: expect.stringContaining("checksums") });
  });

  it("is stale when a chunk, its absence, the metadata or the length changed", async () => {
    const changes: ((store: MemoryStore) => unknown)[] = [
      async (store) => {
        const bytes = (await store.get("meta/cloud/c/1"))!.slice();
        bytes[77]! ^= 1;
        store.set("meta/cloud/c/1", bytes);
      },
      (store) => store.delete("meta/cloud/c/0"),
      async (store) => store.set("meta/cloud/c/2", (await store.get("meta/cloud/c/2"))!.slice(8)),
      async (store) => {
        const text = new TextDecoder().decode((await store.get("meta/cloud/zarr.json"))!);
        store.set("meta/cloud/zarr.json", text.replace('"attributes":{}', '"attributes":{"scale_factor":2}'));
      },
    ];
    for (const change of changes) {
      const store = await source();
      await change(store);
      expect((await stateOf(store)).state.state).toBe("stale");
      expect((await stateOf(store, "kind")).state.state).toBe("verified");
    }
  });

  it("is that of the source where indexes are kept beside it", async () => {
    const whole = await source();
    const beside = new MemoryStore();
    const own = new MemoryStore();
    for (const key of whole.keys())
      (key.startsWith("meta/") ? own : beside).set(key, (await whole.get(key))!);
    own.set("zarr.json", (await whole.get("zarr.json"))!);
    const { table } = await tableOf(own);
    const set = await openIndexes(beside, await Hierarchy.open(beside), table, { source: own });
    expect((await set.indexes[0]!.state()).state).toBe("verified");
    own.delete("meta/bbox/c/1");
    const again = await openIndexes(beside, await Hierarchy.open(beside), table, { source: own });
    expect((await again.indexes[0]!.state()).state).toBe("stale");
  });

  it("is unverified over HTTP until a chunk that is read turns out to be another", async () => {
    const local = await source();
    const store = new MemoryStore([], { url: "https://example.com/granules.zarr" });
    for (const key of local.keys()) store.set(key, (await local.get(key))!);
    await putColumn(
      store,
      "cloud",
      { type: "float64", values: Float64Array.from({ length: 4000 }, (_, i) => i) },
      CHUNK,
    );
    const { state, set, table } = await stateOf(store);
    expect(state.state).toBe("unverified");
    await table.columns.get("cloud")!.read(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const index = set.indexes.find(({ column }) => column === "cloud")!;
    expect((await index.state()).state).toBe("stale");
    expect((await stateOf(store, "cloud", { verify: true })).state.state).toBe("stale");
    expect((await stateOf(store, "bbox", { verify: true })).state.state).toBe("verified");
  });
});
