/** Chunks that are written, deleted or added alone under a view: no document and no `/meta` tells of it. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as later } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildIndexes, type Collection, open, openWritable } from "../../src/index.ts";
import { directoryHandler, TestServer } from "../store/server.ts";
import { tinyCollection } from "./tiny.ts";

const changed = { code: "source_changed" };
const ALL = "SELECT idx FROM meta";
/** File systems may tell times in steps of this many milliseconds. */
const STEP = 40;

let root: string;
const at = (key: string) => join(root, key);

/** Written with other values of the same length, as a writer that replaces files does. */
function rewrite(key: string, byte = 7) {
  const bytes = readFileSync(at(key)).fill(byte);
  writeFileSync(at(`${key}.new`), bytes);
  renameSync(at(`${key}.new`), at(key));
  return new Uint8Array(bytes);
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "zarrsift-rewritten-"));
  const store = await tinyCollection(
    [0, 1, 2].map((i) => ({ path: `g${i}`, arrays: { sst: {}, cloud: {} } })),
  );
  for (const key of store.keys()) {
    mkdirSync(dirname(at(key)), { recursive: true });
    writeFileSync(at(key), (await store.get(key))!);
  }
  await later(STEP);
});

afterEach(() => rmSync(root, { recursive: true }));

describe.each(["granules", "stacked", "concatenated"] as const)("a chunk under a %s view", (layout) => {
  const keyOf = (row: number, array: string) =>
    layout === "granules"
      ? `g${row}/${array}/c/0/0`
      : `${array}/c/${row}${layout === "stacked" ? "/0/0" : "/0"}`;

  test("that is written anew fails, in every way to ask, and is there in the next view", async () => {
    const collection = await open(root);
    const view = await collection.view(ALL, { layout });
    const shown = view.asStore(3);
    expect(await shown.get(keyOf(0, "sst"))).toBeDefined();
    await later(STEP);
    const bytes = rewrite("g1/sst/c/0/0");
    await expect(shown.get(keyOf(1, "sst"))).rejects.toMatchObject(changed);
    await expect(shown.getRange(keyOf(1, "sst"), { offset: 0, length: 4 })).rejects.toMatchObject(changed);
    await expect(shown.stat(keyOf(1, "sst"))).rejects.toMatchObject(changed);
    const next = await collection.view(ALL, { layout });
    expect(next.id).not.toBe(view.id);
    expect(await next.asStore(3).get(keyOf(1, "sst"))).toEqual(bytes);
    await expect(shown.get(keyOf(1, "sst"))).rejects.toMatchObject(changed);
    await collection.close();
  });

  test("that was read for an earlier view is not what that one was told", async () => {
    const collection = await open(root);
    const early = (await collection.view(ALL, { layout })).asStore(3);
    const before = await early.get(keyOf(1, "sst"));
    await later(STEP);
    const bytes = rewrite("g1/sst/c/0/0");
    expect(bytes).not.toEqual(before);
    // Nobody has noticed yet.
    const next = await collection.view("SELECT idx FROM meta ORDER BY idx DESC", { layout });
    expect(await next.asStore(3).get(keyOf(1, "sst"))).toEqual(bytes);
    await expect(early.get(keyOf(1, "sst"))).rejects.toMatchObject(changed);
    await collection.close();
  });

  test("that is deleted alone, or put where there was none, fails", async () => {
    rmSync(at("g2/sst/c/0/0"));
    await later(STEP);
    const collection = await open(root);
    const shown = (await collection.view(ALL, { layout })).asStore(3);
    expect(await shown.get(keyOf(2, "sst"))).toBeUndefined();
    await later(STEP);
    rmSync(at("g1/cloud/c/0/0"));
    copyFileSync(at("g0/sst/c/0/0"), at("g2/sst/c/0/0"));
    await expect(shown.get(keyOf(1, "cloud"))).rejects.toMatchObject(changed);
    await expect(shown.get(keyOf(2, "sst"))).rejects.toMatchObject(changed);
    expect(await shown.get(keyOf(0, "cloud"))).toBeDefined();
    await collection.close();
  });

  test("that keeps an older time, as rsync writes it, fails too", async (context) => {
    if (!hasBirthTimes()) context.skip("this file system does not tell when files were made");
    const collection = await open(root);
    const shown = (await collection.view(ALL, { layout })).asStore(3);
    await later(STEP);
    rewrite("g1/sst/c/0/0");
    utimesSync(at("g1/sst/c/0/0"), 1e9, 1e9);
    await expect(shown.get(keyOf(1, "sst"))).rejects.toMatchObject(changed);
    await collection.close();
  });

  test("fails in a process that opens the view from its definition", async () => {
    const first = await open(root);
    const { definition } = await first.view(ALL, { layout });
    await first.close();
    await later(STEP);
    rewrite("g1/sst/c/0/0");
    const second = await open(root);
    const shown = (await second.restore(JSON.parse(JSON.stringify(definition)))).asStore(3);
    expect(await shown.get(keyOf(0, "sst"))).toBeDefined();
    await expect(shown.get(keyOf(1, "sst"))).rejects.toMatchObject(changed);
    await second.close();
  });
});

