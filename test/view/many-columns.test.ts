/** A view of a source whose `/meta` takes a while to be looked at: not every chunk waits for that. */
import { expect, test } from "vitest";
import { open } from "../../src/index.ts";
import { tinyCollection } from "./tiny.ts";

const ROWS = 40;
/** Milliseconds that the system takes to say whether a file of `/meta` is as it was. */
const LOOK_MS = 3;

async function slowMeta() {
  const granules = Array.from({ length: ROWS }, (_, i) => ({ path: `g${i}`, arrays: { sst: {} } }));
  const store = await tinyCollection(granules, { cloud: granules.map((_, i) => i) });
  const stat = store.stat.bind(store);
  const looked = { meta: 0 };
  store.stat = async (key, options) => {
    if (key.startsWith("meta/")) {
      looked.meta++;
      for (const end = performance.now() + LOOK_MS; performance.now() < end; );
    }
    return stat(key, options);
  };
  const collection = await open(store);
  const view = await collection.view("SELECT idx, cloud FROM meta", { layout: "stacked" });
  return { store, looked, shown: view.asStore(3) };
}

test("chunks of granules are read with few looks at /meta, and a change of it is noticed soon", async () => {
  const { store, looked, shown } = await slowMeta();
  await shown.get("cloud/c/0");
  looked.meta = 0;
  for (let i = 0; i < ROWS; i++) expect(await shown.get(`sst/c/${i}/0/0`)).toBeDefined();
  expect(looked.meta).toBeLessThan(ROWS);
  store.set("meta/cloud/c/0", (await store.get("meta/cloud/c/0"))!);
  const read = () =>
    shown.get("sst/c/0/0/0").then(
      () => "there",
      ({ code }) => code,
    );
  await expect.poll(read, { timeout: 20_000 }).toBe("source_changed");
});

test("what a view makes of /meta is looked at each time", async () => {
  const { store, shown } = await slowMeta();
  expect(await shown.get("cloud/c/0")).toBeDefined();
  expect(await shown.get("sst/c/0/0/0")).toBeDefined();
  store.set("meta/cloud/c/0", (await store.get("meta/cloud/c/0"))!);
  await expect(shown.get("cloud/c/0")).rejects.toMatchObject({ code: "source_changed" });
});
