/** What callers of the library spell wrong is refused, not passed over. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeDemoCollection } from "../src/demo/collection.ts";
import { type Collection, MemoryStore, type OpenSourceOptions, open, openCollection } from "../src/index.ts";

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

describe("a source", () => {
  it("may be a URL", async () => {
    const opened = await open(pathToFileURL(join(folder, "demo.zarr")));
    expect(opened.rows).toBe(collection.rows);
    await opened.close();
  });
});

describe("options of the library", () => {
  it.each([
    [{ bbx: [0, 0, 1, 1] }, "no option bbx here; there are: params, bbox"],
    [{ layout: "stack" }, 'layout is "granules" or "stacked" or "concatenated", not "stack"'],
    [{ layout: "stacked", group_by: "encoding" }, "missing. Did you mean groupBy?"],
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

  it.each([
    [{ bbox: "0,0,1,1" }, "bbox is a list, not a text"],
    [{ datetime: 5 }, "datetime is a text, not a number"],
    [{ fields: "date" }, "fields is a list, not a text"],
    [{ variables: {} }, "variables is a list, not an object"],
    [{ params: "x" }, "params is a list, not a text"],
    [null, "Options are an object"],
    [5, "not a number"],
  ])("of a view: %j is no such thing", async (options, message) => {
    await expect(collection.view(SQL, options as never)).rejects.toMatchObject(refused(message));
  });

  it.each([null, 5, {}, ["SELECT idx FROM meta"]])("and a query: %j is refused", async (sql) => {
    const message = "A query is a text";
    await expect(collection.query(sql as never)).rejects.toMatchObject(refused(message));
    await expect(collection.explain(sql as never)).rejects.toMatchObject(refused(message));
  });

  it.each([undefined, null, 5, {}])("and rows of a view: %j are refused", async (rows) => {
    await expect(collection.view(rows as never)).rejects.toMatchObject(refused("list of row numbers"));
  });

  it.each([undefined, null, 5, {}, [], ""])("and a source: %j is refused", async (source) => {
    await expect(open(source as never)).rejects.toMatchObject(
      refused("A source is a path, a URL or a store"),
    );
  });

  it("that are right are taken, boxes of a world map too", async () => {
    const { signal } = new AbortController();
    const view = await collection.view(SQL, { bbox: [-400, -170, 400, 170], layout: "granules", signal });
    expect(view.count).toBe(2);
  });

  it.each([
    [{ cachBytes: 1 }, "no option cachBytes here; there are: name, fields, columns, location,"],
    [{ cachBytes: 1 }, "signal. Did you mean cacheBytes?"],
    [{ virtualchunks: [] }, "Did you mean virtualChunks?"],
    [
      { s3: { end_point: "http://127.0.0.1:9000" } },
      "no option s3.end_point here; there are: endpoint, region,",
    ],
    [{ s3: { credentials: { accessKeyID: "a", secret: "b" } } }, "no option s3.credentials.accessKeyID here"],
    [
      { virtualChunks: [{ prefix: "file:///a/" }, { prefx: "s3://b/" }] },
      "no option virtualChunks[1].prefx here",
    ],
    [{ virtualChunks: { prefix: "file:///a/" } }, "virtualChunks is a list of { prefix, endpoint, region"],
    [{ location: "path" }, "location is an object, { column, template }"],
    [{ roles: { geom: "bbox" } }, "no option roles.geom here; there are: geometry, time"],
    [{ patience: { retrys: 1 } }, "Did you mean retries?"],
  ])("of opening: %j is refused, before anything is read", async (options, message) => {
    await expect(open("/no/such.zarr", options as never)).rejects.toMatchObject(refused(message));
    await expect(openCollection(new MemoryStore(), options as never)).rejects.toMatchObject(refused(message));
  });

  it("of opening are all known: the types know no other", async () => {
    const every: Record<keyof Required<OpenSourceOptions>, undefined> = {
      ...{ name: undefined, fields: undefined, columns: undefined, location: undefined, roles: undefined },
      ...{ indexes: undefined, verifyIndexes: undefined, indexStore: undefined, indexCacheBytes: undefined },
      ...{ absent: undefined, s3: undefined, virtualChunks: undefined, patience: undefined, log: undefined },
      ...{ concurrency: undefined, cacheBytes: undefined, nodesKept: undefined, total: undefined },
      ...{ consolidatedNodes: undefined, openVersion: undefined, signal: undefined, traffic: undefined },
      ...{ onStat: undefined, onModified: undefined, asOf: undefined, keep: undefined, expect: undefined },
    };
    const opened = await open(join(folder, "demo.zarr"), every as never);
    expect(opened.rows).toBe(collection.rows);
    await opened.close();
  });
});
