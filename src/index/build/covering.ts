/** Whether four number columns hold the boxes of a geometry column's R-tree, row for row. */
import type { ReadOptions, Store } from "../../store/store.ts";
import type { MetaColumn } from "../../table/column.ts";
import type { NumberVector } from "../../table/vector.ts";
import type { JsonObject } from "../../zarr/json.ts";
import type { BySide } from "../api.ts";
import { type EncodedIndex, wholeSum } from "../arrays.ts";
import { SIDES } from "../covering.ts";
import { truthRecord } from "../records.ts";
import type { Shapes } from "../shapes.ts";
import { contentSums, encodeTruth, type StoredChunk } from "../truth.ts";
import { readChunks } from "./chunks.ts";
import type { Compared } from "./covering-before.ts";

/** Most rows, of all, whose columns hold something else than the box. */
const MOST_EXCEPTIONS = 0.02;

const NOTHING: Compared = {
  rows: 0,
  stored: [[], [], [], []],
  exceptions: { rows: [], values: [] },
};

/** Compares shapes, row after row, with four columns that it reads as it goes. */
export class CoveringBuilder {
  readonly columns: BySide<MetaColumn>;
  readonly #readers: readonly NumberReader[];
  readonly #most: number;
  readonly #exceptions: { rows: number[]; values: number[] };
  /** Rows from the first on that need not be compared. */
  readonly #before: number;
  #row = 0;

  /**
   * @param rows how many will be added
   * @param options.before of an earlier comparison: these rows are not read
   */
  constructor(
    columns: BySide<MetaColumn>,
    source: Store,
    rows: number,
    options: ReadOptions & { before?: Compared | undefined } = {},
  ) {
    const { before = NOTHING } = options;
    this.columns = columns;
    this.#before = before.rows;
    this.#exceptions = { rows: [...before.exceptions.rows], values: [...before.exceptions.values] };
    this.#readers = columns.map(
      (column, side) => new NumberReader(column, source, rows, before.rows, before.stored[side]!, options),
    );
    this.#most = Math.floor(rows * MOST_EXCEPTIONS);
  }

  /** False once too many rows differ: nothing more is read then. */
  get holds(): boolean {
    return this.#exceptions.rows.length <= this.#most;
  }

  /** The next rows of the geometry column. */
  async add({ length, boxes }: Shapes): Promise<void> {
    const known = Math.max(0, Math.min(length, this.#before - this.#row));
    this.#row += known;
    for (let from = known; from < length && this.holds; ) {
      const left = await Promise.all(this.#readers.map((reader) => reader.left()));
      const to = Math.min(length, from + Math.min(...left));
      this.#compare(boxes.subarray(4 * from, 4 * to));
      for (const reader of this.#readers) reader.skip(to - from);
      this.#row += to - from;
      from = to;
    }
  }

  #compare(boxes: Float64Array): void {
    const differ = new Uint8Array(boxes.length / 4);
    this.#readers.forEach((reader, side) => {
      reader.compare(boxes, side, differ);
    });
    for (let i = differ.indexOf(1); i >= 0; i = differ.indexOf(1, i + 1)) {
      this.#exceptions.rows.push(this.#row + i);
      for (const reader of this.#readers) this.#exceptions.values.push(reader.value(i));
    }
  }

  /**
   * `record` for `covering` in the record of the tree.
   * @param place where the arrays are, relative to `/indexes`
   */
  finish(place: string): EncodedIndex {
    const bySide = <T>(of: (side: number) => T) =>
      Object.fromEntries(SIDES.map((name, side) => [name, of(side)]));
    const record: JsonObject = {
      ...bySide((side) => this.columns[side]!.name),
      truth: bySide((side) => this.#readers[side]!.sums()),
    };
    const count = this.#exceptions.rows.length;
    if (count === 0) return { arrays: [], record };
    const rows = Uint32Array.from(this.#exceptions.rows);
    const values = Float64Array.from(this.#exceptions.values);
    const sums = [wholeSum(rows), wholeSum(values)];
    return {
      arrays: [
        { path: `${place}/rows`, data: rows },
        { path: `${place}/values`, data: values },
      ],
      record: { ...record, exceptions: { path: `indexes/${place}`, count, sums } },
    };
  }
}

/** What the first of them that holds has found; `name`: the geometry column's. */
export function coveringOf(
  builders: readonly CoveringBuilder[],
  name: string,
  build: string,
): EncodedIndex | undefined {
  return builders.find(({ holds }) => holds)?.finish(`_zarrsift/covering/${name}/${build}`);
}

/** A number column from a row on, of which the chunks before are known; NULL is NaN. */
class NumberReader {
  readonly #column: MetaColumn;
  readonly #chunks: ReturnType<typeof readChunks>;
  readonly #stored: StoredChunk[];
  #vector: NumberVector | undefined;
  /** Of the vector's rows, the next one. */
  #at: number;

  constructor(
    column: MetaColumn,
    source: Store,
    rows: number,
    from: number,
    before: readonly StoredChunk[],
    options: ReadOptions,
  ) {
    this.#column = column;
    this.#stored = [...before];
    this.#at = from % column.chunkRows;
    // Four columns are read at once, beside the geometry.
    this.#chunks = readChunks(column, source, rows, before.length, options, 1);
  }

  /** Rows at hand, at least one; the next chunk is read where none are. */
  async left(): Promise<number> {
    while (!this.#vector || this.#at >= this.#vector.length) {
      const { value, done } = await this.#chunks.next();
      if (done) throw new RangeError(`${this.#column.name} has fewer rows than are compared with it`);
      if (this.#vector) this.#at = 0;
      this.#vector = value.vector as NumberVector;
      this.#stored.push(value.stored);
    }
    return this.#vector.length - this.#at;
  }

  /** Marks the rows, from the next one on, that hold something else than this side of their boxes. */
  compare(boxes: Float64Array, side: number, differ: Uint8Array): void {
    const { values, nulls } = this.#vector!;
    for (let i = 0, at = this.#at; i < differ.length; i++, at++) {
      const value = nulls?.[at] ? Number.NaN : values[at]!;
      const wanted = boxes[4 * i + side]!;
      // Where there is no box there should be NULL.
      if (wanted === Infinity ? !Number.isNaN(value) : value !== wanted) differ[i] = 1;
    }
  }

  /** Of the row so many ahead, which is at hand. */
  value(ahead: number): number {
    const { values, nulls } = this.#vector!;
    return nulls?.[this.#at + ahead] ? Number.NaN : values[this.#at + ahead]!;
  }

  skip(rows: number): void {
    this.#at += rows;
  }

  /** What was read, as the column's truth would have it. */
  sums(): number[] {
    const { record } = encodeTruth(this.#column, this.#stored, undefined);
    return contentSums(truthRecord(record));
  }
}
