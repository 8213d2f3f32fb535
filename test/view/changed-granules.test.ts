/** Granules that change under a view while `/meta` stays as it is. */
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { open, openCollection } from "../../src/index.ts";
import { CountingServer } from "../store/counting-server.ts";
import { tinyCollection } from "./tiny.ts";

const STACKED = fileURLToPath(new URL("../../../shared/data/stacked.zarr", import.meta.url));
const changed = { code: "source_changed" };

async function tiny() {
  const granules = [0, 1, 2].map((i) => ({ path: `g${i}`, arrays: { sst: {}, cloud: {} } }));
  const store = await tinyCollection(granules);
  return { store, collection: await openCollection(store, { name: "tiny" }) };
}

describe.each(["granules", "stacked", "concatenated"] as const)("a granule under a %s view", (layout) => {
  const keyOf = (row: number, array: string) =>
    layout === "granules"
      ? `g${row}/${array}/c/0/0`
      : `${array}/c/${row}${layout === "stacked" ? "/0/0" : "/0"}`;

  test("that is deleted fails, and is never missing chunks", async () => {
    const { store, collection } = await tiny();
    const view = await collection.view("SELECT idx FROM meta", { layout });
    const shown = view.asStore(3);
    expect(await shown.get(keyOf(1, "sst"))).toHaveLength(12);
    for (const key of [...store.keys()]) if (key.startsWith("g1/")) store.delete(key);
    for (const array of ["sst", "cloud"]) {
      await expect(shown.get(keyOf(1, array))).rejects.toMatchObject(changed);
      await expect(shown.stat(keyOf(1, array))).rejects.toMatchObject(changed);
    }
    expect(await shown.get(keyOf(2, "sst"))).toHaveLength(12);
    await expect(collection.view("SELECT idx FROM meta")).rejects.toMatchObject({ code: "granule_missing" });
  });

  test("that is replaced fails, until the view is made again", async () => {
    const { store, collection } = await tiny();
    const view = await collection.view("SELECT idx FROM meta", { layout });
    const document = JSON.parse(new TextDecoder().decode(await store.get("g1/sst/zarr.json")));
    document.attributes = { scale_factor: 0.5 };
    store.set("g1/sst/zarr.json", JSON.stringify(document));
    await expect(view.asStore(3).get(keyOf(1, "sst"))).rejects.toMatchObject(changed);
    expect(await view.asStore(3).get(keyOf(0, "sst"))).toHaveLength(12);
    const again = collection.view("SELECT idx FROM meta", { layout });
    if (layout === "granules") {
      const shown = (await again).asStore(3);
      expect(new TextDecoder().decode(await shown.get("g1/sst/zarr.json"))).toContain('"scale_factor":0.5');
      expect(await shown.get(keyOf(1, "sst"))).toHaveLength(12);
    } else await expect(again).rejects.toMatchObject({ code: "layout_unsupported" });
  });

  test("whose chunk was never there is missing it, as before", async () => {
    const { store, collection } = await tiny();
    store.delete("g1/sst/c/0/0");
    const shown = (await collection.view("SELECT idx FROM meta", { layout })).asStore(3);
    expect(await shown.get(keyOf(1, "sst"))).toBeUndefined();
    expect(await shown.get(keyOf(0, "sst"))).toHaveLength(12);
  });
});

describe.skipIf(!existsSync(STACKED))("arrays of a stacked source", () => {
  test("that are deleted fail, shards and what was cut anew too, near and over HTTP", async () => {
    const folder = mkdtempSync(join(tmpdir(), "zarrsift-gone-"));
    const root = join(folder, "stacked.zarr");
    cpSync(STACKED, root, { recursive: true });
    const far = await CountingServer.start(folder, 1);
    const near = await open(root);
    const remote = await open(`${far.url}/stacked.zarr`, { cacheBytes: 0 });
    const idx = [30, 2, 17];
    const faces = await Promise.all(
      [near, remote].map(async (c) => (await c.view(idx, { layout: "stacked" })).asStore(3)),
    );
    for (const shown of faces) {
      expect(await shown.get("lon/c/0/0/0")).toBeDefined();
      far.reset();
      expect(await shown.get("wind_speed/c/0/0/0")).toBeDefined();
    }
    // Nothing more is asked of a server for a chunk that is there.
    expect(far.seen.requests).toBe(1);
    for (const name of ["lat", "lon", "wind_speed"]) rmSync(join(root, name), { recursive: true });
    for (const shown of faces) {
      for (const key of ["lat/c/0/0/0", "lon/c/1/0/0", "lon/c/2/0/0", "wind_speed/c/2/0/0"])
        await expect(shown.get(key), key).rejects.toMatchObject(changed);
    }
    await far.stop();
    await Promise.all([near.close(), remote.close()]);
    rmSync(folder, { recursive: true });
  });
});
