/** What scans have found out about conditions: the share of rows that each keeps. */
import { Lru } from "../../lru.ts";
import type { Table } from "../../table/table.ts";

interface Kept {
  rowsIn: number;
  rowsOut: number;
}

/** Conditions remembered for one table. */
const MOST_CONDITIONS = 1000;

/** Rows that must have been tested before their share means more than a rule of thumb. */
const LEAST_ROWS = 1000;

const tables = new WeakMap<Table, Lru<Kept>>();

/** Of `rowsIn` rows that the condition `text` was tested on, `rowsOut` met it. */
export function learn(table: Table, text: string, rowsIn: number, rowsOut: number): void {
  const known = tables.get(table) ?? new Lru<Kept>(MOST_CONDITIONS);
  tables.set(table, known);
  const before = known.get(text) ?? { rowsIn: 0, rowsOut: 0 };
  known.set(text, { rowsIn: before.rowsIn + rowsIn, rowsOut: before.rowsOut + rowsOut }, 1);
}

/** Share of rows, 0 to 1, that met the condition `text` so far; `undefined` where too few were tested. */
export function learntShare(table: Table, text: string): number | undefined {
  const kept = tables.get(table)?.get(text);
  return kept && kept.rowsIn >= LEAST_ROWS ? kept.rowsOut / kept.rowsIn : undefined;
}
