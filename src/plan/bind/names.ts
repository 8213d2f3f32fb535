/** Which column a name means. */
import { type Position, ZarrsiftError } from "../../errors.ts";
import { shown, sqlError } from "../../sql/messages.ts";
import { suggest } from "../../sql/suggest.ts";
import type { Table } from "../../table/table.ts";
import { INT64 } from "../../table/types.ts";
import type { BoundExpr } from "./bound.ts";

/** How a stored column called `idx` is written, since idx itself is the row's number. */
export const STORED_IDX = "meta.idx";

/** Longest list of columns that a message spells out. */
const LISTED = 30;

export interface NamedColumn {
  name: string;
  table?: string | undefined;
  quoted: boolean;
  at: Position;
}

/**
 * The column that `name` means: itself, or the only one that differs in case where it is not quoted.
 * @throws ZarrsiftError `unknown_column`, or the column's own error where it cannot be read
 */
export function resolveColumn(named: NamedColumn, table: Table): BoundExpr {
  const { name, at, quoted } = named;
  const { columns } = table;
  const wantsStored = named.table !== undefined || (quoted && name === STORED_IDX);
  if (columns.has(name) && name !== "idx") return storedColumn(name, table, at);
  if (columns.has("idx") && wantsStored && /^(idx|meta\.idx)$/i.test(name))
    return storedColumn("idx", table, at);
  if (quoted ? name === "idx" : name.toLowerCase() === "idx") return { node: "idx", type: INT64, at };
  throwUnusable(name, table);
  const alike = quoted
    ? []
    : [...columns.keys()].filter((column) => column.toLowerCase() === name.toLowerCase());
  if (alike.length === 1) return storedColumn(alike[0]!, table, at);
  if (alike.length > 1) {
    const spelt = alike.map((column) => `"${column}"`).join(" and ");
    throw sqlError("unknown_column", `Column ${name} could be ${spelt}: write it in double quotes`, at);
  }
  throw unknownColumn(name, table, at, quoted);
}

function storedColumn(name: string, table: Table, at: Position): BoundExpr {
  return { node: "column", name, type: table.columns.get(name)!.type, at };
}

function throwUnusable(name: string, { unusable }: Table): void {
  const error = unusable?.get(name);
  if (error) throw error;
}

/** `Unknown column "dat"; meta has: bbox, collection, date`. `isText`: the name may be a text that lacks its quotes. */
export function unknownColumn(name: string, table: Table, at?: Position, isText = false): ZarrsiftError {
  const names = [...table.columns.keys()].map(shownName);
  const guess = suggest(name, ["idx", ...names]);
  const list =
    names.length > LISTED
      ? `${names.slice(0, LISTED).join(", ")} and ${names.length - LISTED} more`
      : names.join(", ");
  const hints = [
    ...(guess ? [` Did you mean "${guess}"?`] : []),
    ...(isText ? [` A text stands in single quotes: '${shown(name).replaceAll("'", "''")}'`] : []),
  ];
  const message = `Unknown column "${shown(name)}"; meta has: ${list}${hints.length > 0 ? "." : ""}${hints.join("")}`;
  return at ? sqlError("unknown_column", message, at) : new ZarrsiftError("unknown_column", message);
}

/** The name a stored column goes by in results. */
export const shownName = (column: string): string => (column === "idx" ? STORED_IDX : column);

/** @throws ZarrsiftError `unknown_table` */
export function checkTable(name: string, table: Table, at: Position, alias?: string): void {
  const known = ["meta", table.name, ...(alias === undefined ? [] : [alias])];
  if (known.some((own) => own.toLowerCase() === name.toLowerCase())) return;
  const names = [...new Set(known)].join(" or ");
  throw sqlError("unknown_table", `Unknown table "${shown(name)}": the only one is called ${names}`, at);
}
