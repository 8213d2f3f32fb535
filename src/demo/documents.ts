/** The arrays of the demo's granules and of its `/meta`: types, chunks and attributes, as CF and GHRSST have them. */
import { JsonNumber, type JsonObject, type JsonValue } from "../zarr/json.ts";
import type { ArrayMeta, Codec, DataType } from "../zarr/metadata.ts";
import type { Granule } from "./archive.ts";
import { SST_FILL, SST_OFFSET, SST_SCALE } from "./fields.ts";

const ZSTD: Codec = { name: "zstd", configuration: { level: 3, checksum: false } };
const INT8: DataType = { kind: "int", bits: 8, signed: true };
const INT16: DataType = { kind: "int", bits: 16, signed: true };
const INT32: DataType = { kind: "int", bits: 32, signed: true };
const INT64: DataType = { kind: "int", bits: 64, signed: true };
const FLOAT32: DataType = { kind: "float", bits: 32 };
const STRING: DataType = { kind: "string" };

const CHUNK_ROWS = 32;
const META_CHUNK = 64;
const NAT = new JsonNumber("-9223372036854775808");
const QUALITY_FILL = -128;
const QUALITY_MEANINGS = "no_data bad_data worst_quality low_quality acceptable_quality best_quality";

/** Metadata of one granule's arrays, by name. */
export function granuleArrays({ rows, cells }: { rows: number; cells: number }): Record<string, ArrayMeta> {
  const swath = (dataType: DataType, fill: JsonValue, attributes: JsonObject) =>
    array([rows, cells], [CHUNK_ROWS, cells], ["rows", "cells"], dataType, fill, attributes);
  return {
    lat: swath(FLOAT32, "NaN", {
      standard_name: "latitude",
      units: "degrees_north",
      valid_range: [-90, 90],
    }),
    lon: swath(FLOAT32, "NaN", {
      standard_name: "longitude",
      units: "degrees_east",
      valid_range: [-180, 180],
    }),
    time: array([rows], [CHUNK_ROWS], ["rows"], INT64, 0, {
      standard_name: "time",
      long_name: "middle of the scan",
      units: "seconds since 1990-01-01 00:00:00",
      calendar: "standard",
    }),
    sea_surface_temperature: swath(INT16, SST_FILL, {
      standard_name: "sea_surface_subskin_temperature",
      long_name: "sea surface temperature",
      units: "kelvin",
      scale_factor: SST_SCALE,
      add_offset: SST_OFFSET,
      _FillValue: SST_FILL,
      coordinates: "lat lon",
    }),
    quality_level: swath(INT8, QUALITY_FILL, {
      long_name: "quality level of the sea surface temperature",
      flag_values: [0, 1, 2, 3, 4, 5],
      flag_meanings: QUALITY_MEANINGS,
      _FillValue: QUALITY_FILL,
      coordinates: "lat lon",
    }),
  };
}

/** Attributes of a granule's group. */
export function granuleAttributes(granule: Granule): JsonObject {
  const { platform, start, end } = granule;
  return {
    Conventions: "CF-1.11, ACDD-1.3, GDS-2.1",
    title: `Sea surface temperature from the ${platform.instrument} of ${platform.name} (made up)`,
    summary: "Simulated: geometry of a sun-synchronous orbit, made-up weather. Not an observation.",
    processing_level: "L2P",
    id: platform.collection,
    product_version: "1.0",
    platform: platform.name,
    instrument: platform.instrument,
    time_coverage_start: isoSeconds(start),
    time_coverage_end: isoSeconds(end),
    start_orbit_number: granule.orbit,
  };
}

/** Metadata of the columns of `/meta`, by name. */
export function metaArrays(rows: number): Record<string, ArrayMeta> {
  const column = (dataType: DataType, fill: JsonValue, attributes: JsonObject) =>
    array([rows], [META_CHUNK], ["granule"], dataType, fill, attributes);
  const text = (description: string) => column(STRING, "", { description });
  return {
    granule_id: text("name of the granule, unique"),
    collection: text("name of the data set"),
    platform: text("satellite"),
    date: column({ kind: "datetime64", unit: "ms", scale: 1 }, NAT, {
      description: "start of the first scan, UTC",
    }),
    bbox: column({ kind: "bytes" }, "", {
      description: "outline of the swath, WKB, degrees",
      "ARROW:extension:name": "geoarrow.wkb",
      "ARROW:extension:metadata": JSON.stringify({ crs: "OGC:CRS84", crs_type: "authority_code" }),
    }),
    orbit: column(INT32, 0, { description: "orbits since launch, counted at ascending nodes" }),
    day_night: text("day, night or both: whether the sun is up in all, none or some of the swath"),
    cloud_cover: column(FLOAT32, "NaN", {
      description: "share of the sea under cloud; NaN without sea",
      units: "percent",
    }),
    array_location: text("the granule's group"),
  };
}

function array(
  shape: number[],
  chunkShape: number[],
  dimensionNames: string[],
  dataType: DataType,
  fillValue: JsonValue,
  attributes: JsonObject,
): ArrayMeta {
  return {
    nodeType: "array",
    format: 3,
    shape,
    chunkShape: chunkShape.map((length, axis) => Math.max(1, Math.min(length, shape[axis]!))),
    dataType,
    codecs: [serializer(dataType), ZSTD],
    fillValue,
    attributes,
    dimensionNames,
    chunkKeys: { name: "default", separator: "/" },
    document: {},
  };
}

function serializer(dataType: DataType): Codec {
  if (dataType.kind === "string") return { name: "vlen-utf8", configuration: {} };
  if (dataType.kind === "bytes") return { name: "vlen-bytes", configuration: {} };
  return { name: "bytes", configuration: dataType === INT8 ? {} : { endian: "little" } };
}

function isoSeconds(time: number): string {
  return new Date(time).toISOString().replace(".000Z", "Z");
}
