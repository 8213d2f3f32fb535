/** Which columns hold geometry and time, inferred from attributes, names and values. */
import { looksLikeWkb, looksLikeWkt } from "../geometry/sniff.ts";
import type { JsonObject } from "../zarr/json.ts";
import type { MetaColumn } from "./column.ts";
import type { Column, Roles } from "./table.ts";
import type { SqlType } from "./types.ts";
import type { Vector } from "./vector.ts";

const GEOMETRY_NAMES = ["bbox", "geometry", "footprint"];
const TIME_NAMES = ["datetime", "date", "time", "timestamp", "start_datetime", "start_time"];
const TIME_PAIRS = [
  ["start_datetime", "end_datetime"],
  ["start_time", "end_time"],
  ["time_start", "time_end"],
  ["time_coverage_start", "time_coverage_end"],
] as const;

type Geometry = Extract<SqlType, { kind: "geometry" }>;

/**
 * The geometry type of a text or bytes column that its attributes (`ARROW:extension:name`) or its name declare.
 * What the name suggests only counts where no attribute says otherwise.
 */
export function declaredGeometry(name: string, type: SqlType, attributes: JsonObject): Geometry | undefined {
  const encoding = type.kind === "bytes" ? "wkb" : type.kind === "string" ? "wkt" : undefined;
  if (!encoding) return undefined;
  const extension = attributes["ARROW:extension:name"];
  const declared = extension === "geoarrow.wkb" || extension === "geoarrow.wkt" || extension === "ogc.wkb";
  return declared || (extension === undefined && GEOMETRY_NAMES.includes(name.toLowerCase()))
    ? { kind: "geometry", encoding }
    : undefined;
}

/** The geometry type of a column by its first non-empty values, where all of those parse. Reads one chunk. */
export async function sniffedGeometry(column: MetaColumn): Promise<Geometry | undefined> {
  const encoding = column.type.kind === "bytes" ? "wkb" : column.type.kind === "string" ? "wkt" : undefined;
  if (!encoding || column.rows === 0) return undefined;
  const values = firstValues(await column.read(0), 8);
  const looks = encoding === "wkb" ? looksLikeWkb : looksLikeWkt;
  return values.length > 0 && values.every(looks) ? { kind: "geometry", encoding } : undefined;
}

function firstValues(vector: Vector, most: number): Uint8Array[] {
  if (vector.kind !== "bytes") return [];
  const values: Uint8Array[] = [];
  for (let i = 0; i < vector.length && values.length < most; i++) {
    if (!vector.nulls?.[i] && vector.ends[i]! > vector.starts[i]!) {
      values.push(vector.data.subarray(vector.starts[i], vector.ends[i]));
    }
  }
  return values;
}

/** The columns that `bbox=` and `datetime=` mean, by type and by the names that collections use. */
export function inferRoles(columns: ReadonlyMap<string, Column>): Roles {
  const ofKind = (kind: SqlType["kind"]) =>
    [...columns.values()].filter((c) => c.type.kind === kind).map((c) => c.name);
  const geometries = ofKind("geometry");
  const times = ofKind("timestamp");
  const geometry = GEOMETRY_NAMES.find((name) => geometries.includes(name)) ?? geometries[0];
  const pair = TIME_PAIRS.find(([start, end]) => times.includes(start) && times.includes(end));
  const time = pair
    ? { start: pair[0], end: pair[1] }
    : (TIME_NAMES.find((name) => times.includes(name)) ?? times[0]);
  return { ...(geometry !== undefined && { geometry }), ...(time !== undefined && { time }) };
}
