import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { QuickReads } from "../../src/store/quick.ts";

let clock = 0;
const now = () => clock;
const reads = (milliseconds: number) => () => {
  clock += milliseconds;
  return milliseconds;
};

describe("reads in the event loop's own thread", () => {
  it("are made until their share of a turn is used up, and again in the next", async () => {
    const quick = new QuickReads(now);
    let made = 0;
    while (quick.allowed) made += quick.run(reads(0.5));
    expect(made).toBe(4);
    await Promise.resolve();
    expect(quick.allowed).toBe(false);
    await turn();
    expect(quick.allowed).toBe(true);
  });

  it("are left to the thread pool for a while after one that waited, and hand on what fails", async () => {
    const quick = new QuickReads(now);
    expect(quick.run(reads(6))).toBe(6);
    await turn();
    expect(quick.allowed).toBe(false);
    clock += 119;
    expect(quick.allowed).toBe(false);
    clock += 2;
    expect(quick.allowed).toBe(true);
    const fails = () => {
      throw new Error("ENOENT");
    };
    expect(() => quick.run(fails)).toThrow("ENOENT");
  });
});
