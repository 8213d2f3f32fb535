/** One column's index, zone map and truth, made in one reading. */
import { mapLimit } from "../../abort.ts";
import type { ReadOptions, Store } from "../../store/store.ts";
import type { MetaColumn } from "../../table/column.ts";
import type { BytesVector, Vector } from "../../table/vector.ts";
import type { EncodedIndex, IndexArray } from "../arrays.ts";
import { OrderedBuilder } from "../btree-build.ts";
import { CategoryBuilder } from "../category-build.ts";
import { RTreeBuilder } from "../rtree-build.ts";
import { type Shapes, shapesOf } from "../shapes.ts";
import { encodeTruth, type StoredChunk, storedChunk } from "../truth.ts";
import { ZonesBuilder } from "../zones-build.ts";
import { type IndexKind, MOST_VALUES } from "./choose.ts";
import { type ReadChunk, readChunks } from "./chunks.ts";
import { type CoveringBuilder, coveringOf } from "./covering.ts";
import type { Recalled, RecalledZones } from "./recall.ts";

export interface EncodeOptions extends ReadOptions {
  /** `undefined`: a zone map alone. */
  kind: IndexKind | undefined;
  /** Rows from the first on; all of them where the column is not longer. */
  rows: number;
  /** Part of the names of all groups of arrays, so that those of an older build stay. */
  build: string;
  /** Chunks from the first on that need not be read. */
  recalled?: Recalled | undefined;
  /** The same for a zone map alone. */
  recalledZones?: RecalledZones | undefined;
  /** Columns that may hold the boxes of an R-tree, the first that do are recorded; in a group of this name. */
  coverings?: { builders: readonly CoveringBuilder[]; build: string } | undefined;
  /** Told of rows that are read. */
  onRows?: ((rows: number) => void) | undefined;
}

export interface EncodedColumn {
  /** `undefined`: none was asked for, or the column has too many different values for a category index. */
  index: EncodedIndex | undefined;
  zones: EncodedIndex;
  truth: EncodedIndex;
}

/** Takes the rows of a column; false: it has enough of them. */
interface Taker {
  add(vector: Vector, shapes: Shapes | undefined): boolean;
  finish(name: string): EncodedIndex;
}

/** @throws ZarrsiftError `bad_geometry` naming the row, and what reading throws */
export async function encodeColumn(
  column: MetaColumn,
  store: Store,
  options: EncodeOptions,
): Promise<EncodedColumn> {
  const { kind, rows, build, recalledZones: before } = options;
  const zones = new ZonesBuilder(column.type);
  const chunks: StoredChunk[] = [...(before?.stored ?? [])];
  if (before) zones.addZones(before.zones, chunks.length);
  let taker = kind && takerOf(kind, column, rows);
  let done = chunks.length * column.chunkRows;
  if (done > 0) options.onRows?.(done);
  for await (const { vector, stored, ...known } of allChunks(column, store, options)) {
    const shapes =
      column.type.kind === "geometry"
        ? (known.shapes ?? shapesOf(vector as BytesVector, { column: column.name, row: done }))
        : undefined;
    if (taker && !taker.add(vector, shapes)) taker = undefined;
    if (shapes) zones.addShapes(shapes);
    else zones.addChunk(vector);
    if (shapes) for (const builder of options.coverings?.builders ?? []) await builder.add(shapes);
    chunks.push(stored);
    done += vector.length;
    options.onRows?.(vector.length);
  }
  const name = `${column.name}/${build}`;
  const truth = encodeTruth(column, chunks, store.snapshot);
  const tree = (of: Taker) => covered(moved(of.finish(column.name), build, "side"), column.name, options);
  return {
    index: kind === "rtree" ? taker && tree(taker) : taker?.finish(name),
    zones: zones.finish(name, column.chunkRows),
    truth: moved({ ...truth, record: { ...truth.record, rows } }, build),
  };
}

function covered(tree: EncodedIndex, name: string, { coverings }: EncodeOptions): EncodedIndex {
  const covering = coverings && coveringOf(coverings.builders, name, coverings.build);
  if (!covering) return tree;
  return {
    arrays: [...tree.arrays, ...covering.arrays],
    record: { ...tree.record, covering: covering.record },
  };
}

/** The chunks in order: what is recalled, then what is read. */
async function* allChunks(
  column: MetaColumn,
  store: Store,
  options: EncodeOptions,
): AsyncGenerator<ReadChunk & { shapes?: Shapes }> {
  const { recalled, recalledZones, rows, signal } = options;
  for (let chunk = 0; chunk < (recalled?.chunks ?? 0); chunk++) {
    signal?.throwIfAborted();
    yield { ...recalled!.chunk(chunk), stored: recalled!.stored[chunk]! };
  }
  const first = recalled?.chunks ?? recalledZones?.stored.length ?? 0;
  yield* readChunks(column, store, rows, first, options);
}

/** The truth of a column alone, its chunks not decoded. */
export async function encodeTruthNow(
  column: MetaColumn,
  store: Store,
  build: string,
  options: ReadOptions = {},
): Promise<EncodedIndex> {
  const count = Math.ceil(column.rows / column.chunkRows);
  const chunks = await mapLimit(Array.from({ length: count }), 4, async (_, chunk) => {
    const stat = await store.stat(column.keyOf(chunk), options);
    return storedChunk(await store.get(column.keyOf(chunk), options), stat?.stamp);
  });
  return moved(encodeTruth(column, chunks, store.snapshot), build);
}

function takerOf(kind: IndexKind, column: MetaColumn, rows: number): Taker {
  const { type, chunkRows } = column;
  if (kind === "rtree") return spatialTaker(rows);
  if (kind === "category") {
    const builder = new CategoryBuilder(type, rows, chunkRows, MOST_VALUES);
    return { add: (vector) => builder.addVector(vector), finish: (name) => builder.finish(name) };
  }
  const builder = new OrderedBuilder(type, rows, chunkRows);
  return {
    add(vector) {
      builder.addVector(vector);
      return true;
    },
    finish: (name) => builder.finish(name),
  };
}

function spatialTaker(rows: number): Taker {
  const builder = new RTreeBuilder(rows);
  return {
    add(_, shapes) {
      builder.add(shapes!);
      return true;
    },
    finish: (name) => builder.finish(name),
  };
}

/** An index whose arrays have another place: the build's id behind the group that its record names. */
export function moved({ arrays, record }: EncodedIndex, build: string, field = "path"): EncodedIndex {
  const from = String(record[field]).slice("indexes/".length);
  const place = (array: IndexArray) =>
    array.path.startsWith(`${from}/`) ? `${from}/${build}${array.path.slice(from.length)}` : array.path;
  return {
    arrays: arrays.map((array) => ({ ...array, path: place(array) })),
    record: { ...record, [field]: `indexes/${from}/${build}` },
  };
}
