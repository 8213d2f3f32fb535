import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ServerClock } from "../../src/store/http/clock.ts";

const HOUR = 3_600_000;
const NOON = Date.UTC(2026, 0, 1, 12);
const httpDate = (time: number) => new Date(time).toUTCString();

let clock: ServerClock;

beforeEach(() => {
  vi.useFakeTimers();
  clock = new ServerClock();
});
afterEach(() => {
  vi.useRealTimers();
});

/** What is told of a value written at a time, in an answer that is dated so and comes at `now`, 20 ms after it was asked for. */
function told(now: number, sent: number, written: number, more: Record<string, string> = {}, tries = 1) {
  vi.setSystemTime(now + 20);
  const headers = new Headers({ date: httpDate(sent), "last-modified": httpDate(written), ...more });
  return clock.modified({ headers, status: 200, tries, url: "", body: new Uint8Array(0) }, now);
}

/** By this machine's clock the value was written at most a little more than a second later. */
function expectAbout(time: number | undefined, written: number) {
  expect(time).toBeLessThanOrEqual(written);
  expect(time).toBeGreaterThan(written - 1100);
}

describe("the time when a value was written", () => {
  test.each([0, 24, -24])("is told by this machine's clock, the server's %i hours ahead", (ahead) => {
    const server = NOON + ahead * HOUR;
    expectAbout(told(NOON, server, server - HOUR), NOON - HOUR);
  });

  test("is not told of values as young as the answer", () => {
    expect(told(NOON, NOON, NOON - 1000)).toBeUndefined();
  });

  test("is the same from a cache that says how old its answer is", () => {
    expectAbout(
      told(NOON, NOON - 5 * HOUR, NOON - 6 * HOUR, { age: String((5 * HOUR) / 1000) }),
      NOON - 6 * HOUR,
    );
  });

  test("is the same after answers from a cache that does not", () => {
    told(NOON, NOON - 5 * HOUR, NOON - 9 * HOUR);
    told(NOON + 1000, NOON + 1000, NOON - 9 * HOUR);
    told(NOON + 2000, NOON - 5 * HOUR, NOON - 9 * HOUR);
    expectAbout(told(NOON + 3000, NOON + 3000, NOON - HOUR), NOON - HOUR);
  });

  test("is the same after the server's clock was set", () => {
    told(NOON, NOON - HOUR, NOON - 9 * HOUR);
    expectAbout(told(NOON + 1000, NOON + 1000, NOON - HOUR), NOON - HOUR);
  });

  test("does not come of answers that were waited for, or asked for again", () => {
    told(NOON, NOON, NOON - HOUR);
    expectAbout(told(NOON + 1000, NOON + 31_000, NOON - HOUR, {}, 3), NOON - HOUR);
    expectAbout(told(NOON + 2000, NOON + 2000, NOON - HOUR), NOON - HOUR);
  });
});
