import { describe, expect, it } from "vitest";
import { mapAhead } from "../../src/abort.ts";

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("mapAhead", () => {
  it("keeps the order, and begins no more than it is told", async () => {
    let [running, most] = [0, 0];
    const work = async (i: number) => {
      most = Math.max(most, ++running);
      await later((i * 7) % 5);
      running--;
      return i * i;
    };
    const found: number[] = [];
    for await (const square of mapAhead(
      Array.from({ length: 50 }, (_, i) => i),
      4,
      work,
    ))
      found.push(square);
    expect(found).toEqual(Array.from({ length: 50 }, (_, i) => i * i));
    expect(most).toBe(4);
  });

  it("takes items only as they are needed", async () => {
    let taken = 0;
    const items = function* () {
      for (;;) yield taken++;
    };
    for await (const value of mapAhead(items(), 3, async (i) => i)) if (value === 10) break;
    expect(taken).toBeLessThan(15);
  });

  it("fails with the first failure in order, once what runs has ended", async () => {
    let ended = 0;
    const work = async (i: number) => {
      await later(i === 2 ? 1 : 5);
      ended++;
      if (i >= 2) throw new Error(`no ${i}`);
      return i;
    };
    const found: number[] = [];
    const all = async () => {
      for await (const value of mapAhead([0, 1, 2, 3, 4, 5, 6, 7], 4, work)) found.push(value);
    };
    await expect(all()).rejects.toThrow("no 2");
    expect(found).toEqual([0, 1]);
    expect(ended).toBeGreaterThanOrEqual(5);
  });
});
