import type * as Arrow from "apache-arrow";
import { ZarrsiftError } from "../errors.ts";
import { joined } from "../joined.ts";
import { slice, type Vector } from "../table/vector.ts";
import { arrowData } from "./arrow-data.ts";
import { type ArrowLibrary, arrowSchema } from "./arrow-types.ts";
import { Pace } from "./pace.ts";
import { checkCount, type RowBatch, type RowColumn, type RowLimits } from "./rows.ts";

/** Most rows and, roughly, most bytes of one column in a record batch. */
const MOST_ROWS = 65_536;
const MOST_BYTES = 2 ** 24;

/** What 32-bit offsets reach. */
const OFFSETS_REACH = 2 ** 31 - 1;

/**
 * The answer as an Arrow IPC stream, a record batch at a time: `application/vnd.apache.arrow.stream`. Where reading
 * fails the end-of-stream mark is missing.
 * @throws ZarrsiftError `too_large`, `bad_geometry`
 */
export async function* arrowStream(
  columns: readonly RowColumn[],
  batches: AsyncIterable<RowBatch>,
  limits: RowLimits = {},
): AsyncGenerator<Uint8Array> {
  const arrow = await import("apache-arrow");
  const schema = arrowSchema(arrow, columns);
  const writer = collector(arrow, schema);
  const pace = new Pace(undefined);
  let count = 0;
  for await (const batch of batches) {
    checkCount(count + batch.length, limits);
    for (const part of parts(batch)) {
      writer.write(recordBatch(arrow, schema, part));
      yield writer.taken();
      await pace.rest();
    }
    count += batch.length;
  }
  writer.finish();
  yield writer.taken();
}

function recordBatch(
  arrow: ArrowLibrary,
  schema: Arrow.Schema,
  { length, vectors }: RowBatch,
): Arrow.RecordBatch {
  const children = vectors.map((vector, i) => arrowData(arrow, schema.fields[i]!.type, vector));
  const type = new arrow.Struct(schema.fields);
  return new arrow.RecordBatch(schema, arrow.makeData({ type, length, nullCount: 0, children }));
}

/** The library's writer queues without a bound; this one hands over what was written since it was last asked. */
function collector(arrow: ArrowLibrary, schema: Arrow.Schema) {
  let written: Uint8Array[] = [];
  class Collector extends arrow.RecordBatchStreamWriter {
    protected override _write(chunk: ArrayBufferView): this {
      if (chunk.byteLength > 0)
        written.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      return this;
    }
    taken(): Uint8Array {
      const bytes = joined(written, new Uint8Array(written.reduce((sum, { length }) => sum + length, 0)));
      written = [];
      return bytes;
    }
  }
  const writer = new Collector();
  writer.reset(undefined, schema);
  return writer;
}

/** A batch in parts that keep to the most rows and bytes. */
function* parts(batch: RowBatch): Generator<RowBatch> {
  for (let from = 0; from < batch.length; ) {
    const to = Math.min(
      ...batch.vectors.map((vector) => partEnd(vector, from)),
      from + MOST_ROWS,
      batch.length,
    );
    yield { length: to - from, vectors: batch.vectors.map((vector) => slice(vector, from, to)) };
    from = to;
  }
}

function partEnd(vector: Vector, from: number): number {
  if (vector.kind !== "bytes") return vector.length;
  let [size, to] = [0, from];
  while (to < vector.length) {
    const bytes = vector.nulls?.[to] ? 0 : vector.ends[to]! - vector.starts[to]!;
    if (bytes > OFFSETS_REACH)
      throw new ZarrsiftError("too_large", `A value of ${bytes} bytes is more than an Arrow column holds`);
    size += bytes;
    if (size > MOST_BYTES && to > from) break;
    to++;
  }
  return to;
}
