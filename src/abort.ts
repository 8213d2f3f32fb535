/** Cancellation and bounded concurrency. */

/** Node warns of a leak where a signal has more than ten listeners: a query has as many as reads are under way. */
const events: { setMaxListeners(n: number, ...targets: EventTarget[]): void } | undefined =
  typeof process === "undefined" ? undefined : process.getBuiltinModule?.("node:events");

/** `work` for this caller: rejects when `signal` aborts, while the work itself goes on for others who share it. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  signal.throwIfAborted();
  events?.setMaxListeners(0, signal);
  let onAbort: () => void = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** `map` over `items`, at most `limit` at once, results in order; the first failure ends it. */
export async function mapLimit<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < items.length && !failed) {
      const index = next++;
      try {
        results[index] = await map(items[index]!, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/**
 * `map` over `items` in their order, at most `ahead` of them begun at a time. Items are taken as
 * they are needed, so that there may be any number of them.
 */
export async function* mapAhead<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  ahead: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const begun: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const work = map(item);
      // Whoever waits for it is told; if nobody does any more, nobody has to know.
      work.catch(() => {});
      begun.push(work);
      if (begun.length >= ahead) yield await begun.shift()!;
    }
    while (begun.length > 0) yield await begun.shift()!;
  } finally {
    await Promise.allSettled(begun);
  }
}
