/** A whole SELECT, bound to a table. */
import type { Position } from "../../errors.ts";
import type { Expr, OrderItem, Select, SelectItem } from "../../sql/ast.ts";
import { shown as shownText, sqlError } from "../../sql/messages.ts";
import { printExpr } from "../../sql/print.ts";
import type { Table } from "../../table/table.ts";
import { INT64, typeName } from "../../table/types.ts";
import type { OutputColumn } from "../api.ts";
import { type BoundExpr, type Condition, isConstant } from "./bound.ts";
import { bindAnd, canMerge } from "./compare.ts";
import { bindCondition, bindExpr, type Scope } from "./expr.ts";
import { aliased, bindGrouping, type Grouping, isGrouped } from "./group.ts";
import { movedText, rangesOfColumns } from "./monotone.ts";
import { checkTable, shownName } from "./names.ts";
import { same } from "./same.ts";

export interface SortKey {
  expr: BoundExpr;
  descending: boolean;
  nullsFirst: boolean;
  text: string;
}

export interface OutputItem extends OutputColumn {
  expr: BoundExpr;
}

export interface BoundQuery {
  items: OutputItem[];
  /** All must hold. */
  conditions: Condition[];
  /** How rows become groups, and those again: what comes after reads the groups of the last. Empty: it reads rows. */
  groups: Grouping[];
  orderBy: SortKey[];
  limit: number | undefined;
  offset: number;
}

/** Whether each row of the answer is a row of the table: no aggregates, GROUP BY, HAVING or DISTINCT. */
export function isRowQuery(select: Select): boolean {
  return !select.distinct && !isGrouped(select);
}

/** @throws ZarrsiftError for whatever is wrong with the query; nothing has been read by then */
export function bindSelect(select: Select, scope: Scope): BoundQuery {
  checkTable(select.from.name, scope.table, select.from.at);
  const inside: Scope = { ...scope, alias: select.from.alias };
  const rows: Scope = { ...inside, aliases: aliasesOf(select.items) };
  const listed = select.items.flatMap((item) => listedItems(item, scope.table));
  const grouped = isGrouped(select) ? bindGroups(select.groupBy, listed, rows) : undefined;
  const plain = bindItems(listed, inside, grouped?.scope);
  const distinct = select.distinct ? bindDistinct(listed, plain, grouped?.scope ?? rows) : undefined;
  const items = distinct?.items ?? plain;
  const last = distinct?.scope ?? grouped?.scope ?? rows;
  if (select.having) grouped!.grouping.having = bindHaving(select.having, grouped!.scope);
  return {
    conditions: select.where ? bindConditions(select.where, rows) : [],
    groups: [grouped, distinct].flatMap((stage) => (stage ? [stage.grouping] : [])),
    items,
    orderBy: select.orderBy.flatMap((item) => bindOrder(item, items, last)),
    limit: bindCount(select.limit, inside, "LIMIT"),
    offset: bindCount(select.offset, inside, "OFFSET") ?? 0,
  };
}

/** Keys are expressions of rows, positions of items, or aliases of some where no column has that name. */
function bindGroups(groupBy: readonly Expr[], items: readonly ListedItem[], rows: Scope) {
  const keys = groupBy.map((expr) => {
    const source = isPosition(expr) ? itemAt(expr, items, "GROUP BY").expr : aliased(expr, rows);
    return { source, expr: bindExpr(source, rows), text: printExpr(source, rows.params) };
  });
  return bindGrouping("aggregate", keys, rows);
}

function bindHaving(having: Expr, scope: Scope): Condition {
  return { expr: bindCondition(having, scope, "HAVING"), text: printExpr(having, scope.params) };
}

/** DISTINCT groups by all of its items. */
function bindDistinct(listed: readonly ListedItem[], items: readonly OutputItem[], before: Scope) {
  const keys = items.map(({ expr }, i) => {
    const source = listed[i]!.expr;
    return { source, expr, text: printExpr(source, before.params) };
  });
  const { grouping, scope } = bindGrouping("distinct", keys, before);
  const columns = items.map((item): OutputItem => {
    const key = grouping.keys.find(({ expr }) => same(expr, item.expr))!;
    return { ...item, expr: { node: "column", name: key.text, type: item.type, at: item.expr.at } };
  });
  return { grouping, scope, items: columns };
}

function aliasesOf(items: readonly SelectItem[]): Map<string, Expr> {
  const aliases = new Map<string, Expr>();
  for (const item of items) {
    if (item.type === "expr" && item.alias !== undefined && !aliases.has(item.alias))
      aliases.set(item.alias, item.expr);
  }
  return aliases;
}

/** An item that is an expression; those of `*` are its columns. */
interface ListedItem extends Extract<SelectItem, { type: "expr" }> {
  named: boolean;
}

function listedItems(item: SelectItem, table: Table): ListedItem[] {
  if (item.type === "expr") return [{ ...item, named: true }];
  for (const error of table.unusable?.values() ?? []) if (error.code === "meta_invalid") throw error;
  const { at } = item;
  return [...table.columns.keys()].map(shownName).map((name) => ({
    type: "expr",
    expr: { type: "column", name, table: undefined, quoted: true, at },
    alias: undefined,
    text: name,
    named: false,
    at,
  }));
}

