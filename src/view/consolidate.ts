/** The documents of a view's nodes in one face, with consolidated metadata: complete, or absent. */
import { isZarrsiftError } from "../errors.ts";
import type { ReadOptions } from "../store/store.ts";
import type { JsonObject } from "../zarr/json.ts";
import type { Face } from "./api.ts";
import { type FacedArray, faceGroup, type ServedArray } from "./face.ts";
import { isArray, type ViewTree } from "./tree.ts";
import { nodesBelow } from "./walk.ts";

/** Default of how many nodes a group may have below it to have consolidated metadata; larger ones clients list. */
export const MOST_CONSOLIDATED = 40_000;

/** Documents by path below a group, relative, in order; arrays the face cannot express are not among them. */
type Below = Map<string, Record<string, JsonObject>>;

/** One face of a view. */
export interface FacedTree {
  tree: ViewTree;
  face: Face;
  faced(array: ServedArray): FacedArray;
  /** Nodes below a group up to which its metadata is consolidated. */
  most: number;
}

/** @returns documents by file name: `zarr.json`, or `.zgroup`, `.zattrs`, `.zmetadata`; `undefined` where there is no node */
export async function documentsOf(
  shown: FacedTree,
  path: string,
  options?: ReadOptions,
): Promise<Record<string, JsonObject> | undefined> {
  const { tree, face, faced } = shown;
  const node = await tree.node(path, options);
  if (!node) return undefined;
  if (isArray(node)) return faced(node).documents;
  const own = faceGroup(node.meta, node.attributes, face);
  const below = await allBelow(shown, path, options);
  return below ? consolidated(own, below, face) : own;
}

function consolidated(own: Record<string, JsonObject>, below: Below, face: Face): Record<string, JsonObject> {
  if (face === 3) {
    const metadata = Object.fromEntries(
      [...below].map(([path, documents]) => [path, documents["zarr.json"]!]),
    );
    const inline = { kind: "inline", must_understand: false, metadata };
    return { "zarr.json": { ...own["zarr.json"]!, consolidated_metadata: inline } };
  }
  const metadata: JsonObject = { ...own };
  for (const [path, documents] of below) {
    for (const [name, document] of Object.entries(documents)) metadata[`${path}/${name}`] = document;
  }
  return { ...own, ".zmetadata": { zarr_consolidated_format: 1, metadata } };
}

/** `undefined` where there are too many, or the source cannot list them. */
async function allBelow(
  { tree, face, faced, most }: FacedTree,
  top: string,
  options?: ReadOptions,
): Promise<Below | undefined> {
  const nodes = await nodesBelow(tree, top, most, options);
  if (!nodes) return undefined;
  const below: Below = new Map();
  for (const node of nodes) {
    const documents = isArray(node) ? expressed(node, faced) : faceGroup(node.meta, node.attributes, face);
    if (documents) below.set(top ? node.path.slice(top.length + 1) : node.path, documents);
  }
  return below;
}

/** `undefined` for an array this face cannot express: reading it by name says why. */
function expressed(node: ServedArray, faced: (array: ServedArray) => FacedArray) {
  try {
    return faced(node).documents;
  } catch (error) {
    if (isZarrsiftError(error, "encoding_unsupported")) return undefined;
    throw error;
  }
}
