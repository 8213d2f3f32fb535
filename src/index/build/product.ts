/** One column's index, zone map and truth, written but not yet published. */
import { mapLimit } from "../../abort.ts";
import type { ReadOptions, Store } from "../../store/store.ts";
import type { MetaColumn } from "../../table/column.ts";
import type { JsonObject } from "../../zarr/json.ts";
import type { BySide } from "../api.ts";
import { chooseKind, type IndexKind } from "./choose.ts";
import { CoveringBuilder } from "./covering.ts";
import { comparedBefore } from "./covering-before.ts";
import { type EncodedColumn, encodeColumn } from "./encode.ts";
import { buildId } from "./nodes.ts";
import { recall, recallZones } from "./recall.ts";
import type { IndexTarget } from "./target.ts";

export interface ProductOptions extends ReadOptions {
  /** Whether it was asked for by name. */
  wanted: boolean;
  /** Whether a tree answers for it, because it holds a side of its boxes; default false. */
  covered?: boolean | undefined;
  /** Chunks from the first on that are known to be what was indexed; default none. */
  unchanged?: number | undefined;
  /** Columns that may hold the boxes of this one. */
  coverings?: readonly BySide<MetaColumn>[] | undefined;
  /** Told of rows that are read. */
  onRows?: ((rows: number) => void) | undefined;
}

/** What the records are to say of a column. */
export interface ColumnProduct {
  /** `undefined`: it has a zone map alone. */
  kind: IndexKind | undefined;
  index: JsonObject | undefined;
  zones: JsonObject;
  truth: JsonObject;
  /** Of their arrays. */
  bytes: number;
}

/** Reads a column, and writes what belongs to its index beside what is published. */
export async function produceColumn(
  column: MetaColumn,
  source: Store,
  target: IndexTarget,
  options: ProductOptions,
): Promise<ColumnProduct> {
  const { onRows, signal, unchanged = 0 } = options;
  const { rows } = column;
  const builders = await mapLimit(options.coverings ?? [], 1, async (four) => {
    const before = await comparedBefore(column, four, unchanged * column.chunkRows, source, target, options);
    return new CoveringBuilder(four, source, rows, { signal, before });
  });
  const recalled = await recall(column, unchanged, target, options);
  const kind = recalled
    ? (target.records.indexes[column.name]!.kind as IndexKind)
    : await chooseKind(column, source, options);
  const recalledZones = kind ? undefined : await recallZones(column, unchanged, target, options);
  const encode = (kind: IndexKind | undefined) => {
    const build = buildId();
    const coverings = { builders, build };
    const known = { recalled, recalledZones, coverings };
    return encodeColumn(column, source, { signal, kind, rows, build, onRows, ...known });
  };
  const encoded = await encode(kind);
  if (kind !== "category" || encoded.index) return written(kind, encoded, column, target, options);
  return written("btree", await encode("btree"), column, target, options);
}

async function written(
  kind: IndexKind | undefined,
  { index, zones, truth }: EncodedColumn,
  column: MetaColumn,
  target: IndexTarget,
  options: ReadOptions,
): Promise<ColumnProduct> {
  if (kind === "rtree") await target.retire(column.name, options);
  for (const part of [index, zones, truth]) if (part) await target.write(part, options);
  const arrays = [index, zones, truth].flatMap((part) => part?.arrays ?? []);
  const bytes = arrays.reduce((sum, { data }) => sum + data.byteLength, 0);
  return { kind, index: index?.record, zones: zones.record, truth: truth.record, bytes };
}
