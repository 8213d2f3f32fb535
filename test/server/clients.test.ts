import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as zarr from "zarrita";
import type { Collection } from "../../src/collection.ts";
import { open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { CannedCollection } from "./canned.ts";
import { kill, runChild } from "./child.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DATA = fileURLToPath(new URL("../../../shared/data/", import.meta.url));
const GRANULES = `${DATA}granules.zarr`;
const PYTHON = process.env.ZARRSIFT_PYTHON ?? `${ROOT}.venv/bin/python`;
const run = promisify(execFile);

/** Characters that proxies, routers and clients like to change: quotes, `+`, `%`, `/`, spaces, parentheses. */
const SQL =
  "SELECT idx, granule_id FROM meta WHERE collection LIKE 'AMSR2%' AND 4/2 + 1 = 3 AND granule_id <> 'a/b+c%20d' ORDER BY date DESC";

describe.skipIf(!existsSync(GRANULES))("real data", () => {
  let collection: Collection;
  let app: FastifyInstance;
  let origin: string;
  let view: { id: string; count: number; v3: string; v2: string; python: string; javascript: string };
  let sqlUrl: string;

  beforeAll(async () => {
    collection = await open(GRANULES, { name: "granules" });
    app = await buildApp({ collections: [collection], logger: false });
    origin = await app.listen({ port: 0, host: "127.0.0.1" });
    const answer = await fetch(`${origin}/collections/granules/views`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ sql: SQL }),
    });
    expect(answer.status).toBe(201);
    view = (await answer.json()) as typeof view;
    sqlUrl = `${origin}/collections/granules/sql/${encodeURIComponent(SQL)}`;
  });
  afterAll(async () => {
    await app.close();
    await collection.close();
  });

  it("are described and queried", async () => {
    const about = await (await fetch(`${origin}/collections/granules`)).json();
    expect(about).toMatchObject({ name: "granules", rows: 49, layout: { kind: "granules" } });
    expect(about.columns).toContainEqual(
      expect.objectContaining({ name: "bbox", type: "geometry", role: "geometry" }),
    );
    const rows = await (
      await fetch(`${origin}/collections/granules/query?sql=${encodeURIComponent(SQL)}`)
    ).json();
    expect(rows.count).toBe(view.count);
    expect(rows.rows.every((row: { granule_id: string }) => row.granule_id.includes("AMSR2"))).toBe(true);
    const plan = await (
      await fetch(`${origin}/collections/granules/query?explain=analyze&sql=${encodeURIComponent(SQL)}`)
    ).json();
    expect(plan.plan.length).toBeGreaterThan(1);
    const wrong = await (
      await fetch(`${origin}/collections/granules/query?sql=SELECT%20dat%20FROM%20meta`)
    ).json();
    expect(wrong).toMatchObject({ code: "unknown_column", status: 400, line: 1, column: 8 });
  });

  it("have chunks that are the source's own bytes", async () => {
    const root = (await (await fetch(`${view.v3}/zarr.json`)).json()) as {
      consolidated_metadata: { metadata: Record<string, { node_type: string }> };
    };
    const arrays = Object.entries(root.consolidated_metadata.metadata)
      .filter(([path, node]) => node.node_type === "array" && path.startsWith("AMSR2"))
      .map(([path]) => path);
    expect(arrays.length).toBeGreaterThan(4);
    for (const path of arrays) {
      const source = await readFile(`${GRANULES}/${path}/c/0/0`).catch(() => undefined);
      if (!source) continue;
      const answer = await fetch(`${view.v3}/${path}/c/0/0`);
      expect(Buffer.from(await answer.arrayBuffer()).equals(source)).toBe(true);
      const head = await fetch(`${view.v3}/${path}/c/0/0`, { method: "HEAD" });
      expect(head.headers.get("content-length")).toBe(String(source.length));
      const part = await fetch(`${sqlUrl}/v3/${path}/c/0/0`, { headers: { range: "bytes=-7" } });
      expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, source.subarray(-7)]);
    }
  });

  it("open in zarrita by the lines of the answer", async () => {
    const code = `${view.javascript}
      process.stdout.write(String(store.contents().filter(({ kind }) => kind === "group").length));
      process.exit(0);`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", code], { cwd: ROOT });
    expect(Number(stdout)).toBeGreaterThanOrEqual(view.count);
  });

  it("open in zarrita through a query in the path", async () => {
    const store = await zarr.withMaybeConsolidatedMetadata(new zarr.FetchStore(`${sqlUrl}/v3`), {
      format: "v3",
    });
    const root = await zarr.open.v3(store, { kind: "group" });
    expect((root.attrs.zarrsift as { sql: string }).sql).toBe(SQL);
    const ids = await zarr.open.v3(root.resolve("meta/source_idx"), { kind: "array" });
    expect(ids.shape).toEqual([view.count]);
  });

  describe.skipIf(!existsSync(PYTHON))("in Python", () => {
    it("open by the lines of the answer", async () => {
      const { stdout } = await run(PYTHON, ["-c", `${view.python}\nprint(root.attrs["zarrsift"]["sql"])`]);
      expect(stdout.trim()).toBe(SQL);
    });

    it("list, open and refuse as zarr-python and fsspec expect", async () => {
      const { stdout } = await run(PYTHON, [`${ROOT}test/server/clients.py`, origin, view.id, sqlUrl]);
      const found = JSON.parse(stdout);
      for (const face of ["v3", "v2"]) {
        const { consolidated, members, listed, slash, by_sql } = found[face];
        expect(consolidated).toBe(true);
        expect(members.length).toBeGreaterThan(10);
        expect(listed).toEqual(members);
        expect(slash).toEqual(members);
        expect(by_sql).toEqual(members);
      }
      expect(found.v2.members).toEqual(found.v3.members);
      const { write, update, gone, no_face, token } = found;
      expect([write, update, gone, no_face, token].every((error) => error !== null)).toBe(true);
      expect(found.ls).toEqual(["/AMSR2-REMSS-L2P-v8a/", "/meta/", "/zarr.json"]);
      expect(found.ls_slash).toEqual(found.ls);
      expect(found.size[0]).toBe(found.size[1]);
      expect([found.range, found.tail]).toEqual([true, true]);
    });
  });
});

