import { abortable, mapLimit } from "./abort.ts";
import { isZarrsiftError } from "./errors.ts";
import { textCell } from "./format/cell.ts";
import { badGeometry, boundingBox } from "./geometry/geometry.ts";
import { WIDEST } from "./geometry/longitude.ts";
import { wkbBox } from "./geometry/wkb-box.ts";
import { parseWkt } from "./geometry/wkt-read.ts";
import type { IndexSet } from "./index/api.ts";
import type { ReadOptions } from "./store/store.ts";
import type { MetaColumn } from "./table/column.ts";
import type { MetaTable } from "./table/open.ts";
import { typeName } from "./table/types.ts";
import type { BytesVector, Vector } from "./table/vector.ts";
import type { Layout } from "./view/api.ts";
import type { Location } from "./view/location.ts";
import { gridShape } from "./zarr/metadata.ts";

/** What a collection is, as `inspect` and `GET /collections/{c}` show it. */
export interface Description {
  name: string;
  source: string;
  rows: number;
  version: string;
  columns: ColumnDescription[];
  extent: Extent;
  /** `null`: nothing says where granules are, so there can be no views. */
  layout: { kind: Layout; location?: string; variables?: string[] } | null;
  /** Arrays under `/meta` that cannot be columns, and why. */
  unusable: { name: string; why: string }[];
}

export interface ColumnDescription {
  name: string;
  type: string;
  /** Whether queries can use an index of it. */
  indexed: boolean;
  /** The index it has, whatever its state. */
  index?: IndexDescription;
  /** Rows in a chunk. */
  chunk_rows: number;
  role?: "geometry" | "time" | "location";
}

export interface IndexDescription {
  kind: "rtree" | "btree" | "category";
  /** Of the array or group in the store. */
  path: string;
  state: "verified" | "unverified" | "stale";
  why: string;
  /** Rows from the first on that are in it; later ones are scanned. */
  rows: number;
}

export interface Extent {
  /** [west, south, east, north], degrees; -180…180 where a shape reaches beyond. `null`: no geometry. */
  bbox: [number, number, number, number] | null;
  /** First and last instant, ISO 8601. `null`: no time column, or all NULL. */
  time: [string, string] | null;
  /** Why there is no bbox, where a geometry cannot be read. */
  why?: string;
}

export interface Described {
  name: string;
  source: string;
  version: string;
  table: MetaTable;
  location: Location | undefined;
  indexes: IndexSet;
}

/** Describes a collection: what its metadata says, and its extents, which are found by reading. */
export async function describe(what: Described, options: ReadOptions = {}): Promise<Description> {
  const { name, source, version, table, location } = what;
  const indexes = await describeIndexes(what.indexes, options);
  return {
    name,
    source,
    rows: table.rows,
    version,
    columns: [...table.columns.values()].map((column) => describeColumn(column, what, indexes)),
    extent: await extentOf(table, options),
    layout: location ? describeLayout(location) : null,
    unusable: [...table.unusable].map(([column, error]) => ({ name: column, why: error.message })),
  };
}

function describeColumn(
  column: MetaColumn,
  { table, location }: Described,
  indexes: ReadonlyMap<string, IndexDescription>,
): ColumnDescription {
  const role = roleOf(column.name, table, location);
  const { name, type, chunkRows } = column;
  const index = indexes.get(name);
  return {
    name,
    type: typeName(type),
    indexed: index !== undefined && index.state !== "stale",
    ...(index && { index }),
    chunk_rows: chunkRows,
    ...(role && { role }),
  };
}

async function describeIndexes(
  { indexes }: IndexSet,
  options: ReadOptions,
): Promise<ReadonlyMap<string, IndexDescription>> {
  const described = await mapLimit(indexes, 4, async (index) => {
    const { kind, path, covered } = index;
    return [index.column, { kind, path, ...(await index.state(options)), rows: covered }] as const;
  });
  return new Map(described);
}

function roleOf(
  name: string,
  { roles }: MetaTable,
  location: Described["location"],
): ColumnDescription["role"] {
  if (name === roles.geometry) return "geometry";
  if (name === roles.time || (typeof roles.time === "object" && Object.values(roles.time).includes(name)))
    return "time";
  return location?.kind === "column" && location.column.name === name ? "location" : undefined;
}

/** How a source keeps its granules, as views call it. */
export function layoutOf({ kind }: Location): Layout {
  if (kind === "column") return "granules";
  return kind === "concatenated" ? "concatenated" : "stacked";
}

