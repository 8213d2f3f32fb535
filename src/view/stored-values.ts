/** Values that a query computed → elements of an array that says which of them are NULL. */
import { arrayFor } from "../plan/eval/vectors.ts";
import { type SqlType, typeName } from "../table/types.ts";
import { packBytes, type Vector } from "../table/vector.ts";
import type { ChunkData } from "../zarr/chunk.ts";
import { JsonNumber, type JsonObject, type JsonValue } from "../zarr/json.ts";
import type { DataType } from "../zarr/metadata.ts";

const CHUNK_ROWS = 8192;

/** Values of some rows of one field. */
export type LoadVector = (idx: Float64Array) => Promise<Vector>;

/** How an array holds the values of an expression. */
export interface Storage {
  dataType: DataType;
  fillValue: JsonValue;
  attributes: JsonObject;
}

/** The dtype for values of `type`; types without a NULL of their own name a value that no row has in `_FillValue`. */
export async function storageOf(type: SqlType, idx: Float64Array, load: LoadVector): Promise<Storage> {
  const plain = (dataType: DataType, fillValue: JsonValue, attributes: JsonObject = {}): Storage => ({
    dataType,
    fillValue,
    attributes,
  });
  switch (type.kind) {
    case "float":
      return plain({ kind: "float", bits: type.bits === 16 ? 32 : type.bits }, "NaN");
    case "timestamp":
    case "duration": {
      const nat = new JsonNumber("-9223372036854775808");
      return plain(
        { kind: type.kind === "timestamp" ? "datetime64" : "timedelta64", unit: type.unit, scale: 1 },
        nat,
      );
    }
    case "geometry":
      return type.encoding === "wkb"
        ? plain({ kind: "bytes" }, "", { "ARROW:extension:name": "geoarrow.wkb" })
        : plain({ kind: "string" }, "", { "ARROW:extension:name": "geoarrow.wkt" });
    case "int": {
      const fill = await unusedInteger(type, idx, load);
      return plain(type, fill ?? 0, fill === undefined ? {} : { _FillValue: fill });
    }
    case "bool":
      return (await anyNull(idx, load))
        ? plain({ kind: "int", bits: 8, signed: true }, -1, { _FillValue: -1 })
        : plain({ kind: "bool" }, false);
    case "null":
      return plain({ kind: "float", bits: 64 }, "NaN");
    default: {
      const fill = (await anyNull(idx, load)) ? await unusedText(idx, load) : undefined;
      const attributes: JsonObject =
        fill === undefined ? {} : { _FillValue: type.kind === "bytes" ? btoa(fill) : fill };
      return plain(
        { kind: type.kind === "bytes" ? "bytes" : "string" },
        attributes._FillValue ?? "",
        attributes,
      );
    }
  }
}

async function anyNull(idx: Float64Array, load: LoadVector): Promise<boolean> {
  return someBlock(idx, load, (vector) => vector.nulls?.includes(1) ?? false);
}

async function someBlock(idx: Float64Array, load: LoadVector, test: (vector: Vector) => boolean) {
  for (let from = 0; from < idx.length; from += CHUNK_ROWS) {
    if (test(await load(idx.slice(from, from + CHUNK_ROWS)))) return true;
  }
  return false;
}

/** The type's lowest value, or the next one up that no row has; `undefined` where no row is NULL. */
async function unusedInteger(
  type: Extract<SqlType, { kind: "int" }>,
  idx: Float64Array,
  load: LoadVector,
): Promise<JsonValue | undefined> {
  if (!(await anyNull(idx, load))) return undefined;
  const used = new Set<bigint>();
  await someBlock(idx, load, (vector) => {
    if (vector.kind === "bytes") throw new TypeError(`${typeName(type)} values came as bytes`);
    for (let i = 0; i < vector.length; i++) if (!vector.nulls?.[i]) used.add(BigInt(vector.values[i]!));
    return false;
  });
  let fill = type.signed ? -(2n ** BigInt(type.bits - 1)) : 2n ** BigInt(type.bits) - 1n;
  while (used.has(fill)) fill += type.signed ? 1n : -1n;
  return Number.isSafeInteger(Number(fill)) ? Number(fill) : new JsonNumber(String(fill));
}

/** "" where no row has it, else the first of `\x00`, `\x00\x00` … that none has. */
async function unusedText(idx: Float64Array, load: LoadVector): Promise<string> {
  let length = 0;
  const taken = (vector: Vector) => {
    if (vector.kind !== "bytes") return false;
    for (let i = 0; i < vector.length; i++) {
      const size = vector.ends[i]! - vector.starts[i]!;
      if (
        !vector.nulls?.[i] &&
        size === length &&
        vector.data.subarray(vector.starts[i], vector.ends[i]).every((b) => b === 0)
      )
        return true;
    }
    return false;
  };
  while (await someBlock(idx, load, taken)) length++;
  return "\0".repeat(length);
}

/** A vector as the elements of a chunk of `length` elements. */
export function storedVector(vector: Vector, { dataType, fillValue }: Storage, length: number): ChunkData {
  if (vector.kind === "bytes") return storedBytes(vector, fillValue, length);
  const isNull = (i: number) => vector.nulls?.[i] === 1;
  if (
    dataType.kind === "datetime64" ||
    dataType.kind === "timedelta64" ||
    (dataType.kind === "int" && dataType.bits === 64)
  ) {
    const unsigned = dataType.kind === "int" && !dataType.signed;
    const data = unsigned ? new BigUint64Array(length) : new BigInt64Array(length);
    const fill = BigInt(fillValue instanceof JsonNumber ? fillValue.text : Number(fillValue));
    for (let i = 0; i < vector.length; i++) data[i] = isNull(i) ? fill : BigInt(vector.values[i]!);
    return { data };
  }
  const fill = fillValue === "NaN" ? Number.NaN : Number(fillValue);
  const data = arrayFor(dataType as SqlType, length);
  for (let i = 0; i < vector.length; i++) data[i] = isNull(i) ? fill : Number(vector.values[i]!);
  return { data };
}

function storedBytes(
  vector: Extract<Vector, { kind: "bytes" }>,
  fillValue: JsonValue,
  length: number,
): ChunkData {
  const fill =
    vector.type.kind === "bytes"
      ? Uint8Array.from(atob(String(fillValue)), (c) => c.charCodeAt(0))
      : new TextEncoder().encode(String(fillValue));
  const values = Array.from({ length: vector.length }, (_, i) =>
    vector.nulls?.[i] ? fill : vector.data.subarray(vector.starts[i], vector.ends[i]),
  );
  return packBytes(values, length);
}
