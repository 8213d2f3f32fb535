/**
 * A view's own `/meta`: its rows' fields in view order, `source_idx` and `array_location`, so that a view is a
 * collection too. Plain columns keep the source's dtype, attributes and stored values.
 */
import type { OutputColumn } from "../plan/api.ts";
import type { NullValue } from "../table/cf.ts";
import type { MetaColumn } from "../table/column.ts";
import { packBytes, type Vector } from "../table/vector.ts";
import type { ChunkData } from "../zarr/chunk.ts";
import { JsonNumber, type JsonObject, type JsonValue } from "../zarr/json.ts";
import type { DataType } from "../zarr/metadata.ts";
import type { ServedArray } from "./face.ts";
import type { Fields } from "./fields.ts";
import { fillOrZero } from "./mask.ts";
import { storedRows } from "./rows.ts";
import { type LoadVector, storageOf, storedVector } from "./stored-values.ts";
import { idxArray, type MakeChunk, synthetic } from "./synthetic.ts";

const META_ROW = "meta_row";

/** Columns that a view's `/meta` makes from the view itself: the rows' idx in what was queried, and their paths. */
export const SOURCE_IDX = "source_idx";
const ARRAY_LOCATION = "array_location";

export interface MetaGroupInput {
  fields: Fields;
  idx: Float64Array;
  /** Absolute paths of the granules in this view; absent when stacked. */
  locations: string[] | undefined;
  /** The source's columns, for fields that are just one of them. */
  columns: ReadonlyMap<string, MetaColumn>;
  /** Values of field `field` (position in `fields.columns`) for the rows `idx`. */
  load(field: number, idx: Float64Array): Promise<Vector>;
}

/** The arrays of `/meta` by name. */
export async function metaArrays(input: MetaGroupInput): Promise<Map<string, ServedArray>> {
  const arrays = new Map<string, ServedArray>();
  const { idx, locations } = input;
  const add = (name: string, array: Omit<ServedArray, "path">) =>
    arrays.set(name, { path: `meta/${name}`, ...array });
  for (const [i, field] of input.fields.columns.entries()) {
    if (["idx", SOURCE_IDX, ARRAY_LOCATION].includes(field.name)) continue;
    const isIdx = field.column === undefined || field.column === "idx";
    const column = isIdx ? undefined : input.columns.get(field.column!);
    add(
      field.name,
      column ? columnArray(column, idx) : await computedArray(field, idx, (rows) => input.load(i, rows)),
    );
  }
  add(SOURCE_IDX, idxArray(idx, META_ROW));
  if (locations) {
    const paths = async (from: number, to: number, length: number) =>
      textChunk(locations.slice(from, to), length);
    add(
      ARRAY_LOCATION,
      synthetic({ dataType: { kind: "string" }, fillValue: "", attributes: {} }, idx.length, META_ROW, paths),
    );
  }
  return arrays;
}

/** The stored values of the view's rows, with what says which of them are NULL. */
function columnArray(column: MetaColumn, idx: Float64Array): Omit<ServedArray, "path"> {
  const { meta, decoding } = column;
  const make: MakeChunk = async (from, to, length) =>
    withNaT(await storedRows(column, idx.slice(from, to), length), decoding.nulls);
  const storage = {
    dataType: meta.dataType,
    fillValue: fillOrZero(meta),
    attributes: nullAttributes(column),
  };
  return synthetic(storage, idx.length, META_ROW, make);
}

/** A v2 `fill_value` that is NULL is said as `missing_value`, since the view's array has another format. */
function nullAttributes({ meta, decoding }: MetaColumn): JsonObject {
  if (meta.format === 3) return meta.attributes;
  const { _FillValue: _, missing_value: __, ...others } = meta.attributes;
  const nulls = isTime(meta.dataType) ? [] : decoding.nulls.map((value) => nullJson(value, meta.dataType));
  if (nulls.length === 0) return others;
  return { ...others, missing_value: nulls.length === 1 ? nulls[0]! : nulls };
}

const isTime = ({ kind }: DataType) => kind === "datetime64" || kind === "timedelta64";

function nullJson(value: NullValue, { kind }: DataType): JsonValue {
  if (value instanceof Uint8Array) {
    const isText = kind === "string" || kind === "fixed_string";
    return isText ? new TextDecoder().decode(value) : btoa(String.fromCharCode(...value));
  }
  if (kind === "bool") return value === 1;
  return Number.isFinite(Number(value)) ? new JsonNumber(String(value)) : String(value);
}

const NAT = -(2n ** 63n);

/** Times that count as NULL become NaT, which is NULL everywhere. */
function withNaT(chunk: ChunkData, nulls: readonly NullValue[]): ChunkData {
  const others = nulls.filter((value) => typeof value === "bigint" && value !== NAT);
  if (
    !("data" in chunk) ||
    !(chunk.data instanceof BigInt64Array) ||
    !nulls.includes(NAT) ||
    others.length === 0
  )
    return chunk;
  return { data: chunk.data.map((value) => (others.includes(value) ? NAT : value)) };
}

/** An expression's values. */
async function computedArray(
  field: OutputColumn,
  idx: Float64Array,
  load: LoadVector,
): Promise<Omit<ServedArray, "path">> {
  const storage = await storageOf(field.type, idx, load);
  const make: MakeChunk = async (from, to, length) =>
    storedVector(await load(idx.slice(from, to)), storage, length);
  return synthetic(storage, idx.length, META_ROW, make);
}

function textChunk(values: string[], length: number): ChunkData {
  const encoder = new TextEncoder();
  return packBytes(
    values.map((value) => encoder.encode(value)),
    length,
  );
}
