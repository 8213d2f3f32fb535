/**
 * Where things stand in a Flatbush / geo-index tree of float64 boxes: a header of 8 bytes, the boxes of all nodes
 * level by level from the items up (minX, minY, maxX, maxY), then a uint16 or uint32 for each of them.
 * Source: flatbush 4 (format version 3) and geo-index 0.2, which share the format.
 */
import { unusable } from "./pages.ts";

export const HEADER_BYTES = 8;
const MAGIC = 0xfb;
const VERSION = 3;
const FLOAT64 = 8;

export interface TreeLayout {
  items: number;
  nodeSize: number;
  /** Number of the first box of each level, the items' first, and of the box after the last. */
  levels: number[];
  /** Bytes of an entry in the table of numbers behind the boxes. */
  idBytes: 2 | 4;
  /** Byte at which that table begins. */
  idsAt: number;
  byteLength: number;
}

/** The layout of a tree of so many items. */
export function treeLayout(items: number, nodeSize: number): TreeLayout {
  const levels = [0, items];
  let [count, boxes] = [items, items];
  do {
    count = Math.ceil(count / nodeSize);
    boxes += count;
    levels.push(boxes);
  } while (count > 1);
  const idBytes = boxes < 16384 ? 2 : 4;
  const idsAt = HEADER_BYTES + boxes * 32;
  return { items, nodeSize, levels, idBytes, idsAt, byteLength: idsAt + boxes * idBytes };
}

/**
 * What the first 8 bytes of a tree say of one with `byteLength` bytes.
 * @throws ZarrsiftError `index_unusable` for anything but a whole tree of float64 boxes, format version 3
 */
export function parseHeader(header: Uint8Array, byteLength: number, path: string): TreeLayout {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (header.length < HEADER_BYTES || view.getUint8(0) !== MAGIC)
    throw unusable(path, "it is no Flatbush or geo-index tree");
  const version = view.getUint8(1) >> 4;
  if (version !== VERSION) throw unusable(path, `its format version is ${version}, not ${VERSION}`);
  if ((view.getUint8(1) & 15) !== FLOAT64) throw unusable(path, "its boxes are not float64");
  const nodeSize = view.getUint16(2, true);
  const items = view.getUint32(4, true);
  if (nodeSize < 2 || items === 0) throw unusable(path, `it has ${items} items, ${nodeSize} a node`);
  const layout = treeLayout(items, nodeSize);
  if (layout.byteLength !== byteLength)
    throw unusable(path, `a tree of ${items} items has ${layout.byteLength} bytes, this has ${byteLength}`);
  return layout;
}
