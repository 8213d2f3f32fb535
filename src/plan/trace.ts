/** What the steps of a plan did, for EXPLAIN ANALYZE. */

/** Counts of a source up to now, as its store keeps them. */
export interface Counts {
  requests: number;
  bytes: number;
}

export interface Done extends Counts {
  rowsIn: number;
  rowsOut: number;
  ms: number;
}

/** Sums up, step by step. Steps must not overlap in time, so a traced scan works on one window at a time. */
export class Trace {
  readonly done = new Map<string, Done>();
  readonly #count: () => Counts;

  constructor(count: () => Counts) {
    this.#count = count;
  }

  /** Runs `work` as part of `step`. */
  async during<T>(step: string, work: () => Promise<T>): Promise<T> {
    const [before, start] = [{ ...this.#count() }, performance.now()];
    try {
      return await work();
    } finally {
      const after = this.#count();
      this.add(step, {
        ms: performance.now() - start,
        requests: after.requests - before.requests,
        bytes: after.bytes - before.bytes,
      });
    }
  }

  add(step: string, more: Partial<Done>): void {
    const done = this.done.get(step) ?? { rowsIn: 0, rowsOut: 0, ms: 0, requests: 0, bytes: 0 };
    for (const key of Object.keys(more) as (keyof Done)[]) done[key] += more[key]!;
    this.done.set(step, done);
  }
}
