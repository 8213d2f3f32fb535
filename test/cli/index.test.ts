import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { progressLine } from "../../src/cli/row-progress.ts";
import { DirectoryStore } from "../../src/store/file.ts";
import type { MemoryStore } from "../../src/store/memory.ts";
import { askAll, columnsOf, cut, lengthen, sourceOf } from "../index/build/kit.ts";
import { onDisk as storeOnDisk } from "../index/on-disk.ts";
import { makeSource, seeded } from "../index/source.ts";
import { built, lineFrom, outcome, start, zarrsift } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-cli-index-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
/** Builders killed; ZARRSIFT_ROUNDS asks for more. */
const ROUNDS = Number(process.env.ZARRSIFT_ROUNDS ?? 4);
/** Threads for small sources, too. */
const THREADS = { ZARRSIFT_INDEX_THREADS_FROM: "0" };
let count = 0;

const onDisk = (store: MemoryStore, path = join(folder, `${++count}.zarr`)) => storeOnDisk(store, path);

const filesOf = (path: string) => readdirSync(path, { recursive: true }).map(String).sort();
const KINDS = { bbox: "rtree", date: "btree", clouds: "btree", platform: "category", id: "btree" };

describe.skipIf(!built)("a running serve", () => {
  it.each([false, true])(
    "notices indexes that are made, made anew and dropped; beside its source: %s",
    async (beside) => {
      const path = await onDisk(await sourceOf(300));
      const to = beside ? ["--to", join(folder, `${++count}-indexes`)] : [];
      if (beside) await zarrsift("index", path, ...to, "--column", "date");
      const options = beside ? ["--indexes", to[1]!] : [];
      const state = join(folder, `${++count}-state`);
      const child = start(["serve", `g=${path}`, "--port", "0", "--state-dir", state, ...options]);
      const ended = outcome(child);
      const base = (await lineFrom(child, /^listening on /)).replace("listening on ", "");
      const states = async () => {
        const { columns } = (await (await fetch(`${base}/collections/g`)).json()) as {
          columns: { name: string; index?: { state: string } }[];
        };
        return Object.fromEntries(columns.flatMap(({ name, index }) => (index ? [[name, index.state]] : [])));
      };
      expect(await states()).toEqual(beside ? { date: "verified" } : {});
      await zarrsift("index", path, ...to);
      const all = Object.fromEntries(Object.keys(KINDS).map((name) => [name, "verified"]));
      const become = (wanted: object) => expect.poll(states, { timeout: 30_000 }).toEqual(wanted);
      await become(all);
      cpSync(join(path, "meta/clouds/c/1"), join(path, "meta/clouds/c/0"));
      await become({ ...all, clouds: "stale" });
      await zarrsift("index", path, ...to);
      await become(all);
      await zarrsift("index", path, ...to, "--drop");
      await become({});
      child.kill("SIGTERM");
      expect((await ended).code).toBe(0);
    },
    120_000,
  );
});

