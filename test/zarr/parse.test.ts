import { describe, expect, it } from "vitest";
import { fillChunk } from "../../src/zarr/chunk.ts";
import { dataTypeJson, itemSize, parseDataType, parseV2Type, v2TypeString } from "../../src/zarr/dtype.ts";
import { type JsonObject, parseJson } from "../../src/zarr/json.ts";
import type { ArrayMeta } from "../../src/zarr/metadata.ts";
import { parseNode } from "../../src/zarr/parse.ts";
import { toV2Documents, toV3Document } from "../../src/zarr/write.ts";

const V3 = `{"zarr_format":3,"node_type":"array","shape":[10,20],"data_type":"int16",
  "chunk_grid":{"name":"regular","configuration":{"chunk_shape":[5,20]}},
  "chunk_key_encoding":{"name":"default","configuration":{"separator":"/"}},"fill_value":-32767,
  "codecs":[{"name":"bytes","configuration":{"endian":"little"}},{"name":"zstd","configuration":{"level":0,"checksum":false}}],
  "attributes":{"scale_factor":1.0},"dimension_names":["y",null]}`;
const V2 = `{"zarr_format":2,"shape":[10,20],"chunks":[5,20],"dtype":">i2","compressor":{"id":"zlib","level":1},
  "fill_value":null,"order":"F","filters":[{"id":"delta","dtype":">i2"}]}`;

const object = (text: string) => parseJson(text, "k") as JsonObject;
const v3 = (change: JsonObject = {}) =>
  parseNode({ "zarr.json": { ...object(V3), ...change } }, "a/b") as ArrayMeta;
const v2 = (change: JsonObject = {}, zattrs: JsonObject = {}) =>
  parseNode({ ".zarray": { ...object(V2), ...change }, ".zattrs": zattrs }, "a/b") as ArrayMeta;

