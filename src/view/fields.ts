/** A view's fields: which there are, what they are called as attributes, their values row by row. */
import { ZarrsiftError } from "../errors.ts";
import { jsonCell } from "../format/cell.ts";
import { Lru } from "../lru.ts";
import type { Batch, OutputColumn } from "../plan/api.ts";
import { cellAt } from "../table/vector.ts";
import { asNumber, type JsonObject, type JsonValue, jsonEquals, parseJson } from "../zarr/json.ts";

/** Names that CF and xarray act on; an attribute of such a name would change what clients read. */
const RESERVED = new Set([
  "units",
  "scale_factor",
  "add_offset",
  "_FillValue",
  "missing_value",
  "coordinates",
  "calendar",
  "dtype",
  "bounds",
  "grid_mapping",
  "valid_range",
  "valid_min",
  "valid_max",
  "_Unsigned",
  "_ARRAY_DIMENSIONS",
  "_nczarr_array",
  "_NCZARR_ARRAY",
  "ancillary_variables",
  "cell_measures",
  "cell_methods",
  "compress",
  "flag_masks",
  "flag_meanings",
  "flag_values",
  "formula_terms",
  "climatology",
  "standard_name",
  "axis",
  "positive",
  "zarrsift",
  "zarr_conventions",
]);

const BLOCK_ROWS = 512;
const BLOCKS_KEPT = 64;

/** Loads the fields of the rows `idx`, one vector a field. */
export type LoadRows = (idx: Float64Array) => Promise<Batch>;

/** The fields of a view's rows, loaded in blocks as they are asked for. */
export class Fields {
  readonly columns: OutputColumn[];
  readonly #idx: Float64Array;
  readonly #load: LoadRows;
  readonly #blocks = new Lru<Batch>(BLOCKS_KEPT);

  /** @throws ZarrsiftError `field_collision` where two fields would become one attribute */
  constructor(columns: OutputColumn[], idx: Float64Array, load: LoadRows) {
    for (const column of columns) checkName(column);
    this.columns = columns;
    this.#idx = idx;
    this.#load = load;
    const names = columns.map((c) => (RESERVED.has(c.name) ? `meta_${c.name}` : c.name));
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice) throw collision(twice.replace(/^meta_/, ""), "another field is written as that");
  }

  /** Names, `idx` first. */
  get names(): string[] {
    return ["idx", ...this.columns.map((c) => c.name).filter((name) => name !== "idx")];
  }

  /** The values of the view's row `row` as JSON; NULL is left out. */
  async values(row: number): Promise<Map<string, JsonValue>> {
    const first = Math.floor(row / BLOCK_ROWS) * BLOCK_ROWS;
    const load = () => this.#load(this.#idx.slice(first, first + BLOCK_ROWS));
    const block = await this.#blocks.load(String(first), load, () => 1);
    const values = new Map<string, JsonValue>([["idx", this.#idx[row]!]]);
    this.columns.forEach((column, i) => {
      const cell = cellAt(block.vectors[i]!, row - first);
      const value = parseJson(jsonCell(cell, column.type), column.name);
      if (value !== null) values.set(column.name, value);
    });
    return values;
  }

  /** Names to flatten on a granule's group, or on its arrays, where geometry that nobody named is left out: outlines are long. */
  namesOn(node: "group" | "array"): string[] {
    const tooLong = (c: OutputColumn) => node === "array" && c.type.kind === "geometry" && !c.named;
    return ["idx", ...this.columns.filter((c) => c.name !== "idx" && !tooLong(c)).map((c) => c.name)];
  }
}

/** What a view's `/meta` says of the view itself. */
const OWN = ["source_idx", "array_location"];

/** A field is an attribute and an array of the view's `/meta`: its name must be one that Zarr and URLs can carry. */
function checkName({ name, column }: OutputColumn): void {
  const means =
    name === "idx"
      ? "idx is always the row's number"
      : OWN.includes(name)
        ? `${name} is the view's own`
        : undefined;
  if (means !== undefined && column !== name) throw badName(name, means);
  if (!/^[^/\\?#%\0]+$/.test(name) || /^(\.+|__.*|zarr\.json|\.z\w+)$/.test(name)) {
    throw badName(name, "it cannot be the name of a Zarr array");
  }
}

function badName(name: string, why: string): ZarrsiftError {
  return new ZarrsiftError(
    "bad_request",
    `"${name}" cannot be a field of a view: ${why}. Give it another name with AS`,
    {
      details: { field: name },
    },
  );
}

/**
 * A node's own attributes with the fields added. Its own always win, and reserved names stay its own: such a field is
 * written as `meta_<name>`.
 * @throws ZarrsiftError `field_collision` where that is taken too
 */
export function flatten(
  own: JsonObject,
  values: Map<string, JsonValue>,
  names: readonly string[],
  path: string,
): JsonObject {
  const attributes: JsonObject = { ...own };
  for (const name of names) {
    const value = values.get(name);
    const target = attributeName(name, own, names, path);
    if (value !== undefined) attributes[target] = value;
  }
  return attributes;
}

/**
 * A node's attributes without what an earlier view wrote there, so that a view of a view has its own fields.
 *
 * @param written values of the earlier view's fields for this granule: an attribute goes only where it has that value
 */
export function withoutFields(attributes: JsonObject, written: Map<string, JsonValue>): JsonObject {
  if (written.size === 0) return attributes;
  const kept = { ...attributes };
  for (const [name, value] of written) {
    const place = [`meta_${name}`, name].find((each) => each in kept && sameValue(kept[each]!, value));
    if (place !== undefined) delete kept[place];
  }
  return kept;
}

/** A bool that is somewhere NULL comes back as an integer. */
function sameValue(attribute: JsonValue, value: JsonValue): boolean {
  return (
    jsonEquals(attribute, value) || (typeof attribute === "boolean" && Number(attribute) === asNumber(value))
  );
}

function attributeName(name: string, own: JsonObject, names: readonly string[], path: string): string {
  if (!RESERVED.has(name) && !(name in own)) return name;
  const prefixed = `meta_${name}`;
  if (prefixed in own || names.includes(prefixed)) {
    throw collision(name, `/${path} has attributes "${name}" and "${prefixed}" of its own`);
  }
  return prefixed;
}

function collision(name: string, why: string): ZarrsiftError {
  return new ZarrsiftError(
    "field_collision",
    `The field "${name}" cannot be written as an attribute: ${why}; leave it out of the SELECT list, or give it an alias`,
    { details: { field: name } },
  );
}
