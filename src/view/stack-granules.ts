/** Granules that are groups or arrays of their own, as one stack: a new first axis, every chunk where it is. */
import { mapLimit } from "../abort.ts";
import { ZarrsiftError } from "../errors.ts";
import type { ReadOptions } from "../store/store.ts";
import type { JsonObject } from "../zarr/json.ts";
import type { ArrayMeta } from "../zarr/metadata.ts";
import { withStored } from "./chunks.ts";
import { emptyGroup } from "./empty-group.ts";
import {
  commonAttributes,
  difference,
  type Encoding,
  Encodings,
  encodingName,
  type GranuleNodes,
  granuleNodes,
} from "./granule-nodes.ts";
import type { GranuleSource } from "./granule-source.ts";
import { withNewAxis } from "./new-axis.ts";
import {
  namesIn,
  newDimension,
  refuseMeta,
  refuseUnknown,
  type Stack,
  withNames,
  withoutDimensions,
} from "./stack.ts";

export interface GranulesInput {
  granules: GranuleSource;
  idx: Float64Array;
  /** Path of each row's granule, no leading slash. */
  paths: readonly string[];
  /** Paths of arrays relative to their granule; all of them where absent. */
  variables: ReadonlySet<string> | undefined;
  /** A node's attributes without what an earlier view wrote there for the row at `position`. */
  own(attributes: JsonObject, position: number): Promise<JsonObject>;
  /** Attributes by path that all granules share, where they are known to make one stack: then only one of them is read. */
  agreed?: ReadonlyMap<string, JsonObject> | undefined;
  /** A first axis whose length may differ between granules. */
  along?: string;
  /** Called with what each granule holds. */
  visit?(nodes: GranuleNodes, position: number): void;
}

const READS_AT_ONCE = 32;
/** A condition longer than this is not spelled out in a message. */
const LONGEST_SQL = 4000;

/**
 * One stack of all granules.
 *
 * @throws ZarrsiftError `layout_unsupported` naming the first granule that is encoded in another way than most, how, and
 *   the SQL that leaves such rows out
 */
export async function stackGranules(input: GranulesInput, options: ReadOptions = {}): Promise<Stack> {
  const { agreed, idx } = input;
  if (agreed && idx.length > 0) return stackOf(await agreedKind(input, agreed, options), input);
  const kinds = await readKinds(input, options);
  refuseDifferent(kinds, input);
  return stackOf(kinds[0] ?? nothing, input);
}

/** The one kind there is, as the first granule shows it. */
async function agreedKind(
  { granules, idx, paths, variables }: GranulesInput,
  attributes: ReadonlyMap<string, JsonObject>,
  options: ReadOptions,
): Promise<Kind> {
  const nodes = await granuleNodes({ granules, idx: idx[0]!, path: paths[0]! }, variables, options);
  return { ...nothing, ...contents(nodes), attributes: new Map(attributes) };
}

/** One stack for each encoding that granules have, in the order of their first rows, and the positions it holds. */
export async function stackByEncoding(
  input: GranulesInput,
  options: ReadOptions = {},
): Promise<{ stack: Stack; positions: number[] }[]> {
  const kinds = await readKinds(input, options);
  const variables = kinds.flatMap((kind) => [...kind.arrays.keys()]);
  if (!variables.includes("")) refuseUnknown(kinds.length > 0 ? (input.variables ?? []) : [], variables);
  return kinds.map((kind) => {
    const { positions } = kind;
    const own = {
      ...input,
      idx: Float64Array.from(positions, (i) => input.idx[i]!),
      paths: positions.map((i) => input.paths[i]!),
      variables: undefined,
    };
    return { stack: stackOf(kind, own), positions };
  });
}

/** Granules of one encoding, the first of which says what they hold. */
export interface Kind {
  encoding: Encoding;
  arrays: Map<string, ArrayMeta>;
  groups: string[];
  /** Positions in the view, ascending. */
  positions: number[];
  /** What attributes all of them share, by path. */
  attributes: Map<string, JsonObject>;
}

const nothing: Kind = {
  encoding: new Map(),
  arrays: new Map(),
  groups: [],
  positions: [],
  attributes: new Map(),
};

function stackOf(kind: Kind, { granules, paths, idx, variables }: GranulesInput): Stack {
  const bare = kind.arrays.has("");
  const shown = new Map<string, ArrayMeta>();
  for (const [inside, meta] of kind.arrays) {
    refuseMeta(inside);
    shown.set(bare ? sharedName(paths) : inside, meta);
  }
  if (!bare && idx.length > 0) refuseUnknown(variables ?? [], shown.keys());
  const dimension = newDimension(namesIn(shown));
  const arrays: Stack["arrays"] = new Map();
  for (const [path, meta] of shown) {
    const chunks = granules.stacked(idx, paths, bare ? "" : path, meta);
    const attributes = withoutDimensions(kind.attributes.get(bare ? "" : path) ?? {});
    const stacked = withNewAxis(withNames(path, meta), idx.length, dimension);
    arrays.set(path, { meta: stacked, attributes, ...withStored(chunks) });
  }
  const groups: Stack["groups"] = new Map();
  for (const inside of kind.groups) {
    refuseMeta(inside);
    groups.set(inside, { meta: emptyGroup, attributes: kind.attributes.get(inside) ?? {} });
  }
  const attributes = bare ? {} : (kind.attributes.get("") ?? {});
  return { dimension, arrays, groups, attributes, agreed: kind.attributes };
}

