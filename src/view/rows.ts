/** Values of given rows of one column, in the order asked for. */
import { mapLimit } from "../abort.ts";
import type { ReadOptions } from "../store/store.ts";
import type { MetaColumn } from "../table/column.ts";
import type { Column } from "../table/table.ts";
import { type BytesVector, gather, type NumberArray, type Vector } from "../table/vector.ts";
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

/** SQL values of the rows `idx` of a column. */
export async function readRows(
  column: Column,
  idx: Float64Array,
  options: ReadOptions = {},
): Promise<Vector> {
  const picks = picksOf(idx, column.chunkRows);
  const parts = await mapLimit(picks, 8, async (pick) => {
    const vector = gather(await column.read(pick.chunk, options), Uint32Array.from(pick.from));
    return vector;
  });
  return merge(column, idx.length, picks, parts);
}

function merge(column: Column, length: number, picks: Pick[], parts: Vector[]): Vector {
  const nulls = parts.some((p) => p.nulls) ? new Uint8Array(length) : undefined;
  if (nulls) scatter(picks, (part, from, to) => (nulls[to] = parts[part]!.nulls?.[from] ?? 0));
  const { type } = column;
  if (parts[0]?.kind === "bytes" || (parts.length === 0 && isBytes(type.kind))) {
    return { kind: "bytes", type, length, ...mergeBytes(length, picks, parts as BytesVector[]), nulls };
  }
  if (parts.some((p) => p.kind === "bigint")) {
    const unsigned = parts.some((p) => p.kind === "bigint" && p.values instanceof BigUint64Array);
    const values = unsigned ? new BigUint64Array(length) : new BigInt64Array(length);
    scatter(picks, (part, from, to) => {
      const source = parts[part]!;
      if (source.kind !== "bytes" && !source.nulls?.[from]) values[to] = BigInt(source.values[from]!);
    });
    return { kind: "bigint", type, length, values, nulls };
  }
  const first = parts[0]?.kind === "number" ? parts[0].values : new Float64Array(0);
  const values = new (first.constructor as new (n: number) => NumberArray)(length);
  scatter(
    picks,
    (part, from, to) =>
      (values[to] = (parts[part]!.kind === "number" ? parts[part].values[from] : 0) as number),
  );
  return { kind: "number", type, length, values, nulls };
}

const isBytes = (kind: string) => kind === "string" || kind === "bytes" || kind === "geometry";

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
