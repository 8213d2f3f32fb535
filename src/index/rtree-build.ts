/** The R-tree of a geometry column. Format: docs/indexes.md. */
import Flatbush from "flatbush";
import type { Box } from "../geometry/longitude.ts";
import { type EncodedIndex, wholeSum, withPageSums } from "./arrays.ts";
import type { Shapes } from "./shapes.ts";

/**
 * Collects the boxes of a column, row after row, and packs them. Takes 40 bytes a row and, at the end, 5 more.
 */
export class RTreeBuilder {
  readonly #tree: Flatbush | undefined;
  readonly #rows: number;
  readonly #boxRows: Uint8Array;
  readonly #crossing: { row: number; boxes: readonly [Box, Box] }[] = [];
  #extent: Box = [Infinity, Infinity, -Infinity, -Infinity];
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
  add({ length, boxes, isBox, crossing }: Shapes): void {
    const from = this.#added;
    for (const { at, boxes } of crossing) this.#crossing.push({ row: from + at, boxes });
    let [west, south, east, north] = this.#extent;
    for (let i = 0, at = 0; i < length; i++, at += 4) {
      const [minX, minY, maxX, maxY] = [boxes[at]!, boxes[at + 1]!, boxes[at + 2]!, boxes[at + 3]!];
      // A NULL is a point that no finite box meets; an empty box would be swept up with the node it is in by `search`.
      this.#tree!.add(minX, minY, maxX, maxY);
      if (minX === Infinity) {
        this.#nulls++;
        continue;
      }
      if (isBox[i] === 1) this.#boxRows[(from + i) >> 3]! |= 1 << ((from + i) & 7);
      else this.#notBoxes++;
      if (minX < west) west = minX;
      if (minY < south) south = minY;
      if (maxX > east) east = maxX;
      if (maxY > north) north = maxY;
    }
    this.#extent = [west, south, east, north];
    this.#added += length;
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
      [tree.minX, tree.minY, tree.maxX, tree.maxY] = this.#extent;
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