describe("parseNode", () => {
  it("reads a v3 array", () => {
    const { document, ...meta } = v3();
    expect(meta).toMatchObject({
      nodeType: "array",
      format: 3,
      shape: [10, 20],
      chunkShape: [5, 20],
      fillValue: -32767,
      dimensionNames: ["y", null],
      dataType: { kind: "int", bits: 16, signed: true },
      chunkKeys: { name: "default", separator: "/" },
      codecs: [
        { name: "bytes", configuration: { endian: "little" } },
        { name: "zstd", configuration: { level: 0, checksum: false } },
      ],
    });
    expect(document).toEqual(object(V3));
  });

  it("reads a v2 array as v3 would say it", () => {
    expect(v2({}, { _ARRAY_DIMENSIONS: ["y", "x"] })).toMatchObject({
      format: 2,
      fillValue: null,
      dimensionNames: ["y", "x"],
      chunkKeys: { name: "v2", separator: "." },
      codecs: [
        { name: "transpose", configuration: { order: [1, 0] } },
        { name: "numcodecs.delta", configuration: { dtype: ">i2" } },
        { name: "bytes", configuration: { endian: "big" } },
        { name: "numcodecs.zlib", configuration: { level: 1 } },
      ],
    });
    expect(v2({}, { _ARRAY_DIMENSIONS: ["y"] }).dimensionNames).toBeUndefined();
  });

  it("reads groups, and nothing where there is nothing", () => {
    expect(parseNode({ "zarr.json": object('{"zarr_format":3,"node_type":"group"}') }, "")).toMatchObject({
      nodeType: "group",
      attributes: {},
    });
    expect(parseNode({ ".zgroup": { zarr_format: 2 }, ".zattrs": { a: 1 } }, "")).toMatchObject({
      nodeType: "group",
      format: 2,
      attributes: { a: 1 },
    });
    expect(parseNode({ ".zattrs": { a: 1 } }, "")).toBeUndefined();
  });

  it("lists the axes of a transpose spelled C or F", () => {
    const codecs = [{ name: "transpose", configuration: { order: "F" } }, "vlen-utf8"];
    expect(v3({ codecs }).codecs).toEqual([
      { name: "transpose", configuration: { order: [1, 0] } },
      { name: "vlen-utf8", configuration: {} },
    ]);
  });

  const regular = (chunk_shape: number[]) => ({
    chunk_grid: { name: "regular", configuration: { chunk_shape } },
  });
  const sharded = (configuration: JsonObject) => ({ codecs: [{ name: "sharding_indexed", configuration }] });
  it.each<[string, JsonObject, string, string]>([
    ["format", { zarr_format: 4 }, "corrupt_metadata", "zarr_format is not 3"],
    ["node type", { node_type: "table" }, "corrupt_metadata", "node_type is neither"],
    ["no shape", { shape: null }, "corrupt_metadata", "shape is missing"],
    ["negative shape", { shape: [10, -1] }, "corrupt_metadata", "shape holds something that is no length"],
    ["chunk of 0", regular([5, 0]), "corrupt_metadata", "chunk_grid has a chunk of 0"],
    ["rank", regular([5]), "corrupt_metadata", "chunk_grid has 1 axes, shape has 2"],
    [
      "fractional chunk",
      regular([5, 1.5]),
      "corrupt_metadata",
      "chunk_grid holds something that is no length",
    ],
    ["no codecs", { codecs: [] }, "corrupt_metadata", "codecs is missing or empty"],
    ["nameless codec", { codecs: [{}] }, "corrupt_metadata", "codec without a name"],
    ["no dtype", { data_type: null }, "corrupt_metadata", "data_type is no name"],
    [
      "bad length",
      { data_type: { name: "fixed_length_utf32", configuration: { length_bytes: 5 } } },
      "corrupt_metadata",
      "length_bytes",
    ],
    [
      "bad unit",
      { data_type: { name: "numpy.datetime64", configuration: { unit: "year" } } },
      "corrupt_metadata",
      "time unit",
    ],
    [
      "separator",
      { chunk_key_encoding: { name: "default", configuration: { separator: "-" } } },
      "corrupt_metadata",
      "separator",
    ],
    ["dimension names", { dimension_names: ["y"] }, "corrupt_metadata", "dimension_names are not 2 names"],
    ["attributes", { attributes: [] }, "corrupt_metadata", "attributes is no object"],
    ["shard", sharded({ chunk_shape: [2, 20] }), "corrupt_metadata", "does not divide"],
    [
      "shard codecs",
      sharded({ chunk_shape: [5, 10], codecs: ["bytes"] }),
      "corrupt_metadata",
      "index_codecs is missing",
    ],
    [
      "grid",
      { chunk_grid: { name: "rectilinear" } },
      "encoding_unsupported",
      'chunk_grid "rectilinear" is not supported',
    ],
    ["keys", { chunk_key_encoding: "suffix" }, "encoding_unsupported", 'chunk_key_encoding "suffix"'],
    [
      "transformers",
      { storage_transformers: [{ name: "x" }] },
      "encoding_unsupported",
      "storage_transformers",
    ],
    ["extension", { bbox: { name: "x" } }, "encoding_unsupported", 'the extension "bbox"'],
  ])("refuses %s, naming document and field", (_, change, code, message) => {
    expect(() => v3(change)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining("a/b/zarr.json: ") }),
    );
    expect(() => v3(change)).toThrow(message);
  });

  it.each<[string, JsonObject, string]>([
    ["format", { zarr_format: 3 }, "zarr_format is not 2"],
    ["chunks", { chunks: [5, 0] }, "chunks has a chunk of 0"],
    ["rank", { chunks: [5] }, "chunks has 1 axes, shape has 2"],
    ["order", { order: "A" }, "order is neither"],
    ["filters", { filters: [{}] }, "filters are no list of codecs"],
    ["compressor", { compressor: "zlib" }, "compressor is no codec"],
    ["dtype", { dtype: 3 }, "dtype is missing or no string"],
    ["separator", { dimension_separator: "" }, "dimension_separator"],
  ])("refuses a v2 %s", (_, change, message) => {
    expect(() => v2(change)).toThrow(expect.objectContaining({ code: "corrupt_metadata" }));
    expect(() => v2(change)).toThrow(`a/b/.zarray: `);
    expect(() => v2(change)).toThrow(message);
  });

  it("takes extensions that may be ignored, and chunks of 0 where there is nothing", () => {
    expect(v3({ hint: { must_understand: false } }).shape).toEqual([10, 20]);
    expect(v2({ shape: [0, 20], chunks: [0, 20] }).chunkShape).toEqual([1, 20]);
  });
});

