/** A view as plain JSON, and its id. */
import { hashHex } from "../hash.ts";
import type { OutputColumn, Parameter, QueryOptions } from "../plan/api.ts";
import type { Layout, ViewDefinition } from "./api.ts";
import { packIdx } from "./idx.ts";

export interface ViewParts extends Omit<QueryOptions, "allowNow"> {
  collection: string;
  version: string;
  sql: string | undefined;
  /** What `now()` was in it, microseconds since 1970. */
  now: bigint;
  /** Columns asked for by name, where that decided the fields. */
  named: readonly string[] | undefined;
  fields: readonly OutputColumn[];
  layout: Layout;
  groupBy: "encoding" | undefined;
  variables: readonly string[] | undefined;
  idx: Float64Array;
  skipped: number;
  /** See `ViewDefinition`. */
  made: number | undefined;
}

/** The definition of a view; `id` is a hash of collection, version, ordered idx, fields, layout, grouping and variables, 32 hex digits. */
export async function defineView(parts: ViewParts): Promise<ViewDefinition> {
  const {
    collection,
    version,
    sql,
    now,
    params,
    bbox,
    datetime,
    named,
    layout,
    groupBy,
    variables,
    skipped,
    made,
  } = parts;
  const idx = packIdx(parts.idx);
  const fields = parts.fields.map((f) => [f.name, f.text, f.named]);
  const clock = usesClock(parts) ? String(now) : null;
  const identity = [
    collection,
    version,
    idx,
    clock,
    fields,
    layout,
    variables ? [...variables].sort() : null,
    ...(groupBy ? [groupBy] : []),
  ];
  return {
    id: (await hashHex(JSON.stringify(identity))).slice(0, 32),
    collection,
    version,
    ...(sql !== undefined && { sql }),
    ...(params && { params: params.map(packParameter) }),
    ...(bbox && { bbox: [...bbox] as [number, number, number, number] }),
    ...(datetime !== undefined && { datetime }),
    ...(usesClock(parts) && { now: String(now) }),
    ...(named && { fields: [...named] }),
    layout,
    ...(groupBy && { groupBy }),
    ...(variables && { variables: [...variables] }),
    idx,
    count: parts.idx.length,
    skipped,
    ...(made !== undefined && { made }),
  };
}

/** Whether a field is computed from the time of the query. */
function usesClock({ fields }: ViewParts): boolean {
  return fields.some(({ column, text }) => column === undefined && /\bnow\(\)/.test(text));
}

type PackedParameter = NonNullable<ViewDefinition["params"]>[number];

function packParameter(value: Parameter): PackedParameter {
  if (typeof value === "bigint") return { bigint: String(value) };
  if (value instanceof Uint8Array) return { base64: btoa(String.fromCharCode(...value)) };
  return value;
}

/** A parameter as it was before it was packed as JSON. */
export function unpackParameter(value: PackedParameter): Parameter {
  if (value === null || typeof value !== "object") return value;
  if ("bigint" in value) return BigInt(value.bigint);
  return Uint8Array.from(atob(value.base64), (c) => c.charCodeAt(0));
}
