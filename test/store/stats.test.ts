/** Sizes and stamps of many keys: told by listings where these say the same as `stat`. */
import { expect, it } from "vitest";
import { MemoryStore } from "../../src/store/memory.ts";
import { statsOf } from "../../src/store/stats.ts";

const KEYS = Array.from({ length: 40 }, (_, i) => `meta/date/c/${i}`);
const ASKED = ["meta/date/zarr.json", ...KEYS, "meta/date/c/none"];

/** A bucket whose listings say `listed` of each object's stamp. */
function bucket(listed: (stamp: string, name: string) => string | undefined) {
  const store = new MemoryStore(
    [...KEYS, "meta/date/zarr.json"].map((key) => [key, key] as const),
    {
      url: "s3://bucket",
    },
  );
  const asked = { stat: [] as string[], list: [] as string[] };
  const [stat, list] = [store.stat.bind(store), store.list.bind(store)];
  store.stat = (key) => {
    asked.stat.push(key);
    return stat(key);
  };
  store.list = async (prefix) => {
    asked.list.push(prefix);
    const listing = (await list(prefix))!;
    const stats = new Map<string, { size: number; stamp: string }>();
    for (const name of listing.keys) {
      const { size, stamp } = (await stat(`${prefix}/${name}`))!;
      const said = listed(stamp, name);
      if (said) stats.set(name, { size, stamp: said });
    }
    return { ...listing, ...(stats.size > 0 && { stats }) };
  };
  const expected = () => Promise.all(ASKED.map((key) => stat(key)));
  return { store, asked, expected };
}

it("one listing tells of a folder's keys, absent ones too, once a key has been compared", async () => {
  const { store, asked, expected } = bucket((stamp) => stamp);
  expect(await statsOf(store, ASKED)).toEqual(await expected());
  expect(asked).toEqual({ list: ["meta/date/c"], stat: [KEYS[0], "meta/date/zarr.json"] });
  store.set(KEYS[30]!, "other");
  expect(await statsOf(store, ASKED)).toEqual(await expected());
  expect(asked).toMatchObject({ list: ["meta/date/c", "meta/date/c"], stat: { length: 3 } });
});

it("listings that say other stamps than stat are not believed, nor asked for again", async () => {
  const { store, asked, expected } = bucket((stamp) => `listed ${stamp}`);
  for (let i = 0; i < 3; i++) expect(await statsOf(store, ASKED)).toEqual(await expected());
  expect(asked.list).toHaveLength(1);
});

it("keys that a listing says nothing more of are asked for one by one", async () => {
  const { store, expected } = bucket((stamp, name) => (name.endsWith("7") ? undefined : stamp));
  expect(await statsOf(store, ASKED)).toEqual(await expected());
  const { store: silent, expected: same } = bucket(() => undefined);
  expect(await statsOf(silent, ASKED)).toEqual(await same());
});

it("a folder that cannot be listed is none that is empty", async () => {
  const { store, expected } = bucket((stamp) => stamp);
  store.list = () => Promise.reject(new Error("no"));
  expect(await statsOf(store, ASKED)).toEqual(await expected());
});

it("a few keys are asked for one by one", async () => {
  const { store, asked } = bucket((stamp) => stamp);
  await statsOf(store, KEYS.slice(0, 10));
  expect(asked).toMatchObject({ list: [], stat: { length: 10 } });
});
