/** What callers of the library spell wrong is refused, not passed over. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeDemoCollection } from "../src/demo/collection.ts";
import { type Collection, open } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-options-"));
let collection: Collection;
beforeAll(async () => {
  await makeDemoCollection(join(folder, "demo.zarr"));
  collection = await open(join(folder, "demo.zarr"));
});
afterAll(async () => {
  await collection?.close();
  rmSync(folder, { recursive: true });
});

const SQL = "SELECT idx FROM meta LIMIT 2";
const refused = (message: string) => ({ code: "bad_parameter", message: expect.stringContaining(message) });

describe("options of the library", () => {
  it.each([
    [{ bbx: [0, 0, 1, 1] }, "no option bbx here; there are: params, bbox"],
    [{ layout: "stack" }, 'layout is "granules" or "stacked" or "concatenated", not "stack"'],
    [{ layout: "stacked", group_by: "encoding" }, "no option group_by here"],
    [{ missing: "skp" }, 'missing is "error" or "skip"'],
    [{ bbox: [-23, -80, 23, 180] }, "latitudes beyond 90; are they first in it?"],
  ])("of a view: %j is refused", async (options, message) => {
    await expect(collection.view(SQL, options as never)).rejects.toMatchObject(refused(message));
  });

  it("of a query and its plan are refused where nothing has that name", async () => {
    const options = { bbx: [0, 0, 1, 1] } as never;
    await expect(collection.query(SQL, options)).rejects.toMatchObject(refused("no option bbx"));
    await expect(collection.explain(SQL, "plan", options)).rejects.toMatchObject(refused("no option bbx"));
  });

  it("that are right are taken, boxes of a world map too", async () => {
    const { signal } = new AbortController();
    const view = await collection.view(SQL, { bbox: [-400, -170, 400, 170], layout: "granules", signal });
    expect(view.count).toBe(2);
  });
});
