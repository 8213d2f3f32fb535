import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Collection } from "../../src/collection.ts";
import { open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DATA = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const STACKED = `${DATA}stacked.zarr`;
const PYTHON = process.env.ZARRSIFT_PYTHON ?? `${ROOT}.venv/bin/python`;

/** The mean of a variable, read through references by fsspec and xarray. */
const READ = `
import json, sys, warnings
import xarray as xr
warnings.simplefilter("ignore")
options = {"fo": sys.argv[1], "remote_protocol": "http", "remote_options": {"asynchronous": True}}
ds = xr.open_dataset("reference://", engine="zarr", zarr_format=int(sys.argv[2]), chunks={}, storage_options=options)
print(json.dumps([dict(ds.sizes), float(ds.wind_speed.mean()), float(ds.lat.max()), ds.idx.values.tolist()]))
`;

async function serve(collection: Collection): Promise<{ app: FastifyInstance; origin: string; id: string }> {
  const app = await buildApp({ collections: [collection], logger: false });
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  const sql = "SELECT * FROM meta WHERE idx IN (3, 9, 30)";
  const answer = await fetch(`${origin}/collections/${collection.name}/views`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ sql, layout: "stacked" }),
  });
  const { id } = (await answer.json()) as { id: string };
  return { app, origin, id };
}

describe.skipIf(!existsSync(STACKED))("kerchunk.json", () => {
  let source: Collection;
  let local: Awaited<ReturnType<typeof serve>>;
  let remote: Awaited<ReturnType<typeof serve>>;
  let collection: Collection;

  beforeAll(async () => {
    source = await open(STACKED, { name: "stacked" });
    local = await serve(source);
    // A view of the whole, over HTTP: a public source of another server's.
    const whole = `${local.origin}/collections/stacked/sql/${encodeURIComponent("SELECT * FROM meta")}/v3`;
    collection = await open(whole, { name: "remote" });
    remote = await serve(collection);
  });
  afterAll(async () => {
    await remote.app.close();
    await local.app.close();
    await collection.close();
    await source.close();
  });

  it("names the view's own URLs where the source is a directory, and none of its paths", async () => {
    const answer = await fetch(`${local.origin}/views/${local.id}/kerchunk.json`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    const text = await answer.text();
    expect(text).not.toContain("file:");
    const { refs } = JSON.parse(text);
    const own = `${local.origin}/views/${local.id}/v2/wind_speed/0.0.0`;
    expect(refs["wind_speed/0.0.0"]).toEqual([own]);
    expect((await fetch(own)).status).toBe(200);
    expect(refs[".zmetadata"]).toMatch(/^\{/);
  });

  it("names the source's own URLs where anyone can read them", async () => {
    const answer = await fetch(`${remote.origin}/views/${remote.id}/kerchunk.json?zarr_format=3`);
    const { refs } = (await answer.json()) as { refs: Record<string, string[]> };
    const chunk = refs["wind_speed/c/1/0/0"]!;
    const whole = `${local.origin}/collections/stacked/sql/${encodeURIComponent("SELECT * FROM meta")}/v3`;
    expect(chunk).toEqual([`${whole}/granules/9/wind_speed/c/0/0`]);
    expect(refs["meta/date/c/0"]).toMatch(/^base64:/);
  });

  it("is 410 of a view that is not there, and 400 of another format", async () => {
    const gone = await fetch(`${local.origin}/views/${"0".repeat(32)}/kerchunk.json`);
    expect(gone.status).toBe(410);
    expect(await gone.json()).toMatchObject({ code: "gone" });
    const wrong = await fetch(`${local.origin}/views/${local.id}/kerchunk.json?zarr_format=4`);
    expect(wrong.status).toBe(400);
  });

  it("answers HEAD, and lists itself in the description of the API", async () => {
    const head = await fetch(`${local.origin}/views/${local.id}/kerchunk.json`, { method: "HEAD" });
    expect(head.status).toBe(200);
    const { paths } = (await (await fetch(`${local.origin}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(paths)).toContain("/views/{id}/kerchunk.json");
  });

  it.skipIf(!existsSync(PYTHON)).each([2, 3])("is read by xarray, format %i", async (format) => {
    for (const { origin, id } of [local, remote]) {
      const url = `${origin}/views/${id}/kerchunk.json?zarr_format=${format}`;
      const { stdout } = await promisify(execFile)(PYTHON, ["-c", READ, url, String(format)]);
      const [sizes, mean, north, idx] = JSON.parse(stdout);
      expect(sizes).toEqual({ granule: 3, row: 160, cell: 42 });
      expect(idx).toEqual([3, 9, 30]);
      expect(mean).toBeGreaterThan(1);
      expect(north).toBeLessThan(90);
    }
  });
});
