import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { WritableDirectory } from "../../src/store/file-write.ts";
import { openWritable } from "../../src/store/open-writable.ts";

const folder = mkdtempSync(join(tmpdir(), "zarrsift-write-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

function fresh(): { root: string; store: WritableDirectory } {
  const root = join(folder, String(++count));
  mkdirSync(root);
  return { root, store: new WritableDirectory(root, "a/tmp") };
}

const text = (bytes: Uint8Array | undefined) => bytes && new TextDecoder().decode(bytes);

/** A lock as a process of another machine, or one that is no more, would leave it. */
function leaveLock(
  root: string,
  owner: { host: string; pid: number },
  seconds: number,
  name = "lock-3",
): void {
  mkdirSync(join(root, "a", "lock"), { recursive: true });
  const path = join(root, "a", "lock", name);
  writeFileSync(path, JSON.stringify(owner));
  const then = new Date(Date.now() - seconds * 1000);
  utimesSync(path, then, then);
}

describe("a directory that is written", () => {
  it("has whole values or none: a reader meets the old or the new one", async () => {
    const { root, store } = fresh();
    const values = [..."abcdefgh"].map((letter) => letter.repeat(200_000));
    await store.set("x/y/z", values[0]!);
    let writing = true;
    const reading = (async () => {
      const seen = new Set<string>();
      while (writing) seen.add(text(await store.get("x/y/z"))!);
      return seen;
    })();
    for (let i = 0; i < 40; i++) await store.set("x/y/z", values[i % 8]!);
    writing = false;
    for (const value of await reading) expect(values.includes(value)).toBe(true);
    expect(readdirSync(join(root, "a", "tmp"))).toEqual([]);
  });

  it("loses folders with their last value, and no other", async () => {
    const { root, store } = fresh();
    await store.set("x/y/z", "1");
    await store.set("x/k", "2");
    await store.delete("x/y/z");
    await store.delete("x/y/z");
    expect(existsSync(join(root, "x/y"))).toBe(false);
    expect(text(await store.get("x/k"))).toBe("2");
    await store.delete("x/k");
    expect(existsSync(join(root, "x"))).toBe(false);
    expect(existsSync(root)).toBe(true);
  });

  it("refuses keys that lead out of it", async () => {
    const { store } = fresh();
    await expect(store.set("../x", "1")).rejects.toMatchObject({ code: "bad_request" });
    await expect(store.delete("a/../../x")).rejects.toMatchObject({ code: "bad_request" });
  });
});

describe("a lock of a directory", () => {
  it("is one's at a time, and leaves nothing behind", async () => {
    const { root, store } = fresh();
    const lock = await store.lock("a/lock");
    await lock.ensure();
    await expect(store.lock("a/lock")).rejects.toMatchObject({
      code: "busy",
      message: expect.stringContaining("process"),
    });
    await lock.release();
    const next = await store.lock("a/lock");
    await next.release();
    expect(readdirSync(root)).toEqual([]);
  });

  it("of two that come at once is one's or nobody's", async () => {
    const { root, store } = fresh();
    leaveLock(root, { host: hostname(), pid: 2 ** 22 + 1 }, 0);
    for (let round = 0; round < 4; round++) {
      const both = await Promise.allSettled([store.lock("a/lock"), store.lock("a/lock")]);
      const held = both.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      expect(held.length).toBeLessThanOrEqual(1);
      for (const lock of held) await lock.release();
    }
  });

  it("of a process that is dead is taken over at once, of another machine when it is silent", async () => {
    for (const [owner, seconds] of [
      [{ host: hostname(), pid: 2 ** 22 + 1 }, 0],
      [{ host: "elsewhere", pid: 1 }, 600],
    ] as const) {
      const { root, store } = fresh();
      leaveLock(root, owner, seconds);
      const lock = await store.lock("a/lock");
      await lock.release();
      expect(readdirSync(root)).toEqual([]);
    }
    const { root, store } = fresh();
    leaveLock(root, { host: "elsewhere", pid: 1 }, 10);
    await expect(store.lock("a/lock")).rejects.toMatchObject({
      message: expect.stringContaining("process 1 on elsewhere"),
    });
  });

  it("that is lost takes nothing of the winner's along", async () => {
    const { root, store } = fresh();
    const lock = await store.lock("a/lock");
    mkdirSync(join(root, "a", "tmp"), { recursive: true });
    writeFileSync(join(root, "a", "tmp", "half"), "");
    await expect(store.lock("a/lock")).rejects.toMatchObject({ code: "busy" });
    await lock.ensure();
    expect(existsSync(join(root, "a", "tmp", "half"))).toBe(true);
    await lock.release();
    expect(readdirSync(root)).toEqual([]);
  });

  it("that was taken over is noticed by whoever had it", async () => {
    const { root, store } = fresh();
    const lock = await store.lock("a/lock");
    leaveLock(root, { host: "elsewhere", pid: 1 }, 0, "lock-2");
    await expect(lock.ensure()).rejects.toMatchObject({ code: "busy" });
    await lock.release();
  });
});

describe("openWritable", () => {
  it("opens directories alone", async () => {
    const { root } = fresh();
    const store = await openWritable(root);
    await store.set("k", "v");
    expect(text(await store.get("k"))).toBe("v");
    await expect(openWritable(join(root, "nothing"))).rejects.toMatchObject({ code: "source_not_found" });
    await expect(openWritable("https://example.org/a.zarr")).rejects.toMatchObject({
      code: "source_forbidden",
    });
    await openWritable(join(root, "made", "here"), { create: true });
    expect(existsSync(join(root, "made", "here"))).toBe(true);
  });
});
