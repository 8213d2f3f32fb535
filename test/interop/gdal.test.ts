/** Views read by GDAL's own Zarr driver over /vsicurl/, through the v2 face. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as zarr from "zarrita";
import { type Collection, open, openCollection } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { tinyCollection } from "../view/tiny.ts";

const run = promisify(execFile);
const GRANULES = fileURLToPath(new URL("../../../shared/data/granules.zarr", import.meta.url));

function hasGdal(): boolean {
  try {
    for (const program of ["gdalinfo", "gdalmdiminfo", "gdal_translate"])
      execFileSync(program, ["--version"]);
    return true;
  } catch {
    return false;
  }
}

const granules = Array.from({ length: 4 }, (_, i) => ({
  path: `swath/g${i}`,
  attributes: { title: `granule ${i}` },
  arrays: { sst: { units: "K" }, wind: {} },
}));
const columns = { platform: ["A", "B", "A", "B"] };

/** What `tinyCollection` puts in granule `row`. */
const cells = (row: number) => [0, 1, 2, 3, 4, 5].map((i) => row * 100 + i);

describe.skipIf(!hasGdal())("GDAL, where gdal-bin is installed,", () => {
  const work = mkdtempSync(join(tmpdir(), "zarrsift-gdal-"));
  const collections: Collection[] = [];
  let app: Awaited<ReturnType<typeof buildApp>>;
  let base = "";

  beforeAll(async () => {
    const store = await tinyCollection(granules, columns);
    collections.push(await openCollection(store, { name: "tiny" }));
    collections.push(await openCollection(store, { name: "listed", consolidatedNodes: 1 }));
    if (existsSync(GRANULES)) collections.push(await open(GRANULES, { name: "real" }));
    app = await buildApp({ collections });
    base = await app.listen({ host: "127.0.0.1", port: 0 });
  });
  afterAll(async () => {
    await app?.close();
    for (const collection of collections) await collection.close();
    rmSync(work, { recursive: true });
  });

  async function v2Of(collection: string, body: object): Promise<string> {
    const answer = await fetch(`${base}/collections/${collection}/views`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return ((await answer.json()) as { v2: string }).v2;
  }

  const named = (url: string, inside = "") => `ZARR:"/vsicurl/${url}"${inside}`;
  const json = async (program: string, ...args: string[]) => JSON.parse((await run(program, args)).stdout);

  async function pixels(name: string): Promise<Buffer> {
    const file = join(work, "pixels");
    await run("gdal_translate", ["-q", "-of", "ENVI", name, file]);
    return readFileSync(file);
  }

  test("describes a stacked view: arrays, dimensions, attributes, fields", async () => {
    const url = await v2Of("tiny", { sql: "SELECT platform FROM meta WHERE idx <> 1", layout: "stacked" });
    const about = await json("gdalmdiminfo", named(url));
    expect(Object.keys(about.arrays)).toEqual(expect.arrayContaining(["sst", "wind", "idx"]));
    expect(about.arrays.sst).toMatchObject({ datatype: "Int16", unit: "K", dimension_size: [3, 2, 3] });
    expect(about.arrays.sst.dimensions).toEqual(["/granule", "/y", "/x"]);
    expect(about.attributes.zarrsift.collection).toBe("tiny");
  });

  test("reads a granule of a stack", async () => {
    const url = await v2Of("tiny", { sql: "SELECT platform FROM meta WHERE idx <> 1", layout: "stacked" });
    const bytes = await pixels(named(url, ":/sst:1"));
    expect(Array.from(new Int16Array(bytes.buffer, bytes.byteOffset, 6))).toEqual(cells(2));
  });

  test.each([
    ["with consolidated metadata", "tiny"],
    ["without, by listing", "listed"],
  ])("lists and reads granules %s", async (_, collection) => {
    const url = await v2Of(collection, { sql: "SELECT platform FROM meta WHERE platform = 'B'" });
    const about = await json("gdalinfo", "-json", named(url));
    const listed = Object.values(about.metadata.SUBDATASETS as Record<string, string>).join("\n");
    for (const path of ["/swath/g1/sst", "/swath/g1/wind", "/swath/g3/sst", "/swath/g3/wind"])
      expect(listed).toContain(`:${path}\n`);
    expect(listed).not.toContain("g2");
    const sst = named(url, ":/swath/g3/sst");
    expect((await json("gdalinfo", "-json", sst)).metadata[""]).toMatchObject({ platform: "B", idx: "3" });
    const bytes = await pixels(sst);
    expect(Array.from(new Int16Array(bytes.buffer, bytes.byteOffset, 6))).toEqual(cells(3));
  });

  test("reads real granules as zarrita does", async ({ skip }) => {
    skip(!existsSync(GRANULES), "needs ../shared/data");
    const sql = "SELECT date FROM meta WHERE collection LIKE 'AMSR2%' LIMIT 1";
    const url = await v2Of("real", { sql });
    const view = await collections.at(-1)!.view(sql);
    const root = zarr.root(view.store(2));
    const paths = await zarr.get(await zarr.open(root.resolve("/meta/array_location"), { kind: "array" }));
    const path = `${(paths.data as string[])[0]}/lat`;
    const lat = await zarr.get(await zarr.open(root.resolve(path), { kind: "array" }));
    const bytes = await pixels(named(url, `:${path}`));
    expect(lat.shape).toEqual([400, 243]);
    expect(bytes.equals(Buffer.from((lat.data as Float32Array).buffer))).toBe(true);
  });
});