test("attributes that are edited show in the next view at once, and fail in one that is restored", async () => {
  const collection = await open(root);
  const view = await collection.view(ALL);
  const sst = async (of: Pick<typeof view, "asStore">) =>
    JSON.parse(new TextDecoder().decode(await of.asStore(3).get("g1/sst/zarr.json"))).attributes;
  expect(await sst(view)).not.toHaveProperty("scale_factor");
  await later(STEP);
  const document = JSON.parse(readFileSync(at("g1/sst/zarr.json"), "utf8"));
  document.attributes = { scale_factor: 0.5 };
  writeFileSync(at("g1/sst/zarr.json"), JSON.stringify(document));
  expect(await sst(await collection.view(ALL))).toMatchObject({ scale_factor: 0.5 });
  const other = await open(root);
  await expect(sst(await other.restore(view.definition))).rejects.toMatchObject(changed);
  await Promise.all([collection.close(), other.close()]);
});

test("granules that come and go beside those of a view are none of its business, v2 groups without attributes too", async () => {
  rmSync(root, { recursive: true });
  const array = (dtype: string, length: number) =>
    JSON.stringify({
      ...{ zarr_format: 2, shape: [length], chunks: [length], dtype },
      ...{ compressor: null, filters: null, fill_value: null, order: "C" },
    });
  const write = (key: string, value: string | Uint8Array) => {
    mkdirSync(dirname(at(key)), { recursive: true });
    writeFileSync(at(key), value);
  };
  const utf32 = (text: string) => new Uint8Array(Uint32Array.from(text, (c) => c.charCodeAt(0)).buffer);
  const granule = (name: string) => {
    write(`d/${name}/.zgroup`, '{"zarr_format":2}');
    write(`d/${name}/x/.zarray`, array("|u1", 3));
    write(`d/${name}/x/0`, Uint8Array.of(1, 2, 3));
  };
  for (const group of ["", "meta/", "d/"]) write(`${group}.zgroup`, '{"zarr_format":2}');
  write("meta/array_location/.zarray", array("<U5", 2));
  write("meta/array_location/0", utf32("/d/g0/d/g1"));
  granule("g0");
  granule("g1");
  await later(STEP);
  const collection = await open(root);
  const { definition } = await collection.view(ALL);
  await later(STEP);
  granule("g2");
  const other = await open(root);
  const shown = (await other.restore(definition)).asStore(2);
  for (const key of ["d/.zgroup", "d/g1/.zgroup", "d/g1/x/.zarray", "d/g1/x/0"])
    expect(await shown.get(key), key).toBeDefined();
  await Promise.all([collection.close(), other.close()]);
});

const CHUNK = "g1/sst/c/0/0";
const hasBirthTimes = () => statSync(at("zarr.json")).birthtimeMs > 0;