function describeLayout(location: Location): NonNullable<Description["layout"]> {
  const kind = layoutOf(location);
  if (location.kind === "column") return { kind, location: location.column.name };
  return { kind, variables: [...new Set(variablesIn(location))].sort() };
}

function variablesIn(location: Exclude<Location, { kind: "column" }>): string[] {
  if (location.kind === "stacks") return location.stacks.flatMap(({ arrays }) => [...arrays.keys()]);
  const others = location.kind === "concatenated" ? location.perGranule.keys() : [];
  return [...location.arrays.keys(), ...others];
}

const extents = new WeakMap<MetaTable, Promise<Extent>>();

/** Found once a table, by reading its geometry and time columns whole. */
function extentOf(table: MetaTable, options: ReadOptions): Promise<Extent> {
  let extent = extents.get(table);
  if (!extent) {
    extent = findExtent(table);
    extents.set(table, extent);
    extent.catch(() => extents.delete(table));
  }
  return abortable(extent, options.signal);
}

async function findExtent({ columns, roles }: MetaTable): Promise<Extent> {
  const [first, last] =
    typeof roles.time === "object" ? [roles.time.start, roles.time.end] : [roles.time, roles.time];
  const why: string[] = [];
  const geometry = roles.geometry === undefined ? undefined : columns.get(roles.geometry)!;
  const bbox = geometry ? await readable(boxOf(geometry), geometry, why) : null;
  const start = first === undefined ? null : await readableBound(columns.get(first)!, "first", why);
  const end = last === undefined ? null : await readableBound(columns.get(last)!, "last", why);
  return {
    bbox,
    time: start !== null && end !== null ? [start, end] : null,
    ...(why.length > 0 && { why: [...new Set(why)].join("; ") }),
  };
}

const readableBound = (column: MetaColumn, which: "first" | "last", why: string[]) =>
  readable(bound(column, which), column, why);

/** One value that cannot be read must not make the whole collection unreadable: `why` is told, and there is none. */
async function readable<T>(found: Promise<T>, { name }: MetaColumn, why: string[]): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (isZarrsiftError(error, "bad_geometry"))
      why.push(`A geometry of column "${name}" cannot be read: ${error.message}`);
    else if (isZarrsiftError(error, "meta_invalid")) why.push(error.message);
    else throw error;
    return null;
  }
}

async function* chunksOf(column: MetaColumn): AsyncGenerator<Vector> {
  for (let chunk = 0; chunk < gridShape(column.meta)[0]!; chunk++) yield await column.read(chunk);
}

async function bound(column: MetaColumn, which: "first" | "last"): Promise<string | null> {
  let best: bigint | undefined;
  for await (const vector of chunksOf(column)) {
    if (vector.kind === "bytes") continue;
    for (let i = 0; i < vector.length; i++) {
      if (vector.nulls?.[i]) continue;
      const value = vector.values[i]!;
      if (best === undefined || (which === "first" ? value < best : value > best)) best = BigInt(value);
    }
  }
  return best === undefined ? null : textCell(best, column.type);
}

/** What lies beyond is no latitude, however roughly it was computed. */
const FARTHEST = 91;

async function boxOf(column: MetaColumn): Promise<[number, number, number, number] | null> {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  const box = new Float64Array(4);
  for await (const vector of chunksOf(column)) {
    for (let i = 0; i < vector.length; i++) {
      if (vector.kind !== "bytes" || vector.nulls?.[i] || !rowBox(vector, i, box)) continue;
      west = Math.min(west, box[0]!);
      south = Math.min(south, box[1]!);
      east = Math.max(east, box[2]!);
      north = Math.max(north, box[3]!);
    }
  }
  if (west === Infinity) return null;
  if (south < -FARTHEST || north > FARTHEST || east - west > WIDEST)
    throw badGeometry(
      "the corners of all",
      `coordinates run from (${west}, ${south}) to (${east}, ${north}), which are no longitudes and latitudes in degrees`,
    );
  return west < -180 || east > 180 ? [-180, south, 180, north] : [west, south, east, north];
}

/** The bounding box of row `i` as it is stored, into `box`; false for an empty geometry. */
function rowBox(vector: BytesVector, i: number, box: Float64Array): boolean {
  const [start, end] = [vector.starts[i]!, vector.ends[i]!];
  if (vector.type.kind === "geometry" && vector.type.encoding === "wkb")
    return wkbBox(vector.data, start, end, box);
  const bounds = boundingBox(parseWkt(new TextDecoder().decode(vector.data.subarray(start, end))));
  if (bounds) box.set(bounds);
  return bounds !== undefined;
}
