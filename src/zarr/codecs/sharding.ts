import { ZarrsiftError } from "../../errors.ts";
import type { ChunkData, FixedChunk, VariableChunk } from "../chunk-data.ts";
import { filled } from "../fill.ts";
import { asNumber, isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import type { Codec } from "../metadata.ts";
import { type ArraySpec, elementCount, type SerialCodec, unsupported } from "./codec.ts";
import { strides } from "./transpose.ts";

/** Where an inner chunk's bytes stand in a shard. */
export interface InnerRange {
  offset: number;
  length: number;
}

/** What `sharding_indexed` says of shards. Source: Zarr v3, sharding codec 1.0. */
export interface Sharding {
  /** Shape of an inner chunk. */
  chunkShape: number[];
  codecs: Codec[];
  indexCodecs: Codec[];
  indexAtStart: boolean;
  /** Inner chunks along each axis of a shard. */
  grid: number[];
}

/** What a chain of codecs can do; made by `compile`, which this module does not know. */
export interface Chain {
  /** Encoded bytes, where their number does not depend on the values. */
  readonly size: number | undefined;
  decode(bytes: Uint8Array): Promise<ChunkData>;
}

type Compile = (spec: ArraySpec, codecs: readonly Codec[]) => Chain;

/** @throws ZarrsiftError `corrupt_metadata` where the inner chunks do not divide the shard, or a list of codecs is missing */
export function parseSharding(configuration: JsonObject, shardShape: readonly number[]): Sharding {
  const chunkShape = Array.isArray(configuration.chunk_shape)
    ? configuration.chunk_shape.map((n) => asNumber(n) ?? 0)
    : [];
  const grid = shardShape.map((length, axis) => length / chunkShape[axis]!);
  if (chunkShape.length !== shardShape.length || !grid.every((n) => Number.isInteger(n) && n > 0)) {
    throw invalid(`chunk_shape [${chunkShape}] does not divide the shard's [${shardShape}]`);
  }
  const { index_location: location = "end" } = configuration;
  if (location !== "start" && location !== "end")
    throw invalid(`index_location is neither "start" nor "end"`);
  const codecs = parseCodecs(configuration.codecs, "codecs", shardShape.length);
  const indexCodecs = parseCodecs(configuration.index_codecs, "index_codecs");
  return { chunkShape, codecs, indexCodecs, indexAtStart: location === "start", grid };
}

/**
 * A list of codecs as v3 spells them, `transpose` orders of "C" and "F" as lists of axes.
 *
 * @throws ZarrsiftError `corrupt_metadata`
 */
export function parseCodecs(value: JsonValue | undefined, field: string, rank?: number): Codec[] {
  if (!Array.isArray(value) || value.length === 0) throw invalid(`${field} is missing or empty`);
  return value.map((codec) => {
    const name = typeof codec === "string" ? codec : isJsonObject(codec) ? codec.name : undefined;
    if (typeof name !== "string") throw invalid(`${field} holds a codec without a name`);
    const configuration = isJsonObject(codec) && isJsonObject(codec.configuration) ? codec.configuration : {};
    return {
      name,
      configuration:
        name === "transpose" && rank !== undefined ? axesListed(configuration, rank) : configuration,
    };
  });
}

function axesListed(configuration: JsonObject, rank: number): JsonObject {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  if (configuration.order === "C") return { ...configuration, order: axes };
  return configuration.order === "F" ? { ...configuration, order: axes.reverse() } : configuration;
}

function invalid(what: string): ZarrsiftError {
  return new ZarrsiftError("corrupt_metadata", what);
}

/** The index of a shard: two uint64 for each inner chunk, offset and length, both 2^64-1 where there is none. */
export class ShardIndex {
  readonly #entries: BigUint64Array;

  constructor(entries: BigUint64Array) {
    this.#entries = entries;
  }

  /**
   * Where the inner chunk at `position` (in C order of the shard's grid) stands; `undefined`: it is not there.
   * @throws ZarrsiftError `corrupt_chunk` for an entry that no file can hold
   */
  chunk(position: number): InnerRange | undefined {
    const offset = this.#entries[2 * position]!;
    const length = this.#entries[2 * position + 1]!;
    const none = 0xffff_ffff_ffff_ffffn;
    if (offset === none && length === none) return undefined;
    if (offset > 2n ** 53n || length > 2n ** 32n) {
      throw new ZarrsiftError(
        "corrupt_chunk",
        `A shard's index is damaged: inner chunk ${position} is where no file can be`,
      );
    }
    return { offset: Number(offset), length: Number(length) };
  }
}

/** The chain that shard indexes are encoded with, its size known. */
export function indexChain(sharding: Sharding, compile: Compile): Chain & { size: number } {
  const spec: ArraySpec = {
    dataType: { kind: "int", bits: 64, signed: false },
    shape: [...sharding.grid, 2],
    fillValue: 0,
  };
  const chain = compile(spec, sharding.indexCodecs);
  if (chain.size === undefined) throw unsupported("a shard index of no fixed size cannot be read");
  return chain as Chain & { size: number };
}

/** @throws Error where `bytes` are no index of this chain */
export async function decodeIndex(chain: Chain, bytes: Uint8Array): Promise<ShardIndex> {
  return new ShardIndex((await chain.decode(bytes)).data as BigUint64Array);
}

/** Whole shards; inner chunks that are missing read as the fill value. Shards are not written. */
export function shardingCodec(spec: ArraySpec, configuration: JsonObject, compile: Compile): SerialCodec {
  const sharding = parseSharding(configuration, spec.shape);
  const inner = compile({ ...spec, shape: sharding.chunkShape }, sharding.codecs);
  const index = indexChain(sharding, compile);
  return {
    kind: "serial",
    size: undefined,
    async decode(bytes) {
      if (bytes.length < index.size) throw new Error(`${bytes.length} bytes are too few for a shard's index`);
      const stored = sharding.indexAtStart
        ? bytes.subarray(0, index.size)
        : bytes.subarray(bytes.length - index.size);
      const places = await decodeIndex(index, stored);
      const parts = new Map<number, ChunkData>();
      for (let position = 0; position < elementCount(sharding.grid); position++) {
        const place = places.chunk(position);
        if (!place) continue;
        const end = place.offset + place.length;
        if (end > bytes.length) throw new Error(`inner chunk ${position} lies outside of the shard`);
        parts.set(position, await inner.decode(bytes.subarray(place.offset, end)));
      }
      return assemble(spec, sharding, parts);
    },
    encode() {
      throw unsupported("shards cannot be written");
    },
  };
}

/** Inner chunks by position, put in their places in the shard. */
function assemble(spec: ArraySpec, { grid, chunkShape }: Sharding, parts: Map<number, ChunkData>): ChunkData {
  const whole = filled(spec);
  const steps = strides(spec.shape);
  const gridSteps = strides(grid);
  const joined = "starts" in whole ? joinBytes(whole, parts.values() as Iterable<VariableChunk>) : undefined;
  for (const [position, part] of parts) {
    let corner = 0;
    grid.forEach((length, axis) => {
      const along = Math.floor(position / gridSteps[axis]!) % length;
      corner += along * chunkShape[axis]! * steps[axis]!;
    });
    for (const [from, to, length] of rows(chunkShape, steps, corner)) {
      if (joined) copyItems(part as VariableChunk, joined.bases.get(part)!, from, joined.whole, to, length);
      else copyNumbers(part as FixedChunk, from, whole as FixedChunk, to, length, elementCount(spec.shape));
    }
  }
  return joined?.whole ?? whole;
}

/** Runs of elements that stay together: [place in the inner chunk, place in the shard, how many]. */
function* rows(
  shape: readonly number[],
  steps: readonly number[],
  corner: number,
): Generator<[number, number, number]> {
  const last = shape.length - 1;
  const length = shape[last] ?? 1;
  const count = elementCount(shape) / length;
  const inner = strides(shape);
  for (let row = 0; row < count; row++) {
    let to = corner;
    for (let axis = 0; axis < last; axis++) {
      to += (Math.floor((row * length) / inner[axis]!) % shape[axis]!) * steps[axis]!;
    }
    yield [row * length, to, length];
  }
}

function copyNumbers(
  part: FixedChunk,
  from: number,
  whole: FixedChunk,
  to: number,
  length: number,
  count: number,
): void {
  const width = whole.data.length / count;
  const run = part.data.subarray(from * width, (from + length) * width);
  (whole.data as Float64Array).set(run as Float64Array, to * width);
}

function joinBytes(whole: VariableChunk, parts: Iterable<VariableChunk>) {
  const bases = new Map<ChunkData, number>();
  let size = whole.data.length;
  for (const part of parts) {
    bases.set(part, size);
    size += part.data.length;
  }
  const data = new Uint8Array(size);
  data.set(whole.data);
  for (const [part, base] of bases) data.set(part.data as Uint8Array, base);
  return { whole: { ...whole, data }, bases };
}

function copyItems(
  part: VariableChunk,
  base: number,
  from: number,
  whole: VariableChunk,
  to: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    whole.starts[to + i] = part.starts[from + i]! + base;
    whole.ends[to + i] = part.ends[from + i]! + base;
  }
}