/** All of the view, and what a process that opens it from its definition says of `CHUNK`. */
async function readAll(collection: Collection, { definition }: Awaited<ReturnType<Collection["view"]>>) {
  const restored = await open(root);
  const shown = [collection, restored].map((of) => of.restore(definition));
  const room = (length: number) => new Uint8Array(length);
  try {
    for (const view of await Promise.all(shown)) {
      for (const key of ["zarr.json", "g1/zarr.json", "g1/sst/zarr.json", "g0/sst/c/0/0", CHUNK])
        expect(await view.asStore(3).get(key), key).toBeDefined();
      for (const key of ["g0/sst/c/0/0", CHUNK])
        expect(await (await view.face(3).resource(key))!.readInto!(undefined, room), key).toBeDefined();
    }
  } finally {
    await restored.close();
  }
}

describe("what is no change of the granules:", () => {
  test("to be written right before the view is made", async () => {
    const collection = await open(root);
    const bytes = readFileSync(at(CHUNK));
    for (let i = 0; i < 100; i++) {
      writeFileSync(at(CHUNK), bytes.fill(i));
      const shown = (await collection.view(`SELECT idx FROM meta WHERE idx < ${10 + i}`)).asStore(3);
      expect(await shown.get(CHUNK)).toBeDefined();
    }
    await collection.close();
  });

  test("files and folders that bear a date to come, also once that is past", async () => {
    const soon = Date.now() / 1000 + 0.4;
    for (const key of [CHUNK, "g1/sst/zarr.json"]) utimesSync(at(key), soon, soon);
    for (const key of ["g0/sst/zarr.json", "g0/sst/c/0/0", "g0/sst/c/0"]) utimesSync(at(key), 4e9, 4e9);
    await later(STEP);
    const collection = await open(root);
    const view = await collection.view(ALL);
    await readAll(collection, view);
    expect(await view.asStore(3).get("g0/sst/c/0/5")).toBeUndefined();
    await later(500);
    await readAll(collection, view);
    await collection.close();
  });

  test("modes that are set and links that a backup makes", async () => {
    const collection = await open(root);
    const view = await collection.view(ALL);
    await later(STEP);
    mkdirSync(at("g3"));
    for (const key of [CHUNK, "g1/sst/zarr.json", "g0/sst/c/0/0"]) {
      chmodSync(at(key), 0o600);
      linkSync(at(key), at(`g3/${key.replaceAll("/", "-")}`));
    }
    for (const folder of ["g1", "g1/sst", "g1/sst/c", "g1/sst/c/0"]) chmodSync(at(folder), 0o700);
    await readAll(collection, view);
    await collection.close();
  });

  test("a copy of all of it that keeps its times, in its place", async (context) => {
    if (!hasBirthTimes()) context.skip("this file system does not tell when files were made");
    const first = await open(root);
    const view = await first.view(ALL);
    await first.close();
    await later(STEP);
    execFileSync("cp", ["-a", root, `${root}.copy`]);
    rmSync(root, { recursive: true });
    renameSync(`${root}.copy`, root);
    const collection = await open(root);
    await readAll(collection, view);
    // It is held to its times as before.
    rewrite(CHUNK);
    await expect(readAll(collection, view)).rejects.toMatchObject(changed);
    await collection.close();
  });
});

test.each([CHUNK, "g1/sst/zarr.json"])("an older file that is moved over %s is a change", async (key) => {
  const older = readFileSync(at(key)).subarray(0);
  writeFileSync(at("older"), key === CHUNK ? older.fill(9) : `${older} `);
  await later(STEP);
  const collection = await open(root);
  const view = await collection.view(ALL);
  await later(STEP);
  renameSync(at("older"), at(key));
  await expect(readAll(collection, view)).rejects.toMatchObject(changed);
  await collection.close();
});

test("a link that is led to another, older file is a change", async () => {
  renameSync(at(CHUNK), at("one"));
  copyFileSync(at("one"), at("other"));
  symlinkSync(at("one"), at(CHUNK));
  await later(STEP);
  const collection = await open(root);
  const view = await collection.view(ALL);
  await readAll(collection, view);
  await later(STEP);
  symlinkSync(at("other"), at("link"));
  renameSync(at("link"), at(CHUNK));
  await expect(readAll(collection, view)).rejects.toMatchObject(changed);
  await collection.close();
});

const HOUR = 3_600_000;
const httpDate = (time: number) => new Date(time).toUTCString();

