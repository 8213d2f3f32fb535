import { describe, expect, it, onTestFinished, vi } from "vitest";
import { CacheStore } from "../../src/store/cache.ts";
import { CoalesceStore } from "../../src/store/coalesce.ts";
import { CountingStore } from "../../src/store/count.ts";
import { LimitStore } from "../../src/store/limit.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { SlowStore } from "./slow.ts";

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
const list = (value: Uint8Array | undefined) => value && [...value];
const tick = () => new Promise((resolve) => setTimeout(resolve, 5));

function slow(
  options: { open?: boolean; snapshot?: string } = {},
  values = { a: bytes, b: bytes, c: bytes },
) {
  const memory = new MemoryStore(Object.entries(values));
  return { memory, store: new SlowStore(memory, options) };
}

describe("the cache", () => {
  it("asks once for what it keeps, for ranges too, and cuts ranges from whole values", async () => {
    const { store } = slow();
    const cache = new CacheStore(store, 10_000);
    expect(list(await cache.getRange("a", { offset: 1, length: 2 }))).toEqual([1, 2]);
    expect(list(await cache.getRange("a", { offset: 1, length: 2 }))).toEqual([1, 2]);
    expect(list(await cache.getRange("a", { suffixLength: 1 }))).toEqual([999 % 251]);
    await cache.get("a");
    await cache.get("a");
    expect(list(await cache.getRange("a", { offset: 5, length: 1 }))).toEqual([5]);
    expect(store.asked).toEqual(["a 1+2", "a -1", "a"]);
  });

  it("keeps to its bytes: the least recently used leaves", async () => {
    const { store } = slow({}, { a: bytes, b: bytes, c: bytes, d: bytes, e: bytes } as never);
    // Room for four values of 1,000 bytes with their keys, not for five.
    const cache = new CacheStore(store, 5000);
    for (const key of ["a", "b", "c", "d", "a", "e"]) await cache.get(key);
    expect(store.asked).toEqual(["a", "b", "c", "d", "e"]);
    for (const key of ["a", "c", "d", "e"]) await cache.get(key);
    expect(store.asked).toHaveLength(5);
    await cache.get("b");
    expect(store.asked).toHaveLength(6);
  });

  it("does not keep a value of more than a quarter of its bytes", async () => {
    const { store } = slow();
    const cache = new CacheStore(store, 3999);
    await cache.get("a");
    await cache.get("a");
    expect(store.asked).toEqual(["a", "a"]);
  });

  it("shares a request on its way; one abort leaves the others be, the last one stops it", async () => {
    const { store } = slow({ open: false });
    const cache = new CacheStore(store, 10_000);
    const [one, two] = [new AbortController(), new AbortController()];
    const first = cache.get("a", { signal: one.signal });
    const second = cache.get("a", { signal: two.signal });
    one.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    expect(store.stopped).toEqual([]);
    store.release();
    expect(list(await second)).toEqual(list(bytes));
    expect(store.asked).toEqual(["a"]);

    const other = slow({ open: false });
    const cold = new CacheStore(other.store, 10_000);
    const alone = cold.get("a", { signal: two.signal });
    await tick();
    two.abort(new Error("gone too"));
    await expect(alone).rejects.toThrow("gone too");
    expect(other.store.stopped).toEqual(["a"]);
    other.store.release();
    expect(list(await cold.get("a"))).toEqual(list(bytes));
    expect(other.store.asked).toEqual(["a", "a"]);
  });

  it("keeps no failure", async () => {
    let fail = true;
    const store: Store = new MemoryStore([["a", bytes]]);
    const get = store.get.bind(store);
    store.get = async (key) => {
      if (fail) throw new Error("failed");
      return get(key);
    };
    const cache = new CacheStore(store, 10_000);
    await expect(Promise.all([cache.get("a"), cache.get("a")])).rejects.toThrow("failed");
    fail = false;
    expect(list(await cache.get("a"))).toEqual(list(bytes));
  });

  it("keeps that a key is absent for pinned snapshots only", async () => {
    for (const [snapshot, times] of [
      [undefined, 2],
      ["ABC", 1],
    ] as const) {
      const { store } = slow(snapshot === undefined ? {} : { snapshot });
      const cache = new CacheStore(store, 10_000);
      expect(cache.snapshot).toBe(snapshot);
      expect(await cache.get("nope")).toBeUndefined();
      expect(await cache.get("nope")).toBeUndefined();
      expect(store.asked).toHaveLength(times);
    }
  });

  it("forgets when told to, what is on its way too", async () => {
    const { memory, store } = slow({ open: false });
    const cache = new CacheStore(store, 10_000);
    const old = cache.get("a");
    await tick();
    cache.clear();
    expect(store.cleared).toBe(1);
    store.release();
    await old;
    memory.set("a", new Uint8Array([1]));
    expect(list(await cache.get("a"))).toEqual([1]);
    memory.set("a", new Uint8Array([2]));
    expect(list(await cache.get("a"))).toEqual([1]);
    cache.clear();
    expect(list(await cache.get("a"))).toEqual([2]);
  });

  it("asks again about what it read in the very millisecond as of which it is wanted, or before", async () => {
    const store = new MemoryStore([["a", "old"]]);
    const cache = new CacheStore(store, 1000);
    const clock = vi.spyOn(Date, "now").mockReturnValue(5000);
    onTestFinished(() => clock.mockRestore());
    await cache.get("a");
    store.set("a", "new");
    expect(await cache.get("a", { asOf: 4999 })).toEqual(new TextEncoder().encode("old"));
    expect(await cache.get("a", { asOf: 5000 })).toEqual(new TextEncoder().encode("new"));
  });

  it("does not hold a large buffer for a small part of it", async () => {
    const { store } = slow({}, { a: new Uint8Array(100_000) } as never);
    const cache = new CacheStore(store, 100_000);
    await cache.getRange("a", { offset: 0, length: 10 });
    const kept = await cache.getRange("a", { offset: 0, length: 10 });
    expect(kept?.buffer.byteLength).toBe(10);
  });
});

