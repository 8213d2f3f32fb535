/** Arrays of `/meta` that are no columns: what is said of them. */
import { expect, test } from "vitest";
import { openCollection } from "../../src/index.ts";
import { tinyCollection } from "../view/tiny.ts";

test("an array of two dimensions is said to be no column, and the others are columns", async () => {
  const store = await tinyCollection([{ path: "g0", arrays: { sst: {} } }], { cloud: [1] });
  store.set("meta/corners/zarr.json", (await store.get("g0/sst/zarr.json"))!);
  const collection = await openCollection(store);
  await expect(collection.query("SELECT corners FROM meta")).rejects.toThrow(
    '"corners" of /meta is 2-D, and columns are 1-D arrays',
  );
  const { columns, unusable } = await collection.describe();
  expect(columns.map(({ name }) => name)).toEqual(["array_location", "cloud"]);
  expect(unusable).toEqual([{ name: "corners", why: expect.stringContaining("2-D") }]);
  expect((await collection.query("SELECT * FROM meta")).columns.map(({ name }) => name)).not.toContain(
    "corners",
  );
});
