/** What one granule holds, in the words that decide whether it can be stacked with others. */
import { ZarrsiftError } from "../errors.ts";
import type { ReadOptions } from "../store/store.ts";
import { type JsonObject, type JsonValue, jsonEquals, writeJson } from "../zarr/json.ts";
import type { ArrayMeta, NodeMeta } from "../zarr/metadata.ts";
import { innerMeta, isSharded } from "../zarr/shard.ts";
import type { GranuleSource } from "./granule-source.ts";
import { notThere } from "./granules.ts";
import { refuseMangled } from "./locate.ts";

/** Nodes of a granule by path relative to it; its own is "". */
export type GranuleNodes = Map<string, NodeMeta>;

/** One granule of a source. */
export interface GranulePlace {
  granules: GranuleSource;
  idx: number;
  path: string;
}

/**
 * Every node of a granule, or, where `variables` are named, those arrays and the groups above them.
 * @throws ZarrsiftError `not_listable` where nothing tells what it holds
 */
export async function granuleNodes(
  place: GranulePlace,
  variables: ReadonlySet<string> | undefined,
  options: ReadOptions,
): Promise<GranuleNodes> {
  const { granules, idx, path: granule } = place;
  const nodes: GranuleNodes = new Map();
  const root = (await granules.node(idx, granule, "", options))?.meta;
  if (!root) throw notThere(idx, granule);
  nodes.set("", root);
  const walk = async (inside: string): Promise<void> => {
    for (const name of await namesBelow(place, inside, variables, options)) {
      const child = inside ? `${inside}/${name}` : name;
      const node = (await granules.node(idx, granule, child, options))?.meta;
      if (!node || (node.nodeType === "array" && variables?.has(child) === false)) continue;
      refuseMangled(`${granule}/${child}`);
      nodes.set(child, node);
      if (node.nodeType === "group") await walk(child);
    }
  };
  if (root.nodeType === "group") await walk("");
  return nodes;
}

async function namesBelow(
  { granules, idx, path: granule }: GranulePlace,
  inside: string,
  variables: ReadonlySet<string> | undefined,
  options: ReadOptions,
): Promise<Iterable<string>> {
  const prefix = inside ? `${inside}/` : "";
  if (variables) {
    const below = [...variables].filter((variable) => variable.startsWith(prefix));
    return new Set(below.map((variable) => variable.slice(prefix.length).split("/")[0]!));
  }
  const known = granules.knownChildren?.(granule, inside);
  const names = known ?? (await granules.children(idx, granule, inside, options));
  if (names) return names;
  const path = inside ? `${granule}/${inside}` : granule;
  throw new ZarrsiftError(
    "not_listable",
    `What /${path} holds cannot be found: the source cannot list its keys and has no consolidated metadata; name the arrays with variables`,
    { details: { path: `/${path}` } },
  );
}

/** Attributes that say what stored values mean: granules that differ in them are never one array. */
const PACKING = [
  ...["units", "calendar", "scale_factor", "add_offset", "_FillValue", "missing_value"],
  ...["_Unsigned", "dtype"],
];

/** What an array must share with those of its name in other granules, as text, by what it is of it: `shape` → `[160,42]`. */
export interface ArrayEncoding {
  /** The same number for the same encoding. */
  id: number;
  parts: Map<string, string>;
}

/** How a granule's arrays are encoded, by path. */
export type Encoding = Map<string, ArrayEncoding>;

/** How granules are encoded; the length of a first axis called `along`, and of its chunks, left out. */
export class Encodings {
  readonly #along: string | undefined;
  readonly #ofArray = new WeakMap<ArrayMeta, ArrayEncoding>();
  readonly #byText = new Map<string, ArrayEncoding>();

  constructor(along?: string) {
    this.#along = along;
  }

  of(nodes: GranuleNodes): Encoding {
    const encoding: Encoding = new Map();
    for (const [inside, node] of nodes) {
      if (node.nodeType === "array") encoding.set(inside, this.#array(node));
    }
    return encoding;
  }

  #array(meta: ArrayMeta): ArrayEncoding {
    const known = this.#ofArray.get(meta);
    if (known) return known;
    const parts = arrayEncoding(meta, this.#along);
    const text = JSON.stringify([...parts]);
    const encoding = this.#byText.get(text) ?? { id: this.#byText.size, parts };
    this.#byText.set(text, encoding);
    this.#ofArray.set(meta, encoding);
    return encoding;
  }
}

/** The same text for granules that hold arrays of the same names, each encoded alike. */
export function encodingName(encoding: Encoding): string {
  return JSON.stringify([...encoding].map(([inside, { id }]) => [inside, id]).sort());
}

function arrayEncoding(meta: ArrayMeta, along: string | undefined): Map<string, string> {
  const { document, attributes } = meta;
  const { chunkShape, codecs } = along === undefined ? meta : chunked(meta);
  const first = along !== undefined && meta.dimensionNames?.[0] === along ? 1 : 0;
  const parts: [string, unknown][] = [
    ["dtype", document.data_type ?? document.dtype ?? meta.dataType],
    [first ? "shape beyond the first axis" : "shape", meta.shape.slice(first)],
    [first ? "chunk shape beyond the first axis" : "chunk shape", chunkShape.slice(first)],
    ["codecs", codecs],
    ["fill value", meta.fillValue],
    ["dimension names", meta.dimensionNames ?? null],
    ["chunk keys", meta.chunkKeys],
    ...PACKING.filter((name) => name in attributes).map((name): [string, unknown] => [
      name,
      attributes[name],
    ]),
  ];
  return new Map(parts.map(([name, value]) => [name, writeJson(value as JsonValue)]));
}

/** The array as that of the inner chunks of its shards, where those can be had apart; else as it is. */
export function chunked(meta: ArrayMeta): ArrayMeta {
  const inner = isSharded(meta) ? innerMeta(meta) : meta;
  return "unsupported" in inner ? meta : inner;
}

/** In what a granule's encoding differs from another's. */
export interface Difference {
  /** What of an array: `shape`, `units` …; absent where one of the two has no such array. */
  part?: string;
  /** In words. */
  text: string;
}

/** The first thing in which a granule's encoding differs from another's. */
export function difference(encoding: Encoding, other: Encoding): Difference | undefined {
  if (other.has("") && !encoding.has("")) return { text: "it is a group, not an array as the others are" };
  if (encoding.has("") && !other.has("")) return { text: "it is an array, not a group as the others are" };
  for (const name of new Set([...other.keys(), ...encoding.keys()])) {
    const shown = name === "" ? "it" : `"${name}"`;
    const [here, there] = [encoding.get(name)?.parts, other.get(name)?.parts];
    if (!here) return { text: `it has no array ${shown}` };
    if (!there) return { text: `it has an array ${shown} that the others lack` };
    for (const part of new Set([...there.keys(), ...here.keys()])) {
      const [value, wanted] = [here.get(part), there.get(part)];
      if (value === wanted) continue;
      if (value === undefined) return { part, text: `${shown} has no ${part} (${brief(wanted!)})` };
      if (wanted === undefined) return { part, text: `${shown} has a ${part} (${brief(value)})` };
      return { part, text: `the ${part} of ${shown} is ${brief(value)}, not ${brief(wanted)}` };
    }
  }
  return undefined;
}

const brief = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

/** The attributes that all of them have, with the same values. */
export function commonAttributes(a: JsonObject, b: JsonObject): JsonObject {
  if (a === b) return a;
  const kept = Object.entries(a).filter(([name, value]) => name in b && jsonEquals(value, b[name]));
  return kept.length === Object.keys(a).length ? a : Object.fromEntries(kept);
}
