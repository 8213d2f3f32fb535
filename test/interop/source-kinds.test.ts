/** The same collection from every kind of source, its views read by zarr-python and xarray. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Collection, open } from "../../src/index.ts";
import { buildApp } from "../../src/server/index.ts";
import { KEYS, noS3Server, S3Server } from "../store/s3-server.ts";
import { directoryHandler, TestServer } from "../store/server.ts";
import { hasPython, pythons, runPython } from "./python.ts";

const work = mkdtempSync(join(tmpdir(), "zarrsift-kinds-"));
const made = join(work, "made");
const s3 = new S3Server();
let files: TestServer;
let app: Awaited<ReturnType<typeof buildApp>>;
let base = "";
let seen: Record<string, number | string> = {};
const collections: Collection[] = [];

/** Where each kind of source is; those in S3 need a server of their own. */
const KINDS: Record<string, () => [source: string, allowed?: string]> = {
  "directory, v2": () => [join(made, "v2.zarr")],
  "directory, v3": () => [join(made, "v3.zarr")],
  "HTTP, v2": () => [`${files.url}/v2.zarr`],
  "HTTP, v3": () => [`${files.url}/v3.zarr`],
  "zip, v2": () => [join(made, "v2.zip")],
  "zip, v3": () => [join(made, "v3.zip")],
  "zip, deflated": () => [join(made, "deflated.zip")],
  "zip over HTTP": () => [`${files.url}/v3.zip`],
  "kerchunk JSON": () => [join(made, "refs.json"), `file://${made}`],
  "kerchunk JSON over HTTP": () => [`${files.url}/refs.json`, files.url],
  "kerchunk Parquet": () => [join(made, "refs.parq"), `file://${made}`],
  Icechunk: () => [join(made, "granules.icechunk")],
  "Icechunk, virtual chunks": () => [join(made, "virtual.icechunk"), `file://${made}`],
  "S3, v3": () => ["s3://bucket/v3.zarr"],
  "zip in S3": () => ["s3://bucket/v2.zip"],
  "Icechunk in S3": () => ["s3://bucket/granules.icechunk"],
  "kerchunk JSON in S3": () => ["s3://bucket/refs.json", "s3://bucket"],
};
const kinds = Object.keys(KINDS).filter((kind) => !kind.includes("S3") || !noS3Server);

const VIEWS = {
  some: { sql: "SELECT cloud, date, orbit FROM meta WHERE cloud < 50 ORDER BY date DESC" },
  none: { sql: "SELECT cloud, date, orbit FROM meta WHERE cloud > 1000" },
  all: { sql: "SELECT cloud, date, orbit FROM meta" },
  listed: { idx: [6, 0, 3] },
};

beforeAll(async () => {
  if (!hasPython(pythons.oldest)) return;
  await runPython(pythons.oldest, "make_kinds.py", made);
  files = await TestServer.start(directoryHandler(made));
  if (!noS3Server) {
    mkdirSync(join(s3.root, "bucket"));
    cpSync(made, join(s3.root, "bucket"), { recursive: true });
    await s3.start();
  }
  const s3Options = { endpoint: s3.endpoint, credentials: KEYS };
  for (const [i, kind] of kinds.entries()) {
    const [source, prefix] = KINDS[kind]!();
    const virtualChunks = prefix === undefined ? [] : [{ prefix, ...s3Options }];
    collections.push(await open(source, { name: `c${i}`, s3: s3Options, virtualChunks }));
  }
  app = await buildApp({ collections });
  base = await app.listen({ host: "127.0.0.1", port: 0 });
  seen = await compared();
}, 300_000);

afterAll(async () => {
  await app?.close();
  for (const collection of collections) await collection.close();
  await files?.stop();
  s3.stop();
  rmSync(work, { recursive: true });
});

const skipped = noS3Server ? `; none in S3: ${noS3Server}` : "";
describe.skipIf(!hasPython(pythons.oldest))(`views of every kind of source${skipped}`, () => {
  test.each(kinds)("%s", (kind) => {
    // 3 columns of 8 views; 6 arrays of 4, 8 and 3 granules; 4 of 3 stacks; through 2 faces.
    expect(seen[kind]).toBe(2 * (3 * 8 + 6 * (4 + 8 + 3) + 4 * 3));
  });
});

/** How many arrays Python found to be the same, by kind, or why not. */
async function compared(): Promise<Record<string, number | string>> {
  const cases = [];
  for (const [i, name] of kinds.entries())
    for (const [rows, what] of Object.entries(VIEWS))
      for (const layout of ["granules", "stacked"])
        cases.push({ name, rows, layout, ...(await post(collections[i]!.name, { ...what, layout })) });
  const list = join(work, "cases.json");
  writeFileSync(list, JSON.stringify(cases));
  return runPython(pythons.oldest, "check_kinds.py", join(made, "truth.npz"), list);
}

async function post(collection: string, body: object): Promise<{ v3: string; v2: string }> {
  const response = await fetch(`${base}/collections/${collection}/views`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.text();
  if (response.status !== 201) throw new Error(answer);
  const { v3, v2 } = JSON.parse(answer) as { v3: string; v2: string };
  return { v3, v2 };
}