/** @param grouped where the items are those of groups */
function bindItems(listed: readonly ListedItem[], rows: Scope, grouped: Scope | undefined): OutputItem[] {
  const bound = listed.map((item) => bindItem(item, rows, grouped));
  const seen = new Set<string>();
  for (const { name, expr } of bound) {
    if (seen.has(name))
      throw sqlError(
        "bad_request",
        `Two output columns are called "${shownText(name)}": give one of them an alias`,
        expr.at,
      );
    seen.add(name);
  }
  return bound;
}

/** The item that is just the stored column `name`. */
export function columnItem(name: string, table: Table, at: Position, named: boolean): OutputItem {
  const { type } = table.columns.get(name)!;
  const shown = shownName(name);
  const text = printExpr({ type: "column", name: shown, table: undefined, quoted: true, at });
  return { name: shown, type, column: shown, named, text, expr: { node: "column", name, type, at } };
}

/** The item that is idx. */
export function idxItem(name: string, at: Position): OutputItem {
  return {
    name,
    type: INT64,
    column: "idx",
    named: true,
    text: "idx",
    expr: { node: "idx", type: INT64, at },
  };
}

function bindItem(item: ListedItem, rows: Scope, grouped: Scope | undefined): OutputItem {
  const { alias, text, named, at } = item;
  const expr = bindExpr(item.expr, grouped ? { ...grouped, aliases: new Map() } : rows);
  const stored = item.expr.type === "column" ? bindExpr(item.expr, rows) : expr;
  if (stored.node === "idx") return { ...idxItem(alias ?? "idx", at), expr };
  if (stored.node === "column" && (!grouped || item.expr.type === "column")) {
    const column = columnItem(stored.name, rows.table, at, named);
    return { ...column, name: alias ?? column.name, expr };
  }
  return {
    name: alias ?? text,
    type: expr.type,
    column: undefined,
    named: true,
    text: printExpr(item.expr, rows.params),
    expr,
  };
}

/** WHERE taken apart at its ANDs, also those that NOT … OR hides; ranges of one column made one. */
export function bindConditions(where: Expr, scope: Scope): Condition[] {
  const conditions: Condition[] = [];
  for (const part of conjuncts(where, false)) {
    const condition = conditionOf(part, scope);
    const same = conditions.findIndex(({ expr }) => canMerge(expr, condition.expr));
    if (same < 0) conditions.push(condition);
    else conditions[same] = merged(conditions[same]!, condition);
  }
  return conditions;
}

function conditionOf(part: Expr, scope: Scope): Condition {
  const written = bindCondition(part, scope, "WHERE");
  const expr = scope.asWritten ? written : rangesOfColumns(written);
  return { expr, text: printExpr(part, scope.params) + movedText(written, expr) };
}

function merged(a: Condition, b: Condition): Condition {
  return { expr: bindAnd([a.expr, b.expr], a.expr.at), text: `${a.text} AND ${b.text}` };
}

function conjuncts(expr: Expr, negated: boolean): Expr[] {
  if (expr.type === "not") return conjuncts(expr.operand, !negated);
  const splits = expr.type === "binary" && expr.op === (negated ? "or" : "and");
  if (splits) return [...conjuncts(expr.left, negated), ...conjuncts(expr.right, negated)];
  return [negated ? { type: "not", operand: expr, at: expr.at } : expr];
}

/** A constant orders nothing. An integer is a position, a bare name an output column before a stored one. */
function bindOrder(item: OrderItem, items: readonly OutputItem[], scope: Scope): SortKey[] {
  const { at } = item;
  const expr = orderExpr(item.expr, items, scope);
  const { kind } = expr.type;
  if (kind === "geometry") throw sqlError("sql_type", `ORDER BY cannot order ${typeName(expr.type)}`, at);
  if (isConstant(expr)) return [];
  const text =
    printExpr(item.expr, scope.params) +
    (item.descending ? " DESC" : "") +
    (item.nulls === "first" ? " NULLS FIRST" : "");
  return [{ expr, descending: item.descending, nullsFirst: item.nulls === "first", text }];
}

function orderExpr(expr: Expr, items: readonly OutputItem[], scope: Scope): BoundExpr {
  if (isPosition(expr)) return itemAt(expr, items, "ORDER BY").expr;
  if (expr.type === "column" && expr.table === undefined) {
    const alike = (name: string) =>
      name === expr.name || (!expr.quoted && name.toLowerCase() === expr.name.toLowerCase());
    const item =
      items.find(({ name, column }) => alike(name) && column === undefined) ??
      items.find(({ name }) => alike(name));
    if (item) return item.expr;
  }
  return bindExpr(expr, scope);
}

type ItemNumber = Expr & { type: "literal"; value: bigint };

function isPosition(expr: Expr): expr is ItemNumber {
  return expr.type === "literal" && typeof expr.value === "bigint";
}

function itemAt<T>({ value, at }: ItemNumber, items: readonly T[], clause: string): T {
  const item = items[Number(value) - 1];
  if (item) return item;
  const message = `${clause} ${value}: there is no such output column, they are 1 to ${items.length}`;
  throw sqlError("sql_type", message, at);
}

function bindCount(expr: Expr | undefined, scope: Scope, what: string): number | undefined {
  if (!expr) return undefined;
  const bound = bindExpr(expr, scope);
  if (!isConstant(bound))
    throw sqlError("sql_type", `${what} needs a number that does not depend on rows`, expr.at);
  const { value } = bound;
  if (value === null) return undefined;
  if (typeof value === "bigint" && value >= 0n) return Number(value);
  throw sqlError(
    "sql_type",
    `${what} needs a whole number of at least 0, not ${shownText(printExpr(expr, scope.params))}`,
    expr.at,
  );
}
