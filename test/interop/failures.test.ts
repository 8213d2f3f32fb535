/**
 * Sources that fail, behind the running server: every failure is its own error, never a fill value, a hang or a crash,
 * and the server goes on serving.
 */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Collection, open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";

const data = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const GRANULE = "S6A_P4_2__HR_RED__NR/S6A_P4_2__HR_RED__NR_014_191_20210403T004056_20210403T005056_F00";
const SQL = "SELECT idx FROM meta WHERE idx = 47";
const CHUNK = `${GRANULE}/latitude/c/0`;

/** A plain file server with directory listings, and a way to spoil the answers for some keys. */
class Origin {
  spoil: ((key: string, res: ServerResponse, bytes: Buffer | undefined) => boolean) | undefined;
  readonly #server: Server;
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    this.#server = createServer((req, res) => {
      const key = decodeURIComponent(req.url!.slice(1)).replace(/\/$/, "");
      const path = join(this.#root, key);
      const bytes = existsSync(path) && statSync(path).isFile() ? readFileSync(path) : undefined;
      if (this.spoil?.(key, res, bytes)) return;
      if (!bytes) res.writeHead(404).end();
      else
        res.writeHead(200, { "content-length": bytes.length }).end(req.method === "HEAD" ? undefined : bytes);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((ready) => this.#server.listen(0, "127.0.0.1", ready));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const spoilt =
  (key: string, answer: (res: ServerResponse, bytes: Buffer) => void): Origin["spoil"] =>
  (asked, res, bytes) => {
    if (asked !== key) return false;
    answer(res, bytes!);
    return true;
  };

describe.skipIf(!existsSync(data))("a source over HTTP that fails", () => {
  const origin = new Origin(`${data}granules.zarr`);
  let collection: Collection;
  let app: Awaited<ReturnType<typeof buildApp>>;
  let view = "";

  beforeAll(async () => {
    const url = await origin.listen();
    const columns = ["array_location", "date", "bbox", "collection"];
    const patience = { retries: 1, backoffMs: 5, timeoutMs: 400 };
    collection = await open(url, { name: "g", columns, patience, cacheBytes: 0 });
    app = await buildApp({ collections: [collection], limits: { cacheBytes: 0 }, logger: false });
    const made = await app.inject({ method: "POST", url: "/collections/g/views", payload: { sql: SQL } });
    expect(made.statusCode).toBe(201);
    view = `/views/${made.json().id}/v3`;
  });

  afterAll(async () => {
    await app?.close();
    await collection?.close();
    origin.close();
  });

  test("a healthy chunk is served, a missing one is 404", async () => {
    const healthy = await app.inject(`${view}/${CHUNK}`);
    expect([healthy.statusCode, healthy.rawPayload.length]).toEqual([
      200,
      statSync(`${data}granules.zarr/${CHUNK}`).size,
    ]);
    expect((await app.inject(`${view}/${GRANULE}/latitude/c/99`)).statusCode).toBe(404);
  });

  test.each([
    ["403", (res) => res.writeHead(403).end(), 502, "source_forbidden"],
    ["500 for ever", (res) => res.writeHead(500).end(), 502, "source_unreadable"],
    ["429 for ever", (res) => res.writeHead(429).end(), 502, "source_unreadable"],
    ["nothing at all", () => {}, 504, "timeout"],
    [
      "a body cut off in the middle",
      (res, bytes) => {
        res.writeHead(200, { "content-length": bytes.length });
        res.write(bytes.subarray(0, bytes.length >> 1), () => res.destroy());
      },
      502,
      "source_unreadable",
    ],
  ] satisfies [string, (res: ServerResponse, bytes: Buffer) => void, number, string][])(
    "%s for a chunk is an error of its own, and the next chunk is served",
    async (_, answer, status, code) => {
      origin.spoil = spoilt(CHUNK, answer);
      const failed = await app.inject(`${view}/${CHUNK}`);
      expect([failed.statusCode, failed.json().code]).toEqual([status, code]);
      expect(failed.headers["content-type"]).toContain("application/problem+json");
      expect((await app.inject(`${view}/${GRANULE}/longitude/c/0`)).statusCode).toBe(200);
      origin.spoil = undefined;
      expect((await app.inject(`${view}/${CHUNK}`)).statusCode).toBe(200);
    },
  );

  test("metadata that cannot be read is never 404", async () => {
    origin.spoil = spoilt(`${GRANULE}/altitude/zarr.json`, (res) => res.writeHead(503).end());
    const made = await app.inject({
      method: "POST",
      url: "/collections/g/views",
      payload: { idx: [47], fields: ["date"] },
    });
    const id = made.statusCode === 201 ? made.json().id : undefined;
    if (id) {
      const failed = await app.inject(`/views/${id}/v3/${GRANULE}/altitude/zarr.json`);
      expect(failed.statusCode).toBe(502);
    } else expect(made.statusCode).toBe(502);
    origin.spoil = undefined;
  });

  test("a query whose column cannot be read fails, and works again afterwards", async () => {
    origin.spoil = spoilt("meta/collection/c/1", (res) => res.writeHead(500).end());
    const url = `/collections/g/query?sql=${encodeURIComponent("SELECT idx FROM meta WHERE collection = 'x'")}`;
    const failed = await app.inject(url);
    expect([failed.statusCode, failed.json().code]).toEqual([502, "source_unreadable"]);
    origin.spoil = undefined;
    expect((await app.inject(url)).json()).toMatchObject({ count: 0 });
  });
});

describe.skipIf(!existsSync(data))("a directory with damaged files", () => {
  const work = mkdtempSync(join(tmpdir(), "zarrsift-damage-"));
  let number = 0;
  afterAll(() => rmSync(work, { recursive: true }));

  /** A copy of the real meta group and one collection, to be damaged. */
  function copy(): string {
    const path = join(work, `${number++}.zarr`);
    for (const part of ["meta", "zarr.json", "S6A_P4_2__HR_RED__NR"]) {
      cpSync(join(data, "granules.zarr", part), join(path, part), { recursive: true });
    }
    // Without consolidated metadata, so that each array's own document counts.
    const group = JSON.parse(readFileSync(join(path, "meta/zarr.json"), "utf8"));
    delete group.consolidated_metadata;
    writeFileSync(join(path, "meta/zarr.json"), JSON.stringify(group));
    return path;
  }

  async function status(path: string, url: string): Promise<[number, string]> {
    const collection = await open(path, { name: "g" });
    const app = await buildApp({ collections: [collection], logger: false });
    const answer = await app.inject(url);
    await app.close();
    await collection.close();
    return [answer.statusCode, answer.json().code];
  }

  const query = (sql: string) => `/collections/g/query?sql=${encodeURIComponent(sql)}`;

  test("a truncated chunk of a column", async () => {
    const path = copy();
    const chunk = join(path, "meta/platform/c/0");
    writeFileSync(chunk, readFileSync(chunk).subarray(0, 20));
    expect(await status(path, query("SELECT platform FROM meta"))).toEqual([502, "corrupt_chunk"]);
    expect((await status(path, query("SELECT cells FROM meta")))[0]).toBe(200);
  });

  test("a geometry that is no WKB names its row", async () => {
    const path = copy();
    const chunk = join(path, "meta/bbox/c/0");
    const { decodeChunk, encodeChunk } = await import("../../src/zarr/chunk.ts");
    const { parseNode } = await import("../../src/zarr/parse.ts");
    const { parseJsonObject } = await import("../../src/zarr/json.ts");
    const document = parseJsonObject(readFileSync(join(path, "meta/bbox/zarr.json")), "bbox");
    const meta = parseNode({ "zarr.json": document }, "meta/bbox")!;
    if (meta.nodeType !== "array") throw new Error("bbox is an array");
    const stored = await decodeChunk(meta, readFileSync(chunk), "bbox");
    if (!("starts" in stored)) throw new Error("bbox holds bytes");
    const broken = stored.data.slice();
    broken[stored.starts[3]! + 1] = 77; // the geometry type of row 3
    writeFileSync(chunk, await encodeChunk(meta, { ...stored, data: broken }));
    const sql = "SELECT idx FROM meta WHERE ST_Intersects(bbox, ST_MakeEnvelope(-180, -90, 180, 90))";
    expect(await status(path, query(sql))).toEqual([502, "bad_geometry"]);
    expect((await status(path, query(`${sql} AND idx <> 3`)))[0]).toBe(200);
    const described = await status(path, "/collections/g");
    expect(described[0]).toBe(200);
  });

  test("a zarr.json that is no JSON", async () => {
    const path = copy();
    writeFileSync(join(path, "meta/cells/zarr.json"), '{"zarr_format": 3, ');
    await expect(open(path)).rejects.toMatchObject({
      code: "corrupt_metadata",
      message: expect.stringContaining("meta/cells"),
    });
  });

  test("a granule's zarr.json that is no JSON is an error for it, never 404", async () => {
    const path = copy();
    writeFileSync(join(path, GRANULE, "altitude/zarr.json"), "{");
    const collection = await open(path, { name: "g" });
    await expect(collection.view(SQL)).rejects.toMatchObject({ code: "corrupt_metadata", status: 502 });
    await collection.close();
  });

  test("columns of unequal length are named", async () => {
    const path = copy();
    const file = join(path, "meta/cells/zarr.json");
    writeFileSync(file, readFileSync(file, "utf8").replace(/"shape": \[\s*49\s*\]/, '"shape": [48]'));
    await expect(open(path)).rejects.toMatchObject({
      code: "meta_invalid",
      message: expect.stringContaining('"cells" has 48'),
    });
  });

  test("a store without meta", async () => {
    const path = copy();
    rmSync(join(path, "meta"), { recursive: true });
    await expect(open(path)).rejects.toMatchObject({
      code: "meta_invalid",
      message: expect.stringContaining("no /meta group"),
    });
  });
});
