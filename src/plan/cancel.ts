/** Waits that end when a signal aborts: one listener for all of them, since hundreds of chunks may be under way. */
export class Cancel {
  readonly #signal: AbortSignal | undefined;
  /** Of the waits under way. Not one promise that all race with: that would hold what they gave until it ends. */
  readonly #rejects = new Set<(reason: unknown) => void>();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  /** What `work` gives, unless the signal aborts before. @throws the signal's reason */
  async wait<T>(work: () => Promise<T>): Promise<T> {
    this.#signal?.throwIfAborted();
    if (!this.#signal) return work();
    return new Promise<T>((resolve, reject) => {
      this.#rejects.add(reject);
      work()
        .then(resolve, reject)
        .finally(() => this.#rejects.delete(reject));
    });
  }

  /** Takes the listener away again. */
  end(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => {
    for (const reject of this.#rejects) reject(this.#signal!.reason);
  };
}
