/**
 * What a stacked or concatenated view says of itself in its root attributes, under `zarrsift`, so that it is a source too:
 * `{dimension, coordinates}` of one stack; `{layout: "stacks", stacks}`; `{layout: "concatenated", along, row_count, …}`.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../zarr/json.ts";

/** One of several stacks: `stack_0`, `stack_1` … in this order. */
export interface AnnouncedStack {
  dimension: string;
  /** Names of its arrays that were made of fields; the first holds each granule's `source_idx`. */
  coordinates: string[];
  /** Fields written into its arrays' attributes. */
  fields: string[];
}

/** Granules end to end. */
export interface AnnouncedEnds {
  /** The dimension they lie along. */
  along: string;
  /** The dimension of what there is one of a granule. */
  dimension: string;
  /** Name of the array that says how many rows each granule has. */
  rowCount: string;
}

/** The dimension that a stacked view's granules lie along; `undefined` where the store is no such view. */
export function announcedDimension(root: JsonObject): string | undefined {
  return textOf(ownFacts(root).dimension);
}

/** `undefined` where the store is no view of several stacks. */
export function announcedStacks(root: JsonObject): AnnouncedStack[] | undefined {
  const { layout, stacks } = ownFacts(root);
  if (layout !== "stacks" || !Array.isArray(stacks)) return undefined;
  return stacks.filter(isJsonObject).map(({ dimension, coordinates, fields }) => ({
    dimension: textOf(dimension) ?? "",
    coordinates: textsOf(coordinates),
    fields: textsOf(fields),
  }));
}

/** `undefined` where the store is no view with its granules end to end. */
export function announcedEnds(root: JsonObject): AnnouncedEnds | undefined {
  const facts = ownFacts(root);
  const [along, dimension, rowCount] = [facts.along, facts.dimension, facts.row_count].map(textOf);
  if (facts.layout !== "concatenated" || !along || !dimension || !rowCount) return undefined;
  return { along, dimension, rowCount };
}

/** Whether the store is a view that says it is neither of granules at paths nor one stack. */
export function announcedOther(root: JsonObject): boolean {
  return ownFacts(root).layout !== undefined;
}

/** Names of the root's arrays that a view has made of its fields; none where the store is no such view. */
export function announcedCoordinates(root: JsonObject): string[] {
  return textsOf(ownFacts(root).coordinates);
}

function ownFacts({ zarrsift }: JsonObject): JsonObject {
  return isJsonObject(zarrsift) ? zarrsift : {};
}

const textOf = (value: JsonValue | undefined) => (typeof value === "string" ? value : undefined);

function textsOf(names: JsonValue | undefined): string[] {
  return Array.isArray(names) ? names.filter((name): name is string => typeof name === "string") : [];
}

/** xarray makes coordinates of the arrays that this attribute names, apart from those with a space in their name. */
export function withCoordinates(attributes: JsonObject, names: readonly string[]): JsonObject {
  const all = new Set([...namedIn(attributes), ...names.filter((name) => !/\s/.test(name))]);
  return { ...attributes, coordinates: [...all].join(" ") };
}

/**
 * Attributes of a group that no longer name the coordinates `made` by an earlier view, for a view that makes its own or
 * has none.
 */
export function withoutCoordinates(
  attributes: JsonObject,
  made: readonly string[] = announcedCoordinates(attributes),
): JsonObject {
  if (made.length === 0) return attributes;
  const { coordinates: _, ...others } = attributes;
  const left = namedIn(attributes).filter((name) => !made.includes(name));
  return left.length > 0 ? { ...others, coordinates: left.join(" ") } : others;
}

function namedIn({ coordinates }: JsonObject): string[] {
  return typeof coordinates === "string" ? coordinates.split(/\s+/).filter((name) => name !== "") : [];
}
