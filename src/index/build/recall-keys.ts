/** The rows of a column from its B+tree. */
import type { ReadOptions } from "../../store/store.ts";
import type { MetaColumn } from "../../table/column.ts";
import type { BytesVector, Vector } from "../../table/vector.ts";
import type { JsonObject } from "../../zarr/json.ts";
import { TEXTS_PER_LEAF } from "../btree-build.ts";
import { type KeyArray, keyArray, type NumberKeyType } from "../keys.ts";
import { type IndexReads, PagedArray } from "../pages.ts";
import { RecordReader } from "../records.ts";
import { elementBytes, elements, readWhole } from "../whole.ts";
import type { RecalledRows } from "./recalled-rows.ts";

/** Keys read at once. */
const RUN = 2 ** 18;

/** The row of each of `count` keys from `from` on. */
type RowsFrom = (from: number, count: number) => Promise<{ [i: number]: number }>;

async function rowsOfKeys(
  record: RecordReader,
  path: string,
  reads: IndexReads,
  options: ReadOptions,
): Promise<RowsFrom> {
  if (record.flag("sorted")) {
    const base = record.count("base", 0);
    return async (from, count) => Float64Array.from({ length: count }, (_, i) => base + from + i);
  }
  const rows = await PagedArray.open(reads, `${path}/rows`, { ...options, sums: `${path}/rows_crc` });
  return async (from, count) => elements(await rows.bytes(4 * from, 4 * (from + count), options), "uint32");
}

/** @param rows how many, from the first on */
export async function recalledKeys(
  { type: sqlType }: MetaColumn,
  type: NumberKeyType,
  stored: JsonObject,
  rows: number,
  reads: IndexReads,
  options: ReadOptions,
): Promise<RecalledRows> {
  const record = new RecordReader(stored);
  const [path, count, width] = [record.path("path"), record.count("keys"), elementBytes(type)];
  const keys = await PagedArray.open(reads, `${path}/keys`, {
    ...options,
    length: count,
    sums: `${path}/keys_crc`,
  });
  const rowsFrom = await rowsOfKeys(record, path, reads, options);
  const values = keyArray(type, rows);
  const nulls = new Uint8Array(rows).fill(1);
  for (let from = 0; from < count; from += RUN) {
    const length = Math.min(RUN, count - from);
    const part = elements(await keys.bytes(width * from, width * (from + length), options), type);
    const places = await rowsFrom(from, length);
    for (let i = 0; i < length; i++) {
      const row = places[i]!;
      if (row >= rows) continue;
      values[row] = part[i]! as never;
      nulls[row] = 0;
    }
  }
  return {
    vector: (from, to) => numberVector(sqlType, values.subarray(from, to), nulls.subarray(from, to)),
  };
}

/** As `recalledKeys`, of texts and bytes. */
export async function recalledTexts(
  { type }: MetaColumn,
  stored: JsonObject,
  rows: number,
  reads: IndexReads,
  options: ReadOptions,
): Promise<RecalledRows> {
  const record = new RecordReader(stored);
  const [path, count] = [record.path("path"), record.count("keys")];
  const paged = (name: string) =>
    PagedArray.open(reads, `${path}/${name}`, { ...options, sums: `${path}/${name}_crc` });
  const leafCount = Math.ceil(count / TEXTS_PER_LEAF);
  const leafStarts = await readWhole(
    reads,
    `${path}/leaf_starts`,
    "float64",
    leafCount + 1,
    record.sums("sums").leaf_starts,
    options,
  );
  const [keys, keyEnds] = await Promise.all([paged("keys"), paged("key_ends")]);
  const data = await keys.bytes(0, keys.byteLength, options);
  const rowsFrom = await rowsOfKeys(record, path, reads, options);
  const [starts, ends] = [new Uint32Array(rows), new Uint32Array(rows)];
  const nulls = new Uint8Array(rows).fill(1);
  for (let leaf = 0; leaf < leafCount; leaf++) {
    const from = leaf * TEXTS_PER_LEAF;
    const length = Math.min(TEXTS_PER_LEAF, count - from);
    const part = elements(await keyEnds.bytes(4 * from, 4 * (from + length), options), "uint32");
    const places = await rowsFrom(from, length);
    for (let i = 0; i < length; i++) {
      const row = places[i]!;
      if (row >= rows) continue;
      starts[row] = leafStarts[leaf]! + (i === 0 ? 0 : part[i - 1]!);
      ends[row] = leafStarts[leaf]! + part[i]!;
      nulls[row] = 0;
    }
  }
  return {
    vector: (from, to) => ({
      kind: "bytes",
      type,
      length: to - from,
      data,
      starts: starts.subarray(from, to),
      ends: ends.subarray(from, to),
      nulls: nulls.subarray(from, to),
    }),
  };
}

/** Keys as a vector; those of 64 bits are bigints. */
export function numberVector(
  type: MetaColumn["type"],
  values: KeyArray,
  nulls: Uint8Array,
): Exclude<Vector, BytesVector> {
  const { length } = values;
  if (values instanceof BigInt64Array || values instanceof BigUint64Array)
    return { kind: "bigint", type, length, values, nulls };
  return { kind: "number", type, length, values, nulls };
}
