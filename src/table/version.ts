import { mapLimit } from "../abort.ts";
import { hashHex } from "../hash.ts";
import { statsOf } from "../store/stats.ts";
import type { ReadOptions, Store } from "../store/store.ts";
import { type JsonObject, writeJson } from "../zarr/json.ts";
import { gridShape } from "../zarr/metadata.ts";
import type { MetaColumn } from "./column.ts";
import type { MetaTable } from "./open.ts";

/**
 * What a source is pinned to: an Icechunk snapshot id; for a plain store a hash over the metadata of `/meta`'s
 * columns and the sizes and stamps (times or ETags) of their chunks, 40 hex digits. One `stat` a chunk.
 */
export async function tableVersion(
  store: Store,
  table: MetaTable,
  options: ReadOptions = {},
): Promise<string> {
  if (store.snapshot !== undefined) return store.snapshot;
  const columns = [...table.columns.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts = await mapLimit(columns, 4, (column) => columnState(store, column, options));
  const state = parts.join("\n");
  const last = lastVersions.get(table);
  if (last?.state === state) return last.version;
  const version = (await hashHex(state)).slice(0, 40);
  lastVersions.set(table, { state, version });
  return version;
}

/** Views look for changes with every read: as long as there are none, nothing is hashed again. */
const lastVersions = new WeakMap<MetaTable, { state: string; version: string }>();
const documents = new WeakMap<JsonObject, string>();

function documentText(document: JsonObject): string {
  const text = documents.get(document) ?? writeJson(document);
  documents.set(document, text);
  return text;
}

async function columnState(store: Store, column: MetaColumn, options: ReadOptions): Promise<string> {
  const documentKey = `${column.path}/${column.meta.format === 3 ? "zarr.json" : ".zarray"}`;
  const chunks = Array.from({ length: gridShape(column.meta)[0]! }, (_, chunk) => column.keyOf(chunk));
  const stats = await statsOf(store, [documentKey, ...chunks], options);
  const stamps = stats.map((stat) => (stat ? `${stat.size}:${stat.stamp}` : "-"));
  return [column.name, documentText(column.meta.document), ...stamps].join("\n");
}
