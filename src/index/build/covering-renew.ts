/** Coverings of trees that are as they were, where the columns are not. */
import { isZarrsiftError } from "../../errors.ts";
import type { ReadOptions, Store } from "../../store/store.ts";
import type { Lock } from "../../store/writable.ts";
import type { MetaColumn } from "../../table/column.ts";
import { type JsonObject, type JsonValue, jsonEquals } from "../../zarr/json.ts";
import type { BySide } from "../api.ts";
import type { EncodedIndex } from "../arrays.ts";
import { coveringRecord } from "../covering.ts";
import { newIndexCache } from "../pages.ts";
import { truthRecord } from "../records.ts";
import { contentSums } from "../truth.ts";
import { CoveringBuilder, coveringOf } from "./covering.ts";
import { buildId } from "./nodes.ts";
import { recalledShapes } from "./recall-shapes.ts";
import type { IndexTarget } from "./target.ts";

/** Rows compared at once. */
const RUN = 2 ** 16;

/** The columns that a record of a tree names as its covering. */
export function coveringColumns({ covering }: JsonObject = {}): BySide<string> | undefined {
  try {
    return covering === undefined ? undefined : coveringRecord(covering).columns;
  } catch {
    return undefined;
  }
}

/**
 * Compares `geometry`'s tree with the columns that may hold its boxes, unless what its record says of them is still
 * true of what they were indexed as.
 *
 * @returns whether the record is another now
 */
export async function renewCovering(
  geometry: MetaColumn,
  candidates: readonly BySide<MetaColumn>[],
  source: Store,
  target: IndexTarget,
  lock: Lock | undefined,
  options: ReadOptions,
): Promise<boolean> {
  const { name } = geometry;
  const record = target.records.indexes[name]!;
  if (isTrue(record.covering, candidates, target)) return false;
  const found = await compared(geometry, candidates, source, target, options);
  if (!found && record.covering === undefined) return false;
  if (found) await target.write(found, options);
  await lock?.ensure();
  const { covering: _, ...rest } = record;
  await target.publish(options, undefined, () => {
    target.records.indexes[name] = found ? { ...rest, covering: found.record } : rest;
  });
  return true;
}

function isTrue(
  stored: JsonValue | undefined,
  candidates: readonly BySide<MetaColumn>[],
  { records }: IndexTarget,
): boolean {
  if (stored === undefined) return candidates.length === 0;
  try {
    const { columns, truth } = coveringRecord(stored);
    const named = candidates.some((four) => four.every(({ name }, side) => name === columns[side]));
    const now = columns.map((name) => contentSums(truthRecord(records.truth[name] ?? {})));
    return named && jsonEquals(now, truth as unknown as JsonValue);
  } catch {
    return false;
  }
}

async function compared(
  { name, rows }: MetaColumn,
  candidates: readonly BySide<MetaColumn>[],
  source: Store,
  { store, hierarchy, records }: IndexTarget,
  options: ReadOptions,
): Promise<EncodedIndex | undefined> {
  const builders = candidates.map((four) => new CoveringBuilder(four, source, rows, options));
  if (builders.length === 0) return undefined;
  const reads = { store, hierarchy: hierarchy!, cache: newIndexCache(2 ** 22) };
  try {
    const recalled = await recalledShapes(records.indexes[name]!, rows, reads, options);
    for (let from = 0; from < rows && builders.some(({ holds }) => holds); from += RUN) {
      options.signal?.throwIfAborted();
      const shapes = recalled.shapes!(from, Math.min(rows, from + RUN));
      for (const builder of builders) await builder.add(shapes);
    }
  } catch (error) {
    // A damaged tree has no covering.
    if (!isZarrsiftError(error, "index_unusable")) throw error;
    return undefined;
  }
  return coveringOf(builders, name, buildId());
}
