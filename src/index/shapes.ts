/** What an R-tree takes of geometries: their boxes, in [-180, 180]. */
import { isZarrsiftError, ZarrsiftError } from "../errors.ts";
import { type Box, homeShift, rowBoxes } from "../geometry/longitude.ts";
import { quadrangle, wkbBox, wkbIsBox } from "../geometry/wkb-box.ts";
import { parseWkb } from "../geometry/wkb-read.ts";
import { parseWkt } from "../geometry/wkt-read.ts";
import type { BytesVector } from "../table/vector.ts";

/** Of some rows in a run. */
export interface Shapes {
  readonly length: number;
  /** Shape (length, 4): Infinity where a row is NULL or empty; from -180 to 180 where it crosses ±180. */
  readonly boxes: Float64Array;
  /** 1 where a row is exactly its box. */
  readonly isBox: Uint8Array;
  /** The two real boxes of those that cross ±180, ascending. */
  readonly crossing: { at: number; boxes: readonly [Box, Box] }[];
}

/**
 * The shapes of a geometry column's chunk.
 *
 * @param place where it stands, for errors
 * @throws ZarrsiftError `bad_geometry` naming the row
 */
export function shapesOf(vector: BytesVector, place: { column: string; row: number }): Shapes {
  const { length } = vector;
  const shapes: Shapes = {
    length,
    boxes: new Float64Array(4 * length).fill(Infinity),
    isBox: new Uint8Array(length),
    crossing: [],
  };
  const isWkt = vector.type.kind === "geometry" && vector.type.encoding === "wkt";
  const put = isWkt ? putWkt : putWkb;
  let i = 0;
  try {
    for (; i < length; i++) {
      const [start, end] = [vector.starts[i]!, vector.ends[i]!];
      if (!vector.nulls?.[i] && start !== end) put(shapes, i, vector.data, start, end);
    }
  } catch (error) {
    throw isZarrsiftError(error, "bad_geometry") ? atRow(error, place.column, place.row + i) : error;
  }
  return shapes;
}

/** Makes `extent` (west, south, east, north) hold the boxes, too. @returns how many rows have none */
export function widen(extent: Float64Array, { boxes }: Shapes): number {
  let none = 0;
  for (let at = 0; at < boxes.length; at += 4) {
    if (boxes[at] === Infinity) {
      none++;
      continue;
    }
    if (boxes[at]! < extent[0]!) extent[0] = boxes[at]!;
    if (boxes[at + 1]! < extent[1]!) extent[1] = boxes[at + 1]!;
    if (boxes[at + 2]! > extent[2]!) extent[2] = boxes[at + 2]!;
    if (boxes[at + 3]! > extent[3]!) extent[3] = boxes[at + 3]!;
  }
  return none;
}

/** Of no box: the smallest box to `widen`. */
export const noExtent = (): Float64Array => Float64Array.of(Infinity, Infinity, -Infinity, -Infinity);

const box = new Float64Array(4);
const decoder = new TextDecoder();

function putWkb(shapes: Shapes, i: number, data: Uint8Array, start: number, end: number): void {
  const four = quadrangle(data, start, end, box);
  if (four === 0 && !wkbBox(data, start, end, box)) return;
  const isBox = four === 2 || (four === 0 && wkbIsBox(data, start, end));
  if (box[0]! >= -180 && box[2]! <= 180 && box[2]! - box[0]! < 360) {
    for (let side = 0; side < 4; side++) shapes.boxes[4 * i + side] = box[side]!;
    shapes.isBox[i] = isBox ? 1 : 0;
    return;
  }
  // One turn away from home it is still its box: the shift is exact.
  const home = homeShift(box[0]!, box[2]!) !== 0;
  putBoxes(shapes, i, rowBoxes(parseWkb(data, start, end)));
  shapes.isBox[i] = isBox && home ? 1 : 0;
}

function putWkt(shapes: Shapes, i: number, data: Uint8Array, start: number, end: number): void {
  putBoxes(shapes, i, rowBoxes(parseWkt(decoder.decode(data.subarray(start, end)))));
}

function putBoxes({ boxes, crossing }: Shapes, i: number, [first, second]: readonly Box[]): void {
  if (!first) return;
  if (second) crossing.push({ at: i, boxes: [first, second] });
  const whole = second ? [-180, Math.min(first[1], second[1]), 180, Math.max(first[3], second[3])] : first;
  boxes.set(whole, 4 * i);
}

function atRow(error: Error, column: string, row: number): ZarrsiftError {
  const message = `Row ${row} of column ${column}: ${error.message}`;
  return new ZarrsiftError("bad_geometry", message, { cause: error, details: { column, row } });
}
