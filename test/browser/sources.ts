/** Collections for pages to read. */
import { writeWkb } from "../../src/geometry/wkb-write.ts";
import { parseWkt } from "../../src/geometry/wkt-read.ts";
import { buildIndexes, type MemoryStore } from "../../src/index.ts";
import { announce } from "../../src/table/announcement.ts";
import { encodeChunk } from "../../src/zarr/chunk.ts";
import { type JsonObject, writeJson } from "../../src/zarr/json.ts";
import type { ArrayMeta } from "../../src/zarr/metadata.ts";
import { parseNode } from "../../src/zarr/parse.ts";
import { makeSource, putGroup, seeded, utf8 } from "../index/source.ts";
import { type Handler, sendBytes } from "../store/server.ts";

const START = Date.UTC(2025, 0, 1);

/** Many rows with indexes, none of which can be found by listing. */
export async function manyRows(rows: number): Promise<MemoryStore> {
  const random = seeded(7);
  const all = Array.from({ length: rows }, (_, i) => i);
  const columns = {
    bbox: {
      type: "bytes",
      attributes: { "ARROW:extension:name": "geoarrow.wkb" },
      values: all.map(() => {
        const [w, s] = [random() * 355 - 180, random() * 175 - 90];
        return writeWkb(parseWkt(`POLYGON((${w} ${s},${w + 3} ${s},${w + 1} ${s + 4},${w} ${s}))`));
      }),
    },
    date: {
      type: { name: "numpy.datetime64", configuration: { unit: "ms", scale_factor: 1 } },
      values: BigInt64Array.from(all, () => BigInt(START + Math.floor(random() * 1e10))),
    },
    clouds: { type: "float32", values: Float32Array.from(all, () => random() * 100) },
    platform: {
      type: "string",
      values: all.map(() => utf8(["aqua", "terra", "noaa"][Math.floor(random() * 3)]!)),
    },
  };
  const store = await makeSource(columns, 1000);
  putGroup(store, "", 3, announce({}, { columns: Object.keys(columns) }));
  await buildIndexes(store, store);
  return store;
}

const BLOSC = { typesize: 8, clevel: 5, shuffle: "shuffle", blocksize: 0 };
/** What a chunk may be compressed with. */
export const CODECS: JsonObject[] = [
  { name: "zstd", configuration: { level: 3, checksum: false } },
  { name: "gzip", configuration: { level: 5 } },
  { name: "numcodecs.zlib", configuration: { level: 5 } },
  { name: "numcodecs.lz4", configuration: {} },
  { name: "blosc", configuration: { ...BLOSC, cname: "lz4" } },
  { name: "blosc", configuration: { ...BLOSC, cname: "zstd" } },
];

/** A column of 0, 1/8, 2/8 … in one chunk, compressed. */
export async function putCoded(store: MemoryStore, path: string, codec: JsonObject): Promise<void> {
  const document: JsonObject = {
    zarr_format: 3,
    node_type: "array",
    shape: [1000],
    data_type: "float64",
    chunk_grid: { name: "regular", configuration: { chunk_shape: [1000] } },
    chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
    fill_value: 0,
    codecs: [{ name: "bytes", configuration: { endian: "little" } }, codec],
    attributes: {},
  };
  store.set(`${path}/zarr.json`, writeJson(document));
  const data = Float64Array.from({ length: 1000 }, (_, i) => i / 8);
  store.set(
    `${path}/c/0`,
    await encodeChunk(parseNode({ "zarr.json": document }, path) as ArrayMeta, { data }),
  );
}

/** What is in memory, below a path. */
export function memoryHandler(store: MemoryStore): Handler {
  return async (request, response) => {
    const key = request.url!.slice(1);
    const value = /(^|\/)$/.test(key) ? undefined : await store.get(key);
    if (value) sendBytes(request, response, value, { "last-modified": "Wed, 01 Jan 2020 00:00:00 GMT" });
    else response.writeHead(404).end();
  };
}
