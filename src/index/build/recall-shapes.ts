/** The shapes of a geometry column from its R-tree. */
import type { ReadOptions } from "../../store/store.ts";
import type { JsonObject } from "../../zarr/json.ts";
import { CrossingShapes } from "../crossing.ts";
import { type IndexReads, PagedArray, unusable } from "../pages.ts";
import { RecordReader } from "../records.ts";
import { HEADER_BYTES, treeLayout } from "../rtree-layout.ts";
import { elements } from "../whole.ts";
import type { RecalledRows } from "./recalled-rows.ts";

/** Items read at once. */
const RUN = 2 ** 16;

/** @param rows how many, from the first on */
export async function recalledShapes(
  stored: JsonObject,
  rows: number,
  reads: IndexReads,
  options: ReadOptions,
): Promise<RecalledRows> {
  const record = new RecordReader(stored);
  const [path, side, items] = [record.path("path"), record.path("side"), record.count("covered")];
  const { idsAt, idBytes, byteLength } = treeLayout(items, 16);
  const tree = await PagedArray.open(reads, path, { ...options, length: byteLength, sums: `${side}/crc` });
  const bits = await bitsOf(record, side, items, reads, options);
  const crossingCount = record.count("crossing", 0);
  const crossing =
    crossingCount > 0
      ? await CrossingShapes.read(reads, side, crossingCount, record.numbers("crossingCrc"), options)
      : undefined;
  const boxes = new Float64Array(4 * rows);
  const isBox = new Uint8Array(rows);
  for (let from = 0; from < items; from += RUN) {
    const to = Math.min(items, from + RUN);
    const some = elements(
      await tree.bytes(HEADER_BYTES + 32 * from, HEADER_BYTES + 32 * to, options),
      "float64",
    );
    const ids = await tree.bytes(idsAt + idBytes * from, idsAt + idBytes * to, options);
    const view = new DataView(ids.buffer, ids.byteOffset);
    for (let i = 0; i < to - from; i++) {
      const row = idBytes === 2 ? view.getUint16(2 * i, true) : view.getUint32(4 * i, true);
      if (row >= items) throw unusable(path, `item ${from + i} is row ${row} of ${items}`);
      if (row >= rows) continue;
      boxes.set(some.subarray(4 * i, 4 * i + 4), 4 * row);
      isBox[row] = boxes[4 * row] === Infinity ? 0 : bits(from + i);
    }
  }
  for (const { at } of crossing?.between(0, rows) ?? []) isBox[at] = 0;
  return {
    vector: (from, to) => placeholder(to - from),
    shapes: (from, to) => ({
      length: to - from,
      boxes: boxes.subarray(4 * from, 4 * to),
      isBox: isBox.subarray(from, to),
      crossing: crossing?.between(from, to) ?? [],
    }),
  };
}

/** Whether the geometry of an item is its box. */
async function bitsOf(
  record: RecordReader,
  side: string,
  items: number,
  reads: IndexReads,
  options: ReadOptions,
): Promise<(item: number) => number> {
  const kind = record.text("isBox");
  if (kind !== "bits") return () => (kind === "all" ? 1 : 0);
  const array = await PagedArray.open(reads, `${side}/is_box`, {
    ...options,
    length: Math.ceil(items / 8),
    sums: `${side}/is_box_crc`,
  });
  const bits = await array.bytes(0, array.byteLength, options);
  return (item) => (bits[item >> 3]! >> (item & 7)) & 1;
}

/** Geometry of which the shapes are known already. */
function placeholder(length: number) {
  const [starts, ends] = [new Uint32Array(length), new Uint32Array(length)];
  const type = { kind: "geometry", encoding: "wkb" } as const;
  return { kind: "bytes", type, length, data: new Uint8Array(0), starts, ends, nulls: undefined } as const;
}
