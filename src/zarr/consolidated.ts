import { isJsonObject, type JsonObject } from "./json.ts";
import type { NodeDocuments } from "./parse.ts";

/** Documents of all nodes below a group, as one of its own documents keeps them. Paths are relative to the group. */
export class Consolidated {
  readonly #documents: Map<string, NodeDocuments>;
  readonly #children = new Map<string, Set<string>>([["", new Set()]]);

  constructor(documents: Map<string, NodeDocuments>) {
    this.#documents = documents;
    for (const path of documents.keys()) this.#addParents(path);
  }

  get(path: string): NodeDocuments | undefined {
    return this.#documents.get(path);
  }

  /** Names directly below `path`; `undefined` where nothing is known of it. */
  children(path: string): ReadonlySet<string> | undefined {
    return this.#children.get(path) ?? (this.#documents.has(path) ? new Set() : undefined);
  }

  #addParents(path: string): void {
    for (let child = path; child !== ""; ) {
      const slash = child.lastIndexOf("/");
      const parent = slash < 0 ? "" : child.slice(0, slash);
      const siblings = this.#children.get(parent) ?? new Set();
      this.#children.set(parent, siblings.add(child.slice(slash + 1)));
      child = parent;
    }
  }
}

/** What `consolidated_metadata` of a v3 group holds; `undefined` where it has none. */
export function consolidatedV3(group: JsonObject): Consolidated | undefined {
  const own = group.consolidated_metadata;
  const metadata = isJsonObject(own) && own.kind === "inline" ? own.metadata : undefined;
  if (!isJsonObject(metadata)) return undefined;
  const documents = new Map<string, NodeDocuments>();
  for (const [path, document] of Object.entries(metadata)) {
    if (path !== "" && isJsonObject(document)) documents.set(path, { "zarr.json": document });
  }
  return new Consolidated(documents);
}

/** What a `.zmetadata` holds; `undefined` where it is none. */
export function consolidatedV2(zmetadata: JsonObject): Consolidated | undefined {
  const { metadata } = zmetadata;
  if (!isJsonObject(metadata)) return undefined;
  const documents = new Map<string, NodeDocuments>();
  for (const [key, document] of Object.entries(metadata)) {
    const slash = key.lastIndexOf("/");
    if (slash < 1 || !isJsonObject(document)) continue;
    const path = key.slice(0, slash);
    documents.set(path, { ...documents.get(path), [key.slice(slash + 1)]: document });
  }
  return new Consolidated(documents);
}
