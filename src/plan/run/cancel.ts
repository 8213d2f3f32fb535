/** Hands one signal on to many reads, with one listener for all of them: hundreds of chunks may be under way. */
export class Cancel {
  readonly #signal: AbortSignal | undefined;
  /** Of the reads under way. */
  readonly #reads = new Set<AbortController>();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  /** What `work` gives, which its signal ends when the whole is aborted. @throws the signal's reason */
  async wait<T>(work: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    this.#signal?.throwIfAborted();
    if (!this.#signal) return work(undefined);
    const read = new AbortController();
    this.#reads.add(read);
    try {
      return await work(read.signal);
    } finally {
      this.#reads.delete(read);
    }
  }

  /** Takes the listener away again. */
  end(): void {
    this.#signal?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => {
    for (const read of this.#reads) read.abort(this.#signal!.reason);
  };
}
