import { ZarrsiftError } from "../errors.ts";

interface Waiter {
  enter(): void;
}

/** Lets so many in at once, so many more wait their turn, and turns everyone else away. */
export class Gate {
  readonly #limit: number;
  readonly #maxWaiting: number;
  readonly #queue = new Set<Waiter>();
  #running = 0;

  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit;
    this.#maxWaiting = maxWaiting;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Waits for a turn, in order.
   * @returns what to call, once, when the turn is over
   * @throws ZarrsiftError `busy`; the signal's reason when it aborts while waiting
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#running < this.#limit) this.#running++;
    else if (this.#queue.size >= this.#maxWaiting) throw this.#busy();
    else await this.#wait(signal);
    let over = false;
    return () => {
      if (!over) this.#leave();
      over = true;
    };
  }

  /** The turn of whoever leaves is handed on, so `#running` does not change while somebody waits. */
  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        enter: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#queue.delete(waiter);
        reject(signal.reason);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#queue.add(waiter);
    });
  }

  #leave(): void {
    const [next] = this.#queue;
    if (!next) {
      this.#running--;
      return;
    }
    this.#queue.delete(next);
    next.enter();
  }

  #busy(): ZarrsiftError {
    return new ZarrsiftError(
      "busy",
      `${this.#running} queries are running and ${this.#queue.size} waiting, which is this server's limit; try again in a moment.`,
    );
  }
}

/** @throws ZarrsiftError `too_large` when the text is longer than `maxBytes` in UTF-8 */
export function checkSqlSize(sql: string, maxBytes: number): void {
  const bytes = Buffer.byteLength(sql);
  if (bytes > maxBytes)
    throw new ZarrsiftError("too_large", `The SQL has ${bytes} bytes; at most ${maxBytes} are read.`);
}
