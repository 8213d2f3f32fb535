/** Stored elements of given rows of one column, in the order asked for. */
import { mapLimit } from "../abort.ts";
import type { MetaColumn } from "../table/column.ts";
import type { BytesVector, NumberArray } from "../table/vector.ts";
import type { ChunkData } from "../zarr/chunk.ts";

/** Rows of one chunk: where each goes in the answer, and where it is in the chunk. */
interface Pick {
  chunk: number;
  to: number[];
  from: number[];
}

function picksOf(idx: Float64Array, chunkRows: number): Pick[] {
  const picks = new Map<number, Pick>();
  idx.forEach((row, i) => {
    const chunk = Math.floor(row / chunkRows);
    let pick = picks.get(chunk);
    if (!pick) {
      pick = { chunk, to: [], from: [] };
      picks.set(chunk, pick);
    }
    pick.to.push(i);
    pick.from.push(row - chunk * chunkRows);
  });
  return [...picks.values()];
}

/** Calls `put` for every row: which part it is in, its position there, its position in the answer. */
function scatter(picks: Pick[], put: (part: number, from: number, to: number) => void): void {
  for (const [part, { to }] of picks.entries()) {
    for (let from = 0; from < to.length; from++) put(part, from, to[from]!);
  }
}

function mergeBytes(
  length: number,
  picks: Pick[],
  parts: { data: Uint8Array; starts: Uint32Array; ends: Uint32Array }[],
) {
  let size = 0;
  scatter(picks, (part, from) => (size += parts[part]!.ends[from]! - parts[part]!.starts[from]!));
  const data = new Uint8Array(size);
  const [starts, ends] = [new Uint32Array(length), new Uint32Array(length)];
  let at = 0;
  scatter(picks, (part, from, to) => {
    const source = parts[part]!;
    const value = source.data.subarray(source.starts[from], source.ends[from]);
    data.set(value, at);
    starts[to] = at;
    at += value.length;
    ends[to] = at;
  });
  return { data, starts, ends };
}

/**
 * Elements of the rows `idx` as a column stores them, padded with zeros or nothing to `length` elements: a chunk of
 * an array with the same dtype.
 */
export async function storedRows(column: MetaColumn, idx: Float64Array, length: number): Promise<ChunkData> {
  const picks = picksOf(idx, column.chunkRows);
  const parts = await mapLimit(picks, 4, (pick) => column.stored(pick.chunk));
  const first = parts[0];
  if (first && "starts" in first) {
    const cut = parts.map((part, i) => cutBytes(part as BytesVector, picks[i]!.from));
    return mergeBytes(length, picks, cut);
  }
  const Type = (first as { data: NumberArray }).data.constructor as new (n: number) => NumberArray;
  const data = new Type(length);
  for (const [part, { to, from }] of picks.entries()) {
    const source = (parts[part] as { data: NumberArray }).data;
    for (let i = 0; i < to.length; i++) data[to[i]!] = source[from[i]!]!;
  }
  return { data } as ChunkData;
}

function cutBytes(part: { data: Uint8Array; starts: Uint32Array; ends: Uint32Array }, from: number[]) {
  return {
    data: part.data,
    starts: Uint32Array.from(from, (i) => part.starts[i]!),
    ends: Uint32Array.from(from, (i) => part.ends[i]!),
  };
}
