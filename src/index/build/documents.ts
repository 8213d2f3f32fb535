/** What the groups around the indexes say: `/indexes` itself, and the root. */
import { CONVENTION } from "../../table/announcement.ts";
import { isJsonObject, type JsonObject, jsonEquals } from "../../zarr/json.ts";
import type { NodeDocuments } from "../../zarr/parse.ts";
import type { Nodes } from "./nodes.ts";

/**
 * The documents of a group, with the documents of all `nodes` below it, whose paths are relative to it. The one that
 * has its attributes is the last.
 */
export function groupDocuments(
  format: 2 | 3,
  attributes: JsonObject,
  nodes?: Nodes,
): Record<string, JsonObject> {
  if (format === 2) {
    const own: Record<string, JsonObject> = { ".zgroup": { zarr_format: 2 }, ".zattrs": attributes };
    return { ...(nodes && { ".zmetadata": consolidatedV2(own, nodes) }), ...own };
  }
  const group: JsonObject = { zarr_format: 3, node_type: "group", attributes };
  return { "zarr.json": nodes ? { ...group, consolidated_metadata: inline(nodes) } : group };
}

function consolidatedV2(own: JsonObject, nodes: Nodes): JsonObject {
  const metadata: JsonObject = { ...own };
  addDocuments(metadata, nodes);
  return { zarr_consolidated_format: 1, metadata };
}

function addDocuments(metadata: JsonObject, nodes: Nodes): void {
  for (const [path, documents] of nodes)
    for (const [name, document] of Object.entries(documents))
      if (name !== ".zmetadata") metadata[`${path}/${name}`] = document as JsonObject;
}

function inline(nodes: Nodes): JsonObject {
  const metadata: JsonObject = {};
  for (const [path, documents] of nodes) metadata[path] = documents["zarr.json"]!;
  return { kind: "inline", must_understand: false, metadata };
}

/**
 * The root's documents with what is below `/indexes` made true in them, where they speak of it: consolidated metadata
 * is completed, an announcement's list of indexes corrected.
 *
 * @param nodes `/indexes` and all nodes below it, by path; none: there are no indexes
 * @param names of the columns that have an index
 * @returns those documents that differ
 */
export function rootDocuments(
  format: 2 | 3,
  root: NodeDocuments,
  nodes: Nodes,
  names: readonly string[],
): Record<string, JsonObject> {
  const after = format === 3 ? rootV3(root, nodes, names) : rootV2(root, nodes, names);
  const documents = root as Record<string, JsonObject | undefined>;
  return Object.fromEntries(Object.entries(after).filter(([name, now]) => !jsonEquals(now, documents[name])));
}

function rootV3(root: NodeDocuments, nodes: Nodes, names: readonly string[]): Record<string, JsonObject> {
  const document = root["zarr.json"];
  if (!document) return {};
  const after = { ...document };
  if (isJsonObject(document.attributes)) after.attributes = announced(document.attributes, names);
  const consolidated = document.consolidated_metadata;
  if (isJsonObject(consolidated) && isJsonObject(consolidated.metadata)) {
    const metadata = others(consolidated.metadata, (path) => path);
    for (const [path, documents] of nodes) metadata[path] = withoutConsolidated(documents["zarr.json"]!);
    after.consolidated_metadata = { ...consolidated, metadata };
  }
  return { "zarr.json": after };
}

function rootV2(root: NodeDocuments, nodes: Nodes, names: readonly string[]): Record<string, JsonObject> {
  const { ".zattrs": attributes, ".zmetadata": consolidated } = root as Record<
    string,
    JsonObject | undefined
  >;
  const after: Record<string, JsonObject> = {};
  if (attributes) after[".zattrs"] = announced(attributes, names);
  if (consolidated && isJsonObject(consolidated.metadata)) {
    const metadata = others(consolidated.metadata, (key) => key.slice(0, Math.max(0, key.lastIndexOf("/"))));
    const own = metadata[".zattrs"];
    if (isJsonObject(own)) metadata[".zattrs"] = announced(own, names);
    addDocuments(metadata, nodes);
    after[".zmetadata"] = { ...consolidated, metadata };
  }
  return after;
}

/** Entries that are not of `/indexes`. */
function others(metadata: JsonObject, pathOf: (key: string) => string): JsonObject {
  const kept: JsonObject = {};
  for (const key of Object.keys(metadata)) {
    const path = pathOf(key);
    if (path !== "indexes" && !path.startsWith("indexes/")) kept[key] = metadata[key]!;
  }
  return kept;
}

function withoutConsolidated({ consolidated_metadata: _, ...document }: JsonObject): JsonObject {
  return document;
}

/** Attributes whose announcement, where they have one, lists these indexes. */
function announced(attributes: JsonObject, names: readonly string[]): JsonObject {
  const { zarr_conventions: conventions, zarrsift: own } = attributes;
  const announces =
    Array.isArray(conventions) &&
    conventions.some((entry) => isJsonObject(entry) && entry.uuid === CONVENTION.uuid);
  if (!announces || !isJsonObject(own)) return attributes;
  return { ...attributes, zarrsift: { ...own, indexes: [...names] } };
}