describe("coalescing", () => {
  it("makes one request of neighbours in one turn, even when they come after a promise", async () => {
    const { store } = slow();
    const coalesce = new CoalesceStore(store, { gap: 10, largest: 500 });
    const read = async (offset: number, length: number) => {
      await null;
      return list(await coalesce.getRange("a", { offset, length }));
    };
    const ranges: [number, number][] = [
      [30, 5],
      [0, 10],
      [5, 10],
      [20, 5],
      [200, 4],
      [7, 2],
    ];
    const values = await Promise.all(ranges.map(([offset, length]) => read(offset, length)));
    values.forEach((value, i) => {
      const [offset, length] = ranges[i]!;
      expect(value).toEqual(list(bytes.subarray(offset, offset + length)));
    });
    expect(store.asked).toEqual(["a 0+35", "a 200+4"]);
  });

  it("keeps requests below a size, keys apart, turns apart, and lets suffixes alone", async () => {
    const { store } = slow();
    const coalesce = new CoalesceStore(store, { gap: 10, largest: 100 });
    await Promise.all([
      coalesce.getRange("a", { offset: 0, length: 60 }),
      coalesce.getRange("a", { offset: 60, length: 60 }),
      coalesce.getRange("b", { offset: 0, length: 60 }),
      coalesce.getRange("a", { suffixLength: 10 }),
    ]);
    await coalesce.getRange("a", { offset: 120, length: 1 });
    expect(store.asked.sort()).toEqual(["a -10", "a 0+60", "a 120+1", "a 60+60", "b 0+60"]);
  });

  it("says of all that the key is absent", async () => {
    const coalesce = new CoalesceStore(slow().store);
    const ranges = [0, 10].map((offset) => coalesce.getRange("nope", { offset, length: 1 }));
    expect(await Promise.all(ranges)).toEqual([undefined, undefined]);
  });

  it("one abort leaves the others be", async () => {
    const { store } = slow({ open: false });
    const coalesce = new CoalesceStore(store);
    const controller = new AbortController();
    const first = coalesce.getRange("a", { offset: 0, length: 5 }, { signal: controller.signal });
    const second = coalesce.getRange("a", { offset: 5, length: 5 });
    await tick();
    controller.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    store.release();
    expect(list(await second)).toEqual([5, 6, 7, 8, 9]);
    expect(store.stopped).toEqual([]);
  });
});

