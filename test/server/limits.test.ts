import { describe, expect, it } from "vitest";
import { Gate } from "../../src/server/limits.ts";
import { SharedWork } from "../../src/server/shared.ts";

const never = new AbortController().signal;

describe("the gate", () => {
  it("lets so many in, the others in their order, and turns away the rest", async () => {
    const gate = new Gate(2, 2);
    const order: string[] = [];
    const enter = async (name: string, signal = never) => {
      const leave = await gate.enter(signal);
      order.push(name);
      return leave;
    };
    const a = await enter("a");
    await enter("b");
    const c = enter("c");
    const d = enter("d");
    expect([gate.running, gate.waiting]).toEqual([2, 2]);
    await expect(enter("e")).rejects.toMatchObject({ code: "busy", status: 429 });
    a();
    const leaveC = await c;
    expect(order).toEqual(["a", "b", "c"]);
    leaveC();
    await d;
    expect(order).toEqual(["a", "b", "c", "d"]);
    expect([gate.running, gate.waiting]).toEqual([2, 0]);
  });

  it("counts a turn that is given back twice once", async () => {
    const gate = new Gate(2, 0);
    const a = await gate.enter(never);
    await gate.enter(never);
    a();
    a();
    expect(gate.running).toBe(1);
  });

  it("lets those who wait go away", async () => {
    const gate = new Gate(1, 1);
    const leave = await gate.enter(never);
    const controller = new AbortController();
    const waiting = gate.enter(controller.signal);
    controller.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");
    expect(gate.waiting).toBe(0);
    leave();
    expect(gate.running).toBe(0);
  });
});

describe("shared work", () => {
  function slow() {
    const signals: AbortSignal[] = [];
    let finish: (value: number) => void = () => {};
    const start = (signal: AbortSignal) => {
      signals.push(signal);
      return new Promise<number>((resolve) => (finish = resolve));
    };
    return { signals, start, finish: (value: number) => finish(value) };
  }

  it("runs once for all who ask, and again for those who come later", async () => {
    const shared = new SharedWork<number>();
    const work = slow();
    const both = Promise.all([shared.run("k", work.start, never), shared.run("k", work.start, never)]);
    work.finish(7);
    expect(await both).toEqual([7, 7]);
    expect(work.signals).toHaveLength(1);
    const again = shared.run("k", work.start, never);
    work.finish(8);
    expect(await again).toBe(8);
  });

  it("goes on while anybody waits, and is stopped when the last has gone", async () => {
    const shared = new SharedWork<number>();
    const work = slow();
    const [a, b] = [new AbortController(), new AbortController()];
    const first = shared.run("k", work.start, a.signal);
    const second = shared.run("k", work.start, b.signal);
    a.abort(new Error("a went"));
    await expect(first).rejects.toThrow("a went");
    expect(work.signals[0]!.aborted).toBe(false);
    b.abort(new Error("b went"));
    await expect(second).rejects.toThrow("b went");
    expect(work.signals[0]!.aborted).toBe(true);
  });

  it("forgets failures", async () => {
    const shared = new SharedWork<number>();
    await expect(shared.run("k", () => Promise.reject(new Error("no")), never)).rejects.toThrow("no");
    expect(await shared.run("k", async () => 1, never)).toBe(1);
  });
});
