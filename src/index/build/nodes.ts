/** The Zarr nodes below `/indexes` in a store, which of them are ours, and which no record names any more. */
import type { ReadOptions, Store } from "../../store/store.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJsonObject } from "../../zarr/json.ts";
import type { NodeDocuments } from "../../zarr/parse.ts";
import type { IndexRecords } from "../records.ts";

/** Documents of nodes, by path in the store. */
export type Nodes = Map<string, NodeDocuments>;

const DOCUMENTS = { 2: [".zgroup", ".zarray", ".zattrs"], 3: ["zarr.json"] } as const;

/** Below this the arrays of no other program lie. */
export const OWN = "indexes/_zarrsift";

/** A new name for what one build writes: no two builds share one. */
export function buildId(): string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  return `b${[...random].map((word) => word.toString(16).padStart(8, "0")).join("")}`;
}

const BUILD = /^b[0-9a-f]{16}$/;

/** All nodes below `path`, arrays not entered. */
export async function nodesBelow(
  store: Store,
  path: string,
  format: 2 | 3,
  options: ReadOptions = {},
): Promise<Nodes> {
  const nodes: Nodes = new Map();
  const visit = async (at: string): Promise<void> => {
    const documents = await documentsAt(store, at, format, options);
    if (Object.keys(documents).length > 0) nodes.set(at, documents);
    if (documents[".zarray"] || documents["zarr.json"]?.node_type === "array") return;
    const listing = await store.list(at, options);
    for (const name of listing?.prefixes ?? []) await visit(`${at}/${name}`);
  };
  await visit(path);
  return nodes;
}

/** The documents of one node; those of other `names` too, where they are given. */
export async function documentsAt(
  store: Store,
  path: string,
  format: 2 | 3,
  options: ReadOptions = {},
  names: readonly string[] = DOCUMENTS[format],
): Promise<NodeDocuments> {
  const documents: Record<string, JsonObject> = {};
  for (const name of names) {
    const key = path === "" ? name : `${path}/${name}`;
    const bytes = await store.get(key, options);
    if (bytes) documents[name] = parseJsonObject(bytes, `${store.url}/${key}`);
  }
  return documents;
}

/** Paths that records name: of groups of arrays, and of trees. */
export function livePaths(records: IndexRecords): Set<string> {
  const all = [records.truth, records.indexes, records.zones].flatMap((of) => Object.values(of));
  const paths = all.flatMap(({ path, side, covering }) => [path, side, exceptionsPath(covering)]);
  return new Set(paths.filter((path): path is string => typeof path === "string"));
}

function exceptionsPath(covering: JsonValue | undefined): JsonValue | undefined {
  const exceptions = isJsonObject(covering) ? covering.exceptions : undefined;
  return isJsonObject(exceptions) ? exceptions.path : undefined;
}

/** Whether what is at `path`, below `/indexes`, was left by a build and is of no more use. */
export function isLeftover(path: string, live: ReadonlySet<string>): boolean {
  const [, group, build] = path.split("/");
  const own =
    path === OWN || path.startsWith(`${OWN}/`) || (group !== "_zarrsift" && BUILD.test(build ?? ""));
  if (!own) return false;
  for (const kept of live)
    if (path === kept || path.startsWith(`${kept}/`) || kept.startsWith(`${path}/`)) return false;
  return true;
}

/** Keys below `prefix`, whole. */
export async function* keysBelow(
  store: Store,
  prefix: string,
  options: ReadOptions = {},
): AsyncGenerator<string> {
  const listing = await store.list(prefix, options);
  for (const name of listing?.keys ?? []) yield `${prefix}/${name}`;
  for (const name of listing?.prefixes ?? []) yield* keysBelow(store, `${prefix}/${name}`, options);
}
