import type { JsonObject, JsonValue } from "./json.ts";

/** What an array's elements are, whichever Zarr format says it. */
export type DataType =
  | { kind: "bool" }
  | { kind: "int"; bits: 8 | 16 | 32 | 64; signed: boolean }
  | { kind: "float"; bits: 16 | 32 | 64 }
  | { kind: "complex"; bits: 64 | 128 }
  /** Text of any length: v3 `string`, v2 `|O` with `vlen-utf8`. */
  | { kind: "string" }
  /** Bytes of any length: v3 `variable_length_bytes` / `bytes`, v2 `|O` with `vlen-bytes`. */
  | { kind: "bytes" }
  /** UTF-32 padded with zeros: v3 `fixed_length_utf32`, v2 `<U8`; `length` in characters. */
  | { kind: "fixed_string"; length: number }
  /** Bytes padded with zeros: v3 `null_terminated_bytes`, v2 `|S8`. */
  | { kind: "fixed_bytes"; length: number }
  /** Exactly so many bytes: v3 `raw_bytes` / `r32`, v2 `|V4`. */
  | { kind: "raw"; length: number }
  /** numpy.datetime64 and numpy.timedelta64: int64 counts of `scale` `unit`s; `unit` as numpy spells it. */
  | { kind: "datetime64" | "timedelta64"; unit: string; scale: number }
  /** Anything else (structs, extension types): passed through untouched, never decoded. */
  | { kind: "other"; name: string };

/** A codec as v3 writes it. */
export interface Codec {
  name: string;
  configuration: JsonObject;
}

/**
 * One array, as v3 would describe it, whichever format the source has. The v2 parts a v3 description cannot say
 * are kept in `document`.
 */
export interface ArrayMeta {
  nodeType: "array";
  format: 2 | 3;
  shape: number[];
  /** Shape of what one key holds: the shard's, where sharded. */
  chunkShape: number[];
  dataType: DataType;
  /** Byte order of a v2 dtype, for codecs that v2 does not spell out; v3 says it in its `bytes` codec. */
  codecs: Codec[];
  /** As the document has it; `null` only in v2. */
  fillValue: JsonValue;
  attributes: JsonObject;
  dimensionNames: (string | null)[] | undefined;
  chunkKeys: ChunkKeyEncoding;
  /** `zarr.json` or `.zarray` as it was read, numbers kept to the letter. */
  document: JsonObject;
}

export interface GroupMeta {
  nodeType: "group";
  format: 2 | 3;
  attributes: JsonObject;
  document: JsonObject;
}

export type NodeMeta = ArrayMeta | GroupMeta;

/** v3 `default` (`c/0/1`) or `v2` (`0.1`). */
export interface ChunkKeyEncoding {
  name: "default" | "v2";
  separator: "/" | ".";
}

/** Key of a chunk below its array's path: `c/0/1`, `0.1`; a 0-d array's is `c` or `0`. */
export function chunkKey(encoding: ChunkKeyEncoding, coords: readonly number[]): string {
  if (encoding.name === "v2") return coords.length === 0 ? "0" : coords.join(encoding.separator);
  return coords.length === 0 ? "c" : `c${encoding.separator}${coords.join(encoding.separator)}`;
}

/** The inverse of `chunkKey`; `undefined` for anything that is not a key of this grammar (`c/01`, `c/-1`, `c/0/`). */
export function parseChunkKey(encoding: ChunkKeyEncoding, key: string, rank: number): number[] | undefined {
  let rest = key;
  if (encoding.name === "default") {
    if (rank === 0) return key === "c" ? [] : undefined;
    if (!key.startsWith(`c${encoding.separator}`)) return undefined;
    rest = key.slice(2);
  } else if (rank === 0) {
    return key === "0" ? [] : undefined;
  }
  const parts = rest.split(encoding.separator);
  if (parts.length !== rank || !parts.every((p) => /^(0|[1-9]\d{0,14})$/.test(p))) return undefined;
  return parts.map(Number);
}

/** Chunks along each axis. */
export function gridShape(meta: Pick<ArrayMeta, "shape" | "chunkShape">): number[] {
  return meta.shape.map((length, axis) => Math.ceil(length / meta.chunkShape[axis]!));
}