describe("data types", () => {
  const V2_NAMES = [
    "|b1",
    "|i1",
    "<i2",
    ">u8",
    "<f2",
    ">f4",
    "<c8",
    ">c16",
    "<U8",
    "|S8",
    "|V4",
    "<M8[ms]",
    ">M8[10us]",
    "<m8[25s]",
    "<M8",
  ];
  it.each(V2_NAMES)("%s is spelled back, and survives v3", (name) => {
    const { dataType, endian } = parseV2Type(name, undefined, "k");
    expect(v2TypeString(dataType, endian)).toBe(name);
    expect(parseDataType(dataTypeJson(dataType), "k")).toEqual(dataType);
    expect(itemSize(dataType)).toBeGreaterThan(0);
  });

  it("knows objects by their filter, and what it does not know by name", () => {
    expect(parseV2Type("|O", "vlen-utf8", "k").dataType).toEqual({ kind: "string" });
    expect(parseV2Type("|O", "vlen-bytes", "k").dataType).toEqual({ kind: "bytes" });
    for (const name of ["|O", "<i3", "<f16", "<M8[fortnight]", "|T"]) {
      expect(parseV2Type(name, undefined, "k").dataType).toEqual({ kind: "other", name });
    }
    expect(parseV2Type([["a", "<i4"]], undefined, "k").dataType).toEqual({
      kind: "other",
      name: '[["a","<i4"]]',
    });
    expect(parseDataType({ name: "struct", configuration: {} }, "k")).toEqual({
      kind: "other",
      name: "struct",
    });
    expect(parseDataType("r32", "k")).toEqual({ kind: "raw", length: 4 });
    expect(parseDataType("r12", "k")).toEqual({ kind: "other", name: "r12" });
    expect(parseDataType("toString", "k")).toEqual({ kind: "other", name: "toString" });
  });
});

describe("fill values", () => {
  const fill = (data_type: JsonObject | string, text: string) => {
    const chunk = fillChunk(
      v3({
        data_type,
        fill_value: parseJson(text, "k"),
        shape: [1],
        dimension_names: null,
        chunk_grid: { name: "regular", configuration: { chunk_shape: [1] } },
      }),
    );
    return "starts" in chunk
      ? Buffer.from(chunk.data.subarray(chunk.starts[0], chunk.ends[0])).toString("latin1")
      : [...(chunk.data as Float64Array)];
  };
  const time = { name: "numpy.datetime64", configuration: { unit: "ms", scale_factor: 1 } };

  it.each<[JsonObject | string, string, unknown]>([
    ["float32", '"0x7fc00000"', [Number.NaN]],
    ["float64", '"0x3ff8000000000000"', [1.5]],
    ["float16", '"0x3e00"', [1.5]],
    ["float32", '"-Infinity"', [Number.NEGATIVE_INFINITY]],
    ["float32", "NaN", [Number.NaN]],
    ["float64", "1e-05", [1e-5]],
    ["int64", "-9223372036854775808", [-(2n ** 63n)]],
    ["uint64", "18446744073709551615", [2n ** 64n - 1n]],
    ["int16", "0.0", [0]],
    ["bool", "true", [1]],
    ["bool", "0", [0]],
    ["complex64", '["NaN", 1.0]', [Number.NaN, 1]],
    ["complex128", "[0.5,-0.5]", [0.5, -0.5]],
    [time, '"NaT"', [-(2n ** 63n)]],
    [time, "5", [5n]],
    ["string", '"é"', "\xc3\xa9"],
    ["variable_length_bytes", '"AP8="', "\x00\xff"],
    ["bytes", "[0,255]", "\x00\xff"],
    [{ name: "null_terminated_bytes", configuration: { length_bytes: 4 } }, '"bm8AAA=="', "no"],
    [{ name: "raw_bytes", configuration: { length_bytes: 4 } }, '"AAAAAA=="', "\0\0\0\0"],
    ["r16", '"AQI="', "\x01\x02"],
  ])("%j %s", (type, text, value) => expect(fill(type, text)).toEqual(value));

  it.each<[JsonObject | string, string]>([
    ["int8", "128"],
    ["uint8", "-1"],
    ["int32", "1.5"],
    ["int32", '"1"'],
    ["float32", '"0x7fc0"'],
    ["float32", '"nan"'],
    ["string", "1"],
    ["variable_length_bytes", '"*"'],
    ["r16", '"AQ=="'],
    ["bool", '"true"'],
    [time, "1.5"],
    ["complex64", "[1]"],
  ])("%j cannot hold %s", (type, text) => {
    expect(() => fill(type, text)).toThrow(expect.objectContaining({ code: "corrupt_metadata" }));
  });

  it("are not allocated beyond reason", () => {
    const chunk_grid = { name: "regular", configuration: { chunk_shape: [100_000, 100_000] } };
    expect(() => fillChunk(v3({ chunk_grid }))).toThrow(
      expect.objectContaining({ code: "encoding_unsupported" }),
    );
  });
});

