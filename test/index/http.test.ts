/** What questions cost over HTTP from a cold cache, counted by a real server, and that they stay true. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIndexes } from "../../src/index/build/build.ts";
import { type Collection, open } from "../../src/index.ts";
import { openSource } from "../../src/store/open.ts";
import { openWritable } from "../../src/store/open-writable.ts";
import { CountingServer } from "../store/counting-server.ts";
import { columnsOf } from "./build/kit.ts";
import { makeSource, seeded, type TestColumn, utf8 } from "./source.ts";

const ROWS = 40_000;
const CHUNK_ROWS = 500;
const ROOT = mkdtempSync(join(tmpdir(), "zarrsift-http-"));

const BOX = "ST_Intersects(bbox, ST_GeomFromText('POLYGON((0 -25,0 25,20 25,20 -25,0 -25))'))";
/** A short stretch of time in a small box: the question of the issue, smaller. */
const SEED = `SELECT idx FROM meta WHERE date < TIMESTAMP '2025-06-20 00:00:00' AND ${BOX}`;

let server: CountingServer;

beforeAll(async () => {
  for (const format of [3, 2] as const) {
    await write(`v${format}`, format, columns(ROWS));
    const path = join(ROOT, `v${format}`);
    await buildIndexes(await openSource(path), await openWritable(path));
  }
  await write("bare", 3, columns(ROWS));
  server = await CountingServer.start(ROOT, 15);
}, 120_000);

afterAll(async () => {
  await server.stop();
  rmSync(ROOT, { recursive: true });
});

/** The columns that the builder's tests have, some of them, with more rows. */
function columns(rows: number): Record<string, TestColumn> {
  const few = columnsOf(1000, 3);
  const random = seeded(7);
  const pick = Array.from({ length: rows }, () => Math.floor(random() * 1000));
  const bbox = few.bbox!.values as Uint8Array[];
  return {
    bbox: { ...few.bbox!, values: pick.map((i) => bbox[i]!) } as TestColumn,
    date: {
      ...few.date!,
      values: BigInt64Array.from(pick, (_, i) => BigInt(1_750_000_000_000 + i * 60_000)),
    } as TestColumn,
    platform: {
      type: "string",
      values: pick.map((i) => utf8(["aqua", "terra", "suomi"][i % 3]!)),
    } as TestColumn,
  };
}

async function write(name: string, format: 2 | 3, all: Record<string, TestColumn>): Promise<void> {
  const store = await makeSource(all, CHUNK_ROWS, format);
  for (const key of store.keys()) {
    const path = join(ROOT, name, key);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, (await store.get(key))!);
  }
}

async function rowsOf(collection: Collection, sql: string): Promise<number[]> {
  const rows: number[] = [];
  for await (const { idx } of (await collection.query(sql)).batches()) rows.push(...idx!);
  return rows;
}

/** A question to a collection that was just opened, and what both cost. */
async function cold(name: string, sql: string) {
  server.reset();
  const collection = await open(`${server.url}/${name}`);
  const rows = await rowsOf(collection, sql);
  const { seen } = server;
  await collection.close();
  return { rows, seen, heads: server.server.log.filter((line) => line.startsWith("HEAD")).length };
}

describe("from a cold cache", () => {
  test.each([3, 2])("a question about time and place reads little, in few rounds: v%i", async (format) => {
    const { rows, seen, heads } = await cold(`v${format}`, SEED);
    const scanned = await cold("bare", SEED);
    expect(rows).toEqual(scanned.rows);
    expect(rows.length).toBeGreaterThan(20);
    // What kind of source it is, and not what has become of its chunks.
    expect(heads).toBeLessThanOrEqual(2);
    // v2 has three documents a node, and is known to be no v3 first.
    expect(seen.requests).toBeLessThanOrEqual(format === 3 ? 24 : 44);
    expect(seen.rounds).toBeLessThanOrEqual(format === 3 ? 8 : 13);
    expect(seen.bytes).toBeLessThan(700_000);
  });

  test("the version costs a request for each chunk, and only those pay who ask for it", async () => {
    const collection = await open(`${server.url}/v3`);
    const result = await collection.query(`${SEED} LIMIT 3`);
    for await (const _ of result.batches());
    server.reset();
    expect(await result.version()).toMatch(/^[0-9a-f]{40}$/);
    const chunks = (3 * ROWS) / CHUNK_ROWS;
    expect(server.seen.requests).toBeGreaterThanOrEqual(chunks);
    expect(await result.version()).toBe(await collection.version());
    await collection.close();
  });
});

describe("a chunk that changed since its column was indexed", () => {
  const sql = "SELECT idx FROM meta WHERE platform = 'aqua' AND date < TIMESTAMP '2025-06-16 00:00:00'";

  beforeAll(() => {
    cpSync(join(ROOT, "v3"), join(ROOT, "rotten"), { recursive: true });
    cpSync(join(ROOT, "v3/meta/platform/c/9"), join(ROOT, "rotten/meta/platform/c/1"));
  });

  test.each([true, false])(
    "is found before its index is used where that is asked for: %s",
    async (verifyIndexes) => {
      const collection = await open(`${server.url}/rotten`, { verifyIndexes });
      const { plan } = await collection.explain(sql, "plan");
      const states = Object.fromEntries(plan.map(({ index, state }) => [index, state]));
      expect(states["/indexes/date"]).toBe(verifyIndexes ? "verified" : "unverified");
      if (verifyIndexes) {
        expect(states["/indexes/platform"]).toBe("stale");
        const plain = await open(join(ROOT, "rotten"));
        expect(await rowsOf(collection, sql)).toEqual(await rowsOf(plain, sql));
        await plain.close();
      }
      await collection.close();
    },
  );
});

describe("later", () => {
  test("an answer is as new as the source: what was read is looked at again, and nothing else", async () => {
    cpSync(join(ROOT, "bare"), join(ROOT, "changing"), { recursive: true });
    const collection = await open(`${server.url}/changing`);
    const sql = "SELECT idx FROM meta WHERE platform = 'aqua' AND idx < 700";
    const before = await rowsOf(collection, sql);
    const chunk = (number: number) => join(ROOT, "changing/meta/platform/c", String(number));
    await resting(collection, sql);
    server.reset();
    expect(await rowsOf(collection, sql)).toEqual(before);
    // Documents of the root, /meta and three columns, that there are no indexes, two chunks.
    expect(server.seen.requests).toBeLessThanOrEqual(9);
    cpSync(chunk(9), chunk(1));
    // Where answers are slow, the source is believed for longer.
    const soon = { timeout: 30_000, interval: 500 };
    await expect.poll(() => rowsOf(collection, sql), soon).not.toEqual(before);
    cpSync(join(ROOT, "bare/meta/platform/c/1"), chunk(1));
    await expect.poll(() => rowsOf(collection, sql), soon).toEqual(before);
    await collection.close();
  });
});

/** Longer than the source is believed without a look. */
async function resting(collection: Collection, sql: string): Promise<void> {
  await rowsOf(collection, sql);
  await new Promise((resolve) => setTimeout(resolve, 2500));
}
