/** The R-tree of a geometry column. Format: docs/indexes.md. */
import Flatbush from "flatbush";
import type { Box } from "../geometry/longitude.ts";
import { type EncodedIndex, wholeSum, withPageSums } from "./arrays.ts";
import { noExtent, type Shapes, widen } from "./shapes.ts";

/**
 * Collects the boxes of a column, row after row, and packs them. Takes 40 bytes a row and, at the end, 5 more.
 */
export class RTreeBuilder {
  readonly #tree: Flatbush | undefined;
  readonly #rows: number;
  readonly #boxRows: Uint8Array;
  readonly #crossing: { row: number; boxes: readonly [Box, Box] }[] = [];
  readonly #extent = noExtent();
  #added = 0;
  #nulls = 0;
  #notBoxes = 0;

  /** @param rows how many will be added; at most 2^32 / 4 nodes */
  constructor(rows: number) {
    this.#rows = rows;
    this.#tree = rows > 0 ? new Flatbush(rows, 16, Float64Array) : undefined;
    this.#boxRows = new Uint8Array(Math.ceil(rows / 8));
  }

  /** The next rows of the column. */
  add(shapes: Shapes): void {
    const from = this.#added;
    this.#added += shapes.length;
    if (this.#tree) addBoxes(this.#tree, shapes.boxes);
    const nulls = widen(this.#extent, shapes);
    this.#nulls += nulls;
    this.#notBoxes += shapes.length - nulls - setBits(this.#boxRows, from, shapes.isBox);
    for (const { at, boxes } of shapes.crossing) this.#crossing.push({ row: from + at, boxes });
  }

  /** @param column names the arrays: `<column>`, `_zarrsift/rtree/<column>/…` */
  finish(column: string): EncodedIndex {
    if (this.#added !== this.#rows) throw new RangeError(`${this.#added} rows were added, not ${this.#rows}`);
    const side = `_zarrsift/rtree/${column}`;
    const isBox =
      this.#notBoxes === 0 ? "all" : this.#notBoxes + this.#nulls === this.#rows ? "none" : "bits";
    const crossingRows = Uint32Array.from(this.#crossing, ({ row }) => row);
    const crossingBoxes = Float64Array.from(this.#crossing.flatMap(({ boxes }) => boxes.flat()));
    const arrays = [
      ...withPageSums({ path: column, data: this.#pack() }, `${side}/crc`),
      ...(crossingRows.length > 0
        ? [
            { path: `${side}/crossing_rows`, data: crossingRows },
            { path: `${side}/crossing_boxes`, data: crossingBoxes },
          ]
        : []),
      ...(isBox === "bits" ? withPageSums({ path: `${side}/is_box`, data: this.#bitsByPosition() }) : []),
    ];
    const record = {
      kind: "rtree",
      path: `indexes/${column}`,
      side: `indexes/${side}`,
      covered: this.#rows,
      nulls: this.#nulls,
      isBox,
      crossing: crossingRows.length,
      ...(crossingRows.length > 0 && { crossingCrc: [wholeSum(crossingRows), wholeSum(crossingBoxes)] }),
    };
    return { arrays, record };
  }

  #pack(): Uint8Array {
    const tree = this.#tree;
    if (!tree) return new Uint8Array(0);
    // Or NULLs, which are at infinity, would leave all others no room on the curve they are sorted along.
    if (this.#rows > 16 && this.#nulls < this.#rows)
      [tree.minX, tree.minY, tree.maxX, tree.maxY] = this.#extent as unknown as Box;
    tree.finish();
    return new Uint8Array(tree.data as ArrayBuffer);
  }

  /** Bit `i` is about the `i`-th item of the packed tree, so that a probe finds its bits next to each other. */
  #bitsByPosition(): Uint8Array {
    const ids = (this.#tree as unknown as { _indices: Uint16Array | Uint32Array })._indices;
    const bits = new Uint8Array(this.#boxRows.length);
    for (let i = 0; i < this.#rows; i++) {
      const row = ids[i]!;
      if ((this.#boxRows[row >> 3]! >> (row & 7)) & 1) bits[i >> 3]! |= 1 << (i & 7);
    }
    return bits;
  }
}

// Loops over millions of rows are functions of their own: V8 keeps those compiled, and leaves longer ones at their end.

/** NULL is a point that no finite box meets; an empty box would be swept up with the node it is in by `search`. */
function addBoxes(tree: Flatbush, boxes: Float64Array): void {
  for (let at = 0; at < boxes.length; at += 4)
    tree.add(boxes[at]!, boxes[at + 1]!, boxes[at + 2]!, boxes[at + 3]!);
}

/** Sets the bits from number `from` on that are 1 in `flags`. @returns how many */
function setBits(bits: Uint8Array, from: number, flags: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < flags.length; i++) {
    if (flags[i] !== 1) continue;
    bits[(from + i) >> 3]! |= 1 << ((from + i) & 7);
    count++;
  }
  return count;
}
