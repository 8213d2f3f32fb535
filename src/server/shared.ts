import { setMaxListeners } from "node:events";
import { abortable } from "../abort.ts";

interface Work<T> {
  promise: Promise<T>;
  controller: AbortController;
  waiters: number;
}

/**
 * One piece of work for all who ask for the same key while it runs. It is stopped when the last of them has gone,
 * so that one client's disconnect never fails another's. Nothing is kept when it is done.
 */
export class SharedWork<T> {
  readonly #running = new Map<string, Work<T>>();

  async run(key: string, start: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const work = this.#running.get(key) ?? this.#start(key, start);
    work.waiters++;
    try {
      return await abortable(work.promise, signal);
    } finally {
      if (--work.waiters === 0) {
        this.#forget(key, work);
        work.controller.abort(signal.reason);
      }
    }
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): Work<T> {
    const controller = new AbortController();
    // It goes to every read of the work: many listeners are no leak.
    setMaxListeners(0, controller.signal);
    const promise = start(controller.signal);
    const work: Work<T> = { promise, controller, waiters: 0 };
    this.#running.set(key, work);
    const forget = () => this.#forget(key, work);
    promise.then(forget, forget);
    return work;
  }

  #forget(key: string, work: Work<T>): void {
    if (this.#running.get(key) === work) this.#running.delete(key);
  }
}
