/**
 * Fields of a stacked view as 1-D coordinates along its granules, in types that every client decodes: times as CF counts
 * in int64, outlines as WKT, bytes as base64.
 */
import { ZarrsiftError } from "../errors.ts";
import { textCell } from "../format/cell.ts";
import type { OutputColumn } from "../plan/api.ts";
import type { MetaColumn } from "../table/column.ts";
import type { SqlType, TimeUnit } from "../table/types.ts";
import { cellAt, packBytes, type Vector } from "../table/vector.ts";
import { JsonNumber, type JsonObject } from "../zarr/json.ts";
import type { ServedArray } from "./face.ts";
import { type LoadVector, type Storage, storageOf, storedVector } from "./stored-values.ts";
import { idxArray, type MakeChunk, synthetic } from "./synthetic.ts";

export interface CoordinateInput {
  fields: readonly OutputColumn[];
  idx: Float64Array;
  /** The granules' dimension. */
  dimension: string;
  /** Names at the root, and of dimensions, that no coordinate may have. */
  taken: ReadonlySet<string>;
  /** The source's columns, for what they say of their values. */
  columns: ReadonlyMap<string, MetaColumn>;
  /** Values of field `field` (position in `fields`) for the rows `idx`. */
  load(field: number, idx: Float64Array): Promise<Vector>;
}

/** Coordinates by name, `idx` first. @throws ZarrsiftError `field_collision` where a name and `meta_<name>` are both taken */
export async function coordinateArrays(input: CoordinateInput): Promise<Map<string, ServedArray>> {
  const { fields, idx, dimension, columns } = input;
  const names = coordinateNames(
    ["idx", ...fields.map((field) => field.name).filter((name) => name !== "idx")],
    input.taken,
  );
  const arrays = new Map<string, ServedArray>();
  const add = (field: string, array: Omit<ServedArray, "path">) => {
    const path = names.get(field)!;
    arrays.set(path, { path, ...array });
  };
  add("idx", idxArray(idx, dimension));
  for (const [i, field] of fields.entries()) {
    if (field.name === "idx") continue;
    const about = field.column === undefined ? {} : described(columns.get(field.column)?.meta.attributes);
    add(field.name, await fieldArray(field.type, about, idx, dimension, (rows) => input.load(i, rows)));
  }
  return arrays;
}

/** What each field is called: its own name, or `meta_<name>` where a variable or dimension has that. */
function coordinateNames(fields: readonly string[], taken: ReadonlySet<string>): Map<string, string> {
  const names = new Map(fields.map((name) => [name, taken.has(name) ? `meta_${name}` : name]));
  for (const [field, name] of names) {
    const other = name !== field && (taken.has(name) || fields.includes(name));
    if (!other) continue;
    throw new ZarrsiftError(
      "field_collision",
      `The field "${field}" cannot be a coordinate: the view has "${field}" and "${name}" already; leave it out of the ` +
        "SELECT list, or give it an alias",
      { details: { field } },
    );
  }
  return names;
}

/** Attributes that say how values are stored, which a coordinate says for itself. */
const STORAGE = new Set([
  ...["scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned", "dtype", "calendar"],
  ...["coordinates", "_ARRAY_DIMENSIONS", "bounds", "valid_range", "valid_min", "valid_max"],
]);

/** What a column says of its values: its name in words, its units. */
function described(attributes: JsonObject = {}): JsonObject {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => !STORAGE.has(name) && !name.startsWith("ARROW:")),
  );
}

async function fieldArray(
  type: SqlType,
  about: JsonObject,
  idx: Float64Array,
  dimension: string,
  load: LoadVector,
): Promise<Omit<ServedArray, "path">> {
  const shown = isText(type) ? async (rows: Float64Array) => asText(await load(rows)) : load;
  const storage =
    timeStorage(type) ?? (await storageOf(isText(type) ? { kind: "string" } : type, idx, shown));
  const make: MakeChunk = async (from, to, length) =>
    storedVector(await shown(idx.slice(from, to)), storage, length);
  return synthetic(
    { ...storage, attributes: { ...about, ...storage.attributes } },
    idx.length,
    dimension,
    make,
  );
}

const isText = ({ kind }: SqlType) => kind === "geometry" || kind === "bytes";

function asText(vector: Vector): Vector {
  const encoder = new TextEncoder();
  const texts = Array.from({ length: vector.length }, (_, i) =>
    encoder.encode(textCell(cellAt(vector, i), vector.type)),
  );
  return {
    kind: "bytes",
    type: { kind: "string" },
    length: vector.length,
    ...packBytes(texts),
    nulls: vector.nulls,
  };
}

const CF_UNITS: Record<TimeUnit, string> = {
  s: "seconds",
  ms: "milliseconds",
  us: "microseconds",
  ns: "nanoseconds",
};

/** Times as CF says them; a duration's `dtype` is how xarray says that its units are no quantity. */
function timeStorage(type: SqlType): Storage | undefined {
  if (type.kind !== "timestamp" && type.kind !== "duration") return undefined;
  const nat = new JsonNumber("-9223372036854775808");
  const units = CF_UNITS[type.unit];
  const attributes: JsonObject =
    type.kind === "timestamp"
      ? { units: `${units} since 1970-01-01`, calendar: "proleptic_gregorian", _FillValue: nat }
      : { units, dtype: `timedelta64[${type.unit}]`, _FillValue: nat };
  return { dataType: { kind: "int", bits: 64, signed: true }, fillValue: nat, attributes };
}
