import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import { cacheShares } from "../options.ts";
import { openSource, type SourceOptions } from "../store/open.ts";
import type { Store } from "../store/store.ts";

/** Any one of these is there where indexes are. */
const SIGNS = ["indexes/zarr.json", "indexes/.zgroup"];

/**
 * Opens what `--indexes` names, read as its source is. A hierarchy that has no indexes, or not yet, is told of only.
 *
 * @param place `undefined` where none is named
 * @param options those that the source is opened with
 * @throws ZarrsiftError `source_not_found`, which says what makes indexes of `source` there
 */
export async function indexesAt(
  place: string | undefined,
  source: string,
  options: SourceOptions,
): Promise<Store | undefined> {
  if (place === undefined) return undefined;
  const to = /^https?:/i.test(place) ? "DIR" : place;
  const none = `--indexes ${place}: no indexes are there; zarrsift index ${source} --to ${to} makes some`;
  try {
    const store = await openSource(place, {
      ...options,
      cacheBytes: cacheShares(options.cacheBytes).ofStore,
    });
    tellIfNone(store, () => options.log?.(none), options);
    return store;
  } catch (error) {
    throw isZarrsiftError(error, "source_not_found")
      ? new ZarrsiftError(error.code, none, { cause: error })
      : error;
  }
}

/** Nothing waits for it: it takes a request, and a failure shows when indexes are read. */
function tellIfNone(store: Store, tell: () => void, options: SourceOptions): void {
  Promise.all(SIGNS.map((key) => store.stat(key, options))).then(
    (found) => {
      if (!found.some(Boolean)) tell();
    },
    () => {},
  );
}
