/** A collection that stays open, as those of a server do, while its indexes come, change and go. */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { buildIndexes } from "../../src/index/build/build.ts";
import { dropIndexes } from "../../src/index/build/drop.ts";
import { type Collection, open } from "../../src/index.ts";
import { openSource } from "../../src/store/open.ts";
import { openWritable } from "../../src/store/open-writable.ts";
import { columnsOf, cut } from "./build/kit.ts";
import { makeSource } from "./source.ts";

const ROOT = mkdtempSync(join(tmpdir(), "zarrsift-life-"));
/** Enough that an index is less to read than its column. */
const ROWS = 8000;
const CHUNK_ROWS = 1000;
const SQL = "SELECT idx, clouds FROM meta WHERE clouds < 5 AND platform = 'terra'";

let count = 0;
let source: string;
let collection: Collection | undefined;

beforeEach(async () => {
  source = join(ROOT, `source-${count++}.zarr`);
  await write(source, { rows: 7500 });
});
afterEach(async () => {
  await collection?.close();
  collection = undefined;
});
afterAll(() => rmSync(ROOT, { recursive: true }));

interface Shape {
  rows: number;
  seed?: number;
  format?: 2 | 3;
}

/** Writes the source of so many rows over what is there. */
async function write(folder: string, { rows, ...options }: Shape): Promise<void> {
  const { clouds, platform, bbox } = cut(columnsOf(ROWS, options.seed ?? 1), rows);
  const columns = { clouds: clouds!, platform: platform!, bbox: bbox! };
  const store = await makeSource(columns, CHUNK_ROWS, options.format);
  for (const key of store.keys()) {
    const path = join(folder, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, (await store.get(key))!);
  }
}

async function index(folder = source, to = folder): Promise<void> {
  const target = await openWritable(to, { create: to !== folder });
  await buildIndexes(await openSource(folder), target);
}

/** The answer, and by which indexes it was found: their states by path. */
async function asked(of: Collection, sql = SQL) {
  const rows: unknown[] = [];
  for await (const { idx, vectors } of (await of.query(sql)).batches())
    for (let i = 0; i < idx!.length; i++)
      rows.push([idx![i], (vectors[1] as { values: Float64Array }).values[i]]);
  const { plan } = await of.explain(sql);
  const used = plan.filter((step) => step.index !== null);
  return { rows, indexes: Object.fromEntries(used.map((step) => [step.index, step.state])) };
}

/** Asks until the answer is as wanted: a busy machine is slow to look, and a collection believes a slow look for a while. */
async function once(wanted: (answer: Awaited<ReturnType<typeof asked>>) => boolean, sql = SQL) {
  for (let left = 100; ; left--) {
    const answer = await asked(collection!, sql);
    if (wanted(answer) || left === 0) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const isIn = (state: string | undefined) => (answer: Awaited<ReturnType<typeof asked>>) =>
  answer.indexes[CLOUDS] === state;

/** The same question to the source as it is now, without any index. */
async function truth(): Promise<unknown[]> {
  const plain = join(ROOT, `plain-${count++}.zarr`);
  for (const part of readdirSync(source).filter((name) => name !== "indexes"))
    cpSync(join(source, part), join(plain, part), { recursive: true });
  const fresh = await open(plain);
  try {
    return (await asked(fresh)).rows;
  } finally {
    await fresh.close();
  }
}

const CLOUDS = "/indexes/clouds";

describe.each([3, 2] as const)("indexes under a collection that stays open, v%i", (format) => {
  beforeEach(async () => {
    rmSync(source, { recursive: true });
    await write(source, { rows: 7500, format });
  });

  test("are used once they are made, not once the column has changed, and gone when they are dropped", async () => {
    collection = await open(source);
    const first = await asked(collection);
    expect(first.indexes).toEqual({});
    await index();
    const indexed = await once(isIn("verified"));
    expect(indexed.indexes[CLOUDS]).toBe("verified");
    expect(indexed.rows).toEqual(first.rows);

    await write(source, { rows: 7500, seed: 2, format });
    const changed = await once(isIn("stale"));
    expect(changed.indexes[CLOUDS]).toBe("stale");
    expect(changed.rows).toEqual(await truth());
    expect(changed.rows).not.toEqual(first.rows);
    await index();
    const again = await once(isIn("verified"));
    expect(again.indexes[CLOUDS]).toBe("verified");
    expect(again.rows).toEqual(changed.rows);

    await write(source, { rows: 8000, seed: 2, format });
    const more = await truth();
    const grown = await once(({ rows }) => rows.length === more.length);
    expect(grown.rows).toEqual(more);
    await index();
    expect((await asked(collection)).rows).toEqual(more);

    await dropIndexes(await openWritable(source));
    const dropped = await once(isIn(undefined));
    expect(dropped.indexes).toEqual({});
    expect(dropped.rows).toEqual(grown.rows);
  });

  test("a chunk that changes without any document is seen, though only its index was read", async () => {
    await index();
    collection = await open(source);
    const { rows } = await asked(collection, "SELECT idx, idx * 1.0 AS x FROM meta WHERE clouds < 5");
    expect(rows.length).toBeGreaterThan(5);
    const name = format === 3 ? "meta/clouds/c" : "meta/clouds";
    cpSync(join(source, name, "1"), join(source, name, "0"));
    const after = await once(isIn("stale"));
    expect(after.indexes[CLOUDS]).toBe("stale");
    expect(after.rows).toEqual(await truth());
  });

  test("beside their source are seen as they come and go, too", async () => {
    const beside = join(ROOT, `beside-${count++}`);
    await index(source, beside);
    collection = await open(source, { indexes: beside });
    const first = await once(isIn("verified"));
    expect(first.indexes[CLOUDS]).toBe("verified");
    await write(source, { rows: 7500, seed: 5, format });
    expect((await once(isIn("stale"))).indexes[CLOUDS]).toBe("stale");
    await index(source, beside);
    const again = await once(isIn("verified"));
    expect(again.indexes[CLOUDS]).toBe("verified");
    expect(again.rows).toEqual(await truth());
    await dropIndexes(await openWritable(beside));
    const dropped = await once(isIn(undefined));
    expect(dropped.indexes).toEqual({});
    expect(dropped.rows).toEqual(again.rows);
  });

  test("may be made anew while questions are answered", async () => {
    await index();
    collection = await open(source, { cacheBytes: 0 });
    const [first, box] = [
      (await asked(collection)).rows,
      "ST_Intersects(bbox, ST_MakeEnvelope(0, 0, 60, 50))",
    ];
    const sql = `SELECT idx, clouds FROM meta WHERE ${box}`;
    const inBox = (await asked(collection, sql)).rows;
    let building = true;
    const builds = (async () => {
      for (let i = 0; i < 2; i++) {
        await dropIndexes(await openWritable(source), { columns: ["clouds", "bbox"] });
        await index();
      }
    })().finally(() => {
      building = false;
    });
    let answers = 0;
    while (building) {
      expect((await asked(collection)).rows).toEqual(first);
      expect((await asked(collection, sql)).rows).toEqual(inBox);
      answers++;
      // Both share this thread: files are written while nobody asks.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await builds;
    expect(answers).toBeGreaterThan(1);
    expect((await once(isIn("verified"))).indexes[CLOUDS]).toBe("verified");
  });
});
