/** Which fields a view has, and how they are computed for given rows. */
import { shownName } from "../plan/bind/names.ts";
import { projectColumns, type Query } from "../plan/plan.ts";
import type { MetaTable } from "../table/open.ts";
import { SOURCE_IDX } from "./meta-group.ts";
import type { FieldSource } from "./tree-parts.ts";

/** The columns named; else what the query selects; else, for `idx` alone, `*` or a list of rows, all columns. */
export function fieldsOf(
  table: MetaTable,
  query: Query | undefined,
  named: readonly string[] | undefined,
): FieldSource {
  if (query && !named && query.selects === "list") return listedFields(query);
  const projection = projectColumns(table, named ?? defaultFields(table), named !== undefined);
  return { columns: projection.columns, load: (idx) => projection.project(idx) };
}

/** What the SQL selects; of a view's own bookkeeping columns only those it names. */
function listedFields(query: Query): FieldSource {
  const kept = query.columns.flatMap((column, i) =>
    column.column === SOURCE_IDX && !column.named ? [] : [i],
  );
  return {
    columns: kept.map((i) => query.columns[i]!),
    load: async (idx) => {
      const batch = await query.project(idx);
      return { ...batch, vectors: kept.map((i) => batch.vectors[i]!) };
    },
  };
}

/** All columns, but for a view's own bookkeeping. */
function defaultFields(table: MetaTable): string[] {
  for (const error of table.unusable.values()) if (error.code === "meta_invalid") throw error;
  return [...table.columns.keys()].filter((name) => name !== SOURCE_IDX).map(shownName);
}
