import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Checks } from "../src/checks.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

/** Something that changes when told to, and takes `ms` to be looked at. */
function looked(ms: number) {
  const it = { isOther: false, looks: 0 };
  const differs = async () => {
    it.looks++;
    const { isOther } = it;
    await Promise.resolve();
    vi.advanceTimersByTime(ms);
    return isOther;
  };
  return { it, checks: new Checks(differs, { began: performance.now(), took: ms }) };
}

it.each([0, 25])("a change is seen by who asks next where a look takes %d ms", async (ms) => {
  const { it, checks } = looked(ms);
  vi.advanceTimersByTime(1);
  expect(await checks.changed()).toBe(false);
  it.isOther = true;
  vi.advanceTimersByTime(1);
  expect([await checks.changed(), it.looks]).toEqual([true, 2]);
  it.isOther = false;
  vi.advanceTimersByTime(10_000);
  expect([await checks.changed(), it.looks]).toEqual([true, 2]);
});

it("where a look takes long, the last is believed 20 times as long, but for who wants to be sure", async () => {
  const { it, checks } = looked(100);
  it.isOther = true;
  vi.advanceTimersByTime(1999);
  expect([await checks.changed(), checks.unchanged(), it.looks]).toEqual([false, true, 0]);
  expect([await checks.changed({ sure: true }), it.looks]).toEqual([true, 1]);
  const { it: other, checks: later } = looked(100);
  other.isOther = true;
  vi.advanceTimersByTime(2001);
  expect([await later.changed(), other.looks]).toEqual([true, 1]);
});

it("who is relaxed believes the last look 20 times as long as it took, however little that was", async () => {
  const { it, checks } = looked(2);
  it.isOther = true;
  vi.advanceTimersByTime(39);
  expect([await checks.changed({ relaxed: true }), it.looks]).toEqual([false, 0]);
  expect([await checks.changed({ relaxed: true, sure: true }), it.looks]).toEqual([true, 1]);
  const { it: other, checks: later } = looked(2);
  other.isOther = true;
  vi.advanceTimersByTime(41);
  expect([await later.changed({ relaxed: true }), other.looks]).toEqual([true, 1]);
});

it("those who ask at once share a look, and one that fails finds no change", async () => {
  const { it, checks } = looked(1);
  vi.advanceTimersByTime(1);
  expect(await Promise.all([checks.changed(), checks.changed(), checks.changed()])).toEqual([
    false,
    false,
    false,
  ]);
  expect(it.looks).toBe(1);
  const failing = new Checks(() => Promise.reject(new Error("cannot")), { began: -1, took: 0 });
  expect(await failing.changed()).toBe(false);
});

it("those who ask one after another in a turn of the event loop share a look, which sees what changed until its end", async () => {
  const { it, checks } = looked(1);
  vi.advanceTimersByTime(1);
  const asked: Promise<boolean>[] = [];
  for (let i = 0; i < 5; i++) {
    vi.advanceTimersByTime(1);
    asked.push(checks.changed());
    await Promise.resolve();
  }
  it.isOther = true;
  expect([await Promise.all(asked), it.looks]).toEqual([Array(5).fill(true), 1]);
});
