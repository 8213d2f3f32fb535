import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as zarr from "zarrita";
import { type AllowedPrefix, open } from "../../src/index.ts";
import { openSource } from "../../src/store/open.ts";
import { hasPython, pythons } from "../interop/python.ts";
import { KEYS, noS3Server, S3Server } from "./s3-server.ts";

const DATA = join(import.meta.dirname, "../../../shared/data");
const why = noS3Server ?? (existsSync(DATA) ? undefined : "needs ../shared/data");
const REPOSITORY = join(DATA, "granules-s3.icechunk");
const SQL = "SELECT idx FROM meta WHERE collection LIKE 'AMSR2%' OR idx IN (0, 40) ORDER BY idx";

describe.skipIf(why)(`virtual chunks in S3${why ? ` (${why})` : ""}`, () => {
  const server = new S3Server();
  const bucket = () => join(server.root, "l2-granules");
  beforeAll(async () => {
    await server.start();
    cpSync(join(DATA, "granules_nc"), join(bucket(), "public"), {
      recursive: true,
      preserveTimestamps: true,
    });
  });
  afterAll(() => server.stop());

  const allowed = (over: Partial<AllowedPrefix> = {}): AllowedPrefix[] => [
    { prefix: "s3://l2-granules/public/", endpoint: server.endpoint, credentials: KEYS, ...over },
  ];

  it("read as the same values as the plain store's", async () => {
    const plain = await open(join(DATA, "granules.zarr"));
    const virtual = await open(REPOSITORY, { virtualChunks: allowed() });
    const [a, b] = await Promise.all([plain.view(SQL), virtual.view(SQL)]);
    expect(b.count).toBe(a.count);
    let compared = 0;
    for (const path of await locations(a.store(3))) {
      for (const name of ["lat", "lon", "wind_speed"]) {
        const values = await Promise.all([a, b].map((view) => read(view.store(3), `${path}/${name}`)));
        expect(values[1], `${path}/${name}`).toEqual(values[0]);
        compared += (values[0] as ArrayLike<number>).length;
      }
    }
    expect(compared).toBeGreaterThan(100_000);
    await Promise.all([plain.close(), virtual.close()]);
  });

  const firstChunk = async (virtualChunks: AllowedPrefix[] | undefined) => {
    const collection = await open(REPOSITORY, { virtualChunks });
    try {
      const view = await collection.view([0]);
      const [path] = await locations(view.store(3));
      return await view.asStore(3).get(`${path!.slice(1)}/lat/c/0/0`);
    } finally {
      await collection.close();
    }
  };

  it("are not read where no prefix, another prefix, or no credentials are given, whatever the environment says", async () => {
    process.env.AWS_ACCESS_KEY_ID = KEYS.accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = KEYS.secretAccessKey;
    process.env.AWS_ENDPOINT_URL_S3 = server.endpoint;
    try {
      const forbidden = { code: "source_forbidden", message: expect.stringContaining("s3://l2-granules/") };
      await expect(firstChunk(undefined)).rejects.toMatchObject(forbidden);
      const other = allowed({ prefix: "s3://l2-granules/pub" });
      await expect(firstChunk(other)).rejects.toMatchObject(forbidden);
      const anonymous = allowed({ credentials: undefined });
      await expect(firstChunk(anonymous)).rejects.toMatchObject({ code: "source_forbidden" });
      expect((await firstChunk(allowed()))?.length).toBeGreaterThan(100);
    } finally {
      for (const name of ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "ENDPOINT_URL_S3"])
        delete process.env[`AWS_${name}`];
    }
  });

  it("fail when their object is newer than the reference", async () => {
    const folder = join(bucket(), "public/ASCATA-L2-25km");
    const file = join(folder, "ASCATA-L2-25km_20150702T084200_45145.nc");
    const later = new Date("2100-06-01"); // its references are good until 2100
    utimesSync(file, later, later);
    await expect(firstChunk(allowed())).rejects.toMatchObject({ code: "source_changed" });
  });
});

describe.each(Object.entries(pythons))(
  "virtual chunks in files, written by the %s Icechunk",
  (_, program) => {
    const folder = mkdtempSync(join(tmpdir(), "zarrsift-virtual-"));
    afterAll(() => rmSync(folder, { recursive: true }));

    it.skipIf(!hasPython(program))("are read where it is allowed, whatever the repository says", async () => {
      const script = join(import.meta.dirname, "../fixtures/make_virtual.py");
      execFileSync(program, [script, folder], { stdio: "ignore" });
      const source = join(folder, "repo.icechunk");
      const allowed = await openSource(source, { virtualChunks: [{ prefix: `file://${folder}/files` }] });
      const bytes = (await allowed.get("x/c/1"))!;
      expect([...new Float64Array(bytes.slice().buffer)]).toEqual([6, 7, 8, 9, 10, 11]);
      expect((await allowed.getRange("x/c/0", { offset: 8, length: 8 }))?.[6]).toBe(0xf0);
      for (const prefix of [undefined, `file://${folder}/file`, `file://${folder}/repo.icechunk`]) {
        const denied = await openSource(source, { virtualChunks: prefix === undefined ? [] : [{ prefix }] });
        expect((await denied.get("meta/row/c/0"))?.length).toBeGreaterThan(0);
        await expect(denied.get("x/c/1")).rejects.toMatchObject({ code: "source_forbidden" });
      }
    });
  },
);

async function locations(store: zarr.AsyncReadable): Promise<string[]> {
  const array = await zarr.open.v3(zarr.root(store).resolve("meta/array_location"), { kind: "array" });
  return (await zarr.get(array)).data as unknown as string[];
}

async function read(store: zarr.AsyncReadable, path: string): Promise<unknown> {
  const array = await zarr.open.v3(zarr.root(store).resolve(path), { kind: "array" });
  return (await zarr.get(array)).data;
}
