import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { QuickReads } from "../../src/store/quick.ts";

function busy(milliseconds: number): number {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
  return milliseconds;
}

describe("reads in the event loop's own thread", () => {
  it("are made until their share of a turn is used up, and again in the next", async () => {
    const quick = new QuickReads();
    let made = 0;
    while (quick.allowed && made < 100) made += quick.run(() => busy(0.5)) * 2;
    expect(made).toBeGreaterThan(1);
    expect(made).toBeLessThan(10);
    await Promise.resolve();
    expect(quick.allowed).toBe(false);
    await turn();
    expect(quick.allowed).toBe(true);
  });

  it("are left to the thread pool for a while after one that waited, and hand on what fails", async () => {
    const quick = new QuickReads();
    expect(quick.run(() => busy(6))).toBe(6);
    await turn();
    expect(quick.allowed).toBe(false);
    const other = new QuickReads();
    expect(() =>
      other.run(() => {
        throw new Error("ENOENT");
      }),
    ).toThrow("ENOENT");
    expect(other.allowed).toBe(true);
  });
});
