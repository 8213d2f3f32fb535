/** What the steps of a plan did, for EXPLAIN ANALYZE. */
import type { Traffic } from "../../store/store.ts";

export interface Done extends Traffic {
  rowsIn: number;
  rowsOut: number;
  ms: number;
}

/** Sums up, step by step. Steps must not overlap in time, so a traced scan works on one window at a time. */
export class Trace {
  readonly done = new Map<string, Done>();
  /** What the plan's reads have cost up to now, below all caches: reads add to it. */
  readonly traffic: Traffic = { requests: 0, bytes: 0 };

  /** Runs `work` as part of `step`. */
  async during<T>(step: string, work: () => Promise<T>): Promise<T> {
    const [before, start] = [{ ...this.traffic }, performance.now()];
    try {
      return await work();
    } finally {
      this.add(step, {
        ms: performance.now() - start,
        requests: this.traffic.requests - before.requests,
        bytes: this.traffic.bytes - before.bytes,
      });
    }
  }

  add(step: string, more: Partial<Done>): void {
    const done = this.done.get(step) ?? { rowsIn: 0, rowsOut: 0, ms: 0, requests: 0, bytes: 0 };
    for (const key of Object.keys(more) as (keyof Done)[]) done[key] += more[key]!;
    this.done.set(step, done);
  }
}

/** `work` as a step that `rows` go through, where a trace is kept. */
export async function traced<T>(
  { trace }: { trace?: Trace | undefined },
  step: string,
  rows: number,
  work: () => Promise<T>,
): Promise<T> {
  if (!trace) return work();
  const result = await trace.during(step, work);
  trace.add(step, { rowsIn: rows, rowsOut: rows });
  return result;
}
