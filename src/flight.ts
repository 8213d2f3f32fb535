import { abortable } from "./abort.ts";

/**
 * One piece of work that several wait for. A waiter's abort is its own; the work is stopped when the last waiter has
 * gone before its end.
 */
export class Flight<T> {
  readonly done: Promise<T>;
  readonly #controller: AbortController | undefined;
  #waiters = 0;
  #over = false;

  /** @param first The first waiter's signal: where it has none it stays to the end, so that nothing can stop the work. */
  constructor(start: (signal: AbortSignal | undefined) => Promise<T>, first: AbortSignal | undefined) {
    this.#controller = first && new AbortController();
    this.done = Promise.resolve().then(() => start(this.#controller?.signal));
    // Whoever waits hears of a failure; where all have gone nobody needs to.
    const over = () => {
      this.#over = true;
    };
    this.done.then(over, over);
  }

  /** Stopped: nobody may join any more. */
  get stopped(): boolean {
    return this.#controller?.signal.aborted === true;
  }

  async wait(signal: AbortSignal | undefined): Promise<T> {
    this.#waiters++;
    try {
      return await abortable(this.done, signal);
    } finally {
      if (--this.#waiters === 0 && !this.#over) this.#controller?.abort(signal?.reason);
    }
  }
}
