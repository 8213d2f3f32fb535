import { describe, expect, it } from "vitest";
import { Lru } from "../../src/lru.ts";

/** Loads `count` values of 10 bytes in turn, and says how many had to be loaded. */
async function pass(cache: Lru<number>, count: number): Promise<number> {
  let loaded = 0;
  const load = async () => ++loaded;
  for (let i = 0; i < count; i++) await cache.load(`${i}`, load, () => 10);
  return loaded;
}

describe("the cache of what was used last", () => {
  it("lets go of what was used longest ago", () => {
    const cache = new Lru<number>(30);
    for (const i of [1, 2, 3]) cache.set(`${i}`, i, 10);
    cache.get("1");
    cache.set("4", 4, 10);
    expect(["1", "2", "3", "4"].map((key) => cache.get(key))).toEqual([1, undefined, 3, 4]);
    cache.set("5", 5, 31);
    expect(cache.get("5")).toBeUndefined();
  });

  it("keeps a part of what is scanned again and again and does not fit", async () => {
    const plain = new Lru<number>(100);
    const scanned = new Lru<number>(100, { scanned: true });
    for (const cache of [plain, scanned]) expect(await pass(cache, 15)).toBe(15);
    expect(await pass(plain, 15)).toBe(15);
    expect(await pass(scanned, 15)).toBe(5);
    expect(await pass(scanned, 15)).toBe(5);
  });

  it("gives a scanned cache's place away once it is not used any more", async () => {
    const cache = new Lru<number>(100, { scanned: true });
    await pass(cache, 10);
    for (let i = 0; i < 60; i++) cache.set(`other ${i % 10}`, i, 10);
    expect(
      Array.from({ length: 10 }, (_, i) => cache.get(`other ${i}`)).filter((v) => v !== undefined),
    ).toHaveLength(10);
  });

  it("has room for what fits, and for more where what is there was not used lately", () => {
    const cache = new Lru<number>(100);
    cache.set("a", 1, 60);
    expect([cache.hasRoom(40), cache.hasRoom(41), cache.hasRoom(101)]).toEqual([true, false, false]);
    // 142 of 400 bytes are read without a look at "a", then 240, then what is left of them.
    for (let i = 0; i < 4; i++) expect(cache.hasRoom(60)).toBe(false);
    expect([cache.hasRoom(101), cache.hasRoom(41)]).toEqual([false, true]);
    expect(cache.get("a")).toBe(1);
    expect(cache.hasRoom(41)).toBe(false);
  });
});
