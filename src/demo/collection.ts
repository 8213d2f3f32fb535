/** The demo's archive as a Zarr v3 directory: a group for each granule, and `/meta` with a row for each. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { announce } from "../table/announcement.ts";
import { type ChunkData, encodeChunk } from "../zarr/chunk.ts";
import { type JsonObject, writeJson } from "../zarr/json.ts";
import { type ArrayMeta, chunkKey, gridShape } from "../zarr/metadata.ts";
import { toV3Document } from "../zarr/write.ts";
import { type Granule, makeArchive } from "./archive.ts";
import { granuleArrays, granuleAttributes, metaArrays } from "./documents.ts";
import { toWkb } from "./footprint.ts";

export interface DemoOptions {
  /** The same seed makes the same bytes. Default 2. */
  seed?: number;
  /** How many granules. Default 300. */
  granules?: number;
  /** Told what is being done, a line at a time. */
  log?: (line: string) => void;
  signal?: AbortSignal;
}

export interface DemoCollection {
  directory: string;
  granules: number;
  /** Size of all files together. */
  bytes: number;
}

type Values = Float32Array | Float64Array | Int8Array | Int16Array | Int32Array | BigInt64Array;
type Texts = readonly (string | Uint8Array)[];

const SECONDS_TO_1990 = Date.UTC(1990, 0, 1) / 1000;

/** Writes a small, physically believable collection of satellite granules into a directory. */
export async function makeDemoCollection(
  directory: string,
  options: DemoOptions = {},
): Promise<DemoCollection> {
  const { seed = 2, granules: count = 300, log = () => {}, signal } = options;
  const writer = new Writer(directory);
  log(`simulating ${count} granules of two satellites`);
  const granules = makeArchive(count, seed);
  log(`writing them to ${directory}`);
  const columns = metaArrays(granules.length);
  const title = "Made-up sea surface temperature of two satellites, June to August 2025";
  writer.group("", announce({ title }, { columns: Object.keys(columns) }));
  for (const { collection } of new Set(granules.map(({ platform }) => platform)))
    writer.group(collection, {});
  // One after the other, with a moment to be told to end between them: then nothing more is written.
  for (const granule of granules) {
    await setImmediate();
    signal?.throwIfAborted();
    await writeGranule(writer, granule);
  }
  await writeMeta(writer, granules, columns);
  return { directory, granules: granules.length, bytes: writer.bytes };
}

async function writeGranule(writer: Writer, granule: Granule): Promise<void> {
  const { swath, fields } = granule;
  const path = locationOf(granule).slice(1);
  const arrays = granuleArrays(swath);
  const values: Record<string, Values> = {
    lat: swath.lat,
    lon: swath.lon,
    time: BigInt64Array.from(swath.times, (ms) => BigInt(Math.round(ms / 1000) - SECONDS_TO_1990)),
    sea_surface_temperature: fields.sst,
    quality_level: fields.quality,
  };
  writer.group(path, granuleAttributes(granule));
  for (const [name, meta] of Object.entries(arrays))
    await writer.array(`${path}/${name}`, meta, values[name]!);
}

async function writeMeta(
  writer: Writer,
  granules: Granule[],
  columns: Record<string, ArrayMeta>,
): Promise<void> {
  const values: Record<string, Values | Texts> = {
    granule_id: granules.map(({ id }) => id),
    collection: granules.map(({ platform }) => platform.collection),
    platform: granules.map(({ platform }) => platform.name),
    date: BigInt64Array.from(granules, ({ start }) => BigInt(start)),
    bbox: granules.map(({ footprint }) => toWkb(footprint)),
    orbit: Int32Array.from(granules, ({ orbit }) => orbit),
    day_night: granules.map(({ fields }) => fields.dayNight),
    cloud_cover: Float32Array.from(granules, ({ fields }) => Math.round(1000 * fields.cloudCover) / 10),
    array_location: granules.map(locationOf),
  };
  writer.group("meta", {});
  for (const [name, meta] of Object.entries(columns)) await writer.array(`meta/${name}`, meta, values[name]!);
}

function locationOf({ platform, id }: Granule): string {
  return `/${platform.collection}/${id}`;
}

/**
 * Writes Zarr nodes as files, counting their bytes. Each write is done when the call returns: a process that
 * is ended at once then has none under way, which would bring back the directory it removes.
 */
class Writer {
  bytes = 0;
  readonly #directory: string;
  readonly #folders = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  group(path: string, attributes: JsonObject): void {
    this.#document(path, { zarr_format: 3, node_type: "group", attributes });
  }

  /** @param values all elements, row by row */
  async array(path: string, meta: ArrayMeta, values: Values | Texts): Promise<void> {
    this.#document(path, toV3Document(meta) as JsonObject);
    for (let chunk = 0; chunk < gridShape(meta)[0]!; chunk++) {
      const coords = meta.shape.map((_, axis) => (axis === 0 ? chunk : 0));
      const data = chunkOf(meta, values, chunk);
      if (isEmpty(meta, data)) continue;
      this.#write(join(path, chunkKey(meta.chunkKeys, coords)), await encodeChunk(meta, data));
    }
  }

  #document(path: string, document: JsonObject): void {
    this.#write(join(path, "zarr.json"), Buffer.from(writeJson(document)));
  }

  #write(key: string, bytes: Uint8Array): void {
    const file = join(this.#directory, key);
    const folder = dirname(file);
    if (!this.#folders.has(folder)) mkdirSync(folder, { recursive: true });
    this.#folders.add(folder);
    writeFileSync(file, bytes);
    this.bytes += bytes.length;
  }
}

/** Chunk number `chunk` along the first axis, padded to its full size. Chunks are as wide as the array. */
function chunkOf(meta: ArrayMeta, values: Values | Texts, chunk: number): ChunkData {
  const length = meta.chunkShape.reduce((product, n) => product * n, 1);
  const [from, to] = [chunk * length, Math.min((chunk + 1) * length, values.length)];
  if (Array.isArray(values)) return textChunk(values.slice(from, to), length);
  const data = new (values.constructor as new (length: number) => Float64Array)(length);
  if (typeof meta.fillValue === "number" && !(values instanceof BigInt64Array)) data.fill(meta.fillValue);
  data.set((values as Float64Array).subarray(from, to));
  return { data };
}

/** Whether a chunk holds nothing but the fill value, so that leaving it out says the same. */
function isEmpty(meta: ArrayMeta, { data }: ChunkData): boolean {
  return (
    typeof meta.fillValue === "number" &&
    data.length > 0 &&
    (data as Int16Array).every((v) => v === meta.fillValue)
  );
}

function textChunk(values: Texts, length: number): ChunkData {
  const parts = values.map((value) => (typeof value === "string" ? Buffer.from(value) : value));
  const starts = new Uint32Array(length);
  const ends = new Uint32Array(length);
  let at = 0;
  parts.forEach((part, i) => {
    starts[i] = at;
    ends[i] = at += part.length;
  });
  return { data: Buffer.concat(parts), starts, ends };
}
