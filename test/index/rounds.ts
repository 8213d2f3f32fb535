import type { MemoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";

/** The store with answers that take a while, so that requests that wait for none of each other are one round. */
export function countRounds(
  store: MemoryStore,
): Store & { seen: { requests: number; bytes: number; rounds: number } } {
  const seen = { requests: 0, bytes: 0, rounds: 0 };
  let open = 0;
  const slowly = async (work: () => Promise<Uint8Array | undefined>) => {
    seen.requests++;
    if (open++ === 0) seen.rounds++;
    await new Promise((resolve) => setTimeout(resolve, 20));
    const bytes = await work();
    seen.bytes += bytes?.length ?? 0;
    open--;
    return bytes;
  };
  return {
    url: store.url,
    seen,
    get: (key, options) => slowly(() => store.get(key, options)),
    getRange: (key, range, options) => slowly(() => store.getRange(key, range, options)),
    stat: (key, options) => store.stat(key, options),
    list: (prefix, options) => store.list(prefix, options),
  };
}
