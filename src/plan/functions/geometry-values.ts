/** Functions that make geometry. */

import { parseGeoJson } from "../../geometry/geojson.ts";
import { envelope, type Geometry, point } from "../../geometry/geometry.ts";
import { wkbBox } from "../../geometry/wkb-box.ts";
import { writeWkb } from "../../geometry/wkb-write.ts";
import { parseWkt } from "../../geometry/wkt-read.ts";
import type { SqlType } from "../../table/types.ts";
import { type BytesVector, cellAt, type Vector } from "../../table/vector.ts";
import type { BoundExpr } from "../bind/bound.ts";
import type { Frame } from "../eval/frame.ts";
import { atRow } from "../eval/spatial.ts";
import { vectorOf } from "../eval/vectors.ts";

export const GEOMETRY: SqlType = { kind: "geometry", encoding: "wkb" };

/** What geometry constructors take, by name; the optional last argument of all of them is an SRID, 4326. */
export const CONSTRUCTORS: ReadonlyMap<string, ("string" | "bytes" | "number")[]> = new Map([
  ["st_geomfromtext", ["string"]],
  ["st_geometryfromtext", ["string"]],
  ["st_geomfromwkb", ["bytes"]],
  ["st_geomfromgeojson", ["string"]],
  ["st_makeenvelope", ["number", "number", "number", "number"]],
  ["st_point", ["number", "number"]],
  ["st_makepoint", ["number", "number"]],
]);

type ValueFn = (frame: Frame) => Vector;

/** The function of `CONSTRUCTORS` called `name`, as WKB. */
export function geometryFunction(
  name: string,
  args: readonly BoundExpr[],
  values: readonly ValueFn[],
): ValueFn {
  if (name === "st_geomfromwkb")
    return (frame) => checkedWkb(frame, args[0]!, values[0]!(frame) as BytesVector);
  const make = MAKERS[name]!;
  return (frame) => {
    const vectors = values.map((value) => value(frame));
    const cells = Array.from({ length: frame.length }, (_, i) => {
      const row = vectors.map((vector) => cellAt(vector, i));
      if (row.includes(null)) return null;
      try {
        return writeWkb(make(row));
      } catch (error) {
        throw isFolding(args) ? error : atRow(error, args[0]!, frame.idx()[i]!);
      }
    });
    return vectorOf(GEOMETRY, cells);
  };
}

const isFolding = (args: readonly BoundExpr[]) => args.every((arg) => arg.node === "constant");

const MAKERS: Record<string, (row: unknown[]) => Geometry> = {
  st_geomfromtext: ([text]) => parseWkt(text as string),
  st_geometryfromtext: ([text]) => parseWkt(text as string),
  st_geomfromgeojson: ([text]) => parseGeoJson(text as string),
  st_makeenvelope: (row) => envelope(...(row.map(Number) as [number, number, number, number])),
  st_point: ([x, y]) => point(Number(x), Number(y)),
  st_makepoint: ([x, y]) => point(Number(x), Number(y)),
};

/** The same bytes as geometry; each is read through once. */
function checkedWkb(frame: Frame, arg: BoundExpr, vector: BytesVector): Vector {
  const box = new Float64Array(4);
  for (let i = 0; i < vector.length; i++) {
    if (vector.nulls?.[i]) continue;
    try {
      wkbBox(vector.data, vector.starts[i]!, vector.ends[i]!, box);
    } catch (error) {
      throw arg.node === "constant" ? error : atRow(error, arg, frame.idx()[i]!);
    }
  }
  return { ...vector, type: GEOMETRY };
}
