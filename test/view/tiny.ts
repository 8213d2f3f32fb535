/** A small collection in memory, written by the library's own encoder, for tests that need a shape of their own. */
import { MemoryStore } from "../../src/store/memory.ts";
import { packBytes } from "../../src/table/vector.ts";
import { encodeChunk } from "../../src/zarr/chunk.ts";
import { type JsonObject, type JsonValue, writeJson } from "../../src/zarr/json.ts";
import type { ArrayMeta, DataType } from "../../src/zarr/metadata.ts";
import { toV3Document } from "../../src/zarr/write.ts";

const encoder = new TextEncoder();

export interface Granule {
  path: string;
  attributes?: JsonObject;
  /** Attributes by array name; every array is int16 (2, 3) of the granule's number: 100 × it + the element's. */
  arrays: Record<string, JsonObject>;
  /** Lines of its arrays; default 2. */
  lines?: number;
}

export async function tinyCollection(
  granules: Granule[],
  columns: Record<string, JsonValue[]> = {},
): Promise<MemoryStore> {
  const store = new MemoryStore();
  const put = (key: string, bytes: Uint8Array) => store.set(key, bytes);
  const group = (path: string, attributes: JsonObject = {}) =>
    put(
      path ? `${path}/zarr.json` : "zarr.json",
      encoder.encode(writeJson({ zarr_format: 3, node_type: "group", attributes })),
    );
  const array = async (
    path: string,
    dataType: DataType,
    shape: number[],
    data: unknown,
    attributes: JsonObject = {},
  ) => {
    const meta = describe(dataType, shape, attributes);
    put(`${path}/zarr.json`, encoder.encode(writeJson(toV3Document(meta) as JsonObject)));
    put(`${path}/c${"/0".repeat(shape.length)}`, await encodeChunk(meta, data as never));
  };
  group("");
  group("meta");
  for (const [row, { path, attributes, arrays, lines = 2 }] of granules.entries()) {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth++) group(parts.slice(0, depth).join("/"));
    group(path, attributes);
    for (const [name, own] of Object.entries(arrays)) {
      for (let end = name.indexOf("/"); end > 0; end = name.indexOf("/", end + 1))
        group(`${path}/${name.slice(0, end)}`);
      const data = new Int16Array(3 * lines).map((_, i) => row * 100 + i);
      await array(`${path}/${name}`, { kind: "int", bits: 16, signed: true }, [lines, 3], { data }, own);
    }
  }
  const locations = granules.map((granule) => `/${granule.path}`);
  for (const [name, values] of Object.entries({ array_location: locations, ...columns })) {
    if (typeof values[0] === "string")
      await array(`meta/${name}`, { kind: "string" }, [values.length], text(values as string[]));
    else
      await array(`meta/${name}`, { kind: "float", bits: 64 }, [values.length], {
        data: Float64Array.from(values, Number),
      });
  }
  return store;
}

function describe(dataType: DataType, shape: number[], attributes: JsonObject): ArrayMeta {
  return {
    nodeType: "array",
    format: 3,
    shape,
    chunkShape: shape,
    dataType,
    codecs:
      dataType.kind === "string"
        ? [{ name: "vlen-utf8", configuration: {} }]
        : [{ name: "bytes", configuration: { endian: "little" } }],
    fillValue: dataType.kind === "string" ? "" : 0,
    attributes,
    dimensionNames: shape.length === 1 ? ["row"] : ["y", "x"],
    chunkKeys: { name: "default", separator: "/" },
    document: {},
  };
}

function text(values: string[]) {
  return packBytes(values.map((value) => encoder.encode(value)));
}
