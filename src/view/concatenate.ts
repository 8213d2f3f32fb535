/** Granules of different lengths end to end: what has the shared first dimension along it, all else one a granule. */
import { ZarrsiftError } from "../errors.ts";
import { Lru } from "../lru.ts";
import type { ReadOptions } from "../store/store.ts";
import { decodable } from "../zarr/chunk.ts";
import { type JsonValue, writeJson } from "../zarr/json.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import { isSharded } from "../zarr/shard.ts";
import { InnerChunks, type StoredChunks, withStored } from "./chunks.ts";
import { ConcatenatedChunks } from "./concat-chunks.ts";
import { type DecodableArray, DecodedChunks } from "./decoded-chunks.ts";
import { emptyGroup } from "./empty-group.ts";
import { simpleCodecs } from "./face.ts";
import { chunked, type GranuleNodes, granuleNodes } from "./granule-nodes.ts";
import { withNewAxis } from "./new-axis.ts";
import {
  refuseMeta,
  refuseUnknown,
  type Stack,
  type StackedArray,
  withNames,
  withoutDimensions,
} from "./stack.ts";
import { type GranulesInput, type Kind, readKinds, refuseDifferent } from "./stack-granules.ts";

/** Granules end to end. */
export interface Concatenation extends Stack {
  /** Name of the dimension they lie along; `dimension` is that of the granules themselves. */
  along: string;
  /** First row of each granule, and the number of all rows last. */
  starts: Float64Array;
}

/** The dimension of what there is one of a granule: the rows of the view's `/meta`. */
const GRANULES = "meta_row";

/**
 * @throws ZarrsiftError `layout_unsupported` where granules differ in more than the length of their first axis, have no
 *   named first axis in common, or hold arrays of different lengths along it
 */
export async function concatenate(input: GranulesInput, options: ReadOptions = {}): Promise<Concatenation> {
  const { paths, idx, granules, variables } = input;
  if (paths.length === 0)
    return {
      along: "row",
      starts: new Float64Array(1),
      dimension: GRANULES,
      arrays: new Map(),
      groups: new Map(),
      attributes: {},
    };
  const first = { granules, path: paths[0]!, idx: idx[0]! };
  const along = firstAxis(await granuleNodes(first, variables, options), first.path);
  const lengths = new Float64Array(paths.length);
  const chunkings = new Map<string, Chunkings>();
  const visit = (nodes: GranuleNodes, position: number) => {
    for (const [inside, node] of nodes) {
      if (node.nodeType !== "array" || node.dimensionNames?.[0] !== along) continue;
      const own = chunkings.get(inside) ?? { all: new Map(), of: new Map() };
      chunkings.set(inside, own);
      const name = writeJson([node.chunkShape, node.codecs] as unknown as JsonValue);
      if (!own.all.has(name)) own.all.set(name, { whole: node, inner: chunked(node) });
      own.of.set(position, own.all.get(name)!);
    }
    lengths[position] = lengthOf(nodes, along, paths[position]!);
  };
  const kinds = await readKinds({ ...input, along, visit }, options);
  refuseDifferent(kinds, { ...input, along });
  const kind = kinds[0]!;
  refuseUnknown(variables ?? [], kind.arrays.keys());
  const starts = new Float64Array(paths.length + 1);
  for (const [i, length] of lengths.entries()) starts[i + 1] = starts[i]! + length;
  const decoded = new DecodedChunks();
  const arrays: Stack["arrays"] = new Map();
  for (const [path, meta] of kind.arrays) {
    refuseMeta(path);
    const own = chunkings.get(path);
    const named = withNames(path, meta);
    const made = own ? endToEnd(path, named, own, starts, input, decoded) : onePerGranule(path, named, input);
    arrays.set(path, { ...made, attributes: withoutDimensions(kind.attributes.get(path) ?? {}) });
  }
  return {
    along,
    starts,
    dimension: GRANULES,
    arrays,
    groups: groupsOf(kind),
    attributes: kind.attributes.get("") ?? {},
  };
}

/** Granules whose shard indexes are kept. */
const PARTS_KEPT = 4096;

