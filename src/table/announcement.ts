/**
 * What a store says of itself in its root attributes: the names of the `meta` columns, so that a store that cannot
 * list its keys can be opened. Written by us (`zarrsift: {columns, indexes}`), read from any store.
 */
import type { JsonObject, JsonValue } from "../zarr/json.ts";

/** Names of the columns that the root attributes announce; `undefined` where they announce none. */
export function announcedColumns(rootAttributes: JsonObject): string[] | undefined {
  const names = announced(rootAttributes, "columns");
  return names.length > 0 ? names : undefined;
}

/** Names of the fields that a view has written into the attributes of its nodes; none where the store is no view. */
export function announcedFields(rootAttributes: JsonObject): string[] {
  return announced(rootAttributes, "fields");
}

function announced(rootAttributes: JsonObject, key: string): string[] {
  const own = rootAttributes.zarrsift;
  if (own === null || typeof own !== "object" || Array.isArray(own)) return [];
  const names: JsonValue | undefined = (own as JsonObject)[key];
  return Array.isArray(names) ? names.filter((name): name is string => typeof name === "string") : [];
}

/**
 * Our entry in `zarr_conventions`, as the Zarr Convention Specification has it (zarr-conventions/zarr-conventions-spec).
 * The uuid is what tells it from others and never changes; docs/convention/ says what it means.
 */
export const CONVENTION = {
  uuid: "3831f159-e2f4-46c3-bc9a-13fe826940fa",
  schema_url:
    "https://raw.githubusercontent.com/zarrsift/zarrsift/refs/tags/convention-v1/docs/convention/schema.json",
  spec_url: "https://github.com/zarrsift/zarrsift/blob/convention-v1/docs/convention/README.md",
  name: "zarrsift",
  description: "One row per granule in the 1-D arrays of /meta; where each granule is; indexes of the rows",
} as const;

/** What a root group says of itself under the key `zarrsift`. */
export interface Announcement extends JsonObject {
  /** Names of the arrays under `/meta`. */
  columns: string[];
}

/**
 * Root attributes with the convention announced: what they said before stays, an older announcement is replaced.
 * @param own `columns`, `indexes` (names of the arrays under `/indexes`; default none), and further facts
 */
export function announce(attributes: JsonObject, own: Announcement): JsonObject {
  const before = Array.isArray(attributes.zarr_conventions) ? attributes.zarr_conventions : [];
  const others = before.filter((entry) => (entry as JsonObject | null)?.uuid !== CONVENTION.uuid);
  return {
    ...attributes,
    zarr_conventions: [...others, { ...CONVENTION }],
    zarrsift: { indexes: [], ...own },
  };
}
