/** Long computations in pieces, so that others get their turn and cancelling takes effect. */

/** Longest that one piece holds the thread, in ms, roughly. */
const PIECE_MS = 8;

/** Gives way to whatever else waits, once a piece's time is over. */
export class Pace {
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** @throws the signal's reason */
  async rest(): Promise<void> {
    if (performance.now() - this.#since < PIECE_MS) return;
    await breathe();
    this.#since = performance.now();
    this.#signal?.throwIfAborted();
  }

  /** Calls `work(from, to)` for runs that cover 0…length, each sized so as to take about half a piece. */
  async inRuns(length: number, work: (from: number, to: number) => void): Promise<void> {
    // A row may take long: the distance of a coast from another.
    let run = 16;
    for (let from = 0; from < length; ) {
      const to = Math.min(length, from + run);
      const start = performance.now();
      work(from, to);
      const spent = performance.now() - start;
      if (spent < PIECE_MS / 4) run = Math.min(run * 4, 262_144);
      else if (spent > PIECE_MS) run = Math.max(1, run >> 2);
      from = to;
      await this.rest();
    }
  }
}

/** The end of the current turn of the event loop, after which timers and sockets have had theirs. */
function breathe(): Promise<void> {
  if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
