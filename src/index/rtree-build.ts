/** The R-tree of a geometry column. Format: docs/indexes.md. */
import Flatbush from "flatbush";
import type { Box } from "../geometry/longitude.ts";
import { homeShift, rowBoxes } from "../geometry/longitude.ts";
import { quadrangle, wkbBox, wkbIsBox } from "../geometry/wkb-box.ts";
import { parseWkb } from "../geometry/wkb-read.ts";
import { parseWkt } from "../geometry/wkt-read.ts";
import type { BytesVector } from "../table/vector.ts";
import { type EncodedIndex, wholeSum, withPageSums } from "./arrays.ts";

/** Boxes of one geometry value. */
export interface RowShape {
  /** None where it is NULL or empty, two where it crosses ±180; within [-180, 180]. */
  boxes: readonly Box[];
  /** Whether it is exactly its box, as it is stored and in [-180, 180]. */
  isBox: boolean;
}

const EMPTY: RowShape = { boxes: [], isBox: false };
const box = new Float64Array(4);

/**
 * The boxes of value `i` of a geometry column.
 * @throws ZarrsiftError `bad_geometry`
 */
export function rowShape(vector: BytesVector, i: number): RowShape {
  const [start, end] = [vector.starts[i]!, vector.ends[i]!];
  if (vector.nulls?.[i] || start === end) return EMPTY;
  if (vector.type.kind === "geometry" && vector.type.encoding === "wkt") {
    const geometry = parseWkt(new TextDecoder().decode(vector.data.subarray(start, end)));
    return { boxes: rowBoxes(geometry), isBox: false };
  }
  const { data } = vector;
  const four = quadrangle(data, start, end, box);
  if (four === 0 && !wkbBox(data, start, end, box)) return EMPTY;
  const isBox = four === 2 || (four === 0 && wkbIsBox(data, start, end));
  if (box[0]! >= -180 && box[2]! <= 180 && box[2]! - box[0]! < 360)
    return { boxes: [[box[0]!, box[1]!, box[2]!, box[3]!]], isBox };
  // One turn away from home it is still its box: the shift is exact.
  const home = homeShift(box[0]!, box[2]!) !== 0;
  return { boxes: rowBoxes(parseWkb(data, start, end)), isBox: isBox && home };
}

/** The box that a tree has of a shape with these: from -180 to 180 where it crosses ±180; `undefined`: none. */
export function treeBox([first, second]: readonly Box[]): Box | undefined {
  if (!first || !second) return first;
  return [-180, Math.min(first[1], second[1]), 180, Math.max(first[3], second[3])];
}

/**
 * Collects the boxes of a column, row after row, and packs them. Takes 40 bytes a row and, at the end, 5 more.
 */
export class RTreeBuilder {
  readonly #tree: Flatbush | undefined;
  readonly #rows: number;
  readonly #boxRows: Uint8Array;
  readonly #crossing: { row: number; boxes: readonly [Box, Box] }[] = [];
  readonly #extent: Box = [Infinity, Infinity, -Infinity, -Infinity];
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
  addVector(vector: BytesVector): void {
    for (let i = 0; i < vector.length; i++) this.add(rowShape(vector, i));
  }

  add({ boxes, isBox }: RowShape): void {
    const row = this.#added++;
    const [first, second] = boxes;
    const box = treeBox(boxes);
    if (!first || !box) {
      // A point that no finite box meets; an empty box would be swept up with the node it is in by `search`.
      this.#tree!.add(Infinity, Infinity, Infinity, Infinity);
      this.#nulls++;
      return;
    }
    if (isBox) this.#boxRows[row >> 3]! |= 1 << (row & 7);
    else this.#notBoxes++;
    if (second) this.#crossing.push({ row, boxes: [first, second] });
    this.#put(box);
  }

  #put([west, south, east, north]: Box): void {
    this.#tree!.add(west, south, east, north);
    const extent = this.#extent;
    if (west < extent[0]) extent[0] = west;
    if (south < extent[1]) extent[1] = south;
    if (east > extent[2]) extent[2] = east;
    if (north > extent[3]) extent[3] = north;
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