describe("documents", () => {
  it("of a v3 array are its own, consolidated metadata and stale names apart", () => {
    expect(toV3Document(v3())).toEqual(object(V3));
    expect(toV3Document({ ...v3(), attributes: { a: 1 }, dimensionNames: undefined })).not.toHaveProperty(
      "dimension_names",
    );
    const group = parseNode(
      { "zarr.json": { zarr_format: 3, node_type: "group", consolidated_metadata: {} } },
      "",
    )!;
    expect(toV3Document(group)).toEqual({ zarr_format: 3, node_type: "group", attributes: {} });
  });

  it("of a v2 array are its own, to the letter", () => {
    const compressor = { id: "blosc", cname: "lz4", clevel: 5, shuffle: -1, blocksize: 0 };
    const documents = toV2Documents(v2({ compressor, filters: null }, { _ARRAY_DIMENSIONS: ["y", "x"] }));
    expect(documents).toMatchObject({
      zarray: { compressor, filters: null, dtype: ">i2", order: "F", fill_value: null },
    });
    expect(documents).toMatchObject({ zattrs: { _ARRAY_DIMENSIONS: ["y", "x"] } });
  });

  it("turn dimension names into _ARRAY_DIMENSIONS and back", () => {
    expect(toV2Documents(v3({ dimension_names: ["y", "x"] }))).toMatchObject({
      zattrs: { _ARRAY_DIMENSIONS: ["y", "x"] },
    });
    const document = toV3Document(v2({}, { _ARRAY_DIMENSIONS: ["y", "x"], units: "K" }));
    expect(document).toMatchObject({ dimension_names: ["y", "x"], attributes: { units: "K" } });
    expect(document).not.toHaveProperty("attributes._ARRAY_DIMENSIONS");
  });

  it.each<[string, JsonObject]>([
    [
      "v2 has no shards",
      {
        codecs: [
          {
            name: "sharding_indexed",
            configuration: { chunk_shape: [5, 10], codecs: ["bytes"], index_codecs: ["bytes"] },
          },
        ],
      },
    ],
    ["v2 has no dtype for struct", { data_type: { name: "struct", configuration: {} } }],
    [
      'v2 has no codec "cast_value" at its place',
      { codecs: [{ name: "cast_value", configuration: {} }, "bytes"] },
    ],
    ['v2 has no codec "acme"', { codecs: [{ name: "bytes", configuration: { endian: "little" } }, "acme"] }],
    [
      "v2 cannot say the byte order",
      {
        codecs: [
          { name: "numcodecs.delta", configuration: {} },
          { name: "bytes", configuration: { endian: "big" } },
        ],
      },
    ],
  ])("say why v2 cannot: %s", (reason, change) => {
    expect(toV2Documents(v3(change))).toEqual({ unsupported: expect.stringContaining(reason) });
  });

  it("say why v3 cannot", () => {
    expect(toV3Document(v2({ dtype: [["a", "<i4"]] }))).toEqual({
      unsupported: expect.stringContaining("no data type"),
    });
    const filters: JsonObject[] = [
      { id: "shuffle", elementsize: 2 },
      { id: "delta", dtype: "<i2" },
    ];
    expect(toV3Document(v2({ filters }))).toEqual({
      unsupported: expect.stringContaining('"numcodecs.delta"'),
    });
  });
});
