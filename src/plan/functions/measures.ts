/** Functions from geometry to numbers, text, bytes and other geometry, as drawn and stored: planar degrees. */

import { ZarrsiftError } from "../../errors.ts";
import { distance, dwithin, PreparedDistance } from "../../geometry/distance.ts";
import { writeGeoJson } from "../../geometry/geojson.ts";
import { boundingBox, type Geometry, isEmpty } from "../../geometry/geometry.ts";
import { area, centroid, envelopeOf } from "../../geometry/measure.ts";
import { writeWkb } from "../../geometry/wkb-write.ts";
import { writeWkt } from "../../geometry/wkt-write.ts";
import { BOOL, BYTES, FLOAT64, type SqlType, STRING } from "../../table/types.ts";
import { type BytesVector, type CellValue, cellAt, type Vector } from "../../table/vector.ts";
import type { BoundExpr } from "../bind/bound.ts";
import type { Frame } from "../eval/frame.ts";
import { atRow, geometryAt } from "../eval/spatial.ts";
import { vectorOf } from "../eval/vectors.ts";
import { farRows } from "./far-apart.ts";
import type { ArgumentKind } from "./scalar.ts";

const GEOMETRY: SqlType = { kind: "geometry", encoding: "wkb" };

interface Measure {
  args: readonly ArgumentKind[];
  result: SqlType;
  /** undefined is NULL. */
  of(geometry: Geometry, ...more: never[]): CellValue | undefined;
  /** The same between two geometries, one of them made ready. */
  between?(prepared: PreparedDistance, other: Geometry, limit: number | bigint): CellValue | undefined;
}

/** By name: geometry comes first. */
export const MEASURES: ReadonlyMap<string, Measure> = new Map<string, Measure>([
  ["st_area", measure(FLOAT64, area)],
  ["st_centroid", measure(GEOMETRY, (geometry) => writeWkb(centroid(geometry)))],
  ["st_envelope", measure(GEOMETRY, (geometry) => writeWkb(envelopeOf(geometry)))],
  ["st_xmin", measure(FLOAT64, (geometry) => boundingBox(geometry)?.[0])],
  ["st_ymin", measure(FLOAT64, (geometry) => boundingBox(geometry)?.[1])],
  ["st_xmax", measure(FLOAT64, (geometry) => boundingBox(geometry)?.[2])],
  ["st_ymax", measure(FLOAT64, (geometry) => boundingBox(geometry)?.[3])],
  ["st_x", measure(FLOAT64, (geometry) => ordinate(geometry, 0))],
  ["st_y", measure(FLOAT64, (geometry) => ordinate(geometry, 1))],
  ["st_astext", measure(STRING, writeWkt)],
  ["st_asgeojson", measure(STRING, (geometry) => JSON.stringify(writeGeoJson(geometry)))],
  ["st_asbinary", measure(BYTES, writeWkb)],
  ["st_isempty", measure(BOOL, isEmpty)],
  ["st_geometrytype", measure(STRING, ({ type }) => type.toUpperCase())],
  [
    "st_distance",
    {
      args: ["geometry", "geometry"],
      result: FLOAT64,
      of: distance,
      between: (prepared, other) => prepared.to(other),
    },
  ],
  [
    "st_dwithin",
    {
      args: ["geometry", "geometry", "number"],
      result: BOOL,
      of: (a, b, limit) => dwithin(a, b, Number(limit)),
      between: (prepared, other, limit) => prepared.within(other, Number(limit)),
    },
  ],
]);

function measure(result: SqlType, of: (geometry: Geometry) => CellValue | undefined): Measure {
  return { args: ["geometry"], result, of };
}

function ordinate(geometry: Geometry, i: number): number | undefined {
  if (geometry.type === "Point") return geometry.coordinates[i];
  const name = geometry.type.toUpperCase();
  throw new ZarrsiftError("sql_type", `ST_X() and ST_Y() take points, not a ${name}: write ST_Centroid(…)`);
}

type ValueFn = (frame: Frame) => Vector;

/** The measure called `name` as a function of frames. A broken geometry is named by its row. */
export function measureFunction(
  name: string,
  args: readonly BoundExpr[],
  values: readonly ValueFn[],
): ValueFn {
  const { result } = MEASURES.get(name)!;
  const measured = measureOf(name, args);
  const constants = new Map<BoundExpr, Geometry>();
  return (frame) => {
    const vectors = values.map((value) => value(frame));
    const isFar = name === "st_dwithin" ? farRows(vectors, args) : undefined;
    const read = vectors.map((vector, k) => reader(vector, args[k]!, constants));
    const cells = Array.from({ length: frame.length }, (_, i) => {
      if (vectors.some((vector) => vector.nulls?.[i])) return null;
      try {
        if (isFar?.(i)) return false;
        return measured(read.map((at) => at(i))) ?? null;
      } catch (error) {
        throw args.every((arg) => arg.node === "constant") ? error : atRow(error, args[0]!, frame.idx()[i]!);
      }
    });
    return vectorOf(result, cells);
  };
}

/** The measure of a row's arguments; for distances a constant geometry is made ready once. */
function measureOf(
  name: string,
  args: readonly BoundExpr[],
): (values: readonly (Geometry | CellValue)[]) => CellValue | undefined {
  const { of, between } = MEASURES.get(name)!;
  const fixed = args.findIndex(({ node }) => node === "constant");
  if (!between || fixed < 0 || fixed > 1)
    return ([first, ...more]) => of(first as Geometry, ...(more as never[]));
  let prepared: PreparedDistance | undefined;
  return (values) => {
    prepared ??= new PreparedDistance(values[fixed] as Geometry);
    return between(prepared, values[1 - fixed] as Geometry, values[2] as number | bigint);
  };
}

/** Values of one argument; a constant geometry is read once, and kept in `constants`. */
function reader(
  vector: Vector,
  arg: BoundExpr,
  constants: Map<BoundExpr, Geometry>,
): (i: number) => Geometry | CellValue {
  if (vector.type.kind !== "geometry") return (i) => cellAt(vector, i);
  const geometries = vector as BytesVector;
  if (arg.node !== "constant") return (i) => geometryAt(geometries, i);
  return (i) => {
    const known = constants.get(arg) ?? geometryAt(geometries, i);
    constants.set(arg, known);
    return known;
  };
}
