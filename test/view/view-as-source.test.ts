/** A view is a collection itself: opened, queried and viewed again; made again from its definition; pinned. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import * as zarr from "zarrita";
import { type Collection, cellAt, open, openCollection, type View } from "../../src/index.ts";
import { tinyCollection } from "./tiny.ts";

const data = fileURLToPath(new URL("../../../shared/data/", import.meta.url));

async function rows(collection: Collection, sql: string) {
  const result = await collection.query(sql);
  const out: Record<string, unknown>[] = [];
  for await (const batch of result.batches()) {
    for (let i = 0; i < batch.length; i++) {
      out.push(Object.fromEntries(result.columns.map((c, k) => [c.name, cellAt(batch.vectors[k]!, i)])));
    }
  }
  return out;
}

async function values(view: View, path: string, face: 2 | 3 = 3) {
  const array = await zarr.open(zarr.root(view.store(face)).resolve(path), { kind: "array" });
  return (await zarr.get(array)).data;
}

describe("expressions in a view's /meta", () => {
  const granules = [0, 1, 2].map((i) => ({ path: `g${i}`, arrays: { sst: {} } }));
  const columns = { x: [1, Number.NaN, -2], s: ["", "b", "\0"], keep: ["y", "n", "y"] };

  test.each([2, 3] as const)("keep their values and their NULLs through the v%d face", async (face) => {
    const source = await openCollection(await tinyCollection(granules, columns), { name: "tiny" });
    const sql =
      "SELECT x * 2 AS twice, x > 0 AS positive, CAST(x AS BIGINT) AS whole, CASE WHEN keep = 'y' THEN s END AS text, " +
      "CASE WHEN x > 0 THEN TIMESTAMP '2020-01-02 03:04:05' END AS at FROM meta";
    const view = await source.view(sql);
    const again = await openCollection(view.asStore(face), { name: "again" });
    const asKept = (row: Record<string, unknown>): Record<string, unknown> => ({
      ...row,
      positive: row.positive === null ? null : Number(row.positive), // a bool that is somewhere NULL is kept as an int8
    });
    const wanted = (await rows(source, sql)).map(asKept);
    expect(wanted.map((row) => row.twice)).toEqual([2, null, -4]);
    expect(await rows(again, "SELECT twice, positive, whole, text, at FROM meta")).toEqual(wanted);
  });
});

describe.skipIf(!existsSync(data))("views of real granules", () => {
  const work = mkdtempSync(join(tmpdir(), "zarrsift-view-"));
  afterAll(() => rmSync(work, { recursive: true }));
  const source = `${data}granules.zarr`;

  test("a view of a view of a view shows the source's own bytes and metadata", async () => {
    const collection = await open(source, { name: "granules" });
    const first = await collection.view(
      "SELECT idx FROM meta WHERE collection LIKE 'ASCAT%' ORDER BY date DESC",
    );
    const second = await openCollection(first.asStore(3), { name: "second" });
    expect(second.layout).toBe("granules");
    const secondView = await second.view("SELECT idx FROM meta WHERE day_night = 'night'");
    const third = await openCollection(secondView.asStore(2), { name: "third" });
    const thirdView = await third.view("SELECT granule_id, date FROM meta ORDER BY granule_id LIMIT 2");
    const wanted = await rows(
      collection,
      "SELECT granule_id, date, bbox, mean_value, array_location FROM meta WHERE day_night = 'night' AND collection LIKE 'ASCAT%' ORDER BY granule_id LIMIT 2",
    );
    const last = await openCollection(thirdView.asStore(3), { name: "last" });
    expect(await rows(last, "SELECT granule_id, date, array_location FROM meta")).toEqual(
      wanted.map(({ granule_id, date, array_location }) => ({ granule_id, date, array_location })),
    );
    expect(await rows(third, "SELECT bbox, mean_value FROM meta ORDER BY granule_id LIMIT 2")).toEqual(
      wanted.map(({ bbox, mean_value }) => ({ bbox, mean_value })),
    );
    const path = String(wanted[0]!.array_location);
    const direct = await collection.view("SELECT idx FROM meta");
    for (const name of ["wind_speed", "lat", "wvc_index"]) {
      expect(await values(thirdView, `${path}/${name}`)).toEqual(await values(direct, `${path}/${name}`));
    }
    await collection.close();
  });

  test("chunks pass through untouched", async () => {
    const collection = await open(source);
    const view = await collection.view([0]);
    const [location] = await rows(collection, "SELECT array_location FROM meta WHERE idx = 0");
    const path = String(location!.array_location);
    const raw = await open(source);
    for (const key of ["lat/c/0/0", "wind_speed/c/1/0", "bs_distance/c/0/0"]) {
      const served = await view.store(3).get(`${path}/${key}` as `/${string}`);
      const stored = await (await import("node:fs/promises")).readFile(`${source}${path}/${key}`);
      expect(Buffer.from(served!).equals(stored)).toBe(true);
    }
    await Promise.all([collection.close(), raw.close()]);
  });

  test("another process makes the same view again from its definition", async () => {
    const [here, there] = await Promise.all([open(source, { name: "g" }), open(source, { name: "g" })]);
    const view = await here.view("SELECT date, cells * 2 AS twice FROM meta WHERE cells > $1", {
      params: [200n],
    });
    const again = await there.restore(JSON.parse(JSON.stringify(view.definition)));
    expect([again.id, again.count, again.fields]).toEqual([view.id, view.count, view.fields]);
    for (const key of ["/zarr.json", "/meta/twice/c/0"] as const) {
      expect(await again.store(3).get(key)).toEqual(await view.store(3).get(key));
    }
    await Promise.all([here.close(), there.close()]);
  });

  test("parts of a shard that is replaced under its index are never handed out", async () => {
    const copy = join(work, "resharded.zarr");
    cpSync(join(source, "meta"), join(copy, "meta"), { recursive: true });
    cpSync(join(source, "zarr.json"), join(copy, "zarr.json"));
    cpSync(join(source, "S6A_P4_2__HR_RED__NR"), join(copy, "S6A_P4_2__HR_RED__NR"), { recursive: true });
    const collection = await open(copy);
    const face = (await collection.view([47])).asStore(2);
    const path =
      "S6A_P4_2__HR_RED__NR/S6A_P4_2__HR_RED__NR_014_191_20210403T004056_20210403T005056_F00/altitude";
    expect((await face.get(`${path}/0`))?.length).toBeGreaterThan(100);
    const shard = join(copy, path, "c/0");
    writeFileSync(shard, readFileSync(shard).reverse());
    await expect(face.get(`${path}/1`)).rejects.toMatchObject({
      code: "source_changed",
    });
    await collection.close();
  });

  test("when the source changes, its views fail and say so, and new ones see what is there now", async () => {
    const copy = join(work, "changing.zarr");
    cpSync(join(source, "meta"), join(copy, "meta"), { recursive: true });
    cpSync(join(source, "zarr.json"), join(copy, "zarr.json"));
    cpSync(join(source, "S6A_P4_2__HR_RED__NR"), join(copy, "S6A_P4_2__HR_RED__NR"), { recursive: true });
    const collection = await open(copy);
    const view = await collection.view("SELECT idx FROM meta WHERE collection LIKE 'S6A%'");
    const key = "/S6A_P4_2__HR_RED__NR/zarr.json";
    expect(await view.store(3).get(key)).toBeDefined();
    utimesSync(join(copy, "meta/rows/c/0"), new Date(), new Date(Date.now() - 5000));
    // At once where looking at the source is quick (test/checks.test.ts); where the machine is busy it may not be.
    const read = () =>
      view
        .store(3)
        .get(key)
        .then(
          () => "served",
          ({ code, status }) => [code, status],
        );
    await expect.poll(read, { timeout: 30_000 }).toEqual(["source_changed", 503]);
    const next = await collection.view("SELECT idx FROM meta WHERE collection LIKE 'S6A%'");
    expect(next.version).not.toBe(view.version);
    expect(await next.store(3).get(key)).toBeDefined();
    await expect(collection.restore(view.definition)).rejects.toMatchObject({ code: "source_changed" });
    await collection.close();
  });

  test("a view of an Icechunk branch stays on its snapshot", async () => {
    const repository = `${data}granules-spec1.icechunk`;
    const [main, other] = [
      await open(`${repository}#main`, { name: "g" }),
      await open(`${repository}#reprocess`, { name: "g" }),
    ];
    const view = await main.view("SELECT processing_version FROM meta WHERE idx = 0");
    expect((await other.view("SELECT processing_version FROM meta WHERE idx = 0")).id).not.toBe(view.id);
    const restored = await other.restore(view.definition);
    expect(restored.version).toBe(await main.version());
    const field = async (v: View) =>
      rows(await openCollection(v.asStore(3)), "SELECT processing_version FROM meta").then(
        (r) => r[0]!.processing_version,
      );
    expect(await field(restored)).toBe("2300");
    expect(await field(await other.view("SELECT processing_version FROM meta WHERE idx = 0"))).toBe("9999");
    await Promise.all([main.close(), other.close()]);
  });

  test("rows whose granules an Icechunk repository lacks are named, or skipped and counted", async () => {
    const collection = await open(`${data}granules-spec2.icechunk`);
    await expect(collection.view("SELECT idx FROM meta")).rejects.toMatchObject({
      code: "granule_missing",
      details: { idx: 0 },
    });
    const view = await collection.view("SELECT idx FROM meta", { missing: "skip" });
    expect([view.count, view.skipped]).toEqual([4, 45]);
    await collection.close();
  });
});
