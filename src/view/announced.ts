/** What a stacked view says of itself in its root attributes (`zarrsift: {dimension, coordinates}`), so that it is a source too. */
import { isJsonObject, type JsonObject } from "../zarr/json.ts";

/** The dimension that a stacked view's granules lie along; `undefined` where the store is no such view. */
export function announcedDimension({ zarrsift }: JsonObject): string | undefined {
  const dimension = isJsonObject(zarrsift) ? zarrsift.dimension : undefined;
  return typeof dimension === "string" ? dimension : undefined;
}

/**
 * Whether the store is a view whose granules cannot be told apart again: end to end, or in several stacks. Its `/meta`
 * can be queried.
 */
export function announcedClosed({ zarrsift }: JsonObject): boolean {
  return isJsonObject(zarrsift) && zarrsift.layout !== undefined;
}

/** Names of the root's arrays that a stacked view has made of its fields; none where the store is no such view. */
export function announcedCoordinates({ zarrsift }: JsonObject): string[] {
  const names = isJsonObject(zarrsift) ? zarrsift.coordinates : undefined;
  return Array.isArray(names) ? names.filter((name): name is string => typeof name === "string") : [];
}

/** xarray makes coordinates of the root's arrays that this attribute names, apart from those with a space in their name. */
export function withCoordinates(attributes: JsonObject, names: readonly string[]): JsonObject {
  const all = new Set([...namedIn(attributes), ...names.filter((name) => !/\s/.test(name))]);
  return { ...attributes, coordinates: [...all].join(" ") };
}

/** Root attributes that no longer name the coordinates of a stacked view, for a view that makes its own or has none. */
export function withoutCoordinates(attributes: JsonObject): JsonObject {
  const made = announcedCoordinates(attributes);
  if (made.length === 0) return attributes;
  const { coordinates: _, ...others } = attributes;
  const left = namedIn(attributes).filter((name) => !made.includes(name));
  return left.length > 0 ? { ...others, coordinates: left.join(" ") } : others;
}

function namedIn({ coordinates }: JsonObject): string[] {
  return typeof coordinates === "string" ? coordinates.split(/\s+/).filter((name) => name !== "") : [];
}