describe("the limit", () => {
  it("lets so many through at once, in order", async () => {
    const { store } = slow(
      {},
      Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, bytes])) as never,
    );
    const limit = new LimitStore(store, 3);
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    await Promise.all(keys.map((key) => limit.get(key)));
    expect(store.most).toBe(3);
    expect(store.asked).toEqual(keys);
  });

  it("forgets who aborts while waiting, and goes on after failures", async () => {
    const { store } = slow({ open: false });
    const limit = new LimitStore(store, 1);
    const controller = new AbortController();
    const first = limit.getRange("a", { offset: 0, length: 5000 });
    const second = limit.get("b", { signal: controller.signal });
    const third = limit.get("c");
    controller.abort(new Error("gone"));
    await expect(second).rejects.toThrow("gone");
    store.release();
    await expect(first).rejects.toMatchObject({ code: "source_unreadable" });
    expect(list(await third)).toEqual(list(bytes));
    expect(store.asked).toEqual(["a 0+5000", "c"]);
    expect(list(await limit.get("a"))).toEqual(list(bytes));
  });
});

describe("counting", () => {
  it("counts in total and for whoever asks, below the caches", async () => {
    const counting = new CountingStore(slow().store);
    const cache = new CacheStore(new CoalesceStore(new LimitStore(counting, 4)), 100_000);
    const one = { requests: 0, bytes: 0 };
    const two = { requests: 0, bytes: 0 };
    await cache.get("a", { traffic: one });
    await cache.get("a", { traffic: two });
    await cache.getRange("b", { offset: 0, length: 10 }, { traffic: two });
    await cache.get("nope", { traffic: two });
    await cache.stat("b", { traffic: one });
    await cache.list("", { traffic: one });
    await expect(cache.getRange("b", { offset: 5000, length: 1 }, { traffic: one })).rejects.toThrow();
    expect(one).toEqual({ requests: 4, bytes: 1000 });
    expect(two).toEqual({ requests: 2, bytes: 10 });
    expect(counting.total).toEqual({ requests: 6, bytes: 1010 });
  });
});

describe("many keys at once", () => {
  it("are as many requests, and one of those at once", async () => {
    const asked: string[][] = [];
    const { store } = slow();
    const many = Object.assign(store, {
      stats: async (keys: readonly string[]) => {
        asked.push([...keys]);
        return keys.map(() => undefined);
      },
    });
    const counting = new CountingStore(many);
    const traffic = { requests: 0, bytes: 0 };
    const cache = new CacheStore(new CoalesceStore(new LimitStore(counting, 1)), 1000);
    await cache.stats!(["a", "b", "c"], { traffic });
    expect(asked).toEqual([["a", "b", "c"]]);
    expect([traffic.requests, counting.total.requests]).toEqual([3, 3]);
  });
});

describe("every wrapper", () => {
  it("passes on url, snapshot, clear and close", async () => {
    for (const wrap of [
      (store: Store) => new CacheStore(store, 1000),
      (store: Store) => new CoalesceStore(store),
      (store: Store) => new LimitStore(store, 1),
      (store: Store) => new CountingStore(store),
    ]) {
      const { store } = slow({ snapshot: "ABC" });
      const wrapped = wrap(store);
      expect([wrapped.url, wrapped.snapshot]).toEqual(["slow:", "ABC"]);
      wrapped.clear();
      expect(store.cleared).toBe(1);
      await wrapped.close();
      expect(store.closed).toBe(true);
    }
  });
});