describe.skipIf(!existsSync(PYTHON))("odd names", () => {
  it("are listed and opened by zarr-python as they are, but for what ends or splits a link", async () => {
    const group = Buffer.from(JSON.stringify({ zarr_format: 3, node_type: "group", attributes: {} }));
    const names = [
      "gü",
      "a b",
      "2025-07-01T00:00:00Z",
      "s1a:x",
      "https-data",
      "A+B=(1),2",
      "100%",
      "a#b",
      "a&b",
      "it's",
    ];
    const paths = names.flatMap((name) => [name, `${name}/https-ü`]);
    const canned = new CannedCollection("meta", {
      "zarr.json": { kind: "metadata", bytes: group },
      ...Object.fromEntries(paths.map((path) => [`${path}/zarr.json`, { kind: "metadata", bytes: group }])),
    });
    const app = await buildApp({ collections: [canned.as()], logger: false });
    const origin = await app.listen({ port: 0, host: "127.0.0.1" });
    const code = `
import json, sys, zarr
root = zarr.open_group(sys.argv[1], mode="r", zarr_format=3, use_consolidated=False)
names = [name for name, node in root.members(max_depth=None) if isinstance(node, zarr.Group)]
print(json.dumps([names, [root[name].path for name in names]]))`;
    const { stdout } = await run(PYTHON, ["-c", code, `${origin}/collections/meta/sql/a%20%3C%20b/v3`]);
    const [listed, opened] = JSON.parse(stdout);
    const known = ["gü", "a b", "2025-07-01T00:00:00Z", "s1a:x", "https-data", "A+B=(1),2"];
    const encoded = ["100%25", "a%23b", "a%26b", "it%27s"];
    const expected = [...known, ...encoded].flatMap((name) => [name, `${name}/https-ü`]).sort();
    expect(listed.sort()).toEqual(expected);
    expect(opened.sort()).toEqual(expected);
    await app.close();
  });
});

describe.skipIf(!existsSync(GRANULES))("a server that is killed", () => {
  it("serves its views again, byte for byte", async () => {
    const folder = mkdtempSync(join(tmpdir(), "zarrsift-kill-"));
    const start = () =>
      runChild(`
        const { open } = await load("/src/index.ts");
        const { buildApp } = await load("/src/server/index.ts");
        const collection = await open(${JSON.stringify(GRANULES)}, { name: "granules" });
        const app = await buildApp({ collections: [collection], views: ${JSON.stringify(`${folder}/views.sqlite`)} });
        process.stdout.write(await app.listen({ port: 0, host: "127.0.0.1" }));`);
    const first = await start();
    const made = await fetch(`${first.output}/collections/granules/views`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        sql: "SELECT idx, date, rows * 2 AS double FROM meta WHERE idx < 5 ORDER BY date DESC",
      }),
    });
    const { id } = (await made.json()) as { id: string };
    const read = async (origin: string) => {
      const answer = await fetch(`${origin}/views/${id}/v3/zarr.json`);
      return [answer.status, answer.headers.get("etag"), await answer.text()];
    };
    const before = await read(first.output);
    await kill(first.child, "SIGKILL");
    const second = await start();
    expect(await read(second.output)).toEqual(before);
    expect(before[0]).toBe(200);
    await kill(second.child, "SIGTERM");
    rmSync(folder, { recursive: true });
  });
});