describe("over HTTP", () => {
  let server: TestServer;
  let collection: Collection;
  /** What the server says of times, milliseconds since 1970. */
  let clock: { date(): number; modified(path: string): number };

  beforeEach(async () => {
    clock = { date: () => Date.now(), modified: (path) => statSync(path).mtimeMs };
    const directory = directoryHandler(root);
    server = await TestServer.start((request, response) => {
      const path = at(request.url!.slice(1));
      response.setHeader("date", httpDate(clock.date()));
      if (statSync(path, { throwIfNoEntry: false })?.isFile())
        response.setHeader("last-modified", httpDate(clock.modified(path)));
      directory(request, response);
    });
    const now = Date.now();
    for (const key of ["g0/sst/zarr.json", "g0/sst/c/0/0", "g1/sst/zarr.json"]) setTime(key, now - 3 * HOUR);
    setTime("g1/sst/c/0/0", now - HOUR);
  });

  afterEach(async () => {
    await collection.close();
    await server.stop();
  });

  const setTime = (key: string, time: number) => utimesSync(at(key), time / 1000, time / 1000);
  /** All rows, as if the view had been made so many hours ago. */
  const viewOf = async (hoursAgo: number) => {
    collection = await open(server.url);
    const { definition } = await collection.view(ALL);
    const made = definition.made! - hoursAgo * HOUR;
    return (await collection.restore({ ...definition, made })).asStore(3);
  };

  test.each([0, 24, -24])(
    "a chunk that is written anew fails, the server's clock %i hours ahead",
    async (ahead) => {
      clock = {
        date: () => Date.now() + ahead * HOUR,
        modified: (path) => statSync(path).mtimeMs + ahead * HOUR,
      };
      const shown = await viewOf(2);
      expect(await shown.get("g0/sst/c/0/0")).toBeDefined();
      await expect(shown.get("g1/sst/c/0/0")).rejects.toMatchObject(changed);
      await expect(shown.getRange("g1/sst/c/0/0", { offset: 0, length: 4 })).rejects.toMatchObject(changed);
      const later = await viewOf(0);
      expect(await later.get("g1/sst/c/0/0")).toBeDefined();
    },
  );

  test("times that a server makes up with each answer say nothing", async () => {
    clock.modified = clock.date;
    const shown = await viewOf(2);
    expect(await shown.get("g1/sst/c/0/0")).toBeDefined();
  });

  test("the table is not read again where granules alone have changed", async () => {
    const shown = await viewOf(2);
    await expect(shown.get(CHUNK)).rejects.toMatchObject(changed);
    server.log.length = 0;
    const next = await collection.view("SELECT idx FROM meta WHERE array_location IS NOT NULL");
    expect(next.version).toMatch(/\.\d+$/);
    expect(server.log.filter((line) => /^GET \/meta\/\w+\/c/.test(line))).toEqual([]);
  });

  test("a chunk that was read for an earlier view is not read again where it is the same", async () => {
    await (await viewOf(0)).get("g1/sst/c/0/0");
    await later(5);
    const next = (await collection.view("SELECT idx FROM meta ORDER BY idx DESC")).asStore(3);
    server.log.length = 0;
    const before = await next.get("g1/sst/c/0/0");
    expect(server.log.filter((line) => line.includes("/g1/sst/c"))).toEqual(["HEAD /g1/sst/c/0/0"]);
    await later(5);
    const bytes = rewrite("g1/sst/c/0/0");
    setTime("g1/sst/c/0/0", Date.now() - HOUR / 2);
    const last = (await collection.view("SELECT idx FROM meta WHERE idx = 1")).asStore(3);
    expect(bytes).not.toEqual(before);
    expect(await last.get("g1/sst/c/0/0")).toEqual(bytes);
  });
});

test("indexes that are built under a view are no change of its granules", async () => {
  const collection = await open(root);
  const shown = (await collection.view(ALL)).asStore(3);
  await later(STEP);
  const store = await openWritable(root);
  await buildIndexes(store, store);
  expect(existsSync(at("indexes/zarr.json"))).toBe(true);
  for (const key of ["zarr.json", "g1/zarr.json", "g1/sst/zarr.json", "g1/sst/c/0/0"])
    expect(await shown.get(key), key).toBeDefined();
  await collection.close();
});