describe.skipIf(!built)("zarrsift index", () => {
  it("indexes, says what it did, does nothing twice, checks, and drops", async () => {
    const path = await onDisk(await sourceOf(300));
    const before = filesOf(path);
    const first = await zarrsift("index", path);
    expect(first.stdout).toMatch(/^5 of 5 columns indexed in [\d.]+ s, [\d.]+ .?B written\n$/);
    expect(first.stderr).toMatch(/^bbox: R-tree built, .*\nclouds: B\+tree built/);
    expect(first.stderr.split("\n")).toHaveLength(6);
    expect((await askAll(new DirectoryStore(path))).kinds).toEqual(KINDS);
    expect((await zarrsift("index", path)).stdout).toBe("nothing has changed since the last time\n");
    const check = await zarrsift("index", path, "--check");
    expect(check.stdout).toContain("bbox: R-tree and zone map of 300 rows are right\n");
    expect(check.code).toBe(0);
    expect((await zarrsift("inspect", path)).stdout).toMatch(/date .*B\+tree, verified/);
    expect((await zarrsift("index", path, "--drop")).stdout).toBe(
      "dropped: bbox, clouds, date, id, platform\n",
    );
    expect(filesOf(path)).toEqual(before);
    expect((await zarrsift("index", path, "--check")).stderr).toContain("has no indexes of these columns");
  });

  it("says which index is wrong, with status 1", async () => {
    const path = await onDisk(await sourceOf(300));
    await zarrsift("index", path, "--column", "date", "--column", "clouds");
    const keys = filesOf(path).find((file) => /^indexes\/clouds\/.*\/keys\/c\/0$/.test(file))!;
    writeFileSync(join(path, keys), new Uint8Array(2160));
    const { code, stdout, stderr } = await zarrsift("index", path, "--check");
    expect(code).toBe(1);
    expect(stdout).toContain("date: B+tree and zone map of 300 rows are right");
    expect(stdout).toMatch(/^clouds: WRONG: \/indexes\/clouds\/.*keys differs from its column/m);
    expect(stderr).toContain("--drop --column clouds");
  });

  it("keeps indexes beside a source that cannot be written, where inspect finds them", async () => {
    const path = await onDisk(await sourceOf(300));
    const before = filesOf(path);
    const beside = join(folder, "beside", "indexes");
    await zarrsift("index", path, "--to", beside);
    expect(filesOf(path)).toEqual(before);
    const { stdout } = await zarrsift("inspect", path, "--indexes", beside);
    expect(stdout).toMatch(/bbox .*R-tree, verified/);
    expect((await zarrsift("index", path, "--to", beside, "--check")).code).toBe(0);
    expect((await zarrsift("inspect", path)).stdout).not.toContain("R-tree");
  });

  it("says what makes indexes where --indexes names none", async () => {
    const path = await onDisk(await sourceOf(300));
    const [absent, empty] = [join(folder, "absent"), mkdtempSync(join(folder, "empty"))];
    const state = ["--state-dir", join(folder, `${++count}-state`)];
    const target = ["--to", "kerchunk", join(folder, "never.json")];
    for (const place of [absent, empty])
      for (const words of [
        ["query", path, "SELECT idx FROM meta"],
        ["inspect", path],
        ["serve", path, "--port", "0", ...state],
        ["export", "SELECT idx FROM meta", path, ...target, ...state],
      ])
        expect(await zarrsift(...words, "--indexes", place)).toMatchObject({
          code: 1,
          stderr: `zarrsift: --indexes ${place}: no indexes are there; zarrsift index ${path} --to ${place} makes some\n`,
        });
    const config = join(folder, `${++count}-config.json`);
    writeFileSync(config, JSON.stringify({ collections: { mine: { source: path } } }));
    const exported = ["export", "SELECT idx FROM meta", "mine", "--config", config, ...target, ...state];
    expect((await zarrsift(...exported, "--indexes", absent)).stderr).toContain(
      `--indexes ${absent}: no indexes`,
    );
    const other = await onDisk(await sourceOf(300));
    expect(await zarrsift("inspect", path, "--indexes", other)).toMatchObject({
      code: 0,
      stderr: `--indexes ${other}: no indexes are there; zarrsift index ${path} --to ${other} makes some\n`,
    });
    expect((await zarrsift("index", path, "--to", empty)).code).toBe(0);
    expect((await zarrsift("inspect", path, "--indexes", empty)).stderr).toBe("");
  });

  it("shares the work among threads where there are many rows", async () => {
    const path = await onDisk(await sourceOf(900));
    const run = () => outcome(start(["index", path], THREADS));
    expect(await run()).toMatchObject({ code: 0, stdout: expect.stringContaining("5 of 5 columns indexed") });
    expect((await zarrsift("index", path, "--check")).code).toBe(0);
    await onDisk(await sourceOf(950), path);
    expect((await run()).stderr).toContain("bbox: R-tree extended (50 rows were added)");
    expect((await zarrsift("index", path, "--check")).code).toBe(0);
    expect(Object.values((await askAll(new DirectoryStore(path))).covered)).toEqual(Array(5).fill(950));
  });

  it("says of a thread what it would say itself", async () => {
    const columns = cut(columnsOf(1000, 1), 300);
    (columns.bbox!.values as Uint8Array[])[100] = Uint8Array.of(1, 2, 3);
    const path = await onDisk(await makeSource(columns, 40));
    const { code, stderr } = await outcome(start(["index", path], THREADS));
    expect(stderr).toContain("bbox: left out: Row 100 of column bbox");
    expect(code).toBe(0);
    const named = await outcome(start(["index", path, "--column", "bbox"], THREADS));
    expect(named).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^zarrsift: Row 100 of column bbox.*\n$/),
    });
  });

  it("leaves a geometry that cannot be read, and inspect says so", async () => {
    const columns = cut(columnsOf(1000, 1), 300);
    (columns.bbox!.values as Uint8Array[])[100] = Uint8Array.of(1, 2, 3);
    const { code, stdout } = await zarrsift("inspect", await onDisk(await makeSource(columns, 40)));
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^extent {4}unknown: A geometry of column "bbox" cannot be read: Bad geometry at WKB/m,
    );
    expect(stdout).toMatch(/^time {6}\d{4}-/m);
  });

  it.each([
    [["index"], 2, "index needs a SOURCE"],
    [["index", "a.zarr", "--check", "--drop"], 2, "--check and --drop exclude each other"],
    [["index", "a.zarr", "--covering", "a,b"], 2, "--covering takes four columns"],
    [["index", "nothing.zarr"], 1, "nothing.zarr is not there"],
    [["serve", "a.zarr", "--indexes", "b=c"], 2, "no source is named b"],
    [["serve", "a.zarr", "b.zarr", "--indexes", "c"], 2, "write NAME=c"],
  ])("%j ends with status %i", async (words, status, message) => {
    const { code, stderr } = await zarrsift(...words);
    expect(stderr).toContain(message);
    expect(code).toBe(status);
  });

  it("is verified in a copy of the source, whatever its times", async () => {
    const path = await onDisk(await sourceOf(300));
    await zarrsift("index", path);
    const copy = join(folder, "copy.zarr");
    cpSync(path, copy, { recursive: true });
    expect(Object.values((await askAll(new DirectoryStore(copy))).states)).toEqual(Array(5).fill("verified"));
    expect((await zarrsift("index", copy)).stdout).toBe("nothing has changed since the last time\n");
  });

  it("killed at random moments leaves a source as good as before, and succeeds the next time", async () => {
    const random = seeded(Number(process.env.ZARRSIFT_SEED ?? 5));
    const source = await sourceOf(900, { chunkRows: 50 });
    for (let round = 0; round < ROUNDS; round++) {
      const path = await onDisk(await sourceOf(700, { chunkRows: 50 }));
      const extend = round % 2 === 1;
      if (extend) {
        await zarrsift("index", path);
        await lengthen(source, 900, { chunkRows: 50 });
        await onDisk(source, path);
      }
      const killed = start(["index", path], round % 3 === 0 ? THREADS : {});
      const ended = outcome(killed);
      await sleep(150 + random() * 600);
      killed.kill("SIGKILL");
      await ended;
      const { states, kinds } = await askAll(new DirectoryStore(path));
      for (const [column, state] of Object.entries(states)) expect(state, column).toBe("verified");
      if (extend) expect(kinds).toEqual(KINDS);
      const next = await zarrsift("index", path);
      expect(next.stderr).not.toContain("zarrsift:");
      expect((await zarrsift("index", path, "--check")).code).toBe(0);
      expect(filesOf(path).filter((file) => /tmp|lock/.test(file))).toEqual([]);
    }
  });

  it("of two at once one says that the other is at it, or comes after it", async () => {
    const path = await onDisk(await sourceOf(900));
    const both = await Promise.all([zarrsift("index", path), zarrsift("index", path)]);
    expect(both.some(({ code }) => code === 0)).toBe(true);
    for (const { code, stderr } of both) if (code !== 0) expect(stderr).toMatch(/being written by|is locked/);
    await zarrsift("index", path);
    expect((await zarrsift("index", path, "--check")).code).toBe(0);
  });

  it("interrupted keeps what is complete", async () => {
    const path = await onDisk(await sourceOf(900));
    const child = start(["index", path]);
    const ended = outcome(child);
    child.stderr!.once("data", () => child.kill("SIGINT"));
    const { code, stderr } = await ended;
    if (code !== 0) expect(stderr).toContain("interrupted; what is complete is kept");
    expect(filesOf(path).filter((file) => /tmp|lock/.test(file))).toEqual([]);
    expect((await zarrsift("index", path)).code).toBe(0);
  });

  it("serves a source whose indexes lie beside it", async () => {
    const path = await onDisk(await sourceOf(300));
    const beside = join(folder, "served");
    await zarrsift("index", path, "--to", beside);
    const words = [
      "serve",
      `a=${path}`,
      "--port",
      "0",
      "--indexes",
      beside,
      "--state-dir",
      join(folder, "state"),
    ];
    const server = start(words);
    try {
      const url = (await lineFrom(server, /^listening on /)).slice("listening on ".length).trim();
      const description = (await (await fetch(new URL("/collections/a", url))).json()) as {
        columns: { name: string; indexed: boolean; index?: { state: string } }[];
      };
      expect(description.columns.map(({ name, indexed, index }) => [name, indexed, index?.state])).toEqual(
        Object.keys(KINDS)
          .sort()
          .map((name) => [name, true, "verified"]),
      );
    } finally {
      server.kill("SIGTERM");
    }
  });
});

describe("a line of progress", () => {
  it("says the rate and the time left", () => {
    expect(progressLine("date (2 of 8)", "read", 4e6, 1e7, 0.175, 1, 7)).toBe(
      "date (2 of 8): read 4,000,000 of 10,000,000 rows, 2.0 million rows/s, 33 s left",
    );
    expect(progressLine("date", "read", 10, 100, 0.1, 0, 0.5)).toBe("date: read 10 of 100 rows");
  });
});
