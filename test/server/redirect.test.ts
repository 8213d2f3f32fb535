import { execFile } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as zarr from "zarrita";
import type { Collection } from "../../src/collection.ts";
import { type OpenSourceOptions, open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { KEYS, noS3Server, S3Server } from "../store/s3-server.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DATA = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const PYTHON = process.env.ZARRSIFT_PYTHON ?? `${ROOT}.venv/bin/python`;
const why = noS3Server ?? (existsSync(DATA) ? undefined : "needs ../shared/data");

/** Sums of stored numbers: of the source itself, by way of fsspec (aiohttp), of obstore, and of Dask's worker processes. */
const READ = `
import json, sys, warnings
import dask, obstore, xarray as xr, zarr
from zarr.storage import ObjectStore
warnings.simplefilter("ignore")
url, source = sys.argv[1:]
names = ["wind_speed", "lat"]
def sums(store, rows=slice(None)):
    root = zarr.open_group(store, mode="r", zarr_format=3)
    return [int(root[name][:][rows].sum(dtype="i8")) for name in names]
def dasked():
    ds = xr.open_zarr(url, zarr_format=3, chunks={}, mask_and_scale=False)
    with dask.config.set(scheduler="processes", num_workers=2):
        return [int(ds[name].sum(dtype="i8").compute()) for name in names]
if __name__ == "__main__":
    http = obstore.store.HTTPStore.from_url(url, client_options={"allow_http": True})
    answers = [sums(source, [3, 9, 30]), sums(url), sums(ObjectStore(http, read_only=True)), dasked()]
    print(json.dumps(answers))
`;

interface Served {
  collection: Collection;
  app: FastifyInstance;
  v3: string;
}

async function serve(source: string, layout: string, options: OpenSourceOptions = {}): Promise<Served> {
  const collection = await open(source, { name: "c", ...options });
  const app = await buildApp({ collections: [collection], logger: false, redirectSeconds: 900 });
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  const answer = await fetch(`${origin}/collections/c/views`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ sql: "SELECT idx FROM meta WHERE idx IN (3, 9, 30)", layout }),
  });
  const { v3 } = (await answer.json()) as { v3: string };
  return { collection, app, v3 };
}

async function end({ app, collection }: Served): Promise<void> {
  await app.close();
  await collection.close();
}

const asked = (url: string, init: RequestInit = {}) => fetch(url, { redirect: "manual", ...init });

