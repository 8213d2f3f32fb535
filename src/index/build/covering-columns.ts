/** Which columns may hold the boxes of a geometry column. */
import { ZarrsiftError } from "../../errors.ts";
import type { MetaColumn } from "../../table/column.ts";
import type { SqlType } from "../../table/types.ts";
import type { BySide } from "../api.ts";

const NAMES: readonly BySide<string>[] = [
  ["xmin", "ymin", "xmax", "ymax"],
  ["minx", "miny", "maxx", "maxy"],
  ["west", "south", "east", "north"],
];

/**
 * Columns that are named like the sides of boxes: `xmin`, `minx` or `west` and so on, alone or behind `bbox_`, `bbox.`,
 * or the geometry's own name in place of `bbox`; as GeoParquet's coverings are, with their structs flattened.
 */
function coveringsByName(geometry: string, columns: Iterable<MetaColumn>): BySide<MetaColumn>[] {
  const numbers = new Map<string, MetaColumn>();
  for (const column of columns) if (isNumber(column.type)) numbers.set(column.name.toLowerCase(), column);
  const own = geometry.toLowerCase();
  const prefixes = new Set([`${own}_`, `${own}.`, `${own}_bbox_`, `${own}_bbox.`, "bbox_", "bbox.", ""]);
  const found: BySide<MetaColumn>[] = [];
  for (const prefix of prefixes)
    for (const names of NAMES) {
      const four = names.flatMap((name) => numbers.get(prefix + name) ?? []);
      if (four.length === 4) found.push(four as unknown as BySide<MetaColumn>);
    }
  return found;
}

/** Columns that may hold the boxes of `geometry`: those that did when it was indexed last, and those that are named so. */
export function coveringCandidates(
  geometry: string,
  columns: ReadonlyMap<string, MetaColumn>,
  recorded: BySide<string> | undefined,
): BySide<MetaColumn>[] {
  const byName = coveringsByName(geometry, columns.values());
  const four = recorded?.flatMap((name) => columns.get(name) ?? []).filter(({ type }) => isNumber(type));
  if (four?.length !== 4) return byName;
  const others = byName.filter((other) => other.some((column, side) => column !== four[side]));
  return [four as unknown as BySide<MetaColumn>, ...others];
}

/** @throws ZarrsiftError `unknown_column`, or `bad_request` for a column that is no number */
export function namedCovering(
  names: readonly string[],
  columns: ReadonlyMap<string, MetaColumn>,
): BySide<MetaColumn> {
  const four = names.map((name) => {
    const column = columns.get(name);
    if (!column)
      throw new ZarrsiftError(
        "unknown_column",
        `There is no column ${name}; meta has: ${[...columns.keys()].join(", ")}`,
      );
    if (!isNumber(column.type))
      throw new ZarrsiftError(
        "bad_request",
        `Column ${name} is ${column.type.kind}, which holds no side of boxes`,
      );
    return column;
  });
  if (four.length !== 4)
    throw new ZarrsiftError(
      "bad_request",
      "A covering is four columns: xmin, ymin, xmax, ymax, in that order",
    );
  return four as unknown as BySide<MetaColumn>;
}

/** Values that a float64 holds exactly. */
const isNumber = (type: SqlType): boolean => type.kind === "float" || (type.kind === "int" && type.bits < 64);
