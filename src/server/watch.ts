/** Abort signals of requests: the client has gone, the time is up, or the server is closing. */
import { setMaxListeners } from "node:events";
import type { FastifyReply } from "fastify";
import { isZarrsiftError, ZarrsiftError } from "../errors.ts";

/** A signal that aborts when one of its parents does, or when a time that was set is over. */
export class Watch {
  readonly #controller = new AbortController();
  readonly #parents: readonly AbortSignal[];
  readonly #onParent = (event: Event) => this.abort((event.target as AbortSignal).reason);
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(...parents: AbortSignal[]) {
    this.#parents = parents;
    // One signal goes to every read of a query, and to every request: many listeners are no leak.
    setMaxListeners(0, this.signal, ...parents);
    for (const parent of parents) {
      if (parent.aborted) this.abort(parent.reason);
      parent.addEventListener("abort", this.#onParent, { once: true });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Does nothing once the work is over. */
  abort(reason: unknown): void {
    if (!this.#over) this.#controller.abort(reason);
  }

  /** Gives it so many milliseconds from now. `what` is the subject of the error's sentence. */
  limit(milliseconds: number, what: string): void {
    clearTimeout(this.#timer);
    const message = `${what} took longer than ${milliseconds / 1000} s, which is this server's limit.`;
    this.#timer = setTimeout(() => this.abort(new ZarrsiftError("timeout", message)), milliseconds);
  }

  /** Runs `work`; what fails because of an abort fails with the reason of the abort. */
  async run<T>(work: (watch: Watch) => Promise<T>): Promise<T> {
    try {
      return await work(this);
    } catch (error) {
      throw this.reason(error);
    } finally {
      this.end();
    }
  }

  /** Why work under this watch failed: our own error as it is, else the reason of the abort where there was one. */
  reason(error: unknown): unknown {
    return this.signal.aborted && !isZarrsiftError(error) ? this.signal.reason : error;
  }

  /** To be called when the work is over, unless `run` did. */
  end(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const parent of this.#parents) parent.removeEventListener("abort", this.#onParent);
  }
}

/** A watch that also aborts when the client hangs up before it has its answer. */
export function watchClient(reply: FastifyReply, closing: AbortSignal): Watch {
  const watch = new Watch(closing);
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) watch.abort(new ZarrsiftError("aborted", "The client went away."));
  });
  return watch;
}
