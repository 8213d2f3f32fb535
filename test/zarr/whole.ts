import type { Store } from "../../src/store/store.ts";
import { type ChunkData, decodeChunk, fillChunk } from "../../src/zarr/chunk.ts";
import { type ArrayMeta, chunkKey, gridShape } from "../../src/zarr/metadata.ts";

/** What an array holds: its elements' bytes, or its strings and bytes one by one, in C order. */
export interface Whole {
  raw: Uint8Array;
  items: Uint8Array[];
}

/** Coordinates of a grid in C order. */
export function* coordinates(shape: readonly number[]): Generator<number[]> {
  const count = shape.reduce((a, b) => a * b, 1);
  for (let i = 0; i < count; i++) {
    let rest = i;
    const at = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    yield at;
  }
}

/** All elements of an array, chunk by chunk, one element at a time: slow and plain. */
export async function readWhole(store: Store, path: string, meta: ArrayMeta): Promise<Whole> {
  const chunks = new Map<string, ChunkData>();
  for (const at of coordinates(gridShape(meta))) {
    const key = `${path}/${chunkKey(meta.chunkKeys, at)}`;
    const bytes = await store.get(key);
    chunks.set(at.join(), bytes ? await decodeChunk(meta, bytes, key) : fillChunk(meta));
  }
  const items: Uint8Array[] = [];
  for (const at of coordinates(meta.shape)) {
    const chunk = chunks.get(at.map((x, axis) => Math.floor(x / meta.chunkShape[axis]!)).join())!;
    let inside = 0;
    at.forEach((x, axis) => {
      inside = inside * meta.chunkShape[axis]! + (x % meta.chunkShape[axis]!);
    });
    items.push(elementAt(chunk, inside, meta));
  }
  return { items, raw: Buffer.concat(items) };
}

function elementAt(chunk: ChunkData, i: number, meta: ArrayMeta): Uint8Array {
  if ("starts" in chunk) return chunk.data.subarray(chunk.starts[i], chunk.ends[i]);
  const width = chunk.data.byteLength / meta.chunkShape.reduce((a, b) => a * b, 1);
  return new Uint8Array(chunk.data.buffer, chunk.data.byteOffset + i * width, width);
}
