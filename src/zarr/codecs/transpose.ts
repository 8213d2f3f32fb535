import { type ChunkData, newLike } from "../chunk-data.ts";
import type { JsonValue } from "../json.ts";
import { type ArrayCodec, type ArraySpec, elementCount, unsupported } from "./codec.ts";

/** `transpose`: axis i of what is stored is axis `order[i]` of the chunk. */
export function transposeCodec(spec: ArraySpec, order: JsonValue | undefined): ArrayCodec {
  const rank = spec.shape.length;
  if (!isPermutation(order, rank)) throw unsupported(`"transpose" needs an order of ${rank} axes, each once`);
  const stored = order.map((axis) => spec.shape[axis]!);
  const chunkSteps = strides(spec.shape);
  const storedSteps = strides(stored);
  const intoChunk = spec.shape.map((_, axis) => storedSteps[order.indexOf(axis)]!);
  const intoStored = order.map((axis) => chunkSteps[axis]!);
  return {
    kind: "array",
    encoded: { ...spec, shape: stored },
    decode: (chunk) => permute(chunk, spec.shape, intoChunk),
    encode: (chunk) => permute(chunk, stored, intoStored),
  };
}

function isPermutation(order: JsonValue | undefined, rank: number): order is number[] {
  return (
    Array.isArray(order) &&
    order.length === rank &&
    order.every((axis, i) => isAxis(axis, rank) && order.indexOf(axis) === i)
  );
}

function isAxis(axis: JsonValue, rank: number): boolean {
  return typeof axis === "number" && Number.isInteger(axis) && axis >= 0 && axis < rank;
}

/** Elements between neighbours along each axis, in C order. */
export function strides(shape: readonly number[]): number[] {
  const steps = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    steps[axis] = step;
    step *= shape[axis]!;
  }
  return steps;
}

/** The elements in C order of `shape`, where neighbours along each axis stand `steps` apart in `chunk`. */
function permute(chunk: ChunkData, shape: readonly number[], steps: readonly number[]): ChunkData {
  const count = elementCount(shape);
  const from = sources(shape, steps, count);
  if ("starts" in chunk) {
    return {
      data: chunk.data,
      starts: from.map((i) => chunk.starts[i]!),
      ends: from.map((i) => chunk.ends[i]!),
    };
  }
  const { data } = chunk;
  const out = newLike(data, data.length);
  const width = count === 0 ? 1 : data.length / count;
  for (let i = 0; i < count; i++) {
    for (let part = 0; part < width; part++) out[i * width + part] = data[from[i]! * width + part]!;
  }
  return { data: out };
}

function sources(shape: readonly number[], steps: readonly number[], count: number): Uint32Array {
  const from = new Uint32Array(count);
  const at = new Array<number>(shape.length).fill(0);
  let source = 0;
  for (let i = 0; i < count; i++) {
    from[i] = source;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += steps[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      source -= steps[axis]! * shape[axis]!;
      at[axis] = 0;
    }
  }
  return from;
}
