/** Envelopes of a geometry column's chunk: what most rows of a spatial condition need, at a sixth of the bytes. */
import { isZarrsiftError } from "../errors.ts";
import type { Geometry } from "../geometry/geometry.ts";
import { rowBoxes } from "../geometry/longitude.ts";
import { EMPTY, NULL, newRoundedBoxes, type RoundedBoxes, setBox } from "../geometry/rounded-boxes.ts";
import { quadrangle, wkbBox, wkbIsBox } from "../geometry/wkb-box.ts";
import { parseWkt } from "../geometry/wkt-read.ts";
import type { BytesVector } from "./vector.ts";

const envelope = new Float64Array(4);
const decoder = new TextDecoder();

/** Envelopes of the values, as drawn; values that are no geometry have none. */
export function boxesOf(vector: BytesVector): RoundedBoxes {
  const boxes = newRoundedBoxes(vector.length);
  const put = isWkt(vector) ? putWkt : putWkb;
  for (let i = 0; i < vector.length; i++) {
    if (vector.nulls?.[i]) {
      boxes.known[i] = NULL;
      continue;
    }
    try {
      put(boxes, i, vector, vector.starts[i]!, vector.ends[i]!);
    } catch (error) {
      if (!isZarrsiftError(error) || error.code !== "bad_geometry") throw error;
    }
  }
  return boxes;
}

const isWkt = ({ type }: BytesVector) => type.kind === "geometry" && type.encoding === "wkt";

function putWkb(boxes: RoundedBoxes, i: number, { data }: BytesVector, start: number, end: number): void {
  const shape = quadrangle(data, start, end, envelope);
  if (shape > 0) setBox(boxes, i, envelope, shape === 2);
  else if (wkbBox(data, start, end, envelope)) setBox(boxes, i, envelope, wkbIsBox(data, start, end));
  else boxes.known[i] = EMPTY;
}

function putWkt(boxes: RoundedBoxes, i: number, { data }: BytesVector, start: number, end: number): void {
  const geometry: Geometry = parseWkt(decoder.decode(data.subarray(start, end)));
  const [only, other] = rowBoxes(geometry);
  if (!only) boxes.known[i] = EMPTY;
  else if (!other) setBox(boxes, i, Float64Array.from(only), false);
}