/** Every granule's metadata, read once: which kinds there are, in the order of their first granules. */
export async function readKinds(input: GranulesInput, options: ReadOptions): Promise<Kind[]> {
  const { granules, idx } = input;
  const kinds = new Map<string, Kind & { first: number }>();
  const encodings = new Encodings(input.along);
  const names = await mapLimit(input.paths, READS_AT_ONCE, async (path, position) => {
    const nodes = await granuleNodes({ granules, path, idx: idx[position]! }, input.variables, options);
    const own = new Map<string, JsonObject>();
    for (const [inside, node] of nodes) own.set(inside, await input.own(node.attributes, position));
    input.visit?.(nodes, position);
    const encoding = encodings.of(nodes);
    const name = encodingName(encoding);
    const kind = kinds.get(name);
    if (kind) {
      share(kind, own, position);
      return name;
    }
    kinds.set(name, { encoding, ...contents(nodes), positions: [], attributes: own, first: position });
    return name;
  });
  for (const [position, name] of names.entries()) kinds.get(name)!.positions.push(position);
  return [...kinds.values()].sort((a, b) => a.positions[0]! - b.positions[0]!);
}

/** Leaves the attributes that this granule has too; in the order of the first granule, whichever was read first. */
function share(kind: Kind & { first: number }, own: ReadonlyMap<string, JsonObject>, position: number): void {
  const isFirst = position < kind.first;
  if (isFirst) kind.first = position;
  for (const [inside, attributes] of kind.attributes) {
    const others = own.get(inside) ?? {};
    kind.attributes.set(
      inside,
      isFirst ? commonAttributes(others, attributes) : commonAttributes(attributes, others),
    );
  }
}

function contents(nodes: Awaited<ReturnType<typeof granuleNodes>>): Pick<Kind, "arrays" | "groups"> {
  const arrays = new Map<string, ArrayMeta>();
  const groups: string[] = [];
  for (const [inside, node] of nodes) {
    if (node.nodeType === "array") arrays.set(inside, node);
    else if (inside !== "") groups.push(inside);
  }
  return { arrays, groups };
}

/** The name of granules that are arrays: the one they share, else `data`. */
function sharedName(paths: readonly string[]): string {
  const names = new Set(paths.map((path) => path.slice(path.lastIndexOf("/") + 1)));
  const [name] = names;
  return names.size === 1 && name !== "meta" ? name! : "data";
}

/** @throws ZarrsiftError `layout_unsupported` where there is more than one kind */
export function refuseDifferent(kinds: Kind[], { idx, paths, along }: GranulesInput): void {
  if (kinds.length < 2) return;
  const most = kinds.reduce((a, b) => (b.positions.length > a.positions.length ? b : a));
  const others = kinds.filter((kind) => kind !== most);
  const first = others.reduce((a, b) => (b.positions[0]! < a.positions[0]! ? b : a));
  const position = first.positions[0]!;
  const row = idx[position]!;
  const rows = others.flatMap((kind) => kind.positions.map((each) => idx[each]!)).sort((a, b) => a - b);
  const leavesOut = without(rows);
  const help =
    leavesOut.length > LONGEST_SQL
      ? "narrow the query to granules of one encoding"
      : `leave them out with WHERE ${leavesOut}`;
  const { part, text } = difference(first.encoding, most.encoding)!;
  const ways = [
    `ask for one stack of each encoding (${along ? 'layout: "stacked", ' : ""}group_by: "encoding")`,
    ...(!along && part === "shape" ? ['for them end to end (layout: "concatenated")'] : []),
  ];
  throw new ZarrsiftError(
    "layout_unsupported",
    `Granules of ${kinds.length} encodings cannot be one array: row ${row} (/${paths[position]}) differs from row ` +
      `${idx[most.positions[0]!]} (/${paths[most.positions[0]!]}): ${text}. ` +
      `${rows.length} of ${idx.length} rows differ: ${ways.join(", ")}, name arrays that agree with variables, or ${help}`,
    { details: { idx: row, path: `/${paths[position]}`, encodings: kinds.length } },
  );
}

/** SQL that holds for all rows but these, which ascend. */
function without(rows: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const row of rows) {
    const last = runs.at(-1);
    if (last?.[1] === row - 1) last[1] = row;
    else runs.push([row, row]);
  }
  const ranges = runs.filter(([from, to]) => to > from + 1);
  const single = runs
    .filter(([from, to]) => to <= from + 1)
    .flatMap(([from, to]) => (from === to ? [from] : [from, to]));
  const conditions = [
    ...ranges.map(([from, to]) => `idx NOT BETWEEN ${from} AND ${to}`),
    ...(single.length > 0 ? [`idx NOT IN (${single.join(", ")})`] : []),
  ];
  return conditions.join(" AND ");
}
