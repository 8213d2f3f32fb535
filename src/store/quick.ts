/** A read that takes longer, in milliseconds, has waited for a disk. */
const SLOW_MS = 5;
/** Then reads go to the thread pool for so many times as long as it took. */
const PAUSE = 20;
/** What reads may take of one turn of the event loop, in milliseconds, before others have theirs. */
const TURN_MS = 4;

/**
 * Which reads of files are made at once, in the event loop's own thread. What the system has in memory is read so in a
 * fraction of the time that the thread pool takes; for what it has to fetch, everybody would wait.
 */
export class QuickReads {
  readonly #now: () => number;
  #pausedUntil = 0;
  #spent = 0;

  /** @param now Milliseconds since any moment */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get allowed(): boolean {
    return this.#spent < TURN_MS && this.#now() >= this.#pausedUntil;
  }

  /** Runs a read, and learns from how long it took. */
  run<T>(read: () => T): T {
    const began = this.#now();
    try {
      return read();
    } finally {
      this.#learn(this.#now() - began);
    }
  }

  #learn(took: number): void {
    if (this.#spent === 0) {
      setImmediate(() => {
        this.#spent = 0;
      });
    }
    this.#spent += Math.max(took, 0.001);
    if (took > SLOW_MS) this.#pausedUntil = this.#now() + PAUSE * took;
  }
}
