/** What is known of the chunks of columns before any of them is read. */
import type { Key, ZoneMap } from "../../index/api.ts";
import type { ReadOptions } from "../../store/store.ts";
import type { Column, Table } from "../../table/table.ts";

/** One chunk of a column. Every value that is not NULL lies within its bounds, which may be wider than the values. */
export interface Zone {
  rows: number;
  /** How many of them are NULL; of geometry, empty ones count too. */
  nulls: number;
  /** Numbers, times, bools. `low > high` where all are NULL. */
  numbers?: { low: Key; high: Key };
  /** Texts and bytes; `high` undefined: no bound. Of no meaning where all are NULL. */
  texts?: { low: Uint8Array; high: Uint8Array | undefined };
  /** Whether both bounds are values of the chunk. */
  exact: boolean;
  /** west, south, east, north around the shapes brought to [-180, 180]; `west > east` where there are none. */
  box?: Float64Array;
}

/**
 * The chunks of one column as far as they are known: by a zone map, which knows the first so many of them, or by whoever
 * has read some.
 */
export interface KnownZones {
  readonly chunkRows: number;
  /** undefined: anything may be in that chunk. */
  zone(chunk: number): Zone | undefined;
}

/** The zones of a column that a zone map holds. Chunks that it does not cover are not known. */
export async function storedZones(
  map: ZoneMap,
  column: Column,
  table: Table,
  options: ReadOptions,
): Promise<KnownZones> {
  const { nulls, numbers, texts, boxes } = await map.load(options);
  const { chunkRows } = column;
  const zone = (chunk: number): Zone | undefined => {
    if (chunk >= map.chunks) return undefined;
    return {
      rows: Math.min(chunkRows, table.rows - chunk * chunkRows),
      nulls: nulls[chunk]!,
      exact: texts ? texts.exact[chunk] === 1 : numbers !== undefined,
      ...(numbers && { numbers: { low: numbers.min[chunk]!, high: numbers.max[chunk]! } }),
      ...(texts && { texts: { low: texts.min[chunk]!, high: texts.max[chunk] } }),
      ...(boxes && { box: boxes.subarray(4 * chunk, 4 * chunk + 4) }),
    };
  };
  return { chunkRows, zone };
}