describe.skipIf(why)(`chunks in S3${why ? ` (${why})` : ""}`, () => {
  const server = new S3Server();
  let stacked: Served;
  let granules: Served;
  const s3 = () => ({ s3: { endpoint: server.endpoint, credentials: KEYS } });

  beforeAll(async () => {
    await server.start();
    for (const name of ["stacked.zarr", "granules.zarr", "granules-spec1.icechunk"])
      cpSync(join(DATA, name), join(server.root, "bucket", name), { recursive: true });
    stacked = await serve("s3://bucket/stacked.zarr", "stacked", s3());
    granules = await serve("s3://bucket/granules.zarr", "granules", s3());
  });
  afterAll(async () => {
    await end(stacked);
    await end(granules);
    server.stop();
  });

  it("are redirected to a signed URL, good for reading that object and nothing else", async () => {
    const answer = await asked(`${stacked.v3}/wind_speed/c/1/0/0`);
    expect(answer.status).toBe(307);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "cache-control": "no-store",
      "content-length": "0",
      "access-control-allow-origin": "*",
      "access-control-expose-headers": expect.stringContaining("Location"),
    });
    const url = new URL(answer.headers.get("location")!);
    expect(url.origin).toBe(server.endpoint);
    expect(url.pathname).toBe("/bucket/stacked.zarr/wind_speed/c/9/0/0");
    expect(url.searchParams.get("X-Amz-Expires")).toBe("900");
    expect(url.href).not.toContain(KEYS.secretAccessKey);
    const want = readFileSync(join(DATA, "stacked.zarr/wind_speed/c/9/0/0"));
    const bytes = await fetch(url);
    expect(bytes.status).toBe(200);
    expect(Buffer.from(await bytes.arrayBuffer())).toEqual(want);
    expect((await fetch(url, { method: "PUT", body: "x" })).status).toBe(403);
    url.pathname = "/bucket/stacked.zarr/wind_speed/c/8/0/0";
    expect((await fetch(url)).status).toBe(403);
  });

  it("are followed by HEAD and by ranges", async () => {
    const url = `${stacked.v3}/wind_speed/c/0/0/0`;
    const want = readFileSync(join(DATA, "stacked.zarr/wind_speed/c/3/0/0"));
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, head.redirected, head.headers.get("content-length")]).toEqual([
      200,
      true,
      String(want.length),
    ]);
    const range = await fetch(url, { headers: { Range: "bytes=10-19" } });
    expect([range.status, range.redirected]).toEqual([206, true]);
    expect(Buffer.from(await range.arrayBuffer())).toEqual(want.subarray(10, 20));
  });

  it("are the same URL for a while, so that caches know it", async () => {
    const url = `${stacked.v3}/wind_speed/c/1/0/0`;
    const [a, b] = [await asked(url), await asked(url)].map((answer) => answer.headers.get("location"));
    // Unless a third of the lifetime has just ended.
    expect(a === b || (await asked(url)).headers.get("location") === b).toBe(true);
  });

  it("are served where they are put together, or parts of shards; metadata always are", async () => {
    // /lat has 4 granules a chunk, /lon 16 a shard.
    for (const key of ["lat/c/0/0/0", "lon/c/0/0/0", "idx/c/0", "zarr.json", "meta/zarr.json"]) {
      const answer = await asked(`${stacked.v3}/${key}`);
      expect([key, answer.status]).toEqual([key, 200]);
    }
    const inner = await asked(`${stacked.v3.replace(/v3$/, "v2")}/lon/0.0.0`);
    expect(inner.status).toBe(200);
  });

  it("are 404 where the source has none, and 410 below a view that is not there", async () => {
    rmSync(join(server.root, "bucket/stacked.zarr/wind_speed/c/30"), { recursive: true });
    expect((await asked(`${stacked.v3}/wind_speed/c/2/0/0`)).status).toBe(404);
    const folder = "stacked.zarr/wind_speed/c/30";
    // With its old time: a chunk that is newer than the view is none of its own.
    cpSync(join(DATA, folder), join(server.root, "bucket", folder), {
      recursive: true,
      preserveTimestamps: true,
    });
    expect((await asked(`${stacked.v3}/wind_speed/c/2/0/0`)).status).toBe(307);
    expect((await asked(`${stacked.v3}/wind_speed/c/3/0/0`)).status).toBe(404);
    expect((await asked(stacked.v3.replace(/[0-9a-f]{32}/, "0".repeat(32)))).status).toBe(410);
  });

  it("of queries in the path are redirected, too", async () => {
    const sql = encodeURIComponent("SELECT idx FROM meta WHERE idx = 9");
    const base = `${new URL(granules.v3).origin}/collections/c/sql/${sql}/v3`;
    const root = (await (await asked(`${base}/zarr.json`)).json()) as {
      consolidated_metadata: { metadata: Record<string, { node_type: string }> };
    };
    const array = Object.keys(root.consolidated_metadata.metadata).find((path) =>
      path.endsWith("/wind_speed"),
    );
    const answer = await asked(`${base}/${array}/c/0/0`);
    expect([answer.status, answer.headers.get("cache-control")]).toEqual([307, "no-store"]);
  });

  it("that Icechunk stores as objects of their own are redirected", async () => {
    const served = await serve("s3://bucket/granules-spec1.icechunk", "granules", s3());
    try {
      const metadata = (await (await asked(`${served.v3}/zarr.json`)).json()).consolidated_metadata.metadata;
      const lat = Object.keys(metadata).filter((path) => path.endsWith("/lat"));
      expect(lat).toHaveLength(3);
      for (const path of lat) {
        const answer = await asked(`${served.v3}/${path}/c/0/0`);
        expect(answer.status).toBe(307);
        expect(answer.headers.get("location")).toMatch(/\/granules-spec1\.icechunk\/chunks\/[0-9A-Z]{20}\?/);
        const plain = readFileSync(join(DATA, `granules.zarr/${path}/c/0/0`));
        const bytes = await (await fetch(`${served.v3}/${path}/c/0/0`)).arrayBuffer();
        expect(Buffer.from(bytes)).toEqual(plain);
      }
    } finally {
      await end(served);
    }
  });

  it("are read through zarrita", async () => {
    const store = new zarr.FetchStore(stacked.v3);
    const array = await zarr.open.v3(zarr.root(store).resolve("wind_speed"), { kind: "array" });
    const { data } = await zarr.get(array);
    const plain = await open(join(DATA, "stacked.zarr"));
    const own = await zarr.open.v3(
      zarr
        .root(
          (await plain.view("SELECT idx FROM meta WHERE idx IN (3, 9, 30)", { layout: "stacked" })).store(3),
        )
        .resolve("wind_speed"),
      { kind: "array" },
    );
    expect(data).toEqual((await zarr.get(own)).data);
    await plain.close();
  });

  it.skipIf(!existsSync(PYTHON))(
    "are read by zarr-python over aiohttp and obstore, and by xarray with Dask",
    async () => {
      const script = join(server.root, "read.py");
      writeFileSync(script, READ);
      const source = join(DATA, "stacked.zarr");
      const { stdout } = await promisify(execFile)(PYTHON, [script, stacked.v3, source]);
      const [want, ...others] = JSON.parse(stdout.trim().split("\n").at(-1)!);
      expect(others).toEqual([want, want, want]);
    },
  );
});

describe.skipIf(!existsSync(DATA))("chunks of other sources", () => {
  it("are served where they are files, and redirected where anyone can read them over HTTP", async () => {
    const local = await serve(join(DATA, "stacked.zarr"), "stacked");
    const whole = `${new URL(local.v3).origin}/collections/c/sql/${encodeURIComponent("SELECT * FROM meta")}/v3`;
    const remote = await serve(whole, "granules");
    const secret = await serve(whole.replace("://", "://user:password@"), "granules");
    try {
      expect((await asked(`${local.v3}/wind_speed/c/1/0/0`)).status).toBe(200);
      const key = "granules/9/wind_speed/c/0/0";
      for (const method of ["GET", "HEAD"]) {
        const answer = await asked(`${remote.v3}/${key}`, { method });
        expect([answer.status, answer.headers.get("location")]).toEqual([307, `${whole}/${key}`]);
      }
      const bytes = Buffer.from(await (await fetch(`${remote.v3}/${key}`)).arrayBuffer());
      expect(bytes).toEqual(readFileSync(join(DATA, "stacked.zarr/wind_speed/c/9/0/0")));
      const served = await asked(`${secret.v3}/${key}`);
      expect([served.status, served.headers.get("location")]).toEqual([200, null]);
      expect(Buffer.from(await served.arrayBuffer())).toEqual(bytes);
    } finally {
      for (const each of [remote, secret, local]) await end(each);
    }
  });
});
