/** A whole SELECT, bound to a table. */
import type { Position } from "../errors.ts";
import type { Expr, OrderItem, Select, SelectItem } from "../sql/ast.ts";
import { sqlError } from "../sql/messages.ts";
import { printExpr } from "../sql/print.ts";
import { children } from "../sql/walk.ts";
import type { Table } from "../table/table.ts";
import { INT64, typeName } from "../table/types.ts";
import type { OutputColumn } from "./api.ts";
import { AGGREGATES } from "./bind-call.ts";
import { bindCondition, bindExpr, type Scope } from "./bind-expr.ts";
import { type BoundExpr, isConstant } from "./bound.ts";
import { bindAnd, canMerge } from "./compare.ts";
import { movedText, rangesOfColumns } from "./monotone.ts";
import { checkTable, shownName } from "./names.ts";

export interface SortKey {
  expr: BoundExpr;
  descending: boolean;
  nullsFirst: boolean;
  text: string;
}

/** A condition that rows must meet, with its text. */
export interface Condition {
  expr: BoundExpr;
  text: string;
}

export interface OutputItem extends OutputColumn {
  expr: BoundExpr;
}

export interface BoundQuery {
  items: OutputItem[];
  /** All must hold. */
  conditions: Condition[];
  orderBy: SortKey[];
  limit: number | undefined;
  offset: number;
}

/** Whether each row of the answer is a row of the table: no aggregates, GROUP BY, HAVING or DISTINCT. */
export function isRowQuery(select: Select): boolean {
  const exprs = [
    ...select.items.flatMap((item) => (item.type === "star" ? [] : [item.expr])),
    ...select.orderBy.map(({ expr }) => expr),
  ];
  return !select.distinct && select.groupBy.length === 0 && !select.having && !exprs.some(hasAggregate);
}

function hasAggregate(expr: Expr): boolean {
  return (
    (expr.type === "call" && (expr.star || AGGREGATES.has(expr.name))) || children(expr).some(hasAggregate)
  );
}

/** @throws ZarrsiftError for whatever is wrong with the query; nothing has been read by then */
export function bindSelect(select: Select, scope: Scope): BoundQuery {
  refuseGroups(select);
  checkTable(select.from.name, scope.table, select.from.at);
  const inside: Scope = { ...scope, alias: select.from.alias };
  const items = bindItems(select.items, inside);
  const aliased: Scope = { ...inside, aliases: aliasesOf(select.items) };
  return {
    items,
    conditions: select.where ? bindConditions(select.where, aliased) : [],
    orderBy: select.orderBy.flatMap((item) => bindOrder(item, items, aliased)),
    limit: bindCount(select.limit, inside, "LIMIT"),
    offset: bindCount(select.offset, inside, "OFFSET") ?? 0,
  };
}

function refuseGroups(select: Select): void {
  const refuse = (what: string, at: Position) => {
    throw sqlError(
      "sql_unsupported",
      `${what} is not supported yet: select rows, and group them where they arrive`,
      at,
    );
  };
  if (select.distinct) refuse("DISTINCT", select.at);
  if (select.groupBy[0]) refuse("GROUP BY", select.groupBy[0].at);
  if (select.having) refuse("HAVING", select.having.at);
}

function aliasesOf(items: readonly SelectItem[]): Map<string, Expr> {
  const aliases = new Map<string, Expr>();
  for (const item of items) {
    if (item.type === "expr" && item.alias !== undefined && !aliases.has(item.alias))
      aliases.set(item.alias, item.expr);
  }
  return aliases;
}

function bindItems(items: readonly SelectItem[], scope: Scope): OutputItem[] {
  const bound = items.flatMap((item) =>
    item.type === "star" ? starItems(scope.table, item.at) : [bindItem(item, scope)],
  );
  const seen = new Set<string>();
  for (const { name, expr } of bound) {
    if (seen.has(name))
      throw sqlError(
        "bad_request",
        `Two output columns are called "${name}": give one of them an alias`,
        expr.at,
      );
    seen.add(name);
  }
  return bound;
}

function starItems(table: Table, at: Position): OutputItem[] {
  return [...table.columns.values()].map((column) => columnItem(column.name, table, at, false));
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

function bindItem(item: Extract<SelectItem, { type: "expr" }>, scope: Scope): OutputItem {
  const expr = bindExpr(item.expr, scope);
  const { alias, text, at } = item;
  if (expr.node === "idx") return idxItem(alias ?? "idx", at);
  if (expr.node === "column") {
    const column = columnItem(expr.name, scope.table, at, true);
    return { ...column, name: alias ?? column.name };
  }
  return {
    name: alias ?? text,
    type: expr.type,
    column: undefined,
    named: true,
    text: printExpr(item.expr, scope.params),
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
  if (expr.type === "literal" && typeof expr.value === "bigint") {
    const item = items[Number(expr.value) - 1];
    if (item) return item.expr;
    throw sqlError(
      "sql_type",
      `ORDER BY ${expr.value}: there is no such output column, they are 1 to ${items.length}`,
      expr.at,
    );
  }
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
    `${what} needs a whole number of at least 0, not ${printExpr(expr, scope.params)}`,
    expr.at,
  );
}
