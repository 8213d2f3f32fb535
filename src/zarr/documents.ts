import { Lru } from "../lru.ts";
import { decodeText, type JsonObject, parseObjectText } from "./json.ts";
import type { NodeMeta } from "./metadata.ts";
import { type NodeDocuments, parseNode } from "./parse.ts";

/** Characters of documents that are remembered; arrays of thousands of granules share a few. */
const TEXT_KEPT = 4 * 2 ** 20;

/** Metadata documents, parsed: those that say the same, letter for letter, once. What is returned may be shared. */
export class Documents {
  readonly #byText = new Lru<JsonObject>(TEXT_KEPT);
  /** By the document that says what the node is; v2 keeps its attributes in another. */
  readonly #nodes = new WeakMap<JsonObject, { attributes: JsonObject | undefined; node: NodeMeta }>();

  /** @throws ZarrsiftError `corrupt_metadata` naming `where` */
  parse(bytes: Uint8Array, where: string): JsonObject {
    const text = decodeText(bytes, where);
    const known = this.#byText.get(text);
    if (known) return known;
    const document = parseObjectText(text, where);
    this.#byText.set(text, document, text.length);
    return document;
  }

  /** What a node's documents say; `undefined` where there are none. Errors as `parseNode`. */
  node(documents: NodeDocuments, path: string): NodeMeta | undefined {
    const main = documents["zarr.json"] ?? documents[".zarray"] ?? documents[".zgroup"];
    const attributes = documents["zarr.json"] ? undefined : documents[".zattrs"];
    const known = main && this.#nodes.get(main);
    if (known && known.attributes === attributes) return known.node;
    const node = parseNode(documents, path);
    if (main && node) this.#nodes.set(main, { attributes, node });
    return node;
  }
}
