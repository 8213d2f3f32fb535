/** What a store says of many keys at once. */
import { mapLimit } from "../abort.ts";
import type { KeyStat, ReadOptions, Store } from "./store.ts";

/** Keys that are asked about at once where a store answers one by one. */
const AT_ONCE = 32;
/** Folders are listed where more of their keys are asked for: S3 takes ten times as much for a listing as for a HEAD. */
const LISTED_FROM = 10;

/** Size and stamp of each key; `undefined`: no such key. */
export async function statsOf(
  store: Store,
  keys: readonly string[],
  options?: ReadOptions,
): Promise<(KeyStat | undefined)[]> {
  if (store.stats) return store.stats(keys, options);
  const told = store.url.startsWith("s3:") ? await toldByListings(store, keys, options) : undefined;
  return mapLimit(keys, AT_ONCE, async (key) => (told?.has(key) ? told.get(key) : store.stat(key, options)));
}

type Told = Map<string, KeyStat | undefined>;

/** Whether listings of a store say the same as `stat`: not every server gives both the same ETags. */
const agreeing = new WeakMap<Store, boolean>();

/** What listings say of keys that share their folder with many others; the rest is left out. */
async function toldByListings(store: Store, keys: readonly string[], options?: ReadOptions): Promise<Told> {
  const told: Told = new Map();
  if (agreeing.get(store) === false) return told;
  const folders = new Map<string, string[]>();
  for (const key of keys) {
    const folder = key.slice(0, Math.max(0, key.lastIndexOf("/")));
    const inside = folders.get(folder) ?? [];
    folders.set(folder, inside);
    inside.push(key);
  }
  const many = [...folders].filter(([, { length }]) => length > LISTED_FROM);
  await mapLimit(many, AT_ONCE, async ([folder, inside]) => {
    // Where a folder cannot be listed, keys are asked for one by one, which says what is wrong.
    const listing = await store.list(folder, options).catch(() => undefined);
    if (!listing?.stats) return;
    const names = new Set(listing.keys);
    for (const key of inside) {
      const name = key.slice(folder.length).replace(/^\//, "");
      const stat = listing.stats.get(name);
      if (stat || !names.has(name)) told.set(key, stat);
    }
  });
  return (await agrees(store, told, options)) ? told : new Map();
}

/** Compares one key that was listed with what `stat` says of it, once for each store. */
async function agrees(store: Store, told: Told, options?: ReadOptions): Promise<boolean> {
  const known = agreeing.get(store);
  if (known !== undefined) return known;
  const [key, listed] = [...told].find(([, stat]) => stat) ?? [];
  if (key === undefined) return false;
  const stat = await store.stat(key, options);
  const same = stat?.size === listed!.size && stat.stamp === listed!.stamp;
  agreeing.set(store, same);
  return same;
}
