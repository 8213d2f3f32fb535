/** Waits that end when a signal aborts: one listener for all of them, since hundreds of chunks may be under way. */
export class Cancel {
  readonly #signal: AbortSignal | undefined;
  readonly #aborted: Promise<never> | undefined;
  #listener: () => void = () => {};

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    if (!signal) return;
    this.#aborted = new Promise<never>((_, reject) => {
      this.#listener = () => reject(signal.reason);
      signal.addEventListener("abort", this.#listener, { once: true });
    });
    this.#aborted.catch(() => {});
  }

  /** What `work` gives, unless the signal aborts before. @throws the signal's reason */
  async wait<T>(work: () => Promise<T>): Promise<T> {
    this.#signal?.throwIfAborted();
    return this.#aborted ? Promise.race([work(), this.#aborted]) : work();
  }

  /** Takes the listener away again. */
  end(): void {
    this.#signal?.removeEventListener("abort", this.#listener);
  }
}
