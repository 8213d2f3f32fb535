import { isSegment } from "./key.ts";
import type { Listing } from "./store.ts";

/** Keys in order, so that a folder's names are found without looking at all that is below it. */
export class KeyList {
  readonly #sorted: readonly string[];

  constructor(keys: Iterable<string>) {
    this.#sorted = [...keys].sort();
  }

  /** Names directly below `prefix` ("": the root). */
  list(prefix: string): Listing {
    const below = prefix === "" ? "" : `${prefix}/`;
    const listing: Listing = { keys: [], prefixes: [] };
    for (let at = this.#from(below); this.#sorted[at]?.startsWith(below); ) {
      const [name, ...deeper] = this.#sorted[at]!.slice(below.length).split("/", 2);
      if (isSegment(name!)) listing[deeper.length > 0 ? "prefixes" : "keys"].push(name!);
      // "0" comes right after "/": the next name that is not below this one.
      at = deeper.length > 0 ? this.#from(`${below}${name}0`) : at + 1;
    }
    return { keys: listing.keys.sort(), prefixes: listing.prefixes.sort() };
  }

  /** Where the first key stands that is not before `key`. */
  #from(key: string): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sorted[middle]! < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
