import type { ReadOptions, Store } from "../store/store.ts";
import {
  type Chain,
  decodeIndex,
  indexChain,
  parseSharding,
  type ShardIndex,
  type Sharding,
} from "./codecs/sharding.ts";
import { chunkError, compile } from "./codecs.ts";
import type { ArrayMeta } from "./metadata.ts";
import type { Inexpressible } from "./write.ts";

export type { InnerRange, ShardIndex } from "./codecs/sharding.ts";

/** Whether one key of the array holds several chunks. */
export function isSharded(meta: ArrayMeta): boolean {
  return meta.codecs.some((codec) => codec.name === "sharding_indexed");
}

/**
 * The array without shards whose chunks are the inner chunks of this one, byte for byte.
 *
 * @returns a reason where inner chunks cannot be cut out: something is done to the shard as a whole, or they are
 *   shards themselves
 */
export function innerMeta(meta: ArrayMeta): ArrayMeta | Inexpressible {
  const [codec, ...others] = meta.codecs;
  if (codec?.name !== "sharding_indexed" || others.length > 0)
    return { unsupported: "its shards are encoded as a whole" };
  const { chunkShape, codecs } = parseSharding(codec.configuration, meta.chunkShape);
  if (codecs.some((inner) => inner.name === "sharding_indexed"))
    return { unsupported: "its shards hold shards" };
  return { ...meta, chunkShape, codecs };
}

const indexReaders = new WeakMap<ArrayMeta, { sharding: Sharding; chain: Chain & { size: number } }>();

function indexReader(meta: ArrayMeta) {
  let reader = indexReaders.get(meta);
  if (!reader) {
    const { configuration } = meta.codecs.find((codec) => codec.name === "sharding_indexed")!;
    const sharding = parseSharding(configuration, meta.chunkShape);
    reader = { sharding, chain: indexChain(sharding, compile) };
    indexReaders.set(meta, reader);
  }
  return reader;
}

/**
 * Where each inner chunk of the shard at `key` stands, from one range read of the index alone.
 *
 * @returns `undefined` where the shard is not there
 * @throws ZarrsiftError `corrupt_chunk` for an index that is cut short or whose checksum does not match
 */
export async function readShardIndex(
  store: Store,
  key: string,
  meta: ArrayMeta,
  options?: ReadOptions,
): Promise<ShardIndex | undefined> {
  const { sharding, chain } = indexReader(meta);
  const range = sharding.indexAtStart ? { offset: 0, length: chain.size } : { suffixLength: chain.size };
  const bytes = await store.getRange(key, range, options);
  if (!bytes) return undefined;
  try {
    return await decodeIndex(chain, bytes);
  } catch (error) {
    throw chunkError(error, `The shard index of ${store.url}/${key}`);
  }
}
