import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Collection } from "../../src/collection.ts";
import { open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";

const REPOSITORY = fileURLToPath(new URL("../../../shared/data/granules-spec1.icechunk", import.meta.url));
const SQL = "SELECT idx, processing_version FROM meta WHERE idx < 2";

describe.skipIf(!existsSync(REPOSITORY))("an Icechunk repository", () => {
  const opened: Collection[] = [];
  let app: FastifyInstance;

  const openAt = async (ref: string) => {
    const collection = await open(`${REPOSITORY}#${ref}`, { name: "granules" });
    opened.push(collection);
    return collection;
  };

  beforeAll(async () => {
    const collection = await openAt("main");
    app = await buildApp({ collections: [collection], logger: false, openRef: (_name, ref) => openAt(ref) });
  });
  afterAll(async () => {
    await app.close();
    await Promise.all(opened.map((collection) => collection.close()));
  });

  const versions = async (name: string) => {
    const answer = await app.inject(`/collections/${name}/query?sql=${encodeURIComponent(SQL)}`);
    return answer.json().rows.map((row: { processing_version: string }) => row.processing_version);
  };

  it("is queried at branches, tags and snapshots", async () => {
    const [main, tag, branch] = [
      await versions("granules"),
      await versions("granules@v1"),
      await versions("granules@reprocess"),
    ];
    expect(tag).toEqual(main);
    expect(branch).toHaveLength(2);
    expect(branch).not.toEqual(main);
    const { version } = (await app.inject("/collections/granules@reprocess")).json();
    expect(await versions(`granules@${version}`)).toEqual(branch);
    const unknown = await app.inject("/collections/granules@nope");
    expect([unknown.statusCode, unknown.json().detail]).toEqual([
      404,
      expect.stringContaining("branches: main, reprocess"),
    ]);
    expect(
      (await app.inject("/collections/granules@nope/sql/SELECT%20idx%20FROM%20meta/v3/zarr.json")).statusCode,
    ).toBe(410);
  });

  it("has views at each, by POST and in the path, which differ and stay", async () => {
    const made = await app.inject({
      method: "POST",
      url: "/collections/granules@reprocess/views",
      payload: { sql: SQL },
    });
    expect(made.statusCode).toBe(201);
    const other = await app.inject({
      method: "POST",
      url: "/collections/granules/views",
      payload: { sql: SQL },
    });
    expect(other.json().id).not.toBe(made.json().id);
    const posted = await app.inject(`${new URL(made.json().v3).pathname}/zarr.json`);
    const path = `sql/${encodeURIComponent(SQL)}/v3/zarr.json`;
    const pinned = await app.inject(`/collections/granules@${made.json().version}/${path}`);
    expect(contents(pinned.body)).toEqual(contents(posted.body));
    expect(pinned.headers["cache-control"]).toContain("immutable");
    const branch = await app.inject(`/collections/granules@reprocess/${path}`);
    expect(branch.body).toBe(posted.body);
    expect(branch.headers["cache-control"]).toBe("no-cache");
    expect((await app.inject(`/collections/granules/${path}`)).body).not.toBe(posted.body);
  });

  it("does not take the time of day in a path", async () => {
    const sql = encodeURIComponent("SELECT idx FROM meta WHERE date < now()");
    const answer = await app.inject(`/collections/granules/sql/${sql}/v3/zarr.json`);
    expect([answer.statusCode, answer.json().code]).toEqual([400, "sql_unsupported"]);
    expect(
      (
        await app.inject({
          method: "POST",
          url: "/collections/granules/views",
          payload: { sql: decodeURIComponent(sql) },
        })
      ).statusCode,
    ).toBe(201);
  });

  it("restores a view of another version than it is at", async () => {
    const folder = mkdtempSync(join(tmpdir(), "zarrsift-refs-"));
    const views = join(folder, "views.sqlite");
    const collections = [opened[0]!];
    const first = await buildApp({ collections, views, logger: false, openRef: (_name, ref) => openAt(ref) });
    const made = await first.inject({
      method: "POST",
      url: "/collections/granules@reprocess/views",
      payload: { sql: SQL },
    });
    const path = new URL(made.json().v3).pathname;
    const before = await first.inject(`${path}/zarr.json`);
    await first.close();
    const second = await buildApp({ collections, views, logger: false });
    const after = await second.inject(`${path}/zarr.json`);
    expect(after.statusCode).toBe(200);
    expect(contents(after.body)).toEqual(contents(before.body));
    await second.close();
    rmSync(folder, { recursive: true });
  });
});

/** A root's metadata without the name by which its source was opened: a branch, or the snapshot it led to. */
function contents(body: string): object {
  const root = JSON.parse(body);
  expect(root.attributes.zarrsift.source).toContain("granules-spec1.icechunk");
  delete root.attributes.zarrsift.source;
  return root;
}