/** The name that most arrays have for their first axis, and none for another. */
function firstAxis(nodes: GranuleNodes, granule: string): string {
  const counts = new Map<string, number>();
  const others = new Set<string | null>();
  for (const node of nodes.values()) {
    const [first, ...rest] = (node.nodeType === "array" && node.dimensionNames) || [];
    if (first != null) counts.set(first, (counts.get(first) ?? 0) + 1);
    for (const name of rest) others.add(name);
  }
  const names = [...counts].filter(([name]) => !others.has(name)).sort((a, b) => b[1] - a[1]);
  if (names[0] && nodes.get("")?.nodeType === "group") return names[0][0];
  throw new ZarrsiftError(
    "layout_unsupported",
    `The granule /${granule} has no arrays with a named dimension that is always the first, along which granules could be ` +
      'concatenated; name such arrays with variables, or ask for layout "stacked" or "granules"',
    { details: { path: `/${granule}` } },
  );
}

/** How long a granule is along the axis. */
function lengthOf(nodes: GranuleNodes, along: string, granule: string): number {
  const lengths = new Set<number>();
  for (const node of nodes.values()) {
    if (node.nodeType === "array" && node.dimensionNames?.[0] === along) lengths.add(node.shape[0]!);
  }
  if (lengths.size < 2) return [...lengths][0] ?? 0;
  throw new ZarrsiftError(
    "layout_unsupported",
    `Arrays of the granule /${granule} are of different lengths along "${along}": ${[...lengths].join(", ")}; name those ` +
      "of one length with variables",
    { details: { path: `/${granule}` } },
  );
}

/** How the arrays of one name are chunked: nearly always alike. */
interface Chunkings {
  /** By what is said of chunks: the array as stored, and as that of its inner chunks. */
  all: Map<string, Chunking>;
  /** By the granule's position. */
  of: Map<number, Chunking>;
}

interface Chunking {
  whole: ArrayMeta;
  inner: ArrayMeta;
}

function endToEnd(
  path: string,
  meta: ArrayMeta,
  chunkings: Chunkings,
  starts: Float64Array,
  { granules, idx, paths }: GranulesInput,
  decoded: DecodedChunks,
): Omit<StackedArray, "attributes"> {
  const kept = new Lru<DecodableArray>(PARTS_KEPT);
  const part = (granule: number): DecodableArray => {
    const known = kept.get(String(granule));
    if (known) return known;
    const { whole, inner } = chunkings.of.get(granule)!;
    const stored = granules.chunks(idx[granule]!, paths[granule]!, path, whole);
    const chunks = inner === whole ? stored : new InnerChunks(stored as StoredChunks, whole, inner);
    const made = { meta: inner, chunks, path: `/${paths[granule]}/${path}` };
    kept.set(String(granule), made, 1);
    return made;
  };
  const inners = [...chunkings.all.values()].map(({ inner }) => inner);
  const longest = inners.reduce((a, b) => (b.chunkShape[0]! > a.chunkShape[0]! ? b : a));
  const target: ArrayMeta = {
    ...longest,
    shape: [starts.at(-1)!, ...meta.shape.slice(1)],
    dimensionNames: meta.dimensionNames,
    ...(isSharded(longest) && { format: 3, codecs: simpleCodecs(longest) }),
  };
  const chunks = new ConcatenatedChunks(target, part, starts, decoded);
  if (!decodable(longest) && !chunks.untouched) throw undecodable(path);
  return { meta: target, chunks };
}

function onePerGranule(
  path: string,
  meta: ArrayMeta,
  { granules, idx, paths }: GranulesInput,
): Omit<StackedArray, "attributes"> {
  const chunks = granules.stacked(idx, paths, path, meta);
  return { meta: withNewAxis(meta, paths.length, GRANULES), ...withStored(chunks) };
}

function groupsOf(kind: Kind): Stack["groups"] {
  return new Map(
    kind.groups.map((inside) => [
      inside,
      { meta: emptyGroup, attributes: kind.attributes.get(inside) ?? {} },
    ]),
  );
}

function undecodable(path: string): ZarrsiftError {
  return new ZarrsiftError(
    "encoding_unsupported",
    `/${path} would have to be cut where granules end, which takes codecs or a data type that are not supported here; ` +
      "leave it out with variables",
    { details: { path: `/${path}` } },
  );
}
